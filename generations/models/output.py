"""Images that came out."""

import uuid

from django.db import models


class Output(models.Model):
    """One picture of a generation: `file` names its master in the storage, the other files are made after the
    answer. `fidelity` compares the master with the input (imaging.fidelity)."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    generation = models.ForeignKey(
        "generations.Generation", on_delete=models.CASCADE, related_name="outputs", db_index=False
    )
    number = models.PositiveSmallIntegerField(help_text="from 0, as the samples were asked for")
    file = models.CharField(max_length=200)
    content_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.PositiveIntegerField(help_text="bytes of the master")
    has_alpha = models.BooleanField(default=False)
    seed = models.BigIntegerField()
    keep = models.CharField(max_length=200, blank=True, help_text="file: 255 where the input had to stay")
    jpeg = models.CharField(max_length=200, blank=True, help_text="file: what is delivered, where the master is PNG")
    jpeg_size = models.PositiveIntegerField(null=True, help_text="bytes")
    thumbnail = models.CharField(max_length=200, blank=True)
    fidelity = models.JSONField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["generation", "number"], name="outputs_are_numbered")]
        indexes = [models.Index(fields=["generation"], name="output_bare", condition=models.Q(thumbnail=""))]
