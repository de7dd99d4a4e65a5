"""Give the gallery's search rows of its own, written by triggers, and the index over their words.

On SQLite a later migration that remakes the table of generations drops its triggers with it and has to run `follow`
again; tests/test_prompts.py notices.
"""

import django.db.models.deletion
from django.db import migrations, models

from generations import prompt_index

COLUMNS = "generation_id, team_id, model, created_at, text"

POSTGRESQL = f"""
CREATE FUNCTION generations_prompt_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO generations_prompt ({COLUMNS})
    VALUES (NEW.id, NEW.team_id, NEW.model, NEW.created_at, lower(coalesce(NEW.params ->> 'prompt', '')));
    RETURN NULL;
END $$;
CREATE TRIGGER generations_prompt_inserted AFTER INSERT ON generations_generation
FOR EACH ROW WHEN (NEW.status = 'succeeded') EXECUTE FUNCTION generations_prompt_follow();
CREATE TRIGGER generations_prompt_succeeded AFTER UPDATE OF status ON generations_generation
FOR EACH ROW WHEN (NEW.status = 'succeeded' AND OLD.status <> 'succeeded')
EXECUTE FUNCTION generations_prompt_follow();
INSERT INTO generations_prompt ({COLUMNS})
SELECT id, team_id, model, created_at, lower(coalesce(params ->> 'prompt', ''))
FROM generations_generation WHERE status = 'succeeded';
"""
POSTGRESQL_UNDO = """
DROP TRIGGER generations_prompt_inserted ON generations_generation;
DROP TRIGGER generations_prompt_succeeded ON generations_generation;
DROP FUNCTION generations_prompt_follow();
"""

SQLITE_ROW = f"""
INSERT INTO generations_prompt ({COLUMNS})
SELECT NEW.id, NEW.team_id, NEW.model, NEW.created_at, coalesce(json_extract(NEW.params, '$.prompt'), '')
"""
SQLITE = (
    f"""
CREATE TRIGGER generations_prompt_inserted AFTER INSERT ON generations_generation
WHEN NEW.status = 'succeeded'
BEGIN {SQLITE_ROW}; END
""",
    f"""
CREATE TRIGGER generations_prompt_succeeded AFTER UPDATE OF status ON generations_generation
WHEN NEW.status = 'succeeded' AND OLD.status <> 'succeeded'
BEGIN {SQLITE_ROW}; END
""",
    f"""
INSERT INTO generations_prompt ({COLUMNS})
SELECT id, team_id, model, created_at, coalesce(json_extract(params, '$.prompt'), '')
FROM generations_generation WHERE status = 'succeeded'
""",
)
SQLITE_UNDO = ("DROP TRIGGER generations_prompt_inserted", "DROP TRIGGER generations_prompt_succeeded")


def follow(apps, schema_editor):
    prompt_index.create(schema_editor.connection)
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in SQLITE if is_sqlite else (POSTGRESQL,):
        schema_editor.execute(statement)


def unfollow(apps, schema_editor):
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    for statement in SQLITE_UNDO if is_sqlite else (POSTGRESQL_UNDO,):
        schema_editor.execute(statement)
    prompt_index.drop(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_entry_append_only"),
        ("generations", "0005_attempt_ended"),
    ]
    operations = [
        migrations.CreateModel(
            name="Prompt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model", models.CharField(max_length=40)),
                ("created_at", models.DateTimeField()),
                ("text", models.TextField()),
                (
                    "generation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="generations.generation",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.team",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["team", "created_at", "generation"], name="prompt_newest"),
                    models.Index(fields=["team", "model", "created_at", "generation"], name="prompt_by_model"),
                ],
            },
        ),
        migrations.RunPython(follow, unfollow),
    ]
