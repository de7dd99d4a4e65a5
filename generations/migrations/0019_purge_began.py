from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generations', '0018_removal'),
    ]

    operations = [
        migrations.AddField(
            model_name='generation',
            name='purge_began_at',
            field=models.DateTimeField(help_text='since when it is too late to restore it; a purge that did not end is tried again later', null=True),
        ),
    ]
