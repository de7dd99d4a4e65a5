"""What a request of the jobs API says: its body, how long it would wait, and which model it names."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from rest_framework.request import Request

from accounts.access import Actor
from generations import catalogue, predictions, webhooks
from generations.api import bodies
from generations.catalogue import FieldError, ImageModel, InvalidInput, wording
from generations.submission import Alongside

COMPLETED = "webhook_completed"
LONGEST_WAIT = 60
"""Seconds that a request may ask to wait for."""

_WAIT = re.compile(r'wait(?:\s*=\s*"?(\d{1,9})"?)?', re.ASCII | re.IGNORECASE)
_NAMED = re.compile(r"(?P<owner>[^/:]+)/(?P<slug>[^/:]+)(?::(?P<version>.+))?")
_MEMBERS = ("input", "dry_run", "stream", webhooks.URL, webhooks.FILTER, COMPLETED)


@dataclass(frozen=True, slots=True)
class Asked:
    """A body: its input is read once the model is known."""

    input: msgspec.Raw
    version: object
    dry_run: bool
    alongside: Sequence[Alongside]


def read(request: Request, *, more: Collection[str] = ()) -> Asked:
    """Return what the body asks for; `more` names the members that this address takes beside the usual ones.

    Raises ParseError, NotAcceptable, InvalidInput.
    """
    body = bodies.envelope(request)
    known = (*more, *_MEMBERS)
    strangers = [name for name in body if name not in known]
    errors = catalogue.unknown_names(strangers, lambda name: _unknown(name, body[name], known))
    errors += [error for name, check in _CHECKS.items() if (error := check(name, body.get(name)))]
    if errors:
        raise InvalidInput(tuple(errors))
    given = {name: bodies.value(member) for name, member in body.items() if name != "input"}
    return Asked(body["input"], given.get("version"), given.get("dry_run") is True, _hooks(given))


def _hooks(given: Mapping[str, Any]) -> Sequence[Alongside]:
    """Return what writes down who is to be told. `webhook_completed` is what clients called it before there was a
    filter. Raises InvalidInput."""
    old = given.get(COMPLETED)
    if old is None:
        hook = webhooks.read(given.get(webhooks.URL), given.get(webhooks.FILTER))
    else:
        both = [name for name in (webhooks.URL, webhooks.FILTER) if given.get(name) is not None]
        if both:
            problem = f"{COMPLETED}: it stands alone; {both[0]} says the same and more"
            raise InvalidInput((FieldError(COMPLETED, wording.shown(old), problem),))
        hook = webhooks.read(old, ["completed"], names=(COMPLETED, webhooks.FILTER))
    return [webhooks.alongside(hook)] if hook else []


# --- members of the body ------------------------------------------------------------------------------------


def _object(name: str, member: msgspec.Raw | None) -> FieldError | None:
    if member is not None and bytes(memoryview(member)[:1]) == b"{":
        return None
    shown = "" if member is None else wording.shown(bodies.value(member))
    return FieldError(name, shown, f"{name}: {shown or 'missing'}; an object with the model's parameters is required")


def _truth(name: str, member: msgspec.Raw | None) -> FieldError | None:
    given = None if member is None else bodies.value(member)
    if given is None or isinstance(given, bool):
        return None
    return FieldError(name, wording.shown(given), f"{name}: {wording.shown(given)}; true or false is allowed")


def _false(name: str, member: msgspec.Raw | None) -> FieldError | None:
    given = None if member is None else bodies.value(member)
    if not given:
        return None
    return FieldError(
        name, wording.shown(given), f"{name}: {wording.shown(given)}; streams are not served, false is allowed"
    )


_CHECKS: Mapping[str, Callable[[str, msgspec.Raw | None], FieldError | None]] = {
    "input": _object,
    "dry_run": _truth,
    "stream": _false,
}


def _unknown(name: str, member: msgspec.Raw, known: Collection[str]) -> FieldError:
    shown, value = wording.printable(name), wording.shown(bodies.value(member))
    is_parameter = any(name in model.by_name for model in catalogue.MODELS.values())
    hint = 'it belongs under "input"' if is_parameter else f"allowed are {', '.join(known)}"
    return FieldError(shown, value, f'"{shown}" is not a member of the body (got {value}); {hint}')


# --- how long -----------------------------------------------------------------------------------------------


def wait(request: Request) -> int | None:
    """Return for how many seconds the header Prefer asks to wait, None where for none.

    As RFC 7240 has it, a preference that can't be met is no error: what is longer than LONGEST_WAIT is that, and what
    is no preference of ours is nothing.
    """
    for preference in request.headers.get("prefer", "").split(","):
        found = _WAIT.fullmatch(preference.strip())
        if found and found[1] is None:
            return LONGEST_WAIT
        if found and int(found[1]) > 0:
            return min(int(found[1]), LONGEST_WAIT)
    return None


# --- which model --------------------------------------------------------------------------------------------


def model(actor: Actor, owner: str, slug: str) -> ImageModel:
    """Return a model by the owner and the name in an address. Raises catalogue.UnknownModel."""
    if owner not in owners(actor):
        allowed = " and ".join(owners(actor))
        raise catalogue.UnknownModel(f"no owner {wording.shown(owner)}; there are {allowed}")
    return catalogue.get(slug)


def owners(actor: Actor) -> tuple[str, ...]:
    """Return under whose names the actor finds models."""
    return predictions.OWNER, actor.team


def model_of_version(actor: Actor, version: object) -> ImageModel:
    """Return the model that a body names: "owner/name", "owner/name:version", or the version alone.

    Raises InvalidInput.
    """
    if isinstance(version, str):
        found = _NAMED.fullmatch(version)
        declared = _named(actor, found["owner"], found["slug"]) if found else catalogue.of_version(version)
        if declared and (not found or found["version"] in (None, catalogue.version(declared))):
            return declared
    there = ", ".join(f"{predictions.OWNER}/{slug}" for slug in catalogue.MODELS)
    shown = "missing" if version is None else wording.shown(version)
    problem = f"version: {shown}; allowed are {there}, and the id of one's latest version"
    raise InvalidInput((FieldError("version", "" if version is None else shown, problem),))


def _named(actor: Actor, owner: str, slug: str) -> ImageModel | None:
    try:
        return model(actor, owner, slug)
    except catalogue.UnknownModel:
        return None
