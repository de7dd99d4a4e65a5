"""When an event is sent again."""

import random
import time

from django.utils.http import parse_http_date_safe

DELAYS = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each attempt, from the end of the one before it."""

LAST = len(DELAYS) - 1
"""Attempts after which there is one more and no other: so many has a delivery that is to be tried once."""

JITTER = 0.1
"""Share by which a delay is longer or shorter, so that what failed together does not come back together."""


def delay(tries: int, asked: float = 0.0) -> float | None:
    """Return the seconds until the next attempt after so many; None where there is none.

    asked: seconds for which the receiver wants to be left alone. It gets them up to the delay after this one.
    """
    if tries > LAST:
        return None
    own = DELAYS[tries] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
    return max(own, min(asked, DELAYS[min(tries + 1, LAST)]))


def asked(retry_after: str) -> float:
    """Return the seconds that a Retry-After asks for, which is seconds or a date; 0 where it says nothing."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    at = parse_http_date_safe(retry_after)
    return max(at - time.time(), 0.0) if at is not None else 0.0
