"""Whether an engine may be called now: a breaker, a limit and a rate that all workers share, in the engine's row.

The row is locked for each decision, so that the figures are exact whatever the number of processes; where all is well
one statement does it (generations.statements). An engine that declares no limits is called freely, unless the operator
drained it.
"""

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.db import DatabaseError, transaction
from django.utils import timezone

from generations import statements, waiting
from generations.engines import base
from generations.models import Attempt, Gate
from generations.models.attempt import State

log = logging.getLogger(__name__)

THRESHOLD = 5
"""Failures one after the other that open the breaker."""

OPEN_SECONDS = 30.0
"""How long it stays open; then one call tries, and every OPEN_SECONDS another."""

PATIENCE = 5.0
"""Seconds that a worker waits for its turn; after them the job goes back into the queue."""

LONGEST_PAUSE = 300.0
"""Seconds for which an upstream may ask everybody to wait: a wrong clock or unit must not stop it for days."""

DRAINED_FOR = 2.0
"""Seconds for which a process believes what it read of engines without limits."""

BALANCE_EVERY = 1.0
_balances: dict[str, float] = {}
"""When this process writes an engine's balance again, in seconds of time.monotonic."""

_turns: dict[tuple[str, int], threading.BoundedSemaphore] = {}
_drained: tuple[float, frozenset[str]] = (0.0, frozenset())


