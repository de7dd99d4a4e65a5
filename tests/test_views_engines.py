"""The operator's page of engines, and what the header shows the operator."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.credits import MICRO
from accounts.models import Membership, Role, Team, User
from generations import gate
from generations.models import Gate
from generations.models.attempt import State
from generations.models.generation import Status
from tests import upstream
from tests.hosted import make_attempt
from tests.pages import MakeRun

URLS = {
    "/engines": "get",
    "/engines/classical/drain": "post",
    "/engines/classical/resume": "post",
    "/engines/segmind/balance": "post",
}
As = Callable[[User], Client]


@pytest.fixture
def as_(client: Client) -> As:
    def sign_in(user: User) -> Client:
        client.force_login(user)
        return client

    return sign_in


@pytest.mark.usefixtures("hosted")
@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("who", ["owner", "admin", "member", "viewer", "outsider"])
def test_there_is_nothing_for_who_is_not_the_operator(
    request: pytest.FixtureRequest, team: Team, as_: As, who: str, url: str
) -> None:
    assert getattr(as_(request.getfixturevalue(who)), URLS[url])(url).status_code == 404
    assert not Gate.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("hosted")
@pytest.mark.parametrize("url", URLS)
def test_the_anonymous_sign_in_first(client: Client, url: str) -> None:
    answer = getattr(client, URLS[url])(url)
    assert (answer.status_code, answer["location"]) == (302, f"/accounts/login/?next={url}")
    assert not Gate.objects.exists()


@pytest.mark.usefixtures("hosted")
@pytest.mark.parametrize("url", [url for url, method in URLS.items() if method == "post"])
def test_acts_are_posts_with_a_token(operator: User, url: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    assert strict.get(url).status_code == 405
    assert strict.post(url).status_code == 403
    assert not Gate.objects.exists()


@pytest.mark.usefixtures("hosted")
def test_the_page_shows_every_engine(as_: As, operator: User, make_run: MakeRun) -> None:
    Gate.objects.create(engine="segmind", balance=MICRO, balance_at=timezone.now(), alert="Used up <b>.")
    make_attempt(make_run(cost=3000), "segmind", State.DONE, cost=2000)
    page = as_(operator).get("/engines").content.decode()
    for words in (
        "segmind",
        "classical",
        "not asked today",
        "Used up &lt;b&gt;.",
        "Only 1.00 credits are left upstream",
    ):
        assert words in page, words
    assert "0.002 credits" in page
    assert "0.003 credits" in page
    assert page.count("/balance") == 1


@pytest.mark.usefixtures("hosted")
def test_who_is_in_no_team_may_run_the_installation(as_: As, db: None) -> None:
    loner = User.objects.create_superuser("loner@example.com", "x")
    assert as_(loner).get("/engines").status_code == 200


@pytest.mark.usefixtures("hosted")
def test_drain_and_resume(as_: As, operator: User) -> None:
    client = as_(operator)
    page = client.post("/engines/segmind/drain", follow=True).content.decode()
    assert "segmind is drained" in page
    assert "/engines/segmind/resume" in page
    assert Gate.objects.get(engine="segmind").drained
    page = client.post("/engines/segmind/resume", follow=True).content.decode()
    assert "segmind gets jobs again" in page
    assert not Gate.objects.get(engine="segmind").drained
    for act in ("drain", "resume", "balance"):
        assert client.post(f"/engines/nobody/{act}").status_code == 404


def test_the_balance_is_asked_for(as_: As, operator: User, hosted: upstream.Server) -> None:
    page = as_(operator).post("/engines/segmind/balance", follow=True).content.decode()
    assert "segmind has 12.50 credits left." in page
    row = Gate.objects.get(engine="segmind")
    assert row.balance == 12_500_000
    assert row.balance_at is not None


def test_a_good_answer_ends_an_alert_unless_nothing_is_left(as_: As, operator: User, hosted: upstream.Server) -> None:
    Gate.objects.create(engine="segmind", alert="The credits are used up.")
    hosted.steer({"credits": 0.0})
    as_(operator).post("/engines/segmind/balance")
    assert Gate.objects.get().alert
    hosted.steer({"credits": 20.0})
    as_(operator).post("/engines/segmind/balance")
    assert not Gate.objects.get().alert


def test_a_key_that_is_not_accepted_is_said_and_kept(as_: As, operator: User, hosted: upstream.Server) -> None:
    hosted.steer({"key": "another"})
    page = as_(operator).post("/engines/segmind/balance", follow=True).content.decode()
    assert "The balance of segmind could not be asked for. The hosted API does not accept the key (401)" in page
    assert "does not accept the key" in Gate.objects.get(engine="segmind").alert


def test_an_upstream_that_is_away_is_asked_once_and_said(as_: As, operator: User, hosted: upstream.Server) -> None:
    hosted.stop()
    page = as_(operator).post("/engines/segmind/balance", follow=True).content.decode()
    assert "could not be asked for. The hosted API does not say what is left" in page
    assert Gate.objects.get().balance is None


@pytest.mark.usefixtures("hosted")
def test_an_engine_without_a_balance_says_so(as_: As, operator: User) -> None:
    page = as_(operator).post("/engines/classical/balance", follow=True).content.decode()
    assert "classical does not say what is left" in page


@pytest.mark.usefixtures("hosted")
def test_unknown_attempts_link_to_the_runs_of_the_operators_team(
    as_: As, operator: User, make_run: MakeRun, team: Team
) -> None:
    run = make_run(status=Status.FAILED)
    make_attempt(run, "segmind", State.UNKNOWN, upstream_id="up-17", error="It hung up.")
    client = as_(operator)
    page = client.get("/engines").content.decode()
    assert "up-17" in page
    assert "It hung up." in page
    assert team.name in page
    assert f"/runs/{run.pk}" not in page
    Membership.objects.create(team=team, user=operator, role=Role.VIEWER)
    client.post("/team/switch", {"team": team.pk})
    page = client.get("/engines").content.decode()
    assert f"/runs/{run.pk}" in page
    assert client.get(f"/runs/{run.pk}").status_code == 200


@pytest.mark.usefixtures("hosted")
def test_the_number_of_queries_does_not_grow(as_: As, operator: User, make_run: MakeRun) -> None:
    client = as_(operator)

    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/engines").status_code == 200
        return len(seen)

    count()
    few = count()
    for number in range(5):
        make_attempt(make_run(), "segmind", State.UNKNOWN)
        gate.drain(f"old-{number}", drained=True)
    assert count() == few
    assert few <= 12


# --- the header -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("hosted")
def test_the_header_shows_the_operator_what_is_left_upstream(as_: As, operator: User) -> None:
    Gate.objects.create(engine="segmind", balance=12_500_000, balance_at=timezone.now())
    page = as_(operator).get("/keys").content.decode()
    assert 'class="balance balance--upstream"' in page
    assert "<strong>12.50</strong>" in page
    Gate.objects.update(balance=4 * MICRO)
    page = as_(operator).get("/keys").content.decode()
    assert "balance--care" in page
    assert "segmind has 4.00 credits left, under 5.00" in page


@pytest.mark.usefixtures("hosted")
def test_nobody_else_sees_it_or_waits_for_it(as_: As, owner: User, team: Team) -> None:
    Gate.objects.create(engine="segmind", balance=MICRO, balance_at=timezone.now())
    client = as_(owner)

    def look() -> tuple[list[str], str]:
        with CaptureQueriesContext(connection) as seen:
            page = client.get("/keys").content.decode()
        return [query["sql"] for query in seen], page

    asked, page = look()
    assert not [sql for sql in asked if "gate" in sql]
    assert "balance--upstream" not in page
    assert "/engines" not in page
    User.objects.filter(pk=owner.pk).update(is_staff=True)
    staff, page = look()
    assert len(staff) == len(asked) + 1
    assert "balance--upstream" in page


def test_without_a_hosted_engine_the_menu_leads_there(as_: As, operator: User) -> None:
    page = as_(operator).get("/keys").content.decode()
    assert 'href="/engines"' in page
    assert "balance--upstream" not in page
