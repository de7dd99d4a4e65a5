"""Attempts: who may run them, how each ending moves status and credits together."""

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts import ledger
from accounts.credits import MICRO
from accounts.models import Team, UsageDay
from generations import execution, finishing, leases, reconciliation
from generations.engines import base
from generations.engines.scripted import ScriptedEngine
from generations.models import Attempt, Generation, Output
from generations.models.attempt import State
from generations.models.generation import Fault, Status
from tests.jobs import Configure, Submit, let_leases_run_out, mask, png

pytestmark = pytest.mark.django_db

START = 25 * MICRO
RESULT = base.Result(pictures=(base.Picture(png(), "image/png", 64, 64, 1),), seconds=1.0, cost=100)


def run(generation: Generation) -> Generation:
    """Carry out what is queued of a generation, as the workers would."""
    while attempt := Attempt.objects.filter(generation=generation, state=State.QUEUED, not_before=None).first():
        execution.run(attempt.id)
    generation.refresh_from_db()
    return generation


def states(generation: Generation) -> list[tuple[str, str]]:
    return list(Attempt.objects.filter(generation=generation).order_by("number").values_list("engine", "state"))


def books(team: Team) -> tuple[int, int]:
    balance = ledger.balance(team.pk)
    return balance.posted, balance.held


def test_success_settles_the_real_cost(submit: Submit, engines: Configure, unpublished: list[int], team: Team) -> None:
    engines(scripted={"cost": 0.01})
    done = run(submit(samples=3, seed=5))
    assert (done.status, done.cost, done.engine) == (Status.SUCCEEDED, 10_000, "scripted")
    assert [output.seed for output in Output.objects.order_by("number")] == [5, 6, 7]
    assert books(team) == (START - 10_000, 0)
    assert UsageDay.objects.get().cost == 10_000


