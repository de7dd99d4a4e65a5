"""manage.py openapi: writes the OpenAPI document of every door."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from generations import reference


class Command(BaseCommand):
    help = "Write the OpenAPI document of every door as JSON, as GET /api/schema answers it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, help="a file; standard output without")

    def handle(self, *args: Any, out: Path | None = None, **options: Any) -> None:
        text = json.dumps(reference.document(), indent=1, ensure_ascii=False) + "\n"
        if out is None:
            self.stdout.write(text, ending="")
        else:
            out.write_text(text, encoding="utf-8")
