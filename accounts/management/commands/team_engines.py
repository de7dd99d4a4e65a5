"""manage.py team_engines TEAM [--only ALIAS … | --any] [--fallback yes|no]"""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.management import arguments
from accounts.models import Team


class Command(BaseCommand):
    help = "Say which engines may serve a team, and whether its keys accept one that does not read the prompt."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("team", help="the team's slug, as create_team prints it")
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--only", nargs="+", metavar="ALIAS", help="engines that may serve it, no other")
        chosen.add_argument("--any", action="store_true", help="every engine on a model's route may serve it")
        parser.add_argument("--fallback", choices=("yes", "no"), help="what counts where a request does not say")

    def handle(self, *args: Any, **options: Any) -> None:
        team = arguments.team(options["team"])
        if options["only"] or options["any"]:
            team.engines = _known(options["only"] or [])
        if options["fallback"]:
            team.allow_fallback = options["fallback"] == "yes"
        team.save(update_fields=["engines", "allow_fallback"])
        self.stdout.write(_said(team))


def _known(aliases: list[str]) -> list[str]:
    for alias in aliases:
        if alias not in settings.ENGINES:
            raise CommandError(f"--only: {alias!r}; the engines are {', '.join(settings.ENGINES)}")
    return aliases


def _said(team: Team) -> str:
    engines = ", ".join(team.engines) or "any"
    return f"{team.slug}: engines {engines}; fall-back for keys: {'yes' if team.allow_fallback else 'no'}"
