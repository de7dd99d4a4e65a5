"""What the statements answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from generations.models import Attempt, Generation, Output


@dataclass(frozen=True, slots=True)
class Claimed:
    """An attempt with its generation, and the files of its inputs: an asset's id → its name in the storage."""

    attempt: Attempt
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an attempt is: the share that is done, and what is being done, in words."""

    attempt_id: int
    share: float
    stage: str


@dataclass(frozen=True, slots=True)
class Final:
    """A generation that has ended, its outputs in order, and the team's available millionths of a credit."""

    generation: Generation
    outputs: Sequence[Output]
    available: int
