"""Every statement and every commit of a job's life fails once, by an error and by the death of the process: what was
accepted ends all the same, a paid call goes out once at most, and the books balance."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connections
from django.db.models import Sum
from django.utils import timezone

from accounts import ledger
from accounts.credits import MICRO
from accounts.models import Team
from generations import execution, finishing, leases, reconciliation
from generations.engines import base
from generations.engines.scripted import ScriptedEngine
from generations.models import Attempt, Generation, Output
from generations.models.attempt import LIVE, State
from generations.models.generation import FINAL, Status
from tests.jobs import Configure, Submit

pytestmark = pytest.mark.django_db(transaction=True)

MOST = 120
"""Events of one life; a scenario that needs more has lost its way."""

Hook = Callable[[Generation], None]


class Trap:
    """Counts what happens at the database, and lets the `number`-th event fail."""

    def __init__(self, number: int, error: type[BaseException]) -> None:
        self.left = number
        self.error = error
        self.sprung = ""

    def event(self, what: str) -> None:
        self.left -= 1
        if self.left == 0:
            self.sprung = what
            raise self.error(f"the test lets this fail: {what}")


@contextmanager
def trap(number: int, error: type[BaseException]) -> Iterator[Trap]:
    """Fail before a statement, after one that stands by itself, before a commit, or after it."""
    found, wrapper = Trap(number, error), connections["default"]
    commit, roll_back = getattr(wrapper, "_commit"), getattr(wrapper, "_rollback")  # noqa: B009 (Django's own)

    def committed() -> None:
        try:
            found.event("before a commit")
        except BaseException:
            roll_back()
            wrapper.run_on_commit = []
            raise
        commit()
        found.event("after a commit")

    def executed(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if error is not SystemExit or not sql.startswith("SELECT"):  # dying over a read is dying before what follows
            found.event(f"before {sql[:60]}")
        result = execute(sql, params, many, context)
        if not wrapper.in_atomic_block and sql.startswith(("INSERT", "UPDATE", "DELETE", "WITH")):
            found.event(f"after {sql[:60]}")
        return result

    with pytest.MonkeyPatch.context() as patch, wrapper.execute_wrapper(executed):
        patch.setattr(wrapper, "_commit", committed)
        yield found


def survive(act: Callable[[], object]) -> None:
    """Do what a worker or the clock does; its failure is its own."""
    try:
        act()
    except (DatabaseError, SystemExit):
        return


def live_through(generation: Generation) -> None:
    """Run the job, then let time pass and reconciliation and workers do what they do, until all is at rest."""
    first = with_outside_view(lambda: attempts_of(generation))[0]
    survive(lambda: execution.run(first))
    for _ in range(8):
        with_outside_view(make_everything_due)
        survive(reconciliation.reconcile)
        for attempt_id in with_outside_view(lambda: attempts_of(generation)):
            survive(lambda attempt_id=attempt_id: execution.run(attempt_id))  # type: ignore[misc]
        if with_outside_view(lambda: is_at_rest(generation)):
            return


def with_outside_view(look: Callable[[], Any]) -> Any:
    """Do something that is the test's own and no part of the job's life."""
    wrapper = connections["default"]
    wrappers, wrapper.execute_wrappers = wrapper.execute_wrappers, []
    try:
        return look()
    finally:
        wrapper.execute_wrappers = wrappers


def make_everything_due() -> None:
    past = timezone.now() - timedelta(hours=2)
    Attempt.objects.filter(state__in=LIVE).update(published_at=past, not_before=None)
    Attempt.objects.filter(state__in=LIVE, lease_until__isnull=False).update(lease_until=past)


def attempts_of(generation: Generation) -> list[int]:
    return list(Attempt.objects.filter(generation=generation, state__in=LIVE).values_list("id", flat=True))


def is_at_rest(generation: Generation) -> bool:
    is_final = Generation.objects.filter(id=generation.id, status__in=FINAL).exists()
    return is_final and not attempts_of(generation)


def nothing(generation: Generation) -> None:
    """Happens while the engine works."""


def cancel(generation: Generation) -> None:
    survive(lambda: finishing.cancel(generation.id))


def die(generation: Generation) -> None:
    raise SystemExit("the worker died")


PAID: dict[str, Any] = {"paid": True, "cost": 0.01}
HANDED: dict[str, Any] = {**PAID, "handoff": True}
SCENARIOS: dict[str, tuple[dict[str, dict[str, Any]], Hook, set[Status]]] = {
    "free dies": ({"free": {"handoff": True}}, die, {Status.SUCCEEDED, Status.FAILED}),
    "paid, twice on the route": ({"first": PAID, "second": PAID}, nothing, {Status.SUCCEEDED, Status.FAILED}),
    "paid, dies while it waits": ({"paid": HANDED}, die, {Status.SUCCEEDED, Status.FAILED}),
    "paid, canceled": ({"paid": HANDED}, cancel, {Status.SUCCEEDED, Status.FAILED, Status.CANCELED}),
    "paid, canceled, rejected": (
        {"paid": {**HANDED, "fail": "rejected"}},
        cancel,
        {Status.FAILED, Status.CANCELED},
    ),
    "paid unknown, then free": (
        {"paid": {**PAID, "fail": "unknown"}, "free": {}},
        nothing,
        {Status.SUCCEEDED, Status.FAILED},
    ),
    "unavailable, then paid": (
        {"first": {**PAID, "fail": "unavailable"}, "second": HANDED},
        nothing,
        {Status.SUCCEEDED, Status.FAILED},
    ),
}


@pytest.fixture
def hooked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Hook], None]:
    """Return a function that has something happen, once a job, while its result is waited for."""
    collect = ScriptedEngine.collect

    def install(hook: Hook) -> None:
        met: set[int] = set()

        def collecting(self: ScriptedEngine, request_id: str, job: base.Job, progress: base.Progress) -> base.Waiting:
            if job.seed not in met:
                met.add(job.seed)
                hook(with_outside_view(lambda: Generation.objects.get(seed=job.seed)))
            return collect(self, request_id, job, progress)

        monkeypatch.setattr(ScriptedEngine, "collect", collecting)

    monkeypatch.setattr(leases, "PROGRESS_EVERY", 0.0)
    monkeypatch.setattr(leases, "WRITE_AGAIN", (0.0,))
    return install


@pytest.mark.parametrize("error", [OperationalError, SystemExit])
@pytest.mark.parametrize("name", SCENARIOS)
def test_r1_m2_m3_whatever_fails_the_job_ends_and_the_books_balance(
    name: str,
    error: type[BaseException],
    submit: Submit,
    engines: Configure,
    unpublished: list[int],
    hooked: Callable[[Hook], None],
    team: Team,
    tmp_path: Path,
) -> None:
    options, hook, endings = SCENARIOS[name]
    logs = {alias: tmp_path / alias for alias in options}
    engines(**{alias: {**given, "log": str(logs[alias])} for alias, given in options.items()})
    hooked(hook)
    for number in itertools.count(1):
        assert number < MOST
        generation = submit(seed=number * 256)  # one picture for all seeds
        with trap(number, error) as found:
            live_through(generation)
        generation.refresh_from_db()
        where = f"{name}, event {number}: {found.sprung}"
        paid = {alias for alias, given in options.items() if given.get("paid")}
        assert generation.status in endings, where
        assert_ended(generation, team, where)
        assert_submitted(generation, logs, paid, where)
        if not found.sprung:
            break
    assert ledger.open_holds(timezone.now()) == []
    assert ledger.check() == []


def assert_ended(generation: Generation, team: Team, where: str) -> None:
    assert attempts_of(generation) == [], where
    assert (generation.cost or 0) <= generation.quote, where
    charged = Generation.objects.aggregate(charged=Sum("cost", default=0))["charged"]
    assert ledger.balance(team.pk) == ledger.Amounts(25 * MICRO - charged, 0), where
    delivered = Output.objects.filter(generation=generation).count()
    assert delivered == (0 if generation.cost is None else 1), where


def assert_submitted(generation: Generation, logs: dict[str, Path], paid: set[str], where: str) -> None:
    """Each paid engine was called once at most, and a second one only where the first certainly charged nothing."""
    calls = {alias: _calls(log, generation.seed) for alias, log in logs.items()}
    assert all(calls[alias] <= 1 for alias in paid), (where, calls)
    assert all(count <= 3 for count in calls.values()), (where, calls)
    charging = [alias for alias in paid if calls[alias]]
    failed = Attempt.objects.filter(generation=generation, engine__in=charging, state=State.FAILED)
    assert len(charging) - failed.count() <= 1, (where, calls)


def _calls(log: Path, seed: int) -> int:
    lines = log.read_text().splitlines() if log.exists() else []
    return sum(line.split()[0] == str(seed) for line in lines)


def test_a_paid_picture_survives_a_database_that_is_away_for_a_moment(
    submit: Submit,
    engines: Configure,
    unpublished: list[int],
    hooked: Callable[[Hook], None],
    tmp_path: Path,
) -> None:
    """Once the upstream has answered, no single failure of the database loses what was paid for."""
    engines(paid={**HANDED, "log": str(tmp_path / "log")})
    for number in itertools.count(1):
        generation = submit(seed=number * 256)
        with trap(number, OperationalError) as found:
            live_through(generation)
        generation.refresh_from_db()
        was_called = _calls(tmp_path / "log", generation.seed)
        assert (generation.status == Status.SUCCEEDED) == bool(was_called), found.sprung
        if not found.sprung:
            return
