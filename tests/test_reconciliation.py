"""The net under everything: it reaches each row, whatever the others are like."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import OperationalError
from django.utils import timezone

from accounts import ledger
from accounts.credits import MICRO
from accounts.models import Team
from generations import dispatch, execution, finishing, leases, reconciliation
from generations.engines import base
from generations.engines.scripted import ScriptedEngine
from generations.models import Attempt, Generation, Output
from generations.models.attempt import State
from generations.models.generation import Status
from tests.jobs import Configure, Submit, let_leases_run_out

pytestmark = pytest.mark.django_db


def age(seconds: float) -> None:
    Attempt.objects.update(published_at=timezone.now() - timedelta(seconds=seconds))


def claimed(generation: Generation) -> leases.Claim:
    claim = leases.claim(Attempt.objects.get(generation=generation, state=State.QUEUED).id)
    assert claim is not None
    return claim


def books(team: Team) -> ledger.Amounts:
    return ledger.balance(team.pk)


# --- publishing again ---------------------------------------------------------------------------------------


def test_the_pause_doubles_and_is_bounded(submit: Submit, unpublished: list[int], settings: LazySettings) -> None:
    submit()
    pauses = [settings.REPUBLISH_AFTER * 2 ** min(doubling, 6) for doubling in range(9)]
    for number, pause in enumerate(pauses, start=1):
        age(pause - 1)
        reconciliation.reconcile()
        assert len(unpublished) == number - 1
        age(pause + 1)
        reconciliation.reconcile()
        assert len(unpublished) == number
        assert Attempt.objects.get().publishes == number + 1


def test_r2_a_lost_message_is_found_behind_a_long_queue(
    submit: Submit, unpublished: list[int], settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attempts that were published often and wait their turn must not fill the batch."""
    monkeypatch.setattr(reconciliation, "BATCH", 3)
    for _ in range(4):
        submit()
    age(settings.REPUBLISH_AFTER * 10)
    Attempt.objects.update(publishes=7)
    lost = Attempt.objects.get(generation=submit())
    Attempt.objects.filter(id=lost.id).update(published_at=timezone.now() - timedelta(seconds=20))
    reconciliation.reconcile()
    assert unpublished == [lost.id]


def test_what_is_to_wait_is_left_waiting(submit: Submit, unpublished: list[int]) -> None:
    submit()
    age(1000)
    Attempt.objects.update(not_before=timezone.now() + timedelta(seconds=9))
    reconciliation.reconcile()
    assert unpublished == []


def test_a_rate_limited_attempt_is_published_again_when_its_time_has_come(
    submit: Submit, unpublished: list[int], settings: LazySettings
) -> None:
    claim = claimed(submit())
    finishing.requeue(claim, 2.0, "too fast")
    passed = timezone.now() - timedelta(seconds=settings.REPUBLISH_AFTER + 1)
    Attempt.objects.update(not_before=passed, published_at=passed)
    reconciliation.reconcile()
    assert unpublished == [claim.attempt.id]


# --- one bad row --------------------------------------------------------------------------------------------


