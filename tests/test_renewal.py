"""Leases that are kept alive while an attempt is worked on."""

import os
import queue
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from generations import leases, renewal
from generations.models import Attempt
from tests.jobs import Submit

pytestmark = pytest.mark.django_db(transaction=True)


def claims(submit: Submit, count: int) -> list[leases.Claim]:
    found = [leases.claim(Attempt.objects.get(generation=submit()).id) for _ in range(count)]
    Attempt.objects.update(lease_until=timezone.now() - timedelta(hours=1))
    return [claim for claim in found if claim]


def expired() -> int:
    return Attempt.objects.filter(lease_until__lt=timezone.now()).count()


def test_all_are_renewed_in_one_statement(
    submit: Submit, unpublished: list[int], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    held = claims(submit, 3)
    with django_assert_num_queries(1):
        renewal.renew(held)
    assert expired() == 0
    assert not any(claim.lost.is_set() for claim in held)


def test_only_the_one_that_was_taken_is_lost(submit: Submit, unpublished: list[int]) -> None:
    first, second, third = held = claims(submit, 3)
    Attempt.objects.filter(id=second.attempt.id).update(lease=None)
    renewal.renew(held)
    assert [claim.lost.is_set() for claim in (first, second, third)] == [False, True, False]
    assert expired() == 1


def test_a_database_that_is_away_loses_nothing(
    submit: Submit, unpublished: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    held = claims(submit, 1)

    def fail(*_: object) -> None:
        raise DatabaseError("away")

    with connection.execute_wrapper(fail):
        renewal.renew(held)
    assert "could not be renewed" in caplog.text
    assert not held[0].lost.is_set()
    renewal.renew(held)
    assert expired() == 0


@pytest.mark.parametrize("process", [None, os.getppid()])
def test_each_process_has_a_keeper_of_its_own(
    submit: Submit, unpublished: list[int], monkeypatch: pytest.MonkeyPatch, settings: Settings, process: int | None
) -> None:
    """Where the parent had one, it did not survive the fork, and what it kept is not ours."""
    settings.LEASE_RENEWAL = 0.01
    parents, mine = claims(submit, 2)
    rounds: queue.SimpleQueue[Sequence[leases.Claim]] = queue.SimpleQueue()
    monkeypatch.setattr(renewal, "_held", {parents.lease: parents})
    monkeypatch.setattr(renewal, "_keeper", process)
    monkeypatch.setattr(renewal, "renew", rounds.put)
    with renewal.renewed(mine):
        assert rounds.get(timeout=10) == [mine]
    assert renewal._held == {}
