"""Make the index that the gallery's search wants, where the migration was not allowed to."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from generations import prompt_index


class Command(BaseCommand):
    help = "Make the index of the gallery's search, once the extensions that it needs are there (PostgreSQL)."

    def handle(self, *args: Any, **options: Any) -> None:
        if not prompt_index.create(connection):
            raise CommandError("not made: " + " and ".join(prompt_index.EXTENSIONS) + " are needed")
        self.stdout.write("The index is there.")
