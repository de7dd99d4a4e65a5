"""manage.py remove_member TEAM EMAIL"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import teams
from accounts.management import arguments
from accounts.models import Membership
from accounts.models.user import normalise_email


class Command(BaseCommand):
    help = "Take someone out of a team, and their API keys with them; what they made stays the team's."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("team", help="the team's slug, as create_team prints it")
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        team, email = arguments.team(options["team"]), options["email"]
        place = Membership.objects.filter(team=team, user__email=normalise_email(email)).first()
        if place is None:
            raise CommandError(f"email: {email!r}; nobody in the team {team.slug!r} has that address")
        try:
            teams.remove_member(place)
        except teams.LastOwner as error:
            raise CommandError(f"{error}; make another first: add_member {team.slug} EMAIL --role owner") from error
        self.stdout.write(f"removed: {normalise_email(email)}")
