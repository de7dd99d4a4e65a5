"""manage.py create_team NAME --owner EMAIL --credits N"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from accounts import teams
from accounts.credits import format_credits
from accounts.management import arguments


class Command(BaseCommand):
    help = "Make a team with its owner, who is made too if nobody has that address, and its opening credits."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--owner", required=True, metavar="EMAIL")
        parser.add_argument("--credits", default="0", metavar="N", help="1 credit is one US dollar (default 0)")

    def handle(self, *args: Any, **options: Any) -> None:
        credits = arguments.credits(options["credits"], name="--credits")
        owner = arguments.address(options["owner"], name="--owner")
        with transaction.atomic():
            user, password = teams.find_or_create_user(owner)
            team = teams.create_team(options["name"], user, credits=credits)
        self.stdout.write(f"team: {team.slug}")
        self.stdout.write(f"owner: {user.email}")
        if password:
            self.stdout.write(f"password: {password}")
        self.stdout.write(f"credits: {format_credits(credits)}")
