"""manage.py create_api_key TEAM --name N"""

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
        parser.add_argument(
            "--scope", action="append", choices=list(SCOPES), help="repeat it for several (default: all)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        place = _membership(options["team"], options["user"])
        scopes = options["scope"] or DEFAULT_SCOPES
        try:
            _, raw = keys.create(place, name=options["name"], scopes=scopes)
        except PermissionDenied as error:
            raise CommandError(str(error)) from error
        self.stdout.write(raw)


def _membership(slug: str, email: str | None) -> Membership:
    places = Membership.objects.filter(team=arguments.team(slug)).order_by("id")
    chosen = places.filter(user__email=normalise_email(email)) if email else places.filter(role=Role.OWNER)
    place = chosen.first()
    if place is None:
        raise CommandError(f"--user: {email!r}; nobody in the team {slug!r} has that address")
    return place
