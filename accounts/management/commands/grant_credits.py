"""manage.py grant_credits TEAM AMOUNT"""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts import ledger
from accounts.credits import format_credits
from accounts.management import arguments


class Command(BaseCommand):
    help = "Give a team credits; run twice, it gives them twice."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("team", help="the team's slug, as create_team prints it")
        parser.add_argument("amount", help="1 credit is one US dollar")
        parser.add_argument("--note", default="", help="what the team's statement says of it")

    def handle(self, *args: Any, **options: Any) -> None:
        team = arguments.team(options["team"])
        amount = arguments.credits(options["amount"], name="amount", least=1)
        ledger.grant(team.pk, amount, reference=uuid.uuid4(), note=options["note"])
        self.stdout.write(f"granted: {format_credits(amount)}")
        self.stdout.write(f"available: {format_credits(ledger.balance(team.pk).available)}")
