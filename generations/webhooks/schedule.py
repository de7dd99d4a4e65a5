"""When an event is sent again."""

import random

DELAYS = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each attempt, from the end of the one before it."""

LAST = len(DELAYS) - 1
"""Attempts after which there is one more and no other: so many has a delivery that is to be tried once."""

JITTER = 0.1
"""Share by which a delay is longer or shorter, so that what failed together does not come back together."""


def delay(tries: int) -> float | None:
    """Return the seconds until the next attempt after so many; None where there is none."""
    if tries > LAST:
        return None
    return DELAYS[tries] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
