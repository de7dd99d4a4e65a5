"""manage.py add_operator EMAIL"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts import teams
from accounts.management import arguments
from accounts.models import User


class Command(BaseCommand):
    help = "Let someone run the installation, who is made if nobody has that address; the password is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        user, password = teams.find_or_create_user(arguments.address(options["email"], name="email"))
        User.objects.filter(pk=user.pk).update(is_staff=True)
        self.stdout.write(f"operator: {user.email}")
        if password:
            self.stdout.write(f"password: {password}")
