"""manage.py remove_operator EMAIL"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.models.user import normalise_email


class Command(BaseCommand):
    help = "Let someone run the installation no more; their teams and keys stay as they are."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        email = normalise_email(options["email"])
        if not User.objects.filter(email=email, is_staff=True).update(is_staff=False, is_superuser=False):
            raise CommandError(f"email: {options['email']!r}; no operator has that address")
        self.stdout.write(f"removed: {email}")
