"""What all workers know of an engine."""

from django.db import models


class Gate(models.Model):
    """One row per engine that must be called with care, and per engine that the operator drained.

    submits: for each call of `submit` under way, the time (seconds since 1970) at which it is over at the latest.
    failures: one after the other, up to now. open_until: until then nobody calls (the breaker). paused_until: the
    upstream asked for a pause. next_at: the earliest time of the next submit, where a rate is set. balance: what the
    upstream says is left, in millionths of a credit. answer: what it said last; alert: what only the operator can mend.
    """

    engine = models.CharField(max_length=40, primary_key=True)
    drained = models.BooleanField(default=False)
    submits = models.JSONField(default=list)
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True)
    paused_until = models.DateTimeField(null=True)
    next_at = models.DateTimeField(null=True)
    balance = models.BigIntegerField(null=True)
    balance_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True)
    alert = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.engine
