"""manage.py create_api_key TEAM --name N"""

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import keys
from accounts.access import SCOPES
from accounts.management import arguments
from accounts.models import Membership, Role
from accounts.models.key import DEFAULT_SCOPES
from accounts.models.user import normalise_email


class Command(BaseCommand):
    help = "Make an API key and print it, alone: it is kept nowhere and cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("team", help="the team's slug, as create_team prints it")
        parser.add_argument("--name", required=True, help="where the key will be used")
        parser.add_argument("--user", metavar="EMAIL", help="the member whose key it is (default: an owner)")
        several = ", ".join(DEFAULT_SCOPES)
        parser.add_argument(
            "--scope", action="append", choices=list(SCOPES), help=f"repeat it for several (default: {several})"
        )
        parser.add_argument("--model", action="append", default=[], metavar="SLUG", help="only it; may be repeated")
        parser.add_argument("--expires", metavar="DATE", help="the day on which it ends, or the moment, ISO 8601; UTC")
        parser.add_argument("--rate-limit", type=int, metavar="N", help="submits a minute; RATE_LIMIT is the most")
        parser.add_argument("--daily-credits", metavar="N", help="what it may take in a day, which begins at 0:00 UTC")
        parser.add_argument("--monthly-credits", metavar="N", help="what it may take in a month")

    def handle(self, *args: Any, **options: Any) -> None:
        place = _membership(options["team"], options["user"])
        try:
            _, raw = keys.create(
                place,
                name=options["name"],
                scopes=options["scope"] or DEFAULT_SCOPES,
                models=options["model"],
                expires_at=_moment(options["expires"]),
                rate_limit=options["rate_limit"],
                daily=_credits(options, "daily_credits"),
                monthly=_credits(options, "monthly_credits"),
            )
        except keys.InvalidKey as error:
            raise CommandError(f"{_OPTIONS[error.field]}: {error.message}") from error
        except PermissionDenied as error:
            raise CommandError(str(error)) from error
        self.stdout.write(raw)


_OPTIONS = {
    "name": "--name",
    "scopes": "--scope",
    "models": "--model",
    "expires_at": "--expires",
    "rate_limit": "--rate-limit",
    "daily": "--daily-credits",
    "monthly": "--monthly-credits",
}


def _credits(options: dict[str, Any], name: str) -> int | None:
    given = options[name]
    return None if given is None else arguments.credits(given, name=f"--{name.replace('_', '-')}", least=1)


def _moment(text: str | None) -> datetime | None:
    """Return a moment; that of a day without an hour is its beginning."""
    if text is None:
        return None
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--expires: {text!r}; a date such as 2027-01-31 is allowed") from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def _membership(slug: str, email: str | None) -> Membership:
    places = Membership.objects.filter(team=arguments.team(slug)).order_by("id")
    chosen = places.filter(user__email=normalise_email(email)) if email else places.filter(role=Role.OWNER)
    place = chosen.first()
    if place is None:
        raise CommandError(f"--user: {email!r}; nobody in the team {slug!r} has that address")
    return place
