"""Which calls a fault hits."""

import inspect
import random
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from tests.upstream import faults

KINDS = ("submit", "run", "status", "result", "poll", "output", "credits", "history")
"""The kinds of calls: submit is POST /v2/…, run POST /v1/…, poll GET /v1/requests/…."""
PAID = frozenset({"submit", "run"})


class RuleError(ValueError):
    """A rule names a fault, a kind or an option that there is not."""


@dataclass(slots=True)
class Rule:
    """A fault, and the calls that it hits.

    on: kinds of calls; empty for every kind. word: one that the job's prompt has. Of the calls that fit, the first
    `skip` pass, then each `every`-th is hit with `probability`, `first` of them at most (0: no end). billed: whether
    a submit that is hit is taken on and charged; None for what the fault does by itself. options: the fault's own.
    """

    fault: str
    on: tuple[str, ...] = ()
    word: str = ""
    skip: int = 0
    every: int = 1
    first: int = 0
    probability: float = 1.0
    billed: bool | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    _seen: int = field(default=0, init=False)
    _hits: int = field(default=0, init=False)

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> Self:
        """Return the rule in a flat mapping: what is no field of a rule is an option of its fault. Raises RuleError."""
        own = {one.name for one in fields(cls) if one.init} - {"options"}
        named = {name: value for name, value in told.items() if name in own}
        named["on"] = tuple(named.get("on", ()))
        try:
            return cls(**named, options={name: value for name, value in told.items() if name not in own})
        except TypeError as error:
            raise RuleError(str(error)) from error

    def __post_init__(self) -> None:
        strangers = set(self.on) - set(KINDS)
        if strangers:
            raise RuleError(f"no such kind of call: {', '.join(sorted(strangers))}; there are {', '.join(KINDS)}")
        if self.is_fate:
            self.on = self.on or tuple(PAID)
            if not set(self.on) <= PAID:
                raise RuleError(f"{self.fault} is decided at a submit; it cannot hit {', '.join(self.on)}")
        if self.is_early and self.word:
            raise RuleError(f"{self.fault} strikes before the prompt is read")
        if self.billed and self.is_early:
            raise RuleError(f"{self.fault} strikes before there is anything to charge for")
        self._check_options()

    def _check_options(self) -> None:
        known = faults.FATES.get(self.fault) or faults.FAULTS.get(self.fault)
        if known is None:
            raise RuleError(f"no such fault: {self.fault}; there are {', '.join([*faults.FAULTS, *faults.FATES])}")
        act = known.act if isinstance(known, faults.Fault) else known
        try:
            inspect.signature(act).bind(None, **self.options)
        except TypeError as error:
            raise RuleError(f"{self.fault}: {error}") from error

    @property
    def is_fate(self) -> bool:
        return self.fault in faults.FATES

    @property
    def is_early(self) -> bool:
        return self.fault in faults.FAULTS and faults.FAULTS[self.fault].early

    @property
    def bills(self) -> bool:
        """Return whether a submit that is hit is taken on."""
        if self.is_fate:
            return True
        return faults.FAULTS[self.fault].billed if self.billed is None else self.billed

    def hits(self, kind: str, prompt: str, chance: random.Random) -> bool:
        """Return whether this call is hit, and count it."""
        if (self.on and kind not in self.on) or self.word not in prompt:
            return False
        self._seen += 1
        due = self._seen > self.skip and (self._seen - self.skip) % self.every == 0
        if not due or (self.first and self._hits >= self.first) or chance.random() >= self.probability:
            return False
        self._hits += 1
        return True


class Script:
    """The rules in force. The first that hits a call decides it."""

    def __init__(self, rules: Iterable[Rule] = (), seed: int = 0) -> None:
        self._rules = tuple(rules)
        self._chance = random.Random(seed)
        self._lock = threading.Lock()

    def pick(self, kind: str, prompt: str, *, early: bool = False) -> Rule | None:
        """Return the rule for a call; early: before its body is read."""
        with self._lock:
            rules = (rule for rule in self._rules if rule.is_early == early)
            return next((rule for rule in rules if rule.hits(kind, prompt, self._chance)), None)
