"""Who may open which page: a row for every address of the studio."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from generations import urls
from generations.models import Delivery, Generation, Webhook
from generations.models.generation import Status
from tests.pages import MakeRun

Arguments = Callable[[Generation], list[object]]


@dataclass(frozen=True, slots=True)
class Row:
    """What each role gets; loner: who is in no team. arguments: of the address, from a run of the team's. closed:
    others' data, so 404."""

    arguments: Arguments
    method: str = "get"
    member: int = 200
    viewer: int = 200
    loner: int = 403
    closed: bool = False


def _nothing(_: Generation) -> list[object]:
    return []


def _run(run: Generation) -> list[object]:
    return [run.id]


def _sample(run: Generation) -> list[object]:
    return [run.id, 0]


def _output(run: Generation) -> list[object]:
    return [run.outputs.get(number=0).id]


def _operators(method: str, *arguments: object) -> Row:
    """Of the operator's pages, which are there for nobody else (test_views_engines.py)."""
    return Row(lambda _: list(arguments), method=method, member=404, viewer=404, loner=404, closed=True)


def _managers(arguments: Arguments) -> Row:
    """Of what admins and owners do, whoever's it is (test_webhook_pages.py)."""
    return Row(arguments, method="post", member=403, viewer=403, closed=arguments is not _nothing)


def _webhook(run: Generation) -> list[object]:
    return [Webhook.objects.create(team=run.team, url="https://example.com/", events=["completed"]).id]


def _delivery(run: Generation) -> list[object]:
    return [Delivery.objects.create(team=run.team, generation=run, event="completed", url="https://example.com/").key]


ROWS = {
    "models": Row(_nothing),
    "playground": Row(lambda _: ["bg-replace"]),
    "quote": Row(lambda _: ["bg-replace"]),
    "snippet": Row(lambda _: ["bg-replace"], method="post"),
    "run": Row(_run, closed=True),
    "run-progress": Row(_run, closed=True),
    "run-cancel": Row(_run, method="post", member=302, viewer=403, closed=True),
    "run-fidelity": Row(_sample, closed=True),
    "run-download": Row(_sample, closed=True),
    "gallery": Row(_nothing),
    "image": Row(_output, closed=True),
    "output-picture": Row(lambda run: [*_output(run), "full"], closed=True),
    "asset-picture": Row(lambda run: [run.inputs["image"]], closed=True),
    "engines": _operators("get"),
    "engine-drain": _operators("post", "classical"),
    "engine-resume": _operators("post", "classical"),
    "engine-balance": _operators("post", "classical"),
    "webhooks": Row(_nothing),
    "webhook-secret": Row(_nothing, method="post", viewer=403),
    "webhook-rotate": _managers(_nothing),
    "webhook-change": _managers(_webhook),
    "webhook-delete": _managers(_webhook),
    "webhook-test": _managers(_webhook),
    "webhook-delivery": Row(_delivery, closed=True),
    "webhook-replay": _managers(_delivery),
    "try-demo": Row(_nothing, method="post", member=302, viewer=403),
}


@pytest.fixture
def run(make_run: MakeRun) -> Generation:
    return make_run()


def _status(client: Client, name: str, run: Generation) -> int:
    row = ROWS[name]
    answer = getattr(client, row.method)(reverse(name, args=row.arguments(run)))
    return int(answer.status_code)


def test_every_address_has_a_row() -> None:
    assert {pattern.name for pattern in urls.urlpatterns} == set(ROWS)


@pytest.mark.usefixtures("unpublished", "engines")
@pytest.mark.parametrize("name", ROWS)
def test_a_member(client: Client, run: Generation, member: User, name: str) -> None:
    client.force_login(member)
    assert _status(client, name, run) == ROWS[name].member


@pytest.mark.parametrize("name", ROWS)
def test_a_viewer_sees_and_does_not_run(client: Client, run: Generation, viewer: User, name: str) -> None:
    client.force_login(viewer)
    assert _status(client, name, run) == ROWS[name].viewer


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.closed])
def test_an_outsider_finds_nothing(client: Client, run: Generation, outsider: User, name: str) -> None:
    client.force_login(outsider)
    assert _status(client, name, run) == 404


@pytest.mark.parametrize("name", ROWS)
def test_nobody_gets_in_without_signing_in(client: Client, run: Generation, name: str) -> None:
    answer = getattr(client, ROWS[name].method)(reverse(name, args=ROWS[name].arguments(run)))
    assert answer.status_code == 302
    assert answer["location"].startswith("/accounts/login/?next=")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ROWS)
def test_nobody_gets_in_without_a_team(client: Client, run: Generation, name: str) -> None:
    client.force_login(User.objects.create_user("loner@example.com"))
    assert _status(client, name, run) == ROWS[name].loner


def test_a_viewer_may_not_run(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    answer = client.post(reverse("playground", args=["bg-replace"]), {"prompt": "a beach"})
    assert answer.status_code == 403
    assert not Generation.objects.exists()


def test_a_viewer_sees_no_run_button_and_why(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    page = client.get(reverse("playground", args=["bg-replace"])).content.decode()
    assert "data-run" not in page
    assert "You are a viewer in this team" in page


def test_a_picture_of_another_team_is_no_input(client: Client, run: Generation, outsider: User) -> None:
    client.force_login(outsider)
    for source in (f"asset:{run.inputs['image']}", f"output:{run.outputs.get().id}"):
        answer = client.post(reverse("playground", args=["bg-replace"]), {"prompt": "x", "image_source": source})
        assert answer.status_code == 404


@pytest.mark.parametrize("query", ["from", "output"])
def test_another_teams_run_cannot_be_remixed(client: Client, run: Generation, outsider: User, query: str) -> None:
    client.force_login(outsider)
    row_id = run.id if query == "from" else run.outputs.get().id
    assert client.get(reverse("playground", args=["bg-replace"]), {query: str(row_id)}).status_code == 404


def test_another_members_run_cannot_be_canceled(client: Client, make_run: MakeRun, admin: User, team: object) -> None:
    theirs = make_run(status=Status.QUEUED, user=admin)
    mine = theirs.team.memberships.get(role="member").user
    client.force_login(mine)
    assert client.post(reverse("run-cancel", args=[theirs.id])).status_code == 403
    theirs.refresh_from_db()
    assert theirs.status == Status.QUEUED


def test_what_does_not_exist_is_not_found(client: Client, member: User) -> None:
    client.force_login(member)
    for name in ("run", "image", "asset-picture"):
        assert client.get(reverse(name, args=[uuid.uuid4()])).status_code == 404
    assert client.get("/playground/no-such-model").status_code == 404
