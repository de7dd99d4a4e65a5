"""Have the database itself refuse to change or delete ledger entries, whatever client asks.

On SQLite a later migration that remakes the table drops its triggers with it and has to run `protect` again;
tests/test_ledger.py notices.
"""

from django.db import migrations

POSTGRESQL = """
CREATE FUNCTION accounts_entry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger entries are append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER accounts_entry_append_only BEFORE UPDATE OR DELETE ON accounts_entry
FOR EACH ROW EXECUTE FUNCTION accounts_entry_refuse();
"""
POSTGRESQL_UNDO = """
DROP TRIGGER accounts_entry_append_only ON accounts_entry;
DROP FUNCTION accounts_entry_refuse();
"""
SQLITE = tuple(
    f"""
CREATE TRIGGER accounts_entry_no_{verb} BEFORE {verb.upper()} ON accounts_entry
BEGIN SELECT RAISE(ABORT, 'ledger entries are append-only'); END
"""
    for verb in ("update", "delete")
)
SQLITE_UNDO = ("DROP TRIGGER accounts_entry_no_update", "DROP TRIGGER accounts_entry_no_delete")


def protect(apps, schema_editor):
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in SQLITE if is_sqlite else (POSTGRESQL,):
        schema_editor.execute(statement)


def unprotect(apps, schema_editor):
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in SQLITE_UNDO if is_sqlite else (POSTGRESQL_UNDO,):
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(protect, unprotect)]
