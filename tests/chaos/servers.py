"""Where a round's data lie: an empty database for each, copied from one that was migrated once."""

import contextlib
import os
import shutil
import subprocess
import sys
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
POSTGRES = "postgres://postgres@127.0.0.1:5432/postgres"


class Databases(ABC):
    """Makes databases that are migrated and otherwise empty."""

    @abstractmethod
    def fresh(self) -> contextlib.AbstractContextManager[str]:
        """Yield the URL of a database that is gone afterwards."""


class SQLite(Databases):
    def __init__(self, folder: Path) -> None:
        self.template = folder / "template.sqlite3"
        _prepare(f"sqlite:///{self.template}", folder)

    @contextlib.contextmanager
    def fresh(self) -> Iterator[str]:
        copy = self.template.with_name(f"{uuid.uuid4().hex}.sqlite3")
        shutil.copy(self.template, copy)
        yield f"sqlite:///{copy}"


class PostgreSQL(Databases):
    """server: the URL of any of its databases."""

    def __init__(self, folder: Path, server: str) -> None:
        self.server = server
        self.template = f"sceneshift_chaos_{uuid.uuid4().hex[:8]}"
        self._do("CREATE DATABASE {}", self.template)
        _prepare(self._url(self.template), folder)

    @contextlib.contextmanager
    def fresh(self) -> Iterator[str]:
        name = f"{self.template}_{uuid.uuid4().hex[:8]}"
        self._do("CREATE DATABASE {} TEMPLATE {}", name, self.template)
        try:
            yield self._url(name)
        finally:
            self.drop(name)

    def drop(self, name: str) -> None:
        self._do("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def _url(self, name: str) -> str:
        return urlsplit(self.server)._replace(path=f"/{name}").geturl()

    def _do(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.server, autocommit=True, connect_timeout=5) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextlib.contextmanager
def databases(kind: str, folder: Path) -> Iterator[Databases]:
    """Yield a maker of databases of a kind: sqlite, or postgresql (on the server of DATABASE_URL, if it names one)."""
    if kind == "sqlite":
        yield SQLite(folder)
        return
    given = os.environ.get("DATABASE_URL", "")
    made = PostgreSQL(folder, given if given.startswith("postgres") else POSTGRES)
    try:
        yield made
    finally:
        made.drop(made.template)


def _prepare(url: str, folder: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": url, "DATA_DIR": str(folder)}
    subprocess.run([sys.executable, "-m", "config.prepare"], cwd=ROOT, env=environment, check=True)
