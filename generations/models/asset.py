"""Input images, stored once per team by their content."""

import uuid

from django.db import models


class Asset(models.Model):
    """An input image; `file` names the original bytes in the storage, private to the team.

    dropped_at: when it may have lost the last upload or generation that names it (generations.orphans).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="+", db_index=False)
    sha256 = models.CharField(max_length=64)
    file = models.CharField(max_length=200)
    content_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField(help_text="pixels, after EXIF orientation")
    height = models.PositiveIntegerField()
    size = models.PositiveIntegerField(help_text="bytes")
    has_alpha = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    uploaded_at = models.DateTimeField(
        null=True, help_text="last uploaded for use by URL; such a URL is accepted for UPLOAD_SECONDS"
    )
    dropped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "sha256"], name="one_asset_per_content")]
        indexes = [
            models.Index(fields=["dropped_at"], name="asset_dropped", condition=models.Q(dropped_at__isnull=False))
        ]
