"""API keys, of which only a digest is kept."""

from django.db import models
from django.utils import timezone

DEFAULT_SCOPES = ("generate", "read")


def default_scopes() -> list[str]:
    """A new list each time, for the column's default."""
    return list(DEFAULT_SCOPES)


class ApiKey(models.Model):
    """`prefix` (the first 11 characters) finds the row and names it; `digest` is the SHA-256 of the whole.

    The key hangs on its maker's membership and goes with it. `team` repeats the membership's team, for lists.
    `parent` is the key that made it: what it takes counts in the parent's budgets too, and it ends with the parent.
    """

    id = models.BigAutoField(primary_key=True)
    membership = models.ForeignKey("accounts.Membership", on_delete=models.CASCADE, related_name="keys")
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="keys")
    parent = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True, related_name="children")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=11, unique=True)
    digest = models.CharField(max_length=64)
    scopes = models.JSONField(default=default_scopes, help_text="names of accounts.access.SCOPES")
    rate_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="submits a minute; null for the setting RATE_LIMIT, which is also the most"
    )
    has_budgets = models.BooleanField(default=False, help_text="whether budgets of its own or its parent's may apply")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="to the minute")
    # The last one: its name hides Django's module.
    models = models.JSONField(default=list, blank=True, help_text="slugs of the image models; empty for all")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_active(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())
