"""manage.py add_member TEAM EMAIL --role member"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError, transaction

from accounts import teams
from accounts.management import arguments
from accounts.models import Role


class Command(BaseCommand):
    help = "Put someone in a team, who is made too if nobody has that address; the password is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("team", help="the team's slug, as create_team prints it")
        parser.add_argument("email")
        parser.add_argument("--role", choices=Role.values, default=Role.MEMBER.value, help="(default: member)")

    def handle(self, *args: Any, **options: Any) -> None:
        team, address = arguments.team(options["team"]), arguments.address(options["email"], name="email")
        role = Role(options["role"])
        try:
            with transaction.atomic():
                user, password = teams.find_or_create_user(address)
                teams.add_member(team, user, role)
        except IntegrityError as error:
            raise CommandError(f"email: {address!r}; is in the team {team.slug!r} already") from error
        self.stdout.write(f"member: {user.email}")
        self.stdout.write(f"role: {role.value}")
        if password:
            self.stdout.write(f"password: {password}")
