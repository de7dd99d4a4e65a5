"""The team's favourites, which are the same for all of its people."""

import uuid
from collections.abc import Collection

from django.utils import timezone

from generations.models import Generation
from generations.models.generation import KEPT


def mark(ids: Collection[uuid.UUID], *, favourite: bool) -> int:
    """Make generations favourites, or no longer so; return how many this changes."""
    others = Generation.objects.filter(KEPT, id__in=ids, favourite_at__isnull=favourite)
    return others.update(favourite_at=timezone.now() if favourite else None)
