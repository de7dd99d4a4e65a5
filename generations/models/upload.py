"""Files that were uploaded to be named in later requests."""

import uuid

from django.db import models


class Upload(models.Model):
    """One upload of a picture, under an address of its own that is good for UPLOAD_SECONDS.

    Two uploads of the same content share an asset, and neither knows of the other. metadata: what the client wants to
    find again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="+", db_index=False)
    asset = models.ForeignKey("generations.Asset", on_delete=models.PROTECT, related_name="uploads")
    name = models.CharField(max_length=255)
    metadata = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["team", "created_at", "id"], name="upload_newest"),
            models.Index(fields=["created_at"], name="upload_oldest"),
        ]
