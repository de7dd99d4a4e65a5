"""Which engines may serve a run, in which order, and which one comes next.

A route is a list of rungs: an engine's alias, or {"engine": alias, …} with conditions on it: "teams" (slugs), "most"
(credits that a run is expected to cost), "requires" (parameters that must be given).
"""

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from accounts.access import Actor
from generations.engines.base import MICRO, Engine
from generations.models import Attempt
from generations.models.attempt import State

TRIES_AFTER_LOSS = 3
"""How often one engine is tried when its worker dies: a job that kills workers must not go on for ever."""


class NoEngine(Exception):
    """No engine on the model's route may serve this run; the message says why not."""


@dataclass(frozen=True, slots=True)
class Rung:
    """An engine on a route, and when it may serve: for which teams (none named: all), up to which expected cost in
    millionths of a credit, with which parameters given."""

    engine: Engine
    teams: tuple[str, ...] = ()
    most: int | None = None
    requires: tuple[str, ...] = ()

    def is_for(self, actor: Actor) -> bool:
        """Return whether the engine serves the actor's team at all, and the team wants it."""
        alias = self.engine.alias
        return (not self.teams or actor.team in self.teams) and (not actor.engines or alias in actor.engines)

    def refusal(self, model: str, params: Mapping[str, Any], pixels: int) -> str:
        """Return why the engine may not serve this run of a team that it serves, "" where it may."""
        alias = self.engine.alias
        missing = [name for name in self.requires if params.get(name) in (None, "")]
        if missing:
            return f"{alias} needs {', '.join(missing)}"
        if self.most is not None and self.engine.estimate(model, params, pixels) > self.most:
            return f"{alias} serves runs of up to {self.most / MICRO:g} credits"
        return ""


@functools.cache
def engine(alias: str) -> Engine:
    """Return the engine under an alias of the setting ENGINES. Raises KeyError."""
    declared = settings.ENGINES[alias]
    made: Engine = import_string(declared["BACKEND"])(alias, **declared.get("OPTIONS", {}))
    return made


@functools.cache
def rungs(model: str) -> tuple[Rung, ...]:
    """Return the rungs of an image model's route, in order."""
    return tuple(_rung(entry) for entry in settings.ROUTES[model])


def route(model: str) -> tuple[Engine, ...]:
    """Return the engines on an image model's route, in order."""
    return tuple(rung.engine for rung in rungs(model))


def ladder(
    model: str, params: Mapping[str, Any], pixels: int, actor: Actor, *, allow_fallback: bool
) -> tuple[Engine, ...]:
    """Return the engines that may serve a run, in order. Raises NoEngine.

    One that does not read the prompt is the first for its team, or else stands in only where `allow_fallback` says so.
    """
    refusals: list[str] = []
    found: list[Engine] = []
    for number, rung in enumerate(rung for rung in rungs(model) if rung.is_for(actor)):
        refusal = rung.refusal(model, params, pixels)
        if not refusal and number and not allow_fallback and "prompt" in rung.engine.unread(model, params):
            refusal = f"{rung.engine.alias} does not read the prompt and may not stand in"
        if refusal:
            refusals.append(refusal)
        else:
            found.append(rung.engine)
    if not found:
        raise NoEngine(f"No engine can serve this run: {'; '.join(refusals) or 'none on its route serves this team'}.")
    return tuple(found)


def has_fallback(model: str) -> bool:
    """Return whether an engine that does not read the prompt may have to stand in for another."""
    sample = {"prompt": "any"}
    return any("prompt" in rung.engine.unread(model, sample) for rung in rungs(model)[1:])


def queues() -> set[str]:
    """Return the queues that the configured routes need."""
    return {str(each.queue) for model in settings.ROUTES for each in route(model)}


def following(aliases: Sequence[str], attempts: Collection[Attempt]) -> Engine | None:
    """Return the engine for the next attempt of a run whose ladder is `aliases`, or None at its end.

    An engine whose worker died is tried again; after an unknown outcome, or a call that was paid in vain, only
    engines that are free to repeat are.
    """
    paid_is_over = any(attempt.state == State.UNKNOWN or (attempt.paid and attempt.cost) for attempt in attempts)
    for alias in aliases:
        if alias not in settings.ENGINES or (paid_is_over and engine(alias).paid):
            continue
        if not _is_spent(attempt for attempt in attempts if attempt.engine == alias):
            return engine(alias)
    return None


def _rung(entry: Any) -> Rung:
    given: Mapping[str, Any] = {"engine": entry} if isinstance(entry, str) else entry
    most = given.get("most")
    return Rung(
        engine(given["engine"]),
        teams=tuple(given.get("teams", ())),
        most=None if most is None else round(most * MICRO),
        requires=tuple(given.get("requires", ())),
    )


def _is_spent(tries: Iterable[Attempt]) -> bool:
    made = list(tries)
    return len(made) >= TRIES_AFTER_LOSS or any(not attempt.lost for attempt in made)


def _forget_engines(*, setting: str, **_: object) -> None:
    if setting in {"ENGINES", "ROUTES"}:
        engine.cache_clear()
        rungs.cache_clear()


setting_changed.connect(_forget_engines)
