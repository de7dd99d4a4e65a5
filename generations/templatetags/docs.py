"""The documentation's templates: code from files, and names in it."""

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

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


@register.filter
def ticks(text: str) -> SafeString:
    """Show what stands between backticks as code."""
    return format_html_join("", "{}", ((_part(part, i % 2 == 1),) for i, part in enumerate(text.split("`"))))


def _part(text: str, is_code: bool) -> str:
    return format_html("<code>{}</code>", text) if is_code else text
