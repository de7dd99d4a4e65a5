"""The documentation's templates: code from files, and names in it."""

from typing import Any

from django import template

from generations import code_samples

register = template.Library()


@register.inclusion_tag("docs/parts/code.html")
def code(name: str) -> dict[str, Any]:
    """Show the code of a name, a tab for each language."""
    return {"name": name, "blocks": code_samples.blocks(name)}


@register.inclusion_tag("docs/parts/before_after.html")
def before_after(name: str) -> dict[str, Any]:
    """Show code as it was for another service and as it is for this one; lines that differ are marked."""
    return {"name": name, "blocks": code_samples.blocks(name)}
