"""What the statements take and answer; amounts are millionths of a credit."""

import uuid
from dataclasses import dataclass
from datetime import date
from enum import Enum, auto


class Outcome(Enum):
    """How ending a hold went: booked, or why nothing was."""

    BOOKED = auto()
    NO_HOLD = auto()
    ENDED = auto()
    ABOVE_HOLD = auto()


@dataclass(frozen=True, slots=True)
class Usage:
    """Who used what, for the daily rows: `user_id` or `key_id` None where there is none; `day` in UTC."""

    model: str
    user_id: int | None
    key_id: int | None
    day: date


@dataclass(frozen=True, slots=True)
class Hold:
    """Set `amount` aside."""

    team_id: int
    amount: int
    reference: uuid.UUID
    model: str
    user_id: int | None


@dataclass(frozen=True, slots=True)
class Settle:
    """Take `cost` of a hold and give the rest back."""

    reference: uuid.UUID
    cost: int
    usage: Usage
