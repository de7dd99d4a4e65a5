"""What is over is deleted: one pass a minute, one at a time among all workers, each of its steps on its own."""

import logging
import time
from collections.abc import Callable

from generations import idempotency, orphans, places, removal, uploads
from generations.webhooks import retention

log = logging.getLogger(__name__)

SECONDS = 20.0
"""How long a pass goes on, about: what is left then is the next one's."""

LEAST = 1.0
"""Seconds that each step has, however long the others took."""

LONGEST = 300.0
"""Seconds after which the next pass begins though one has not ended: its worker died."""

STEPS: tuple[Callable[[float], object], ...] = (
    idempotency.purge,
    uploads.purge,
    retention.purge,
    orphans.sweep,
    removal.purge,
)
"""Each gets the moment, of time.monotonic, until which it may go on."""


def clear() -> None:
    """Make one pass, unless another one is under way somewhere."""
    place = places.take("purge", LONGEST)
    if place is None:
        return
    try:
        _pass(time.monotonic() + SECONDS)
    finally:
        place.give_back()


def _pass(until: float) -> None:
    """Give each step its share of the time that is left. One that fails keeps none of the others from it."""
    for done, step in enumerate(STEPS):
        now = time.monotonic()
        share = max((until - now) / (len(STEPS) - done), LEAST)
        try:
            step(now + share)
        except Exception:
            log.exception("%s.%s failed; the next pass tries again", step.__module__, step.__qualname__)
