"""How many of a team's jobs are active, for PostgreSQL's ACCEPT (generations.statements.postgresql).

VOLATILE is what it is for: each call counts what is committed by then, while the statement that calls it sees the
tables as they were when it began. PL/pgSQL keeps the plan; a function in SQL is planned anew at every call.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

CREATE = """
CREATE FUNCTION generations_active(team bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (SELECT count(*) FROM generations_generation WHERE team_id = team AND status IN ('queued', 'running'));
END $$
"""
DROP = "DROP FUNCTION generations_active(bigint)"


def create(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(CREATE)


def drop(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    if editor.connection.vendor == "postgresql":
        editor.execute(DROP)


class Migration(migrations.Migration):
    dependencies = [("generations", "0001_initial")]

    operations = [migrations.RunPython(create, drop)]
