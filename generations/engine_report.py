"""What the operator reads of the engines: how each does, what it has in hand, what it took and brought today.

A constant number of queries, whatever the engines, the rows and the workers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from django.conf import settings
from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from accounts.credits import format_credits
from config.heartbeat import STALE_SECONDS
from generations import routing
from generations.engines.base import Engine
from generations.models import Attempt, Gate, Heartbeat
from generations.models.attempt import LIVE, State

MOST_UNKNOWN = 200
"""Unknown attempts that are listed at a time, newest first."""


class Health(StrEnum):
    """How an engine is; the value is what people read."""

    WORKS = "works"
    TRYING = "breaker open; the next job tries it"
    OPEN = "breaker open until"
    PAUSED = "paused until"
    DRAINED = "drained"
    UNASKED = "not asked yet"
    IDLE = "not asked today"

    @property
    def tone(self) -> str:
        """Of its badge: good, bad, caution or plain."""
        return _TONES.get(self, "plain")


_TONES = {
    Health.WORKS: "good",
    Health.OPEN: "bad",
    Health.TRYING: "caution",
    Health.PAUSED: "caution",
    Health.DRAINED: "caution",
}


@dataclass(frozen=True, slots=True)
class Place:
    """An engine's place (from 1) on the route of an image model, and when it may serve; "" for always."""

    model: str
    number: int
    conditions: str


@dataclass(frozen=True, slots=True)
class Day:
    """An engine's attempts that have ended since midnight UTC; amounts in millionths of a credit.

    spent: what they cost the house. charged: what customers paid for those that delivered.
    """

    spent: int = 0
    charged: int = 0
    delivered: int = 0
    last: datetime | None = None


@dataclass(frozen=True)
class Report:
    """One engine. running: attempts in its hand; waiting: those that are to be. workers: alive, for its queue.

    unknown: attempts whose outcome is not known, of all time.
    """

    engine: Engine
    gate: Gate
    at: datetime
    today: Day
    running: int
    waiting: int
    workers: int
    unknown: int

    @property
    def alias(self) -> str:
        return self.engine.alias

    @property
    def kind(self) -> str:
        """The name of the backend's class, without the word Engine."""
        return type(self.engine).__name__.removesuffix("Engine")

    @property
    def health(self) -> Health:
        gate = self.gate
        if gate.drained:
            return Health.DRAINED
        if gate.open_until:
            return Health.OPEN if gate.open_until > self.at else Health.TRYING
        if gate.paused_until and gate.paused_until > self.at:
            return Health.PAUSED
        if self.answered_at:
            return Health.WORKS
        return Health.UNASKED if self.engine.limits else Health.IDLE

    @property
    def until(self) -> datetime | None:
        """When its health is over by itself."""
        return {Health.OPEN: self.gate.open_until, Health.PAUSED: self.gate.paused_until}.get(self.health)

    @property
    def answer(self) -> str:
        """What it answered last; of an engine without limits only what it delivered is known."""
        return self.gate.answer or ("delivered" if self.today.last else "")

    @property
    def answered_at(self) -> datetime | None:
        return self.gate.answered_at or self.today.last

    @property
    def low_balance(self) -> int:
        """Millionths of a credit upstream, under which the operator is warned."""
        return self.engine.limits.low_balance if self.engine.limits else 0

    @property
    def is_low(self) -> bool:
        return self.gate.balance is not None and self.gate.balance < self.low_balance

    @cached_property
    def route(self) -> Sequence[Place]:
        """Where it serves, by image model."""
        return [
            Place(model, number, _conditions(rung))
            for model in settings.ROUTES
            for number, rung in enumerate(routing.rungs(model), start=1)
            if rung.engine is self.engine
        ]


@dataclass(frozen=True, slots=True)
class Headline:
    """The first hosted engine and what is left there, and what the operator should see to ("" for nothing)."""

    alias: str
    balance: int | None
    care: str


def engines() -> list[Report]:
    """Return every engine of the setting ENGINES, in its order. Five queries."""
    now = timezone.now()
    gates = {gate.engine: gate for gate in Gate.objects.all()}
    today, unknown, workers = _today(now), _unknown(), _workers(now)
    live = _live()
    return [
        Report(
            engine=engine,
            gate=gates.get(alias) or Gate(engine=alias),
            at=now,
            today=today.get(alias, Day()),
            running=sum(live.get((alias, state), 0) for state in LIVE if state != State.QUEUED),
            waiting=live.get((alias, State.QUEUED), 0),
            workers=workers.get(engine.queue, 0),
            unknown=unknown.get(alias, 0),
        )
        for alias, engine in ((alias, routing.engine(alias)) for alias in settings.ENGINES)
    ]


def unknown_attempts(limit: int = MOST_UNKNOWN) -> list[Attempt]:
    """Return the attempts whose outcome is not known, newest first, with run and team. One query."""
    rows = Attempt.objects.filter(state=State.UNKNOWN).select_related("generation__team")
    return list(rows.order_by("-ended_at")[:limit])


def headline() -> Headline | None:
    """Return what the header says of the hosted engines; None where there are none. One query, then."""
    hosted = [engine for engine in map(routing.engine, settings.ENGINES) if engine.limits]
    if not hosted:
        return None
    gates = {gate.engine: gate for gate in Gate.objects.filter(engine__in=[engine.alias for engine in hosted])}
    care = [said for engine in hosted if (said := _care(engine, gates.get(engine.alias)))]
    first = gates.get(hosted[0].alias)
    return Headline(hosted[0].alias, first.balance if first else None, "; ".join(care))


# --- parts --------------------------------------------------------------------------------------------------


def _care(engine: Engine, gate: Gate | None) -> str:
    if gate is None:
        return ""
    if gate.alert:
        return f"{engine.alias}: {gate.alert}"
    low = engine.limits.low_balance if engine.limits else 0
    if gate.balance is not None and gate.balance < low:
        return f"{engine.alias} has {format_credits(gate.balance)} credits left, under {format_credits(low)}"
    return ""


def _today(now: datetime) -> Mapping[str, Day]:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    done = Q(state=State.DONE)
    sums = Attempt.objects.filter(ended_at__gte=midnight).values("engine")
    rows = sums.annotate(
        spent=Sum("cost", default=0),
        charged=Sum("generation__cost", filter=done, default=0),
        delivered=Count("id", filter=done),
        last=Max("ended_at", filter=done),
    )
    figures = rows.values_list("engine", "spent", "charged", "delivered", "last")
    return {engine: Day(spent, charged, delivered, last) for engine, spent, charged, delivered, last in figures}


def _unknown() -> Mapping[str, int]:
    return dict(Attempt.objects.filter(state=State.UNKNOWN).values_list("engine").annotate(Count("id")))


def _workers(now: datetime) -> Mapping[str, int]:
    alive = Heartbeat.objects.filter(at__gt=now - timedelta(seconds=STALE_SECONDS))
    return dict(alive.values_list("queue").annotate(Count("worker")))


def _live() -> Mapping[tuple[str, str], int]:
    rows = Attempt.objects.filter(state__in=LIVE).values_list("engine", "state").annotate(Count("id"))
    return {(engine, state): count for engine, state, count in rows}


def _conditions(rung: routing.Rung) -> str:
    """Return in words when a rung may serve; "" for always."""
    said = [
        f"for {', '.join(rung.teams)}" if rung.teams else "",
        f"up to {format_credits(rung.most)} credits" if rung.most is not None else "",
        f"with {', '.join(rung.requires)}" if rung.requires else "",
    ]
    return "; ".join(each for each in said if each)
