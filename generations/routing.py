"""Which engines may serve an image model, in which order, and which one comes next."""

import functools
from collections.abc import Collection, Iterable

from django.conf import settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from generations.engines.base import Engine
from generations.models import Attempt
from generations.models.attempt import State

TRIES_AFTER_LOSS = 3
"""How often one engine is tried when its worker dies: a job that kills workers must not go on for ever."""


@functools.cache
def engine(alias: str) -> Engine:
    """Return the engine under an alias of the setting ENGINES. Raises KeyError."""
    declared = settings.ENGINES[alias]
    made: Engine = import_string(declared["BACKEND"])(alias, **declared.get("OPTIONS", {}))
    return made


def route(model: str) -> tuple[Engine, ...]:
    """Return the engines to try for an image model, in order."""
    return tuple(engine(alias) for alias in settings.ROUTES[model])


def queues() -> set[str]:
    """Return the queues that the configured routes need."""
    return {str(each.queue) for model in settings.ROUTES for each in route(model)}


def following(model: str, attempts: Collection[Attempt]) -> Engine | None:
    """Return the engine for the next attempt, or None when the route is at its end.

    An engine whose worker died is tried again; after an unknown outcome only engines that are free to repeat are.
    """
    paid_is_over = any(attempt.state == State.UNKNOWN for attempt in attempts)
    for candidate in route(model):
        if candidate.paid and paid_is_over:
            continue
        if not _is_spent(attempt for attempt in attempts if attempt.engine == candidate.alias):
            return candidate
    return None


def _is_spent(tries: Iterable[Attempt]) -> bool:
    made = list(tries)
    return len(made) >= TRIES_AFTER_LOSS or any(not attempt.lost for attempt in made)


def _forget_engines(*, setting: str, **_: object) -> None:
    if setting in {"ENGINES", "ROUTES"}:
        engine.cache_clear()


setting_changed.connect(_forget_engines)
