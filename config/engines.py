"""The settings ENGINES and ROUTES: what is given is laid over the default, and checked before anything starts."""

import importlib.util
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured

Engines = dict[str, dict[str, Any]]
Routes = dict[str, list[str]]

CLASSICAL: Engines = {
    "classical": {"BACKEND": "generations.engines.classical.engine.ClassicalEngine", "OPTIONS": {"rate": 0.0015}}
}


def engines(given: Any) -> Engines:
    """Return every engine by alias: the built-in one, and what is given. Raises ImproperlyConfigured."""
    if not isinstance(given, Mapping) or not all(_is_engine(engine) for engine in given.values()):
        raise ImproperlyConfigured(f'ENGINES={given!r} is not of the form {{"alias": {{"BACKEND": "dotted.path"}}}}')
    for alias, engine in given.items():
        if not _is_there(engine["BACKEND"].rpartition(".")[0]):
            raise ImproperlyConfigured(f"ENGINES[{alias!r}]: there is no module for {engine['BACKEND']!r}")
    return {**CLASSICAL, **given}


def routes(given: Any, models: Iterable[str], known: Engines) -> Routes:
    """Return the aliases to try for each image model: the built-in engine's, where none is given.

    Raises ImproperlyConfigured on a model or an alias that there is not, and on an empty route.
    """
    slugs = list(models)
    if not isinstance(given, Mapping):
        raise ImproperlyConfigured(f'ROUTES={given!r} is not of the form {{"model": ["alias", …]}}')
    for slug, aliases in given.items():
        if slug not in slugs:
            raise ImproperlyConfigured(f"ROUTES names the model {slug!r}; there are {', '.join(slugs)}")
        if not isinstance(aliases, list) or not aliases or any(alias not in known for alias in aliases):
            raise ImproperlyConfigured(
                f"ROUTES[{slug!r}]={aliases!r} is not a list of engines; ENGINES has {', '.join(known)}"
            )
    return {**{slug: list(CLASSICAL) for slug in slugs}, **given}


def _is_there(module: str) -> bool:
    """Return whether a module can be found, without importing it: engines are heavy."""
    try:
        return bool(module) and importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of the package that should hold it
        return False


def _is_engine(engine: Any) -> bool:
    return isinstance(engine, Mapping) and isinstance(engine.get("BACKEND"), str)