def test_one_row_that_cannot_be_dealt_with_does_not_stop_the_others(
    submit: Submit, unpublished: list[int], settings: LazySettings, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed(submit())
    bad = Attempt.objects.get()
    let_leases_run_out()
    waiting = submit(model="sdxl-inpaint")
    Attempt.objects.filter(generation=waiting).update(published_at=timezone.now() - timedelta(seconds=60))

    def fail(attempt: Attempt) -> None:
        raise ValueError(f"attempt {attempt.id} is beyond repair")

    monkeypatch.setattr(finishing, "abandon", fail)
    reconciliation.reconcile()
    assert unpublished == [Attempt.objects.get(generation=waiting).id]
    bad.refresh_from_db()
    assert bad.state == State.SUBMITTING
    Generation.objects.update(created_at=timezone.now() - timedelta(seconds=settings.JOB_DEADLINE + 1))
    reconciliation.reconcile()
    assert books(team) == ledger.Amounts(25 * MICRO, 0)


def test_an_engine_that_left_the_settings_is_passed_over(
    submit: Submit, engines: Configure, unpublished: list[int], team: Team
) -> None:
    engines(gone={}, left={})
    generation = submit()
    claimed(generation)
    let_leases_run_out()
    engines(left={})
    reconciliation.reconcile()
    assert list(Attempt.objects.values_list("engine", "state").order_by("id")) == [
        ("gone", State.FAILED),
        ("left", State.QUEUED),
    ]


def test_a_database_that_is_away_is_not_logged_row_by_row(
    submit: Submit, unpublished: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    submit()
    age(60)

    def fail(*_: object, **__: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(dispatch, "attempt", fail)
    with pytest.raises(OperationalError):
        reconciliation.reconcile()


# --- leases -------------------------------------------------------------------------------------------------


def test_many_that_wait_upstream_do_not_hide_one_that_was_abandoned(
    submit: Submit, engines: Configure, unpublished: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "BATCH", 2)
    engines(paid={"paid": True})
    for number in range(3):
        leases.note_submitted(claimed(submit()), f"upstream-{number}")
    lost = claimed(submit()).attempt
    let_leases_run_out()
    reconciliation.reconcile()
    lost.refresh_from_db()
    assert lost.state == State.UNKNOWN
    assert len(unpublished) == 2


def test_an_upstream_that_is_away_is_not_asked_at_every_pass(
    submit: Submit, engines: Configure, unpublished: list[int], settings: LazySettings
) -> None:
    engines(paid={"paid": True})
    leases.note_submitted(claimed(submit()), "upstream-1")
    let_leases_run_out()
    unpublished.clear()
    for _ in range(5):
        reconciliation.reconcile()
    assert len(unpublished) == 1
    age(settings.REPUBLISH_AFTER + 1)
    reconciliation.reconcile()
    assert len(unpublished) == 2


def test_a_live_lease_is_left_alone(submit: Submit, unpublished: list[int]) -> None:
    claim = claimed(submit())
    reconciliation.reconcile()
    claim.attempt.refresh_from_db()
    assert claim.attempt.state == State.SUBMITTING


# --- thumbnails ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "is_asked"), [(5, False), (60, True), (3600, False)])
def test_missing_thumbnails_are_asked_for_again_for_a_while(
    submit: Submit, inline: list[int], monkeypatch: pytest.MonkeyPatch, seconds: int, is_asked: bool
) -> None:
    generation = submit(samples=2)
    claim = claimed(generation)
    finishing.succeed(claim, scripted_result())
    Generation.objects.update(finished_at=timezone.now() - timedelta(seconds=seconds))
    asked: list[object] = []
    monkeypatch.setattr(dispatch, "derivatives", asked.append)
    reconciliation.reconcile()
    assert asked == ([generation.id] if is_asked else [])
    Output.objects.update(thumbnail="there")
    reconciliation.reconcile()
    assert len(asked) == is_asked


def scripted_result() -> base.Result:
    picture = base.Picture(b"x", "image/jpeg", 1, 1, 1)
    return base.Result((picture, picture), seconds=1.0, cost=1)


# --- endings that were found wanting ------------------------------------------------------------------------


def test_m3_a_rejection_after_a_cancel_gives_the_hold_back(
    submit: Submit, engines: Configure, unpublished: list[int], team: Team
) -> None:
    engines(paid={"paid": True})
    claim = claimed(submit())
    finishing.cancel(claim.attempt.generation_id)
    assert books(team).held > 0
    finishing.reject(claim, "no")
    assert books(team) == ledger.Amounts(25 * MICRO, 0)
    assert Generation.objects.get().status == Status.CANCELED


def test_m3_a_rejection_by_a_worker_that_lost_its_lease_changes_nothing(
    submit: Submit, unpublished: list[int], team: Team
) -> None:
    generation = submit()
    late = claimed(generation)
    let_leases_run_out()
    reconciliation.reconcile()
    finishing.reject(late, "no")
    generation.refresh_from_db()
    assert generation.status == Status.RUNNING
    finishing.succeed(claimed(generation), scripted_result())
    assert books(team) == ledger.Amounts(25 * MICRO - 1, 0)


@pytest.mark.parametrize("is_canceled", [False, True])
def test_m3_an_engine_that_stops_by_itself_ends_the_job(
    submit: Submit, engines: Configure, unpublished: list[int], team: Team, is_canceled: bool
) -> None:
    engines(paid={"paid": True})
    claim = claimed(submit())
    if is_canceled:
        finishing.cancel(claim.attempt.generation_id)
    finishing.drop(claim)
    assert Generation.objects.get().status == (Status.CANCELED if is_canceled else Status.FAILED)
    assert books(team) == ledger.Amounts(25 * MICRO, 0)


def test_m3_a_rate_limit_after_a_cancel_gives_the_hold_back(
    submit: Submit, engines: Configure, unpublished: list[int], team: Team
) -> None:
    engines(paid={"paid": True})
    claim = claimed(submit())
    finishing.cancel(claim.attempt.generation_id)
    finishing.requeue(claim, 1.0, "too fast")
    assert books(team) == ledger.Amounts(25 * MICRO, 0)
    assert Attempt.objects.get().state == State.FAILED


def test_r3_the_id_of_a_call_that_came_back_too_late_is_kept_for_the_operator(
    submit: Submit, engines: Configure, unpublished: list[int], settings: LazySettings
) -> None:
    engines(paid={"paid": True})
    claim = claimed(submit())
    Generation.objects.update(created_at=timezone.now() - timedelta(seconds=settings.JOB_DEADLINE + 1))
    reconciliation.reconcile()
    with pytest.raises(leases.LeaseLost):
        leases.note_submitted(claim, "upstream-1")
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.upstream_id) == (State.UNKNOWN, "upstream-1")


def test_r1_an_upstream_that_limits_the_polling_is_asked_again_later(
    submit: Submit, engines: Configure, unpublished: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the work in hand and may charge for it: no other paid engine may be tried."""
    engines(first={"paid": True, "handoff": True, "fail": "rate-limited"}, second={"paid": True})
    generation = submit()
    execution.run(Attempt.objects.get().id)
    attempt = Attempt.objects.get()
    assert (attempt.state, attempt.lease) == (State.SUBMITTED, None)
    assert attempt.lease_until is not None
    engines(first={"paid": True, "handoff": True}, second={"paid": True})
    execution.run(attempt.id)
    assert Attempt.objects.get().state == State.SUBMITTED  # it is not time yet
    let_leases_run_out()
    reconciliation.reconcile()
    assert unpublished[-1:] == [attempt.id]
    execution.run(attempt.id)
    generation.refresh_from_db()
    assert (generation.status, generation.engine) == (Status.SUCCEEDED, "first")


@pytest.mark.parametrize("is_paid", [False, True])
def test_nobody_pays_for_a_result_without_a_picture(
    submit: Submit, engines: Configure, unpublished: list[int], team: Team, is_paid: bool
) -> None:
    engines(empty={"paid": is_paid})
    generation = submit()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptedEngine, "submit", lambda *_: base.Result((), seconds=1.0, cost=5))
        execution.run(Attempt.objects.get().id)
    generation.refresh_from_db()
    assert generation.status == Status.FAILED
    assert Attempt.objects.get().state == (State.UNKNOWN if is_paid else State.FAILED)
    assert books(team) == ledger.Amounts(25 * MICRO, 0)


def test_an_engines_words_may_hold_anything(
    submit: Submit, engines: Configure, unpublished: list[int], team: Team
) -> None:
    def fail(*_: object) -> None:
        raise base.Rejected("bad\x00 \ud800 " + "x" * 10_000)

    engines(rude={"paid": True})
    submit()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptedEngine, "submit", fail)
        execution.run(Attempt.objects.get().id)
    generation = Generation.objects.get()
    assert (generation.status, generation.fault) == (Status.FAILED, "rejected")
    assert generation.error.startswith("bad ? x")
    assert len(generation.error) <= execution.LONGEST_ERROR
    assert books(team) == ledger.Amounts(25 * MICRO, 0)
