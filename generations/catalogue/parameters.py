"""What one parameter of an image model is: the ten facts that every projection reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Value = str | int | float | bool
"""What a validated parameter holds; images are kept apart from these."""


class Kind(StrEnum):
    """How a value is read. A new kind is one row in each projection's table."""

    IMAGE = "image"
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    CHOICE = "choice"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One input of an image model.

    required: the APIs insist on it, even where `default` says what the form preselects. choices: what is
    offered; unlisted: accepted as well, but offered nowhere; aliases: accepted, and read as the choice that
    they name. affects_price: time and price grow in proportion to value ÷ default. advanced: folded away in
    the form. in_form: False for what only says how an API answers. step: the form's, never a rule.
    example: a placeholder.
    """

    name: str
    kind: Kind
    title: str
    help: str
    required: bool = False
    default: Value | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    step: int | float | None = None
    max_length: int | None = None
    choices: tuple[str, ...] | tuple[int, ...] = ()
    unlisted: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)
    affects_price: bool = False
    advanced: bool = False
    in_form: bool = True
    example: str = ""

    @property
    def is_image(self) -> bool:
        return self.kind is Kind.IMAGE

    @property
    def accepted(self) -> tuple[str | int, ...]:
        """Return every value that a choice takes: offered, unlisted, aliases."""
        return (*self.choices, *self.unlisted, *self.aliases)