def test_the_usual_way_is_two_statements_on_postgresql(
    submit: Submit, unpublished: list[int], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    submit()
    attempt_id = Attempt.objects.get().id
    with django_assert_max_num_queries(2 if connection.vendor == "postgresql" else 20):
        execution.run(attempt_id)
    assert Output.objects.count() == 1


def test_the_picture_of_a_hold_that_has_ended_is_not_delivered(submit: Submit, unpublished: list[int]) -> None:
    generation = submit()
    claim = leases.claim(Attempt.objects.get().id)
    assert claim
    with transaction.atomic():
        ledger.release(generation.id)
    with pytest.raises(ledger.AlreadyEnded):
        finishing.succeed(claim, RESULT)
    generation.refresh_from_db()
    assert (generation.status, states(generation)) == (Status.RUNNING, [("scripted", State.SUBMITTING)])
    assert not Output.objects.exists()
    assert not UsageDay.objects.exists()


def test_running_twice_changes_nothing(submit: Submit, unpublished: list[int], team: Team) -> None:
    done = run(submit())
    before = books(team)
    execution.run(Attempt.objects.get(generation=done).id)
    assert books(team) == before
    assert Output.objects.count() == 1


@pytest.mark.parametrize(
    ("fail", "fault"),
    [
        ("rejected", Fault.REJECTED),
        ("unavailable", Fault.ENGINE),
        ("unsupported", Fault.ENGINE),
        ("crash", Fault.ENGINE),
    ],
)
def test_failure_is_free(submit: Submit, unpublished: list[int], team: Team, fail: str, fault: Fault) -> None:
    done = run(submit(f"@fail={fail}"))
    assert (done.status, done.fault, done.cost) == (Status.FAILED, fault, None)
    assert done.error
    assert books(team) == (START, 0)


def test_the_next_engine_serves_what_the_first_cannot(
    submit: Submit, engines: Configure, unpublished: list[int]
) -> None:
    engines(first={"fail": "unavailable"}, second={})
    done = run(submit())
    assert states(done) == [("first", "failed"), ("second", "done")]
    assert (done.status, done.engine) == (Status.SUCCEEDED, "second")


def test_a_rejected_request_is_not_tried_elsewhere(submit: Submit, engines: Configure, unpublished: list[int]) -> None:
    engines(first={"fail": "rejected"}, second={})
    assert states(run(submit())) == [("first", "failed")]


def test_after_an_unknown_outcome_only_a_free_engine_goes_on(
    submit: Submit, engines: Configure, unpublished: list[int], team: Team
) -> None:
    engines(paid={"paid": True, "fail": "unknown"}, paid_too={"paid": True}, free={"cost": 0.001})
    done = run(submit())
    assert states(done) == [("paid", "unknown"), ("free", "done")]
    assert books(team) == (START - 1000, 0)


def test_an_unknown_outcome_without_another_engine_releases_the_hold(
    submit: Submit, engines: Configure, unpublished: list[int], team: Team
) -> None:
    engines(paid={"paid": True, "fail": "crash"})
    done = run(submit())
    assert states(done) == [("paid", "unknown")]
    assert done.status == Status.FAILED
    assert books(team) == (START, 0)


def test_a_rate_limited_attempt_waits_its_turn(submit: Submit, unpublished: list[int]) -> None:
    generation = submit("@fail=rate-limited")
    attempt = Attempt.objects.get(generation=generation)
    execution.run(attempt.id)
    attempt.refresh_from_db()
    assert attempt.state == State.QUEUED
    assert attempt.not_before is not None
    assert leases.claim(attempt.id) is None
    Attempt.objects.update(not_before=timezone.now())
    assert leases.claim(attempt.id) is not None


def test_work_handed_on_is_written_down_and_taken_up_again(
    submit: Submit, engines: Configure, unpublished: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    engines(paid={"paid": True, "handoff": True})
    generation = submit()
    attempt = Attempt.objects.get(generation=generation)

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(ScriptedEngine, "collect", die)
        with pytest.raises(SystemExit):
            execution.run(attempt.id)
    attempt.refresh_from_db()
    assert attempt.state == State.SUBMITTED
    assert attempt.upstream_id
    let_leases_run_out()
    reconciliation.reconcile()
    assert unpublished[-1:] == [attempt.id]
    execution.run(attempt.id)
    assert states(generation) == [("paid", "done")]


def test_two_claims_one_winner(submit: Submit, unpublished: list[int]) -> None:
    attempt = Attempt.objects.get(generation=submit())
    assert leases.claim(attempt.id) is not None
    assert leases.claim(attempt.id) is None


# --- cancel -------------------------------------------------------------------------------------------------


def test_cancel_while_queued_gives_everything_back(submit: Submit, unpublished: list[int], team: Team) -> None:
    generation = submit()
    assert finishing.cancel(generation.id)
    assert not finishing.cancel(generation.id)
    assert run(generation).status == Status.CANCELED
    assert states(generation) == [("scripted", "canceled")]
    assert books(team) == (START, 0)


def test_cancel_while_a_free_engine_works_drops_its_picture(submit: Submit, unpublished: list[int], team: Team) -> None:
    generation = submit()
    claim = leases.claim(Attempt.objects.get(generation=generation).id)
    assert claim is not None
    finishing.cancel(generation.id)
    assert books(team) == (START, 0)
    finishing.succeed(claim, result())
    generation.refresh_from_db()
    assert generation.status == Status.CANCELED
    assert not Output.objects.exists()
    assert books(team) == (START, 0)


def test_cancel_after_a_paid_submit_keeps_the_picture_and_settles_it(
    submit: Submit, engines: Configure, unpublished: list[int], team: Team
) -> None:
    engines(paid={"paid": True, "handoff": True, "cost": 0.01})
    generation = submit()
    claim = leases.claim(Attempt.objects.get(generation=generation).id)
    assert claim is not None
    leases.note_submitted(claim, "upstream-1")
    finishing.cancel(generation.id)
    assert books(team) == (START, generation.quote)
    finishing.succeed(claim, result(cost=9_000))
    generation.refresh_from_db()
    assert (generation.status, generation.cost) == (Status.CANCELED, 9_000)
    assert Output.objects.count() == 1
    assert books(team) == (START - 9_000, 0)


@pytest.mark.parametrize("end", [finishing.fail, finishing.lose_track])
def test_cancel_after_a_paid_submit_that_brings_nothing_is_free(
    submit: Submit, engines: Configure, unpublished: list[int], team: Team, end: object
) -> None:
    engines(paid={"paid": True}, free={})
    generation = submit()
    claim = leases.claim(Attempt.objects.get(generation=generation).id)
    assert claim is not None
    finishing.cancel(generation.id)
    end(claim, "nothing came")  # type: ignore[operator]
    assert len(states(generation)) == 1
    assert books(team) == (START, 0)


# --- money --------------------------------------------------------------------------------------------------


def result(cost: int = 1000) -> base.Result:
    picture = base.Picture(png(), "image/png", 64, 64, 1)
    return base.Result((picture,), seconds=1.0, cost=cost)


@given(cost=st.integers(0, 10 * MICRO), paid=st.booleans(), cancel=st.booleans())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_m5_the_charge_is_never_above_the_quote(
    submit: Submit, engines: Configure, unpublished: list[int], team: Team, cost: int, paid: bool, cancel: bool
) -> None:
    engines(scripted={"paid": paid})
    before = ledger.balance(team.pk).posted
    generation = submit()
    claim = leases.claim(Attempt.objects.get(generation=generation).id)
    assert claim is not None
    if cancel:
        finishing.cancel(generation.id)
    finishing.succeed(claim, result(cost))
    charged = before - ledger.balance(team.pk).posted
    assert charged == (0 if cancel and not paid else min(cost, generation.quote))
    assert ledger.balance(team.pk).held == 0


# --- product lock -------------------------------------------------------------------------------------------


def test_pixels_outside_a_mask_come_from_the_input(submit: Submit, unpublished: list[int]) -> None:
    from generations import delivery
    from generations.imaging import decode

    done = run(submit(model="sdxl-inpaint", image=png(colour=(1, 2, 3)), mask=mask()))
    output = Output.objects.get(generation=done)
    master = decode.decode(delivery.read(output.file))
    original = decode.decode(png(colour=(1, 2, 3)))
    keep = decode.decode_mask(mask(), 64, 64) == 0
    assert output.content_type == "image/png"
    assert (master[keep] == original[keep]).all()
    assert (master[~keep] != original[~keep]).any()


# --- reconciliation -----------------------------------------------------------------------------------------


def test_m3_what_is_past_its_deadline_ends_and_gives_back(
    submit: Submit, unpublished: list[int], team: Team, settings: LazySettings
) -> None:
    generation = submit()
    Generation.objects.update(created_at=timezone.now() - timedelta(seconds=settings.JOB_DEADLINE + 1))
    reconciliation.reconcile()
    generation.refresh_from_db()
    assert (generation.status, generation.fault) == (Status.FAILED, Fault.DEADLINE)
    assert books(team) == (START, 0)
    assert ledger.open_holds(timezone.now()) == []


def test_m3_a_canceled_one_whose_paid_call_never_ends_gives_back_too(
    submit: Submit, engines: Configure, unpublished: list[int], team: Team, settings: LazySettings
) -> None:
    engines(paid={"paid": True})
    generation = submit()
    leases.claim(Attempt.objects.get(generation=generation).id)
    finishing.cancel(generation.id)
    assert books(team)[1] == generation.quote
    Generation.objects.update(created_at=timezone.now() - timedelta(seconds=settings.JOB_DEADLINE + 1))
    reconciliation.reconcile()
    assert states(generation) == [("paid", "unknown")]
    assert books(team) == (START, 0)


def test_a_lost_message_is_published_again_but_not_at_once(
    submit: Submit, unpublished: list[int], settings: LazySettings
) -> None:
    attempt = Attempt.objects.get(generation=submit())
    reconciliation.reconcile()
    assert unpublished == []
    Attempt.objects.update(published_at=timezone.now() - timedelta(seconds=settings.REPUBLISH_AFTER + 1))
    reconciliation.reconcile()
    reconciliation.reconcile()
    assert unpublished == [attempt.id]


def test_a_dead_workers_free_attempt_is_repeated_a_few_times_only(
    submit: Submit, unpublished: list[int], team: Team
) -> None:
    generation = submit()
    for _ in range(3):
        claim = leases.claim(Attempt.objects.get(generation=generation, state=State.QUEUED).id)
        assert claim is not None
        Attempt.objects.filter(state=State.SUBMITTING).update(lease_until=timezone.now() - timedelta(seconds=1))
        reconciliation.reconcile()
    generation.refresh_from_db()
    assert states(generation) == [("scripted", "failed")] * 3
    assert generation.status == Status.FAILED
    assert books(team) == (START, 0)


def test_a_dead_workers_paid_attempt_is_unknown_and_never_repeated(
    submit: Submit, engines: Configure, unpublished: list[int], team: Team
) -> None:
    engines(paid={"paid": True})
    generation = submit()
    leases.claim(Attempt.objects.get(generation=generation).id)
    let_leases_run_out()
    reconciliation.reconcile()
    assert states(generation) == [("paid", "unknown")]
    assert books(team) == (START, 0)


def test_a_worker_that_lost_its_lease_cannot_finish(submit: Submit, unpublished: list[int], team: Team) -> None:
    generation = submit()
    claim = leases.claim(Attempt.objects.get(generation=generation).id)
    assert claim is not None
    let_leases_run_out()
    reconciliation.reconcile()
    finishing.succeed(claim, result())
    generation.refresh_from_db()
    assert generation.status == Status.RUNNING
    assert not Output.objects.exists()
    assert books(team) == (START, generation.quote)
    assert run(generation).status == Status.SUCCEEDED
