"""How far jobs are: what many say at a time is one statement, and nobody speaks for a job that is not theirs."""

import uuid

import pytest
from django.db import DatabaseError, connection
from pytest_django import DjangoAssertNumQueries

from generations import bulletin, finishing, leases
from generations.models import Attempt, Generation
from generations.statements.terms import Progress
from tests.jobs import Configure, Submit

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _known_afresh(monkeypatch: pytest.MonkeyPatch, engines: Configure) -> None:
    engines(paid={"paid": True, "handoff": True})
    monkeypatch.setattr(bulletin, "_said", {})
    monkeypatch.setattr(bulletin, "_next", 0.0)


def claimed(submit: Submit) -> leases.Claim:
    claim = leases.claim(Attempt.objects.get(generation=submit()).id)
    assert claim
    return claim


def say(claim: leases.Claim, share: float) -> None:
    bulletin.note(claim.lease, Progress(claim.attempt.id, share, "at work"))


def shares() -> list[float]:
    return list(Generation.objects.order_by("created_at").values_list("progress", flat=True))


def test_the_first_word_is_written_at_once_and_what_follows_with_the_next(
    submit: Submit,
    unpublished: list[int],
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    first, second, third = (claimed(submit) for _ in range(3))
    say(first, 0.1)
    assert shares() == [0.1, 0.0, 0.0]
    with django_assert_num_queries(0):
        say(second, 0.2)
        say(third, 0.3)
        say(second, 0.25)
    monkeypatch.setattr(bulletin, "_next", 0.0)
    if connection.vendor == "postgresql":
        with django_assert_num_queries(1):
            say(first, 0.4)
    else:
        say(first, 0.4)
    assert shares() == [0.4, 0.25, 0.3]
    assert bulletin._said == {}
    assert set(Generation.objects.values_list("stage", flat=True)) == {"at work"}


def test_a_job_that_somebody_else_has_or_that_has_ended_keeps_its_own(submit: Submit, unpublished: list[int]) -> None:
    taken, canceled = claimed(submit), claimed(submit)
    Attempt.objects.filter(id=taken.attempt.id).update(lease=uuid.uuid4())
    finishing.cancel(canceled.attempt.generation_id)
    bulletin._said[taken.lease] = Progress(taken.attempt.id, 0.5, "not mine")
    say(canceled, 0.5)
    assert shares() == [0.0, 0.0]


def test_a_database_that_is_away_ends_no_job(
    submit: Submit, unpublished: list[int], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = claimed(submit)

    def fail(*_: object) -> None:
        raise DatabaseError("away")

    with connection.execute_wrapper(fail):
        say(claim, 0.1)
    assert "could not be written" in caplog.text
    monkeypatch.setattr(bulletin, "_next", 0.0)
    say(claim, 0.2)
    assert shares() == [0.2]
