"""Counters of rate limits, used where there is no Redis."""

from django.db import models


class RateWindow(models.Model):
    """The running window of one counter: `window_start` in Unix seconds, and the hits counted since."""

    name = models.CharField(max_length=80, primary_key=True)
    window_start = models.BigIntegerField()
    count = models.PositiveIntegerField()
