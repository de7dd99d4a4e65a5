"""The cast: one team with a member of every role, an outsider with a team of their own, credits and a key.

Everything here works on the SQLite file as on PostgreSQL, in tests with `db` and with `transactional_db`.
"""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker, Settings

from accounts import access, key_cache, key_uses, keys, ledger
from accounts.access import Actor
from accounts.credits import MICRO
from accounts.models import Membership, Role, Team, User
from generations import inputs

pytest_plugins = [
    "tests.jobs",
    "tests.pages",
    "tests.live",
    "tests.servers",
    "tests.skips",
    "tests.doors",
    "tests.portal",
    "tests.hosted",
    "tests.receivers",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest file: begun last, it would run on alone."""
    items.sort(key=lambda item: item.path.name != "test_chaos.py")


PASSWORD = "correct horse battery staple"
T = TypeVar("T")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Let Django empty the tables between transactional tests.

    On SQLite it does so by DELETE, which the entries' trigger refuses; on PostgreSQL by TRUNCATE. test_ledger.py
    puts the trigger back to test it.
    """
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER accounts_entry_no_delete")


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[None]:
    """Forget what a process remembers, write no last use of a key behind a test's back, hash passwords fast."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(key_uses, "DELAY", threading.TIMEOUT_MAX)
    key_cache.clear()
    inputs.recent.clear()
    yield
    key_cache.clear()
    key_uses.clear()


def make_user(email: str) -> User:
    return User.objects.create_user(email, PASSWORD)


def make_team(name: str, owner: User, credits: int = 0) -> Team:
    """A team with `credits` millionths."""
    team = Team.objects.create(name=name, slug=f"{name.lower()}-{uuid.uuid4().hex[:6]}")
    Membership.objects.create(team=team, user=owner, role=Role.OWNER)
    if credits:
        ledger.grant(team.pk, credits, reference=uuid.uuid4())
    return team


def run_at_once(work: Callable[[int], T], count: int) -> list[T]:
    """Start `work(0)` … `work(count - 1)` in as many threads at the same moment; return their results in order.

    Each thread gives its database connection back: the pool has fewer than there are threads.
    """
    barrier = threading.Barrier(count)

    def run(number: int) -> T:
        barrier.wait(timeout=60)
        try:
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=count) as pool:
        return list(pool.map(run, range(count)))


@pytest.fixture
def owner(db: None) -> User:
    return make_user("owner@example.com")


@pytest.fixture
def team(owner: User) -> Team:
    """A team with 25 credits and its owner."""
    return make_team("Perfumers", owner, 25 * MICRO)


def _join(team: Team, email: str, role: Role) -> User:
    user = make_user(email)
    Membership.objects.create(team=team, user=user, role=role)
    return user


@pytest.fixture
def admin(team: Team) -> User:
    return _join(team, "admin@example.com", Role.ADMIN)


@pytest.fixture
def member(team: Team) -> User:
    return _join(team, "member@example.com", Role.MEMBER)


@pytest.fixture
def viewer(team: Team) -> User:
    return _join(team, "viewer@example.com", Role.VIEWER)


@pytest.fixture
def outsider(db: None) -> User:
    """The owner of another team, which has 25 credits as well."""
    user = make_user("outsider@example.com")
    make_team("Others", user, 25 * MICRO)
    return user


@pytest.fixture
def membership(member: User, team: Team) -> Membership:
    """The member's."""
    return Membership.objects.get(user=member, team=team)


@pytest.fixture
def key(membership: Membership) -> str:
    """A raw API key of the member, with every scope."""
    return keys.create(membership, name="test")[1]


@pytest.fixture
def actor(member: User, team: Team) -> Actor:
    """The member in the browser."""
    found = access.actor_for(member, team)
    assert found is not None
    return found
