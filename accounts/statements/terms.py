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
class End:
    """The outcome of ending a hold of `amount`, and the ids of the budget periods that it had counted in."""

    outcome: Outcome
    amount: int = 0
    periods: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Who used what, for the daily rows: `user_id` or `key_id` None where there is none; `day` in UTC."""

    model: str
    user_id: int | None
    key_id: int | None
    day: date


@dataclass(frozen=True, slots=True)
class Hold:
    """Set `amount` aside. has_budgets: whether budgets may apply, so that it has to be looked for them."""

    team_id: int
    amount: int
    reference: uuid.UUID
    model: str
    user_id: int | None
    key_id: int | None = None
    has_budgets: bool = False


@dataclass(frozen=True, slots=True)
class Settle:
    """Take `cost` of a hold and give the rest back."""

    reference: uuid.UUID
    cost: int
    usage: Usage
