"""Accounts' pages: who acts for which team, the header's figures, the page of keys."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts import access, keys, queries
from accounts.access import Right
from accounts.credits import MICRO
from accounts.models import ApiKey, Membership, Role, Team, User
from accounts.views import context, session
from tests.conftest import make_team


def request_of(rf: RequestFactory, user: User | AnonymousUser) -> HttpRequest:
    request = rf.get("/")
    request.user = user
    request.session = SessionStore()
    return request


def test_the_header_costs_two_queries_and_only_if_asked(
    rf: RequestFactory, team: Team, member: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(3):
        Membership.objects.create(
            team=make_team(f"Z{number}", member), user=team.memberships.get(role="owner").user, role=Role.VIEWER
        )
    request = request_of(rf, member)
    with django_assert_num_queries(0):
        shown = context.team(request)
    with django_assert_num_queries(2):
        assert shown["team"] == team
        assert [row.name for row in shown["teams"]] == ["Perfumers", "Z0", "Z1", "Z2"]
        assert shown["actor"].role == Role.MEMBER
        assert shown["balance"].available == 25 * MICRO


def test_the_header_of_the_anonymous_is_empty(rf: RequestFactory) -> None:
    shown = context.team(request_of(rf, AnonymousUser()))
    assert not any(shown.values())
    assert not any(context.team(rf.get("/")).values())


def test_who_is_in_no_team_is_refused(rf: RequestFactory, db: None) -> None:
    request = request_of(rf, User.objects.create_user("lonely@example.com"))
    assert not context.team(request)["team"]
    with pytest.raises(PermissionDenied, match="you are in none"):
        session.current(request)


def test_views_want_a_sign_in_and_their_right(rf: RequestFactory, team: Team, viewer: User) -> None:
    @session.requires(Right.GENERATE)
    def view(request: HttpRequest, word: str) -> HttpResponse:
        return HttpResponse(word)

    anonymous = view(request_of(rf, AnonymousUser()), "x")
    assert anonymous.status_code == 302
    assert anonymous["Location"].startswith(reverse("account_login"))
    with pytest.raises(PermissionDenied, match="viewer"):
        view(request_of(rf, viewer), "x")
    answer = view(request_of(rf, team.memberships.get(role="owner").user), "x")
    assert isinstance(answer, HttpResponse)
    assert answer.content == b"x"


def test_a_team_is_chosen_for_the_session(client: Client, team: Team, member: User, outsider: User) -> None:
    other = make_team("Aaa", member)
    foreign = outsider.memberships.get().team
    client.force_login(member)
    assert client.get(reverse("keys")).context["team"] == other
    assert client.post(reverse("team-switch"), {"team": team.pk}).status_code == 302
    assert client.get(reverse("keys")).context["team"] == team
    for wrong in (foreign.pk, 0, "x", "", "²", "9" * 5000):
        assert client.post(reverse("team-switch"), {"team": wrong}).status_code == 404
    assert client.get(reverse("team-switch")).status_code == 405
    team.memberships.get(user=member).delete()
    assert client.get(reverse("keys")).context["team"] == other


def test_a_key_is_made_and_shown_once(client: Client, team: Team, member: User) -> None:
    client.force_login(member)
    made = client.post(reverse("keys"), {"name": "shop", "scopes": ["generate", "read"], "lifetime": "30"})
    raw = made.context["new_key"]
    assert raw in made.text
    assert "no-store" in made["Cache-Control"]
    actor = keys.authenticate(raw)
    assert actor is not None
    assert actor.team_id == team.pk
    assert ApiKey.objects.get().expires_at is not None
    later = client.get(reverse("keys"))
    assert raw not in later.text
    assert [row.name for row in later.context["keys"]] == ["shop"]


@pytest.mark.parametrize(
    "fields", [{}, {"name": "x", "scopes": ["root"]}, {"name": "x"}, {"name": "x", "scopes": ["read"], "lifetime": "7"}]
)
def test_a_wrong_form_makes_no_key(client: Client, team: Team, member: User, fields: dict[str, object]) -> None:
    client.force_login(member)
    assert client.post(reverse("keys"), fields).status_code == 422
    assert not ApiKey.objects.exists()


def test_a_key_is_made_with_every_limit(client: Client, team: Team, member: User) -> None:
    client.force_login(member)
    limits = {"models": ["bg-replace"], "rate_limit": "60", "daily": "0.5", "monthly": "10"}
    made = client.post(reverse("keys"), {"name": "shop", "scopes": ["generate"], **limits})
    row = ApiKey.objects.get()
    assert (row.models, row.rate_limit) == (["bg-replace"], 60)
    spent = queries.key_spending(team.pk, [row.pk])[row.pk]
    assert (spent.day.limit, spent.month.limit) == (500_000, 10_000_000)
    for words in ("only bg-replace", "60 a minute", "of 0.50", "of 10.00"):
        assert words in made.text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("models", "dall-e", "dall-e is not one of the available choices"),
        ("rate_limit", "0", "greater than or equal to 1"),
        ("rate_limit", "many", "whole number"),
        ("daily", "0", "credits: 0; above 0 is allowed"),
        ("daily", "five", "a decimal number is allowed"),
        ("monthly", "0.0000001", "at most six decimals"),
    ],
)
def test_a_wrong_limit_is_shown_where_it_was_given(
    client: Client, team: Team, member: User, field: str, value: str, words: str
) -> None:
    client.force_login(member)
    answer = client.post(reverse("keys"), {"name": "shop", "scopes": ["read"], field: value})
    assert answer.status_code == 422
    assert words in answer.text
    assert '<details class="advanced" open>' in answer.text
    assert not ApiKey.objects.exists()


def test_the_page_costs_the_same_however_many_keys(
    client: Client, team: Team, membership: Membership, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client.force_login(membership.user)
    costs = []
    for _ in range(2):
        for number in range(4):
            _, raw = keys.create(membership, name=str(number), scopes=["manage"], daily=100)
            keys.create(membership, name="made", scopes=["manage"], by=keys.authenticate(raw))
        with django_assert_max_num_queries(20) as counted:
            assert client.get(reverse("keys")).status_code == 200
        costs.append(len(counted))
    assert costs[0] == costs[1]


def test_a_viewer_makes_no_key(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert client.post(reverse("keys"), {"name": "x", "scopes": ["read"]}).status_code == 403
    assert client.get(reverse("keys")).status_code == 200


def test_keys_are_revoked_by_their_maker_or_a_manager(
    client: Client, key: str, team: Team, admin: User, viewer: User, outsider: User
) -> None:
    row = ApiKey.objects.get()
    address = reverse("key-revoke", args=[row.pk])
    for user in (outsider, viewer):
        client.force_login(user)
        assert client.post(address).status_code == 404
        assert not client.get(reverse("keys")).context["keys"]
    assert access.actor_for(outsider, team) is None
    assert keys.authenticate(key) is not None
    client.force_login(admin)
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 302
    assert keys.authenticate(key) is None


def limited(team: Team, key: ApiKey) -> tuple[object, ...]:
    key.refresh_from_db()
    spent = queries.key_spending(team.pk, [key.pk])[key.pk]
    return key.models, key.rate_limit, spent.day.limit, spent.month.limit


def test_the_limits_of_a_key_are_shown_and_changed(client: Client, team: Team, member: User) -> None:
    key = keys.create(team.memberships.get(user=member), name="shop", models=["bg-replace"], daily=500_000)[0]
    client.force_login(member)
    form = {shown.pk: limits for shown, _, limits in client.get(reverse("keys")).context["rows"]}[key.pk]
    assert (form["models"].value(), form["daily"].value(), form["monthly"].value()) == (["bg-replace"], "0.5", "")
    fields = {"models": ["inpaint-auto"], "rate_limit": "30", "daily": "", "monthly": "12.5"}
    assert client.post(reverse("key-limits", args=[key.pk]), fields).status_code == 302
    assert limited(team, key) == (["inpaint-auto"], 30, None, 12_500_000)


def test_wrong_limits_change_nothing_and_open_their_dialog(client: Client, team: Team, member: User) -> None:
    key = keys.create(team.memberships.get(user=member), name="shop", daily=500_000)[0]
    client.force_login(member)
    answer = client.post(reverse("key-limits", args=[key.pk]), {"daily": "0", "rate_limit": "5"})
    assert answer.status_code == 422
    assert "credits: 0; above 0 is allowed" in answer.text
    assert f'<dialog id="limits-{key.pk}" aria-labelledby="limits-title-{key.pk}" data-open>' in answer.text
    assert limited(team, key) == ([], None, 500_000, None)


def test_limits_are_changed_by_who_may_see_the_key(
    client: Client, team: Team, member: User, viewer: User, admin: User, owner: User, outsider: User
) -> None:
    mine = keys.create(team.memberships.get(user=owner), name="shop")[0]
    at = reverse("key-limits", args=[mine.pk])
    for user, code in ((member, 404), (outsider, 404), (viewer, 403), (admin, 302)):
        client.force_login(user)
        assert client.post(at, {"rate_limit": "5"}).status_code == code
        assert (limited(team, mine)[1] == 5) is (user == admin)
    keys.revoke(mine)
    assert client.post(at, {"rate_limit": "9"}).status_code == 404
    assert client.get(at).status_code == 405
