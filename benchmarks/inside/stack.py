"""`python -m benchmarks.inside.stack TEAMS`: migrate, make teams with keys, and say how the programs are started."""

import json
import sys
import uuid

from django.conf import settings
from django.core.management import call_command

from accounts import keys, ledger, teams
from accounts.credits import MICRO
from accounts.models import Membership
from config import programs

CREDITS = 1_000_000


def main(count: int) -> None:
    """Print {"keys": [one per team], "programs": {name: arguments}}, the programs exactly as `make run` starts them."""
    call_command("migrate", verbosity=0, interactive=False)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", verbosity=0, interactive=False)
    for folder in (settings.RUN_DIR, settings.RUN_DIR / "pids"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = [_key(number) for number in range(count)]
    started = {each.name: each.arguments for each in programs.programs(settings.RUN_DIR)}
    json.dump({"keys": made, "programs": started}, sys.stdout)


def _key(number: int) -> str:
    user, _ = teams.find_or_create_user(f"caller{number}@example.com")
    team = teams.create_team(f"Callers {number}", user)
    ledger.grant(team.pk, CREDITS * MICRO, reference=uuid.uuid4(), note="benchmark")
    return keys.create(Membership.objects.get(team=team, user=user), name="benchmark")[1]


if __name__ == "__main__":
    main(int(sys.argv[1]))
