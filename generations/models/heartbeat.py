"""Signs of life of the workers."""

from django.db import models


class Heartbeat(models.Model):
    """One row per worker node; `queue` is the one that it serves."""

    worker = models.CharField(max_length=120, primary_key=True)
    queue = models.CharField(max_length=10)
    at = models.DateTimeField()
