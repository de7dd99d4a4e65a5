"""What the gallery is narrowed to: read from the query, written into it, and shown."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest
from django.urls import reverse

from accounts import queries as people
from accounts.access import Actor
from accounts.models import User
from generations import access, catalogue
from generations.models import Collection
from generations.selection import Selection

SEARCH_LENGTH = 200
COLLECTIONS = 200
"""Collections that are offered, the newest ones."""

TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Filter:
    """What the query says, as far as it can be read; "" for everything. The names are those of the query.

    start, end: days in UTC, both of them among those shown.
    """

    q: str = ""
    model: str = ""
    person: str = ""
    engine: str = ""
    favourite: str = ""
    collection: str = ""
    start: str = ""
    end: str = ""

    def query(self, **more: str) -> str:
        """Return it as a query string, with `more`: "?q=quay", "" where there is nothing to say."""
        said = urlencode({name: value for name, value in {**asdict(self), **more}.items() if value})
        return f"?{said}" if said else ""

    def selection(self, team_id: int) -> Selection:
        start, end = _day(self.start), _day(self.end)
        return Selection(
            team_id=team_id,
            model=self.model or None,
            member=int(self.person) if self.person else None,
            engine=self.engine or None,
            favourite=True if self.favourite else None,
            collection=uuid.UUID(self.collection) if self.collection else None,
            created_after=_begin(start) - TICK if start and start > date.min else None,
            created_before=_begin(end + timedelta(days=1)) if end and end < date.max else None,
        )

    @property
    def is_narrowed(self) -> bool:
        return self != Filter()

    @property
    def is_folded(self) -> bool:
        """Whether none of those is set that the page folds away."""
        return not (self.person or self.engine or self.collection or self.start or self.end)


@dataclass(frozen=True, slots=True)
class Chip:
    """One thing that the gallery is narrowed to, and the address without it."""

    label: str
    value: str
    without: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters offer."""

    people: Sequence[User]
    engines: Sequence[str]
    collections: Sequence[Collection]
    asked: Collection | None
    """The collection that is asked for, which may be older than those offered."""


def read(request: HttpRequest) -> Filter:
    """Return what the query says; what cannot be read narrows nothing, as if it was not there."""
    given = request.GET
    return Filter(
        q=given.get("q", "").strip()[:SEARCH_LENGTH],
        model=_known(given.get("model", ""), catalogue.MODELS),
        person=_number(given.get("person", "")),
        engine=_known(given.get("engine", ""), settings.ENGINES),
        favourite="1" if given.get("favourite") == "1" else "",
        collection=_identifier(given.get("collection", "")),
        start=given.get("start", "") if _day(given.get("start", "")) else "",
        end=given.get("end", "") if _day(given.get("end", "")) else "",
    )


def choices(actor: Actor, asked: Filter) -> Choices:
    """Return what the page offers. Raises Http404 where the collection asked for is none that the actor sees."""
    collections = list(access.collections(actor).order_by("-created_at", "-id")[:COLLECTIONS])
    collection = None
    if asked.collection:
        wanted = uuid.UUID(asked.collection)
        collection = next((row for row in collections if row.id == wanted), None) or access.collection(actor, wanted)
    return Choices(
        [each.user for each in people.members(actor.team_id)], sorted(settings.ENGINES), collections, collection
    )


def require_seen(actor: Actor, asked: Filter) -> None:
    """Raises Http404 where the collection asked for is none that the actor sees."""
    if asked.collection:
        access.collection(actor, uuid.UUID(asked.collection))


def chips(asked: Filter, offered: Choices) -> list[Chip]:
    """Return what the page is narrowed to, in the order of the form."""
    names = {str(user.pk): str(user) for user in offered.people}
    said: Mapping[str, tuple[str, str]] = {
        "q": ("Prompt has", f"“{asked.q}”"),
        "model": ("Model", catalogue.MODELS[asked.model].title if asked.model else ""),
        "person": ("By", names.get(asked.person, "somebody who left")),
        "engine": ("Engine", asked.engine),
        "favourite": ("", "Favourites"),
        "collection": ("In", offered.asked.name if offered.asked else ""),
        "start": ("From", asked.start),
        "end": ("To", asked.end),
    }
    return [Chip(*said[name], _without(asked, name)) for name, value in asdict(asked).items() if value]


def _without(asked: Filter, name: str) -> str:
    return reverse("gallery") + replace(asked, **{name: ""}).query()


def _known(given: str, known: Mapping[str, Any]) -> str:
    return given if given in known else ""


def _number(given: str) -> str:
    return str(int(given)) if given.isascii() and given.isdigit() and len(given) <= 18 else ""


def _identifier(given: str) -> str:
    if not given:
        return ""
    try:
        return str(uuid.UUID(given))
    except ValueError:
        raise Http404("There is no such collection.") from None


def _day(given: str) -> date | None:
    try:
        return datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
