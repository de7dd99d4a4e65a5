"""The index over the words of prompts: a GIN index of trigrams on PostgreSQL, an FTS5 table of trigrams on SQLite.

Without it a search gives the same rows, later.
"""

import logging

from django.db import Error, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

EXTENSIONS = ("pg_trgm", "btree_gin")
"""Both come with PostgreSQL (contrib) and are trusted: whoever may create schemas in a database may create them."""

NAME = "prompt_words"
POSTGRESQL = f"""\
CREATE INDEX IF NOT EXISTS {NAME} ON generations_prompt USING gin (team_id, model, text gin_trgm_ops)
WITH (gin_pending_list_limit = 256)
"""
TABLE = "generations_prompt_words"
SQLITE = (
    # Rows without positions and sizes: a search only asks which rows have all trigrams, and looks at the text itself.
    f"CREATE VIRTUAL TABLE {TABLE} USING fts5"
    " (text, content='generations_prompt', content_rowid='id', tokenize='trigram', detail='none', columnsize=0)",
    f"INSERT INTO {TABLE} ({TABLE}) VALUES ('rebuild')",  # noqa: S608 (a name of our own)
    f"CREATE TRIGGER {TABLE}_insert AFTER INSERT ON generations_prompt BEGIN"  # noqa: S608
    f" INSERT INTO {TABLE} (rowid, text) VALUES (NEW.id, NEW.text); END",
    f"CREATE TRIGGER {TABLE}_delete AFTER DELETE ON generations_prompt BEGIN"  # noqa: S608
    f" INSERT INTO {TABLE} ({TABLE}, rowid, text) VALUES ('delete', OLD.id, OLD.text); END",
)


def create(connection: BaseDatabaseWrapper) -> bool:
    """Make the index; return whether it could be made. Where it is there already on PostgreSQL, nothing is done."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for statement in SQLITE:
                cursor.execute(statement)
            return True
        if not _extend(connection):
            return False
        cursor.execute(POSTGRESQL)
        return True


def drop(connection: BaseDatabaseWrapper) -> None:
    """Remove the index; the extensions stay, others may use them."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for trigger in ("insert", "delete"):
                cursor.execute(f"DROP TRIGGER {TABLE}_{trigger}")
            cursor.execute(f"DROP TABLE {TABLE}")
        else:
            cursor.execute(f"DROP INDEX IF EXISTS {NAME}")


def _extend(connection: BaseDatabaseWrapper) -> bool:
    """Create the extensions; return whether they are there."""
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for name in EXTENSIONS:
                cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {name}")
    except Error as error:
        logger.warning(
            "searches of the gallery will be slow in large teams: the extensions %s are not there (%s). Have a"
            " superuser run CREATE EXTENSION for each in this database, then run `manage.py index_prompts`.",
            " and ".join(EXTENSIONS),
            str(error).strip(),
        )
        return False
    return True
