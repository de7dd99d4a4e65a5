"""What commands are given, read; what is wrong is a CommandError that names it."""

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.core.validators import validate_email
from django.utils.text import slugify

from accounts.credits import parse
from accounts.models import Team


def team(given: str) -> Team:
    """Return the team with that slug, or with the name that makes it."""
    found = Team.objects.filter(slug=given).first() or Team.objects.filter(slug=slugify(given)).first()
    if found is None:
        raise CommandError(f"team: {given!r}; there is no team with that name or slug")
    return found


def credits(text: str, *, name: str, least: int = 0) -> int:
    """Return an amount in millionths, at least `least` of them; `name` is the argument's in messages."""
    try:
        amount = parse(text)
    except ValueError as error:
        raise CommandError(f"{name}: {text!r}; {str(error).partition('; ')[2]}") from error
    if amount < least:
        raise CommandError(f"{name}: {text}; {'0 or above' if least == 0 else 'above 0'} is allowed")
    return amount


def address(text: str, *, name: str) -> str:
    """Return an e-mail address."""
    try:
        validate_email(text)
    except ValidationError as error:
        raise CommandError(f"{name}: {text!r}; an e-mail address is allowed") from error
    return text
