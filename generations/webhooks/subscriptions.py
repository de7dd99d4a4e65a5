"""Who wants to be told of a generation: what a request says, checked, and written down with the generation."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings

from generations import addresses, outbound
from generations.catalogue import wording
from generations.catalogue.validation import FieldError, InvalidInput
from generations.models import Generation, Webhook
from generations.models.webhook import EVENTS, Event, bits
from generations.submission import Alongside

LONGEST_URL = 2000

URL, FILTER = "webhook", "webhook_events_filter"
"""What a request calls the two."""


@dataclass(frozen=True, slots=True)
class Hook:
    """An address, and the events that it is told, in the order in which they happen."""

    url: str
    events: tuple[Event, ...]


def read(url: object, events: object = None, *, names: tuple[str, str] = (URL, FILTER)) -> Hook | None:
    """Return what a request asks for by its two values; None where it gives neither.

    events: names of EVENTS; None for all. Where a name leads is looked at when it is called. names: what
    the request calls the two. Raises InvalidInput.
    """
    if url is None and events is None:
        return None
    found, wrong = _url(url, names[0])
    chosen, wrong_events = _events(events, names[1])
    errors = tuple(filter(None, (wrong, wrong_events)))
    if errors:
        raise InvalidInput(errors)
    return Hook(found, chosen)


def read_events(events: object, *, name: str = "events") -> tuple[Event, ...]:
    """Return the events that a request names. Raises InvalidInput."""
    chosen, wrong = _events(events, name)
    if wrong:
        raise InvalidInput((wrong,))
    return chosen


def alongside(hook: Hook) -> Alongside:
    """Return what writes the subscription in the transaction that accepts the generation."""

    def write(generation: Generation) -> None:
        generation.hooked |= bits(hook.events)
        Webhook.objects.create(
            team_id=generation.team_id, generation_id=generation.id, url=hook.url, events=list(hook.events)
        )

    return write


# --- the two values -----------------------------------------------------------------------------------------


def _url(given: object, name: str) -> tuple[str, FieldError | None]:
    if not isinstance(given, str) or not given:
        return "", _error(name, given, "a URL is required, such as https://example.com/hook")
    try:
        target = outbound.target(given)
    except outbound.Refused as error:
        return "", _error(name, given, str(error))
    if len(target.url) > LONGEST_URL:
        problem = f"the URL has {len(target.url):,} characters; at most {LONGEST_URL:,} are allowed"
        return "", _error(name, given, problem)
    if not target.opened(settings.OUTBOUND_ALLOW):
        wrong = ["the URL's scheme is 'http'; https is allowed"] if target.scheme != "https" else []
        wrong += ["the URL's host is not on the public internet"] if addresses.is_private_host(target.host) else []
        if wrong:
            opens = f"the operator can open it, for http as well, with OUTBOUND_ALLOW={target.place}"
            return "", _error(name, given, "; ".join([*wrong, opens]))
    return target.url, None


def _events(given: object, name: str) -> tuple[tuple[Event, ...], FieldError | None]:
    if given is None:
        return EVENTS, None
    allowed = ", ".join(EVENTS)
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        return (), _error(name, given, f"a list of some of {allowed} is required")
    strange = [each for each in given if each not in tuple(EVENTS)]
    if strange:
        return (), _error(name, strange[0], f"allowed are {allowed}")
    return tuple(event for event in EVENTS if event in given), None


def _error(field: str, given: object, problem: str) -> FieldError:
    shown = "" if given is None else wording.shown(given)
    return FieldError(field, shown, f"{field}: {shown}: {problem}" if shown else f"{field}: {problem}")
