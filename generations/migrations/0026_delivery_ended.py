from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generations", "0019_purge_began")]

    operations = [
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False)), fields=["ended_at"], name="delivery_ended"
            ),
        ),
    ]
