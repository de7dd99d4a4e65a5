"""Teams, and who is in them as what."""

from django.db import models


class Role(models.TextChoices):
    """What a member is in a team; accounts.access says what each may do."""

    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    MEMBER = "member", "Member"
    VIEWER = "viewer", "Viewer"


class Team(models.Model):
    """Whoever pays: credits, keys, pictures and runs belong to a team, never to a person."""

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=60, unique=True)
    engines = models.JSONField(default=list, blank=True, help_text="the engines it chose; empty for any")
    allow_fallback = models.BooleanField(
        default=False, help_text="its keys accept an engine that does not read the prompt, where the first one fails"
    )
    hooked = models.PositiveSmallIntegerField(
        default=0, help_text="events of its runs that registered addresses are told; 0 where there is none"
    )
    has_budgets = models.BooleanField(
        default=False, help_text="whether budgets of the team, a member or an image model may apply"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person's place in a team; API keys hang on it and end with it."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="one_membership_per_person")]
