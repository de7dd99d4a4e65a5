"""Places that are taken for a while."""

from django.db import models


class Lease(models.Model):
    """A named place, taken until a time; whoever dies while holding it gives it back by that time passing."""

    name = models.CharField(max_length=80, primary_key=True)
    until = models.FloatField(help_text="seconds since the epoch")
