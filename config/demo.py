"""The demo team of a fresh installation: a person who can sign in, 25 credits, a key."""

import os
from dataclasses import dataclass
from pathlib import Path

EMAIL = "demo@sceneshift.local"
CREDITS = 25


@dataclass(frozen=True, slots=True)
class Demo:
    """What lies in DATA_DIR/demo.txt."""

    email: str
    password: str
    key: str


def read(file: Path) -> Demo | None:
    """Return what `file` says, or None where it is not there or somebody changed it."""
    try:
        rows = dict(line.split(": ", 1) for line in file.read_text().splitlines() if ": " in line)
        return Demo(rows["e-mail"], rows["password"], rows["key"])
    except (FileNotFoundError, KeyError):
        return None


def tighten(file: Path) -> None:
    """Make `file`, where it is there, readable by its owner only: somebody may have copied it into place."""
    if file.exists() and file.stat().st_mode & 0o077:
        file.chmod(0o600)


def write(file: Path, demo: Demo) -> None:
    """Write `demo` to `file`, readable by its owner only."""
    tighten(file)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(f"e-mail: {demo.email}\npassword: {demo.password}\nkey: {demo.key}\n")


def create_once() -> None:
    """Create team, person and key, and write DATA_DIR/demo.txt; nothing where there is a team already."""
    # Imported here, because `read` serves a launcher that does not load Django's models.
    from django.conf import settings
    from django.db import transaction

    from accounts import keys, teams
    from accounts.credits import MICRO
    from accounts.models import Membership, Team, User

    if Team.objects.exists():
        return
    with transaction.atomic():
        user, password = teams.find_or_create_user(EMAIL)
        User.objects.filter(pk=user.pk).update(is_staff=True)  # whoever starts an installation is its operator
        team = teams.create_team("Demo", user, credits=CREDITS * MICRO)
        Team.objects.filter(pk=team.pk).update(allow_fallback=True)  # a stranger's first key should just work
        _, raw = keys.create(Membership.objects.get(team=team, user=user), name="demo")
        write(settings.DATA_DIR / "demo.txt", Demo(EMAIL, password or "as it was", raw))
