from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("generations", "0018_removal")]

    operations = [
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False)), fields=["ended_at"], name="delivery_ended"
            ),
        ),
    ]
