"""What a team gathers of its generations."""

import uuid

from django.db import models


class Visibility(models.TextChoices):
    PRIVATE = "private", "Only me"
    TEAM = "team", "The team"


class Collection(models.Model):
    """A named set of generations. A private one is there for its owner alone, and for nobody once they are gone."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="+", db_index=False)
    owner = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=80)
    visibility = models.CharField(max_length=10, choices=Visibility.choices, default=Visibility.PRIVATE)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["team", "created_at", "id"], name="collection_newest")]


class CollectionItem(models.Model):
    """A generation in a collection."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="items", db_index=False)
    generation = models.ForeignKey("generations.Generation", on_delete=models.CASCADE, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["collection", "generation"], name="one_item_per_generation"),
        ]
        indexes = [models.Index(fields=["collection", "added_at", "id"], name="collection_items")]
