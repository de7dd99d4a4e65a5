"""The settings ENGINES and ROUTES: what is given is laid over the default, and checked before anything starts.

A key of the hosted API is enough: its engine comes first then, and the built-in one stands in.
"""

import importlib.util
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from django.core.exceptions import ImproperlyConfigured

Engines = dict[str, dict[str, Any]]
Routes = dict[str, list[Any]]

CLASSICAL: Engines = {
    "classical": {"BACKEND": "generations.engines.classical.engine.ClassicalEngine", "OPTIONS": {"rate": 0.0015}}
}
CONDITIONS: Mapping[str, Callable[[Any], bool]] = {
    "engine": lambda value: isinstance(value, str),
    "teams": lambda value: _is_words(value),
    "requires": lambda value: _is_words(value),
    "most": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and value > 0,
}
"""What a rung of a route may say (generations.routing), and what it must look like."""


def segmind(key: str, options: Mapping[str, Any]) -> Engines:
    """Return the hosted API's engine, or nothing without a key. Options without a value are left out."""
    if not key:
        return {}
    given = {name: value for name, value in options.items() if value not in (None, "")}
    backend = "generations.engines.segmind.engine.SegmindEngine"
    return {"segmind": {"BACKEND": backend, "OPTIONS": {"key": key, **given}}}


def engines(given: Any, hosted: Mapping[str, Any] = MappingProxyType({})) -> Engines:
    """Return every engine by alias: the hosted and the built-in one, and what is given. Raises ImproperlyConfigured."""
    if not isinstance(given, Mapping) or not all(_is_engine(engine) for engine in given.values()):
        # Not repeated: it holds keys.
        raise ImproperlyConfigured('ENGINES= is not of the form {"alias": {"BACKEND": "dotted.path"}}')
    for alias, engine in given.items():
        if not _is_there(engine["BACKEND"].rpartition(".")[0]):
            raise ImproperlyConfigured(f"ENGINES[{alias!r}]: there is no module for {engine['BACKEND']!r}")
    return {**hosted, **CLASSICAL, **given}


def routes(given: Any, models: Iterable[str], known: Engines) -> Routes:
    """Return the rungs to try for each image model: the hosted and the built-in engine, where none is given.

    Raises ImproperlyConfigured on a model or an alias that there is not, on a condition that there is not, and on an
    empty route.
    """
    slugs = list(models)
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f'ROUTES={given!r} is not of the form {{"model": ["alias", …]}}')
    for slug, aliases in given.items():
        if slug not in slugs:
            raise ImproperlyConfigured(f"ROUTES names the model {slug!r}; there are {', '.join(slugs)}")
        if not isinstance(aliases, list) or not aliases or not all(_is_rung(entry, known) for entry in aliases):
            raise ImproperlyConfigured(
                f"ROUTES[{slug!r}]={aliases!r} is not a list of engines, each an alias or"
                f' {{"engine": alias, "teams": […], "most": credits, "requires": […]}}; ENGINES has {", ".join(known)}'
            )
    usual = [alias for alias in ("segmind", *CLASSICAL) if alias in known]
    return {**{slug: list(usual) for slug in slugs}, **given}


def _is_rung(entry: Any, known: Engines) -> bool:
    if isinstance(entry, str):
        return entry in known
    is_formed = isinstance(entry, Mapping) and all(
        name in CONDITIONS and CONDITIONS[name](value) for name, value in entry.items()
    )
    return is_formed and entry.get("engine") in known


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)


def _is_there(module: str) -> bool:
    """Return whether a module can be found, without importing it: engines are heavy."""
    try:
        return bool(module) and importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that should hold it
        return False


def _is_engine(engine: Any) -> bool:
    return isinstance(engine, Mapping) and isinstance(engine.get("BACKEND"), str)
