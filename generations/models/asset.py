"""Input images, stored once per team by their content."""

import uuid

from django.db import models


class Asset(models.Model):
    """An input image; `file` names the original bytes in the storage, private to the team."""

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
    doubtful_at = models.DateTimeField(
        null=True, help_text="when it was last found that it may serve nothing any more; see generations.orphans"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "sha256"], name="one_asset_per_content")]
        indexes = [
            models.Index(fields=["doubtful_at"], name="asset_doubtful", condition=models.Q(doubtful_at__isnull=False)),
            models.Index(fields=["uploaded_at"], name="asset_uploaded", condition=models.Q(uploaded_at__isnull=False)),
        ]