@contextlib.contextmanager
def passed(engine: base.Engine, confirm: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Go through an engine's gate, for one call and the writing down of what it answered.

    confirm: called at the last moment; what it raises says that nothing is called. Raises Unavailable where nobody
    may call, RateLimited where it would take long.
    """
    if engine.limits is None:
        _refuse_drained(engine.alias)
        confirm()
        yield
        return
    with _in_turn(engine.alias, engine.limits.submits):
        place = _enter(engine.alias, engine.limits)
        try:
            confirm()
        except BaseException:
            _leave(engine.alias, place, None, called=False)
            raise
        waiting.lend()
        try:
            yield
        except base.EngineError as error:
            _leave(engine.alias, place, error, called=not isinstance(error, base.Canceled))
            raise
        except BaseException:
            _leave(engine.alias, place, base.OutcomeUnknown("The engine broke."))
            raise
        _leave(engine.alias, place, None)


def note_balance(alias: str, balance: int | None) -> None:
    """Write down what an upstream says is left, in millionths of a credit; None says nothing. Of what it says within
    BALANCE_EVERY seconds only the first is kept."""
    if balance is None or time.monotonic() < _balances.get(alias, 0.0):
        return
    _balances[alias] = time.monotonic() + BALANCE_EVERY
    try:
        Gate.objects.filter(engine=alias).update(balance=balance, balance_at=timezone.now())
    except DatabaseError:  # a picture has come with it, which is worth more
        log.warning("the balance of %s could not be written down", alias, exc_info=True)
        waiting.let_go()


def note_alert(alias: str, error: base.NotConfigured) -> None:
    """Tell the operator what only they can mend."""
    log.error("engine %s: %s", alias, error.detail)
    Gate.objects.filter(engine=alias).update(alert=error.detail, answer=error.detail, answered_at=timezone.now())


def drain(alias: str, *, drained: bool) -> None:
    """Stop calling an engine, or begin again with a clean slate; what it has in hand is still collected."""
    slate = {} if drained else {"open_until": None, "paused_until": None, "failures": 0, "alert": ""}
    Gate.objects.update_or_create(engine=alias, defaults={"drained": drained, **slate})


# --- in and out ---------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _in_turn(alias: str, submits: int) -> Iterator[None]:
    """Let as many threads of this process on as there are places: the others are woken, and ask nobody meanwhile.

    Raises RateLimited where it takes too long.
    """
    turns = _turns.setdefault((alias, submits), threading.BoundedSemaphore(submits))
    waiting.lend()
    if not turns.acquire(timeout=PATIENCE):
        raise base.RateLimited(f"{alias} has no place free.", after=random.uniform(0.5, 2.0))  # noqa: S311
    try:
        yield
    finally:
        turns.release()


def _enter(alias: str, limits: base.Limits) -> float:
    """Take a place, and return it. Raises Unavailable where nobody may call, RateLimited where it takes too long."""
    give_up = time.monotonic() + PATIENCE
    quick = statements.current().enter(alias, limits, timezone.now())
    if quick is not None:
        return quick
    while True:
        with transaction.atomic():
            place = _try(alias, limits)
        waiting.lend()
        if place.taken:
            return place.until
        if time.monotonic() + place.pause > give_up:
            raise base.RateLimited(f"{alias} has no place free.", after=place.pause + random.uniform(0.5, 1.5))  # noqa: S311
        time.sleep(place.pause)


class _Place:
    """A place that was taken, good until then at the latest (seconds since 1970), or the seconds to the next try."""

    __slots__ = ("pause", "taken", "until")

    def __init__(self, *, until: float = 0.0, pause: float = 0.0) -> None:
        self.until, self.pause, self.taken = until, pause, bool(until)


def _try(alias: str, limits: base.Limits) -> _Place:
    gate, now = _locked(alias), timezone.now()
    _refuse(gate, now)
    taken = [until for until in gate.submits if until > now.timestamp()]
    if len(taken) >= limits.submits:
        return _Place(pause=random.uniform(0.02, 0.1))  # noqa: S311
    if limits.per_second and gate.next_at and gate.next_at > now:
        return _Place(pause=(gate.next_at - now).total_seconds())
    if len(taken) + _in_hand(alias) >= limits.jobs:
        return _Place(pause=random.uniform(0.2, 0.6))  # noqa: S311
    until = now.timestamp() + limits.longest
    gate.submits = [*taken, until]
    gate.next_at = now + timedelta(seconds=1 / limits.per_second) if limits.per_second else None
    if gate.open_until:  # this call is the one that tries; nobody else does until it is back
        gate.open_until = now + timedelta(seconds=OPEN_SECONDS)
    gate.save(update_fields=["submits", "next_at", "open_until"])
    return _Place(until=until)


def _locked(alias: str) -> Gate:
    row = Gate.objects.select_for_update().filter(engine=alias)
    gate = row.first()
    if gate is None:
        Gate.objects.get_or_create(engine=alias)
        gate = row.get()
    return gate


def _refuse(gate: Gate, now: datetime) -> None:
    if gate.drained:
        raise base.Unavailable(f"{gate.engine} is switched off by the operator.")
    if gate.open_until and gate.open_until > now:
        raise base.Unavailable(f"{gate.engine} does not work at the moment; it is tried again soon.")
    if gate.paused_until and gate.paused_until > now:
        after = (gate.paused_until - now).total_seconds()
        raise base.RateLimited(f"{gate.engine} asked for a pause.", after=after + random.uniform(0, 1))  # noqa: S311


def _in_hand(alias: str) -> int:
    return Attempt.objects.filter(engine=alias, state=State.SUBMITTED).count()


def _leave(alias: str, place: float, error: base.EngineError | None, *, called: bool = True) -> None:
    """Give the place back and write down how it went. Never raises: a place that is not given back expires."""
    try:
        if called and error is None and statements.current().leave(alias, place, timezone.now()):
            waiting.lend()
            return
        with transaction.atomic():
            gate = _locked(alias)
            gate.submits = [until for until in gate.submits if until != place]
            if called:
                _write_down(gate, error)
            gate.save()
        waiting.lend()
    except Exception:
        log.warning("how %s answered could not be written down", alias, exc_info=True)
        waiting.let_go()


def _write_down(gate: Gate, error: base.EngineError | None) -> None:
    now = timezone.now()
    gate.answer, gate.answered_at = (str(error) if error else "accepted"), now
    if isinstance(error, base.Unavailable | base.OutcomeUnknown):
        _count_failure(gate, error, now)
    else:
        gate.failures, gate.open_until, gate.alert = 0, None, ""
    if isinstance(error, base.RateLimited):
        gate.paused_until = now + timedelta(seconds=min(error.after, LONGEST_PAUSE))


def _count_failure(gate: Gate, error: base.EngineError, now: datetime) -> None:
    gate.failures += 1
    if isinstance(error, base.NotConfigured):
        log.error("engine %s: %s", gate.engine, error.detail)
        gate.alert = gate.answer = error.detail
    if gate.failures >= THRESHOLD or isinstance(error, base.NotConfigured):
        gate.open_until = now + timedelta(seconds=OPEN_SECONDS)


def _refuse_drained(alias: str) -> None:
    global _drained
    if _drained[0] < time.monotonic():
        drained = Gate.objects.filter(drained=True).values_list("engine", flat=True)
        _drained = time.monotonic() + DRAINED_FOR, frozenset(drained)
        waiting.lend()
    if alias in _drained[1]:
        raise base.Unavailable(f"{alias} is switched off by the operator.")
