"""Which generation an Idempotency-Key made."""

from django.db import models


class Idempotency(models.Model):
    """One key of a team, written with the generation that it belongs to; forgotten after a day.

    fingerprint: SHA-256 of the request, so that the same key with another request is told from a repetition.
    """

    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="+", db_index=False)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    generation = models.OneToOneField("generations.Generation", on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "key"], name="one_generation_per_key")]
