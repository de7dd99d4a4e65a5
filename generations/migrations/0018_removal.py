"""Let generations be removed, marked and gathered, with an index for each thing that the API filters by.

On SQLite it remakes the table of generations, so that the triggers of 0006_prompt are written again.
"""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

COLUMNS = "generation_id, team_id, model, created_at, text"
TABLE = "generations_generation"

POSTGRESQL = f"""
CREATE FUNCTION generations_prompt_leave() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM generations_prompt WHERE generation_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER generations_prompt_removed AFTER UPDATE OF removed_at ON {TABLE}
FOR EACH ROW WHEN (OLD.removed_at IS NULL AND NEW.removed_at IS NOT NULL)
EXECUTE FUNCTION generations_prompt_leave();
CREATE TRIGGER generations_prompt_restored AFTER UPDATE OF removed_at ON {TABLE}
FOR EACH ROW WHEN (OLD.removed_at IS NOT NULL AND NEW.removed_at IS NULL AND NEW.status = 'succeeded')
EXECUTE FUNCTION generations_prompt_follow();
"""
POSTGRESQL_UNDO = f"""
DROP TRIGGER generations_prompt_removed ON {TABLE};
DROP TRIGGER generations_prompt_restored ON {TABLE};
DROP FUNCTION generations_prompt_leave();
"""

SQLITE_ROW = f"""INSERT INTO generations_prompt ({COLUMNS})
SELECT NEW.id, NEW.team_id, NEW.model, NEW.created_at, coalesce(json_extract(NEW.params, '$.prompt'), '')"""
SQLITE_BEFORE = {
    "inserted": f"AFTER INSERT ON {TABLE} WHEN NEW.status = 'succeeded' BEGIN {SQLITE_ROW}; END",
    "succeeded": f"""AFTER UPDATE OF status ON {TABLE}
WHEN NEW.status = 'succeeded' AND OLD.status <> 'succeeded' BEGIN {SQLITE_ROW}; END""",
}
SQLITE = {
    **SQLITE_BEFORE,
    "removed": f"""AFTER UPDATE OF removed_at ON {TABLE}
WHEN OLD.removed_at IS NULL AND NEW.removed_at IS NOT NULL
BEGIN DELETE FROM generations_prompt WHERE generation_id = NEW.id; END""",
    "restored": f"""AFTER UPDATE OF removed_at ON {TABLE}
WHEN OLD.removed_at IS NOT NULL AND NEW.removed_at IS NULL AND NEW.status = 'succeeded' BEGIN {SQLITE_ROW}; END""",
}


def write_triggers(schema_editor, triggers):
    for name in SQLITE:
        schema_editor.execute(f"DROP TRIGGER IF EXISTS generations_prompt_{name}")
    for name, body in triggers.items():
        schema_editor.execute(f"CREATE TRIGGER generations_prompt_{name} {body}")


def follow(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        write_triggers(schema_editor, SQLITE)
    else:
        schema_editor.execute(POSTGRESQL)


def unfollow(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        write_triggers(schema_editor, {})
    else:
        schema_editor.execute(POSTGRESQL_UNDO)


def follow_as_before(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        write_triggers(schema_editor, SQLITE_BEFORE)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0012_team_hooked'),
        ('generations', '0012_webhooks'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(migrations.RunPython.noop, follow_as_before),
        migrations.CreateModel(
            name='Collection',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80)),
                ('visibility', models.CharField(choices=[('private', 'Only me'), ('team', 'The team')], default='private', max_length=10)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='CollectionItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('added_at', models.DateTimeField()),
            ],
        ),
        migrations.RemoveIndex(
            model_name='generation',
            name='generation_gallery',
        ),
        migrations.RemoveIndex(
            model_name='generation',
            name='generation_by_model',
        ),
        migrations.AddField(
            model_name='asset',
            name='doubtful_at',
            field=models.DateTimeField(help_text='when it was last found that it may serve nothing any more; see generations.orphans', null=True),
        ),
        migrations.AddField(
            model_name='generation',
            name='favourite_at',
            field=models.DateTimeField(help_text="since when it is one of the team's favourites", null=True),
        ),
        migrations.AddField(
            model_name='generation',
            name='purged_at',
            field=models.DateTimeField(help_text='when its pictures and texts were deleted for good', null=True),
        ),
        migrations.AddField(
            model_name='generation',
            name='removed_at',
            field=models.DateTimeField(help_text='since when it is shown nowhere; see generations.removal', null=True),
        ),
        migrations.AlterField(
            model_name='generation',
            name='api_key',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='accounts.apikey'),
        ),
        migrations.AlterField(
            model_name='generation',
            name='user',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='asset',
            index=models.Index(condition=models.Q(('uploaded_at__isnull', False)), fields=['uploaded_at'], name='asset_uploaded'),
        ),
        migrations.AddIndex(
            model_name='asset',
            index=models.Index(condition=models.Q(('doubtful_at__isnull', False)), fields=['doubtful_at'], name='asset_doubtful'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(condition=models.Q(('removed_at__isnull', True)), fields=['team', 'created_at', 'id'], name='generation_gallery'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(condition=models.Q(('removed_at__isnull', True)), fields=['team', 'model', 'created_at', 'id'], name='generation_by_model'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(fields=['team', 'door', 'created_at', 'id'], name='generation_by_door'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(fields=['user', 'team', 'created_at', 'id'], name='generation_by_member'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(condition=models.Q(('api_key__isnull', False)), fields=['api_key', 'created_at', 'id'], name='generation_by_key'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(condition=models.Q(('removed_at__isnull', True), ('engine__gt', '')), fields=['team', 'engine', 'created_at', 'id'], name='generation_by_engine'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(condition=models.Q(('removed_at__isnull', True), ('status__in', ('failed', 'canceled'))), fields=['team', 'status', 'created_at', 'id'], name='generation_without'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(condition=models.Q(('removed_at__isnull', True), ('favourite_at__isnull', False)), fields=['team', 'created_at', 'id'], name='generation_favourite'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(condition=models.Q(('purged_at__isnull', True), ('removed_at__isnull', False)), fields=['removed_at'], name='generation_to_purge'),
        ),
        migrations.AddField(
            model_name='collection',
            name='owner',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='collection',
            name='team',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='accounts.team'),
        ),
        migrations.AddField(
            model_name='collectionitem',
            name='collection',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='items', to='generations.collection'),
        ),
        migrations.AddField(
            model_name='collectionitem',
            name='generation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='generations.generation'),
        ),
        migrations.AddIndex(
            model_name='collection',
            index=models.Index(fields=['team', 'created_at', 'id'], name='collection_newest'),
        ),
        migrations.AddIndex(
            model_name='collectionitem',
            index=models.Index(fields=['collection', 'added_at', 'id'], name='collection_items'),
        ),
        migrations.AddConstraint(
            model_name='collectionitem',
            constraint=models.UniqueConstraint(fields=('collection', 'generation'), name='one_item_per_generation'),
        ),
        migrations.RunPython(follow, unfollow),
    ]
