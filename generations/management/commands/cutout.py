"""Find the subject of a photograph and write its alpha; no database is needed."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generations import subjects
from generations.imaging import encode


class Command(BaseCommand):
    help = "Write the subject's alpha (8-bit grey PNG, the size of the upright picture)."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("image", type=Path)
        parser.add_argument("--out", type=Path, required=True)

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            alpha = subjects.alpha(options["image"].read_bytes())
            options["out"].write_bytes(encode.png(alpha))
        except (OSError, subjects.NotFound) as error:
            raise CommandError(f"{options['image']}: {error}") from error
        self.stdout.write(f"wrote {options['out']}: the subject covers {(alpha > 127).mean():.1%} of the picture")
