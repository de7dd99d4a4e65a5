"""M1 through the front door: two hundred submits at one moment, credit for a hundred."""

import uuid

import pytest
from django.conf import LazySettings

from accounts import ledger
from accounts.access import Actor
from accounts.credits import MICRO
from accounts.models import Team
from generations import submission
from generations.models import Attempt, Generation
from generations.models.generation import Door
from tests.conftest import run_at_once
from tests.jobs import Configure, given

pytestmark = pytest.mark.django_db(transaction=True)

QUOTE = 20_000


def test_m1_exactly_a_hundred_of_two_hundred(
    actor: Actor, team: Team, engines: Configure, unpublished: list[int]
) -> None:
    engines(scripted={"cost": QUOTE / 2 / MICRO})
    ledger.adjust(team.pk, 100 * QUOTE - 25 * MICRO, reference=uuid.uuid4(), note="credit for a hundred")

    def submit(_: int) -> str:
        try:
            submission.submit(actor=actor, door=Door.SEGMIND, model="bg-replace", raw=given())
        except ledger.InsufficientCredits:
            return "refused"
        return "accepted"

    answers = run_at_once(submit, 200)
    assert (answers.count("accepted"), answers.count("refused")) == (100, 100)
    assert Generation.objects.count() == Attempt.objects.count() == len(unpublished) == 100
    assert ledger.balance(team.pk) == ledger.Amounts(posted=100 * QUOTE, held=100 * QUOTE)


def test_the_limit_of_jobs_in_flight_is_exact(
    actor: Actor, engines: Configure, unpublished: list[int], settings: LazySettings
) -> None:
    settings.TEAM_JOBS_IN_FLIGHT = 10

    def submit(_: int) -> bool:
        try:
            submission.submit(actor=actor, door=Door.SEGMIND, model="bg-replace", raw=given())
        except submission.TooManyJobs:
            return False
        return True

    assert sum(run_at_once(submit, 40)) == 10
