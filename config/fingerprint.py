"""Whether database and static files are as the code wants them, told without loading Django: that is slow."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

APPS = ("accounts", "generations")


def of_migrations(base: Path, database: Path) -> str:
    """Return what tells the state of `database` (an SQLite file) and of the migrations that it should have."""
    files = [path for app in APPS for path in sorted((base / app / "migrations").glob("*.py"))]
    contents = [path.read_bytes() for path in (*files, base / "requirements.txt")]
    return _digest([*contents, _applied(database).encode()])


def of_static(base: Path, collected: Path) -> str:
    """Return what tells the state of the static files and of the folder that they were collected into."""
    sources = sorted(path for path in (base / "static").rglob("*") if path.is_file())
    facts = [f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in sources]
    manifest = collected / "staticfiles.json"
    facts.append(str(manifest.stat().st_mtime_ns) if manifest.exists() else "not collected")
    requirements = (base / "requirements.txt").read_bytes()
    return _digest([requirements, *(fact.encode() for fact in facts)])


def remembered(file: Path) -> dict[str, str]:
    """Return what `remember` wrote, or nothing."""
    try:
        return dict(json.loads(file.read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def remember(file: Path, fingerprints: dict[str, str]) -> None:
    file.write_text(json.dumps(fingerprints))


def _applied(database: Path) -> str:
    if not database.exists():
        return "no database"
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            applied = connection.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()
            tables = connection.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
    except sqlite3.Error as error:
        return f"unreadable: {error}"
    return repr((applied, tables))


def _digest(parts: list[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()
