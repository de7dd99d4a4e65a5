"""What pages do and show for whom; who may open them at all is in the table of tests/isolation.py."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from generations.models import Generation
from generations.models.generation import Status
from tests.pages import MakeRun


@pytest.fixture
def run(make_run: MakeRun) -> Generation:
    return make_run()


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
