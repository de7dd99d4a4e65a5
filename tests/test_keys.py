"""API keys: S8 and how fast they are to check."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts import key_cache, key_uses, keys, teams
from accounts.access import Right
from accounts.models import ApiKey, Membership, Role, User


@pytest.fixture(autouse=True)
def _travelling_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """time-machine moves the wall clock, not the monotonic one."""
    monkeypatch.setattr(key_cache.recent, "clock", lambda: timezone.now().timestamp())


def test_a_key_has_its_form_and_only_its_digest_is_kept(membership: Membership) -> None:
    row, raw = keys.create(membership, name="shop")
    assert re.fullmatch(r"ss_[0-9A-Za-z]{38}", raw)
    assert row.prefix == raw[:11]
    row.refresh_from_db()
    kept = " ".join(str(value) for value in ApiKey.objects.values().get().values())
    assert raw[11:] not in kept
    assert row.scopes == ["generate", "read"]


def test_keys_differ(membership: Membership) -> None:
    assert len({keys.create(membership, name=str(number))[1] for number in range(50)}) == 50


def test_a_key_acts_for_its_maker(key: str, membership: Membership) -> None:
    actor = keys.authenticate(key)
    assert actor is not None
    assert (actor.team_id, actor.user_id) == (membership.team_id, membership.user_id)
    assert actor.key_id == ApiKey.objects.get().pk
    assert actor.rights == {Right.VIEW, Right.GENERATE, Right.SEE_LEDGER}


@pytest.mark.parametrize("position", [0, 3, 20, 36, 40])
def test_a_mistyped_key_costs_no_query(
    key: str, position: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    other = "a" if key[position] != "a" else "b"
    with django_assert_num_queries(0):
        assert keys.authenticate(key[:position] + other + key[position + 1 :]) is None


@pytest.mark.parametrize("raw", ["", "ss_", "x" * 41, "ss_" + "é" * 38, "ss_" + "0" * 37 + "\n", "ss_" + "0" * 400])
def test_what_is_no_key_costs_no_query(raw: str) -> None:
    assert keys.authenticate(raw) is None  # a query would be an error: this test has no database


def test_a_well_formed_key_that_nobody_made_is_wrong(
    key: str, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        assert keys.authenticate(keys._generate()) is None
    body = key[:11] + "0" * 24
    with django_assert_num_queries(1):
        assert keys.authenticate(body + keys._checksum(body)) is None


def test_one_query_the_first_time_then_none(key: str, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        first = keys.authenticate(key)
    with django_assert_num_queries(0):
        assert keys.authenticate(key) == first


def test_a_revocation_made_elsewhere_is_in_force_within_two_seconds(key: str) -> None:
    with time_machine.travel(datetime(2026, 11, 20, tzinfo=UTC), tick=False) as clock:
        assert keys.authenticate(key) is not None
        ApiKey.objects.update(revoked_at=timezone.now())
        assert keys.authenticate(key) is not None
        clock.shift(key_cache.SECONDS)
        assert keys.authenticate(key) is None


def test_a_revocation_made_here_is_in_force_at_once(key: str) -> None:
    assert keys.authenticate(key) is not None
    row = ApiKey.objects.get()
    keys.revoke(row)
    assert keys.authenticate(key) is None
    at = row.revoked_at
    keys.revoke(row)
    assert row.revoked_at == at
    assert not row.is_active


def test_a_key_expires(membership: Membership) -> None:
    with time_machine.travel(datetime(2026, 11, 20, tzinfo=UTC), tick=False) as clock:
        row, raw = keys.create(membership, name="soon", expires_at=timezone.now() + timedelta(hours=1))
        assert keys.authenticate(raw) is not None
        clock.shift(3600)
        assert keys.authenticate(raw) is None
        assert not row.is_active


@pytest.mark.parametrize(
    ("role", "rights"),
    [
        (Role.OWNER, {Right.VIEW, Right.GENERATE, Right.SEE_LEDGER}),
        (Role.VIEWER, {Right.VIEW}),
    ],
)
def test_rights_follow_the_makers_role(key: str, membership: Membership, role: Role, rights: set[Right]) -> None:
    teams.change_role(membership, role)
    actor = keys.authenticate(key)
    assert actor is not None
    assert actor.rights == rights


def test_a_key_is_gone_with_its_makers_membership(key: str, membership: Membership) -> None:
    teams.remove_member(membership)
    assert keys.authenticate(key) is None
    assert not ApiKey.objects.exists()


def test_a_key_of_an_inactive_user_is_wrong(key: str, member: User) -> None:
    member.is_active = False
    member.save()
    assert keys.authenticate(key) is None


def test_a_narrow_key_has_narrow_rights(membership: Membership) -> None:
    _, raw = keys.create(membership, name="reader", scopes=["read"])
    actor = keys.authenticate(raw)
    assert actor is not None
    assert not actor.may(Right.GENERATE)


@pytest.mark.parametrize("scopes", [["root"], ["read", "root"], []])
def test_unknown_or_no_scopes_are_refused(membership: Membership, scopes: list[str]) -> None:
    with pytest.raises(ValueError, match="allowed are generate, read"):
        keys.create(membership, name="x", scopes=scopes)


def test_a_viewer_makes_no_keys(viewer: User) -> None:
    with pytest.raises(PermissionDenied, match="viewer"):
        keys.create(Membership.objects.get(user=viewer), name="x")


def test_the_last_use_is_written_once_a_minute_and_apart(
    key: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    start = datetime(2026, 11, 20, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        keys.authenticate(key)
        assert ApiKey.objects.get().last_used_at is None
        key_uses.flush()
        assert ApiKey.objects.get().last_used_at == start
        clock.shift(59)
        keys.authenticate(key)
        with django_assert_num_queries(0):
            key_uses.flush()
        clock.shift(3)
        keys.authenticate(key)
        key_uses.flush()
        assert ApiKey.objects.get().last_used_at == start + timedelta(seconds=62)


def test_the_cache_is_bounded(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_cache.recent, "most", 3)
    actor = keys.authenticate(key)
    assert actor is not None
    for number in range(10):
        key_cache.put(str(number), actor)
    assert [number for number in range(10) if key_cache.get(str(number))] == [7, 8, 9]
