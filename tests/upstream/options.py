"""What can be told to the stand-in at its start, and, all but the address, while it runs."""

from dataclasses import dataclass

KEY = "SG_stand_in"


@dataclass(slots=True)
class Options:
    """See the fields.

    port: 0 for a free one. delay: seconds that a job takes. cost: credits per job; negative stands for the published
    price × samples × steps ÷ default steps. credits: of the account. key: the one that is good. kilobytes: the least
    size of each picture. fixed: every picture is the same 64² bytes and no input is decoded, for measurements.
    format: jpeg or png. seed: of the rules' probabilities. latency: seconds before every answer.
    """

    port: int = 0
    delay: float = 0.0
    cost: float = -1.0
    credits: float = 1000.0
    key: str = KEY
    kilobytes: int = 0
    fixed: bool = False
    format: str = "jpeg"
    seed: int = 0
    latency: float = 0.0


STEERABLE = frozenset({"delay", "cost", "credits", "key", "latency"})
"""What `POST /-/script` may change."""
