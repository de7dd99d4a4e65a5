"""What an API key may be limited to, and that a key which makes a key gives away no more than it has."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self, TypeVar

from django.conf import settings
from django.utils import timezone

from accounts import queries
from accounts.access import SCOPES
from accounts.credits import LIMIT, format_credits
from accounts.models import ApiKey

MOST_RATE = 2**31 - 1
LONGEST_NAME = 80
LAST_YEAR = 9000
"""Of a key's end: a time zone's hours more are still a date."""
MOST_SHOWN = 5
LONGEST_SHOWN = 60
"""Of what is unknown in a list: how many, and characters of each."""
Bound = TypeVar("Bound", int, datetime)


class InvalidKey(ValueError):
    """`field` of a new key is wrong, or more than its maker may give."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field, self.message = field, message


@dataclass(frozen=True, slots=True)
class Limits:
    """models: slugs, () for all. rate_limit: submits a minute. daily, monthly: millionths of a credit. None: no own."""

    scopes: Sequence[str]
    expires_at: datetime | None = None
    models: Sequence[str] = ()
    rate_limit: int | None = None
    daily: int | None = None
    monthly: int | None = None

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """Return a key's own; costs one query."""
        used = queries.key_spending(key.team_id, [key.pk])[key.pk]
        return cls(key.scopes, key.expires_at, key.models, key.rate_limit, used.day.limit, used.month.limit)

    def check(self) -> None:
        """Raise InvalidKey where a value is none that a key can have."""
        _choose("scopes", self.scopes, list(SCOPES), least=1)
        _choose("models", self.models, list(settings.ROUTES))
        if self.expires_at is not None and self.expires_at <= timezone.now():
            raise InvalidKey("expires_at", f"{self.expires_at:%Y-%m-%dT%H:%M:%SZ} is over; a time to come is allowed")
        if self.expires_at is not None and self.expires_at.year > LAST_YEAR:
            raise InvalidKey("expires_at", f"the year {self.expires_at.year}; years up to {LAST_YEAR} are allowed")
        if self.rate_limit is not None and not 1 <= self.rate_limit <= MOST_RATE:
            raise InvalidKey("rate_limit", f"{self.rate_limit}; 1 submit a minute or more is allowed")
        for field, amount in (("daily", self.daily), ("monthly", self.monthly)):
            if amount is not None and not 0 < amount < LIMIT:
                raise InvalidKey(field, f"{format_credits(amount)}; credits above 0 are allowed")

    def within(self, own: "Limits") -> "Limits":
        """Return these limits for a key made by one that has `own`; what is left out is as that one has it.

        Credits that are left out need no limit of their own: what the new key takes counts in its maker's as well.
        Raise InvalidKey where one is more than `own`.
        """
        _choose("scopes", self.scopes, own.scopes)
        _choose("models", self.models, own.models or self.models)
        return Limits(
            self.scopes,
            _bounded("expires_at", self.expires_at, own.expires_at, str) or own.expires_at,
            self.models or own.models,
            _bounded("rate_limit", self.rate_limit, own.rate_limit, str) or own.rate_limit,
            _bounded("daily", self.daily, own.daily, format_credits),
            _bounded("monthly", self.monthly, own.monthly, format_credits),
        )


def check_name(name: str) -> None:
    """Raise InvalidKey where a key cannot be called so."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise InvalidKey("name", f"{len(name)} characters; 1 to {LONGEST_NAME} are allowed, not only blanks")


def _choose(field: str, chosen: Sequence[str], allowed: Sequence[str], *, least: int = 0) -> None:
    unknown = [each for each in chosen if each not in allowed]
    if unknown or len(chosen) < least:
        raise InvalidKey(field, f"{_shown(unknown) or 'none'}; allowed are {', '.join(allowed)}")


def _shown(names: Sequence[str]) -> str:
    """Return the first of a list that somebody sent, in short."""
    shown = [name if len(name) <= LONGEST_SHOWN else f"{name[: LONGEST_SHOWN - 1]}…" for name in names[:MOST_SHOWN]]
    more = [f"and {len(names) - MOST_SHOWN} more"] if len(names) > MOST_SHOWN else []
    return ", ".join(shown + more)


def _bounded(field: str, wanted: Bound | None, own: Bound | None, told: Callable[[Bound], str]) -> Bound | None:
    if wanted is not None and own is not None and wanted > own:
        raise InvalidKey(field, f"{told(wanted)}; the key that makes it has {told(own)}")
    return wanted
