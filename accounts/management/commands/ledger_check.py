"""manage.py ledger_check"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import ledger


class Command(BaseCommand):
    help = "Compare every balance and usage row with the ledger's entries; exit 1 and say where they differ."

    def handle(self, *args: Any, **options: Any) -> None:
        differences = ledger.check()
        for difference in differences:
            self.stdout.write(str(difference))
        if differences:
            raise CommandError(f"{len(differences)} differences: the books don't balance", returncode=1)
        self.stdout.write("the books balance")
