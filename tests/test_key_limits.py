"""What keys are limited to, and S8: a key that makes a key gives away no more than it has."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from accounts import key_cache, keys, ledger, limits, queries, teams
from accounts.access import Actor, Parent, Right, actor_of_key
from accounts.ledger import OverBudget
from accounts.models import ApiKey, Budget, Membership, Role

SOON = datetime(2099, 1, 1, tzinfo=UTC)
EVERYTHING: dict[str, Any] = {
    "scopes": ["generate", "manage"],
    "models": ["bg-replace", "inpaint-auto"],
    "expires_at": SOON,
    "rate_limit": 50,
    "daily": 500,
    "monthly": 5000,
}


def authenticated(raw: str) -> Actor:
    actor = keys.authenticate(raw)
    assert actor is not None
    return actor


@pytest.fixture
def manager(membership: Membership) -> Actor:
    """A key that is limited in every way and may make others."""
    return authenticated(keys.create(membership, name="manager", **EVERYTHING)[1])


def hold(key: ApiKey, amount: int) -> None:
    with transaction.atomic():
        ledger.hold(
            key.team_id,
            amount,
            reference=uuid.uuid4(),
            model="bg-replace",
            user_id=key.membership.user_id,
            key_id=key.pk,
            has_budgets=actor_of_key(key).has_budgets,
        )


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("scopes", ["root"], "scopes: root; allowed are generate, read, manage"),
        ("scopes", [], "scopes: none; allowed are generate"),
        ("models", ["dall-e"], "models: dall-e; allowed are .*bg-replace"),
        ("rate_limit", 0, "rate_limit: 0; 1 submit a minute or more"),
        ("rate_limit", 2**31, "rate_limit: 2147483648;"),
        ("daily", 0, r"daily: 0\.00; credits above 0"),
        ("monthly", -5, r"monthly: -0\.000005; credits above 0"),
        ("monthly", 2**53, "monthly: .* credits above 0"),
        ("expires_at", datetime(2020, 1, 1, tzinfo=UTC), "expires_at: 2020-01-01T00:00:00Z is over"),
        ("name", " ", "name: 1 characters; 1 to 80"),
        ("name", "x" * 81, "name: 81 characters; 1 to 80"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_limit_is_named(membership: Membership, field: str, value: object, message: str) -> None:
    wanted: dict[str, Any] = {"name": "x", field: value}
    with pytest.raises(keys.InvalidKey, match=message) as caught:
        keys.create(membership, **wanted)
    assert caught.value.field == field
    assert not ApiKey.objects.exists()


def test_an_actor_knows_its_limits(manager: Actor) -> None:
    assert (manager.models, manager.rate_limit, manager.has_budgets) == (("bg-replace", "inpaint-auto"), 50, True)
    assert manager.rights == {Right.VIEW, Right.GENERATE, Right.CURATE, Right.CREATE_KEYS}


@pytest.mark.parametrize(("role", "more"), [(Role.VIEWER, None), (Role.OWNER, Right.MANAGE_WEBHOOKS)])
def test_manage_is_what_the_makers_role_allows(
    manager: Actor, membership: Membership, role: Role, more: Right | None
) -> None:
    teams.change_role(membership, role)
    rights = actor_of_key(ApiKey.objects.select_related("membership__team").get()).rights
    assert rights <= {Right.VIEW} if more is None else more in rights
    assert Right.MANAGE_MEMBERS not in rights


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("scopes", ["generate", "read"], "scopes: read; allowed are generate, manage"),
        ("models", ["sdxl-inpaint"], "models: sdxl-inpaint; allowed are bg-replace, inpaint-auto"),
        ("expires_at", SOON + timedelta(days=1), "expires_at: 2099-01-02.*; the key that makes it has 2099-01-01"),
        ("rate_limit", 51, "rate_limit: 51; the key that makes it has 50"),
        ("daily", 501, r"daily: 0\.000501; the key that makes it has 0\.0005"),
        ("monthly", 5001, r"monthly: 0\.005001; the key that makes it has 0\.005"),
    ],
    ids=["scopes", "models", "expires_at", "rate_limit", "daily", "monthly"],
)
def test_s8_a_key_gives_away_no_more_than_it_has(
    manager: Actor, membership: Membership, field: str, value: object, message: str
) -> None:
    wanted: dict[str, Any] = {"name": "child", "scopes": ["generate"], field: value}
    with pytest.raises(keys.InvalidKey, match=message):
        keys.create(membership, **wanted, by=manager)
    assert ApiKey.objects.count() == 1


def test_what_a_key_leaves_out_is_as_its_own(manager: Actor, membership: Membership) -> None:
    child, raw = keys.create(membership, name="child", scopes=["generate"], by=manager)
    assert (child.models, child.expires_at, child.rate_limit) == (["bg-replace", "inpaint-auto"], SOON, 50)
    assert authenticated(raw).has_budgets
    same, _ = keys.create(membership, name="same", **EVERYTHING, by=manager)
    assert Budget.objects.filter(subject=str(same.pk)).count() == 2


def test_what_a_made_key_takes_counts_in_its_makers_budget(manager: Actor, membership: Membership) -> None:
    """Else one limit would be as many limits as there are keys."""
    children = [keys.create(membership, name=str(n), scopes=["generate"], daily=400, by=manager)[0] for n in range(2)]
    hold(children[0], 300)
    with pytest.raises(OverBudget, match="the key “manager”"):
        hold(children[1], 300)
    with pytest.raises(OverBudget, match="the key “0”"):
        hold(children[0], 150)
    hold(children[1], 200)
    assert ledger.check() == []


def test_a_made_key_makes_none(manager: Actor, membership: Membership) -> None:
    _, raw = keys.create(membership, name="child", scopes=["manage"], by=manager)
    child = authenticated(raw)
    assert child.may(Right.CURATE)
    with pytest.raises(PermissionDenied, match="it may not create API keys"):
        keys.create(membership, name="grandchild", scopes=["manage"], by=child)


def test_a_key_without_the_scope_makes_none(membership: Membership, key: str) -> None:
    with pytest.raises(PermissionDenied, match="with the scope manage"):
        keys.create(membership, name="x", by=authenticated(key))


def test_a_key_revoked_a_moment_ago_makes_none(manager: Actor, membership: Membership) -> None:
    ApiKey.objects.update(revoked_at=timezone.now())
    with pytest.raises(PermissionDenied):
        keys.create(membership, name="x", scopes=["generate"], by=manager)


def test_a_person_makes_any_key(membership: Membership, actor: Actor) -> None:
    row, _ = keys.create(membership, name="x", by=actor)
    assert row.parent_id is None


def test_keys_end_with_the_key_that_made_them(manager: Actor, membership: Membership) -> None:
    _, raw = keys.create(membership, name="child", scopes=["generate"], by=manager)
    _, other = keys.create(membership, name="other")
    assert keys.authenticate(raw) is not None
    keys.revoke(ApiKey.objects.get(name="manager"))
    assert keys.authenticate(raw) is None
    assert keys.authenticate(other) is not None


def test_budgets_of_keys_go_with_their_makers_membership(manager: Actor, membership: Membership) -> None:
    hold(ApiKey.objects.get(), 10)
    teams.remove_member(membership)
    assert not Budget.objects.exists()
    assert ledger.check() == []


def narrowed(made: ApiKey, **more: Any) -> None:
    """Limit the key that made a key to what is given, and nothing else."""
    assert made.parent is not None
    keys.limit(made.parent, **{"models": [], "rate_limit": None, "daily": None, "monthly": None, **more})


@pytest.fixture
def maker(membership: Membership) -> Actor:
    """A key without limits that may make others."""
    return authenticated(keys.create(membership, name="maker", scopes=["generate", "manage"])[1])


def test_a_key_that_is_narrowed_narrows_those_that_it_made(maker: Actor, membership: Membership) -> None:
    child, raw = keys.create(membership, name="child", scopes=["generate"], rate_limit=9, by=maker)
    _, its = keys.create(membership, name="other", scopes=["generate"], models=["bg-replace", "sdxl-inpaint"], by=maker)
    assert (authenticated(raw).models, authenticated(raw).rate_limit) == ((), 9)
    narrowed(child, models=["bg-replace", "inpaint-auto"], rate_limit=3)
    assert (authenticated(raw).models, authenticated(raw).rate_limit) == (("bg-replace", "inpaint-auto"), 3)
    assert (authenticated(its).models, authenticated(its).rate_limit) == (("bg-replace",), 3)
    narrowed(child, models=["inpaint-auto"])
    assert authenticated(raw).rate_limit == 9
    assert not authenticated(its).may(Right.GENERATE), "no model is left, and none named would be all"
    narrowed(child)
    assert (authenticated(its).models, authenticated(its).may(Right.GENERATE)) == (("bg-replace", "sdxl-inpaint"), True)


def test_a_made_key_is_found_in_one_query(
    maker: Actor, membership: Membership, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    _, raw = keys.create(membership, name="child", scopes=["generate"], by=maker)
    authenticated(raw)
    key_cache.clear()
    with django_assert_num_queries(1):
        actor = authenticated(raw)
    assert actor.parent == Parent(ApiKey.objects.get(name="maker").pk, None)


def test_a_team_has_so_many_active_keys_and_no_more(
    membership: Membership, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "MOST", 3)
    first, _ = keys.create(membership, name="1")
    keys.create(membership, name="2")
    ApiKey.objects.filter(name="2").update(expires_at=timezone.now() - timedelta(seconds=1))
    manager = authenticated(keys.create(membership, name="3", scopes=["manage"])[1])
    keys.create(membership, name="4", scopes=["manage"], by=manager)
    for by in (manager, None):
        with pytest.raises(keys.TooMany, match="the team has 3 active API keys"):
            keys.create(membership, name="5", scopes=["manage"], by=by)
    client.force_login(membership.user)
    answer = client.post("/keys", {"name": "5", "scopes": ["generate"]})
    assert answer.status_code == 422
    assert "The team has 3 active API keys" in answer.content.decode()
    keys.revoke(first)
    assert keys.create(membership, name="5")


def test_limits_that_are_changed_are_in_force_at_once_here(key: str) -> None:
    row = ApiKey.objects.get()
    assert authenticated(key).models == ()
    keys.limit(row, models=["bg-replace"], rate_limit=7, daily=10, monthly=None)
    actor = authenticated(key)
    assert (actor.models, actor.rate_limit, actor.has_budgets) == (("bg-replace",), 7, True)
    keys.limit(row, models=[], rate_limit=None, daily=None, monthly=None)
    actor = authenticated(key)
    assert (actor.models, actor.rate_limit, actor.has_budgets) == ((), None, False)
    with pytest.raises(keys.InvalidKey, match="rate_limit: 0"):
        keys.limit(row, models=[], rate_limit=0, daily=None, monthly=None)


@pytest.mark.parametrize(
    ("setting", "own", "limit"), [(50, None, 50), (50, 3, 3), (50, 70, 50), (0, 3, 3), (50, 0, 50), (0, None, None)]
)
def test_a_keys_rate_is_at_most_the_settings(
    db: None, settings: Settings, setting: int, own: int | None, limit: int | None
) -> None:
    settings.RATE_LIMIT, settings.REDIS_URL = setting, ""
    with time_machine.travel(datetime(2026, 11, 20, tzinfo=UTC), tick=False):
        decision = limits.hit(1, own)
    assert (decision and decision.limit) == limit


def test_what_keys_have_used_costs_two_queries(
    membership: Membership, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    rows = [keys.create(membership, name=str(number), daily=100)[0] for number in range(3)]
    for row in rows:
        hold(row, 10)
    for count in (1, 3):
        with django_assert_num_queries(2):
            found = queries.key_spending(membership.team_id, [row.pk for row in rows[:count]])
        assert [each.day for each in found.values()] == [queries.Spent(10, 100)] * count
        assert [each.month for each in found.values()] == [queries.Spent(0)] * count


def test_keys_of_another_team_are_not_told(membership: Membership) -> None:
    row, _ = keys.create(membership, name="x", daily=100)
    hold(row, 10)
    assert queries.key_spending(membership.team_id + 1, [row.pk])[row.pk].day == queries.Spent(0)
