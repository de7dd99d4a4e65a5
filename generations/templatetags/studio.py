"""What the studio's templates need beyond Django's own tags."""

from datetime import UTC, datetime
from typing import Any

from django import template
from django.conf import settings
from django.forms import BoundField, CheckboxInput
from django.templatetags.static import static
from django.utils.dateformat import format as date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.credits import format_credits

register = template.Library()

KINDS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/webp": "WebP"}


@register.simple_tag
def icon_url(name: str) -> str:
    """Return the address of a symbol in static/img/icons.svg."""
    return f"{static('img/icons.svg')}#{name}"


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw a symbol of static/img/icons.svg; it says nothing to screen readers."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>', icon_url(name))


@register.simple_tag
def stylesheet(name: str) -> str:
    return static(f"css/{name}.css")


@register.simple_tag
def script(name: str) -> str:
    return static(f"js/{name}.js")


@register.simple_tag
def signup_is_open() -> bool:
    """May anybody make an account? Else the operator does."""
    return bool(settings.SIGNUP == "open")


@register.filter
def day(when: datetime) -> SafeString:
    """Show the day of a moment: "20 Nov 2026"."""
    return _time(when, "j M Y", "day")


@register.filter
def moment(when: datetime) -> SafeString:
    """Show a moment: "20 Nov 2026, 16:35", in the reader's time zone once static/js/local-time.js ran."""
    return _time(when, "j M Y, H:i", "minute")


@register.filter
def second(when: datetime) -> SafeString:
    """Show a moment with its seconds."""
    return _time(when, "j M Y, H:i:s", "second")


def _time(when: datetime, pattern: str, precision: str) -> SafeString:
    then = when.astimezone(UTC)
    zone = "" if precision == "day" else " UTC"
    return format_html(
        '<time datetime="{}" data-to="{}">{}{}</time>', then.isoformat(), precision, date_format(then, pattern), zone
    )


@register.filter
def words(text: str) -> list[str]:
    """Split at spaces, to loop over names."""
    return text.split()


@register.filter
def credits(micro: int | None) -> str:
    """Millionths of a credit as people read them: "0.0036"."""
    return "–" if micro is None else format_credits(micro)


@register.filter
def short_credits(micro: int) -> str:
    """Credits with four decimals at most, rounded down: nobody is shown more than there is."""
    return format_credits(micro - micro % 100)


@register.filter
def cents(micro: int) -> str:
    """Credits with two decimals, rounded down."""
    return format_credits(micro - micro % 10_000)


@register.filter
def about(micro: int) -> str:
    """Credits to two figures: "0.0016"."""
    digits = len(str(abs(micro)))
    return format_credits(round(micro, 2 - digits))


@register.filter
def text(value: Any) -> str:
    """A parameter's value as a form field holds it: the same as JavaScript would write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


@register.filter
def seconds(value: float | None) -> str:
    """Seconds in words: "0.4 s", "9 s", "2 min 5 s"."""
    if value is None:
        return "–"
    if value < 10:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


@register.filter
def kind(content_type: str) -> str:
    """The short name of an image type: "PNG"."""
    return KINDS.get(content_type, content_type)


@register.filter
def is_checkbox(field: BoundField) -> bool:
    return isinstance(field.field.widget, CheckboxInput)
