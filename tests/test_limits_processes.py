"""S7 through the front door: two hundred submits on four processes, and exactly as many accepted as are allowed."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import redis

from accounts import key_cache, keys, ledger
from accounts.credits import MICRO
from accounts.models import BudgetPeriod, Entry, Kind, Membership, Team
from generations import catalogue
from generations.models import Attempt, Generation
from tests.live import database_url
from tests.submitters import SCRIPTED, Submitters, submitters

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]

QUOTE = 20_000


@pytest.fixture(scope="module")
def four(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Submitters]:
    engines = {"scripted": {"BACKEND": SCRIPTED, "OPTIONS": {"cost": QUOTE / 2 / MICRO}}}
    environment = {
        "DATABASE_URL": database_url(),
        "ENGINES": json.dumps(engines),
        "ROUTES": json.dumps({slug: ["scripted"] for slug in catalogue.MODELS}),
        "RATE_LIMIT": "1000",
    }
    with submitters(4, tmp_path_factory.mktemp("submitters"), environment) as started:
        yield started


@pytest.fixture
def moment() -> datetime:
    """A moment that stands still, so that a window or a day does not end between two submits."""
    return datetime.now(UTC).replace(second=10, microsecond=0)


@pytest.mark.parametrize("store", ["database", "redis"])
def test_a_keys_own_rate_limit_is_exact(
    store: str, four: Submitters, membership: Membership, moment: datetime, request: pytest.FixtureRequest
) -> None:
    row, key = keys.create(membership, name="shop", rate_limit=100)
    redis_url = request.getfixturevalue("redis_url") if store == "redis" else ""
    if redis_url:
        server = redis.Redis.from_url(redis_url)
        for name in server.keys(f"*submit:{row.pk}:*"):
            server.delete(name)
    assert four.submit(key, 200, at=moment, redis_url=redis_url) == {200: 100, 429: 100}
    assert Generation.objects.count() == 100


def test_a_keys_credit_limit_is_exact(four: Submitters, membership: Membership, team: Team, moment: datetime) -> None:
    _, key = keys.create(membership, name="shop", daily=100 * QUOTE, monthly=1000 * QUOTE)
    assert four.submit(key, 200, at=moment) == {200: 100, 406: 100}
    assert Generation.objects.count() == Attempt.objects.count() == 100
    assert Entry.objects.filter(kind=Kind.HOLD).count() == 100
    assert ledger.balance(team.pk) == ledger.Amounts(posted=25 * MICRO, held=100 * QUOTE)
    assert list(BudgetPeriod.objects.values_list("counted", flat=True)) == [100 * QUOTE] * 2
    assert ledger.check() == []


def test_a_limit_set_elsewhere_is_in_force_within_seconds(
    four: Submitters, membership: Membership, moment: datetime
) -> None:
    row, key = keys.create(membership, name="shop")
    assert four.submit(key, 8, at=moment) == {200: 8}
    keys.limit(row, models=(), rate_limit=None, daily=QUOTE, monthly=None)
    time.sleep(key_cache.SECONDS + 0.1)
    assert four.submit(key, 8, at=moment) == {200: 1, 406: 7}
