"""What holds for every page: a constant number of queries, strict headers, errors in the studio's own words."""

from collections.abc import Callable

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts import keys
from accounts.models import Membership, Team, User
from generations import catalogue
from generations.models import Generation
from generations.models.generation import Status
from generations.templatetags import studio
from tests.jobs import Configure
from tests.pages import MakeRun

Address = Callable[[Generation], str]

ADDRESSES: dict[str, Address] = {
    "models": lambda _: "/",
    "playground": lambda run: f"/playground/bg-replace?from={run.id}",
    "run": lambda run: f"/runs/{run.id}",
    "progress": lambda run: f"/runs/{run.id}/progress",
    "gallery": lambda _: "/gallery",
    "search": lambda _: "/gallery?q=a&model=bg-replace",
    "image": lambda run: f"/gallery/{run.outputs.get(number=0).id}",
    "keys": lambda _: "/keys",
}

OTHERS: dict[str, Address] = {
    "fidelity": lambda run: f"/runs/{run.id}/fidelity/0",
    "quote": lambda _: "/playground/bg-replace/quote",
    "password": lambda _: "/accounts/password/change/",
    "sign out": lambda _: "/accounts/logout/",
    "not found": lambda _: "/nowhere",
}


def queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


@pytest.mark.parametrize("name", ADDRESSES)
def test_the_number_of_queries_does_not_grow_with_the_data(
    client: Client, make_run: MakeRun, member: User, team: Team, name: str
) -> None:
    client.force_login(member)
    make_run("before", age=99)
    run = make_run("a beach", age=50)
    make_run("after", age=20)
    url = ADDRESSES[name](run)
    place = Membership.objects.get(user=member, team=team)
    keys.create(place, name="first")
    client.get(url)
    few = queries(client, url)
    for number in range(6):
        make_run(f"a {number}", samples=4, age=number)
        make_run("older", samples=2, age=200 + number)
        make_run(status=Status.QUEUED)
        keys.create(place, name=f"key {number}")
    many = queries(client, url)
    assert many == few
    assert many <= 16


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_has_no_inline_script_or_style(client: Client, make_run: MakeRun, member: User, name: str) -> None:
    client.force_login(member)
    answer = client.get(ADDRESSES[name](make_run()))
    page = answer.content.decode()
    assert " style=" not in page
    assert "<style" not in page
    assert " onclick=" not in page
    assert "<script>" not in page
    policy = answer["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", [*ADDRESSES, *OTHERS])
def test_a_page_is_kept_by_no_cache(client: Client, make_run: MakeRun, member: User, name: str) -> None:
    """Whoever goes back after signing out asks again, and is sent to sign in."""
    client.force_login(member)
    kept = client.get({**ADDRESSES, **OTHERS}[name](make_run()))["cache-control"]
    assert {"private", "no-store"} <= set(kept.split(", "))


def test_a_card_says_what_the_engine_here_expects(client: Client, member: User, engines: Configure) -> None:
    client.force_login(member)
    engines(scripted={"delay": 1.2, "rate": 0.001})
    page = client.get("/").content.decode()
    assert page.count("about 1.2 s") == page.count("about 0.0012 credits") == len(catalogue.MODELS)
    assert "Published: 35.95 s and 0.01 credits" in client.get("/playground/inpaint-auto").content.decode()
    for model in catalogue.MODELS.values():
        assert f'alt="{model.title}: an example"' in page


@pytest.mark.django_db
@pytest.mark.parametrize("signup", ["open", "closed"])
def test_an_account_can_be_made_where_sign_up_is_open(client: Client, settings: LazySettings, signup: str) -> None:
    settings.SIGNUP = signup
    is_open = signup == "open"
    assert ('href="/accounts/signup/"' in client.get("/accounts/login/").content.decode()) is is_open
    page = client.get("/accounts/signup/").content.decode()
    assert ("Sign-up is closed" in page) is not is_open
    assert ("manage.py add_member" in page) is not is_open
    assert ('name="password2"' in page) is is_open


@pytest.mark.django_db
def test_who_is_in_no_team_reads_what_to_do(client: Client) -> None:
    client.force_login(User.objects.create_user("loner@example.com"))
    assert "manage.py add_member" in client.get("/").content.decode()


@pytest.mark.django_db
def test_an_unknown_address_is_not_found_in_our_words(client: Client) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()


def test_an_error_has_a_page_that_needs_nothing(client: Client, member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("on purpose")

    client.force_login(member)
    client.raise_request_exception = False
    monkeypatch.setattr("generations.views.values.price", broken)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()
    assert "on purpose" not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/accounts/login/", "/accounts/password/reset/", "/accounts/signup/"])
def test_the_way_in_is_in_our_dress(client: Client, url: str) -> None:
    page = client.get(url).content.decode()
    assert "css/tokens.css" in page
    assert "Sceneshift" in page


def test_sign_in_and_out(client: Client, member: User) -> None:
    member.set_password("correct horse battery staple")
    member.save()
    sent = {"login": member.email, "password": "wrong"}
    assert "not correct" in client.post("/accounts/login/", sent).content.decode()
    answer = client.post("/accounts/login/", {**sent, "password": "correct horse battery staple"})
    assert (answer.status_code, answer["location"]) == (302, "/")
    assert client.get("/").status_code == 200
    client.post(reverse("account_logout"))
    assert client.get("/").status_code == 302


def test_a_new_key_is_shown_once(client: Client, member: User) -> None:
    client.force_login(member)
    sent = {"name": "web shop", "scopes": ["generate", "read"], "lifetime": ""}
    page = client.post("/keys", sent).content.decode()
    raw = page.split('id="raw-key">')[1].split("<")[0]
    assert keys.authenticate(raw) is not None
    again = client.get("/keys").content.decode()
    assert raw not in again
    assert raw[:11] in again


def test_a_team_can_be_chosen(client: Client, member: User, outsider: User) -> None:
    other = Team.objects.get(name="Others")
    Membership.objects.create(team=other, user=member, role="viewer")
    client.force_login(member)
    assert "team/switch" in client.get("/").content.decode()
    client.post("/team/switch", {"team": other.pk})
    assert client.get("/").context["team"].name == "Others"


@pytest.mark.parametrize(
    ("micro", "short", "cents", "about"),
    [
        (24_995_938, "24.9959", "24.99", "25.00"),
        (0, "0.00", "0.00", "0.00"),
        (1559, "0.0015", "0.00", "0.0016"),
        (99, "0.00", "0.00", "0.000099"),
    ],
)
def test_credits_in_short(micro: int, short: str, cents: str, about: str) -> None:
    assert studio.cents(micro) == cents
    assert studio.short_credits(micro) == short
    assert studio.about(micro) == about


@pytest.mark.parametrize(
    ("seconds", "words"), [(None, "–"), (0.44, "0.4 s"), (9.96, "10.0 s"), (61, "1 min 1 s"), (900, "15 min")]
)
def test_seconds_in_words(seconds: float | None, words: str) -> None:
    assert studio.seconds(seconds) == words


@pytest.mark.parametrize(
    ("value", "written"), [(None, ""), (True, "true"), (False, "false"), (7.0, "7"), (0.9, "0.9"), (0, "0"), ("x", "x")]
)
def test_values_are_written_as_javascript_writes_them(value: object, written: str) -> None:
    assert studio.text(value) == written
