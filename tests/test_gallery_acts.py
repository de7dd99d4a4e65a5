"""Stars, the bin and back, from the gallery: for whom, and how many statements."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from generations import removal
from generations.models import Generation
from tests.pages import MakeRun

JSON = {"accept": "application/json"}
ACTS = ("favourite", "remove", "restore")

Act = Callable[..., Any]


@pytest.fixture
def act(client: Client, member: User) -> Act:
    """Return a function that asks as a script of the member's does."""
    client.force_login(member)

    def do(name: str, *runs: Generation, **more: str) -> Any:
        return client.post(f"/gallery/{name}", {"run": [str(run.id) for run in runs], **more}, headers=JSON)

    return do


def is_favourite(run: Generation) -> bool:
    run.refresh_from_db()
    return run.favourite_at is not None


def test_a_star_is_given_and_taken(act: Act, make_run: MakeRun) -> None:
    runs = [make_run(), make_run()]
    assert act("favourite", *runs, on="true").json() == {"favourite": True, "runs": 2}
    assert all(is_favourite(run) for run in runs)
    since = runs[0].favourite_at
    act("favourite", runs[0], on="true")
    assert is_favourite(runs[0])
    assert runs[0].favourite_at == since, "it was one already"
    act("favourite", runs[0], on="false")
    assert [is_favourite(run) for run in runs] == [False, True]


def test_what_is_removed_comes_back(act: Act, client: Client, make_run: MakeRun) -> None:
    runs = [make_run("a"), make_run("b")]
    assert set(act("remove", *runs).json()["removed"]) == {str(run.id) for run in runs}
    assert client.get("/gallery").context["tiles"] == []
    assert act("remove", *runs).status_code == 404
    assert act("restore", *runs).json() == {"restored": 2, "late": 0}
    assert len(client.get("/gallery").context["tiles"]) == 2


def test_too_late_is_said(act: Act, make_run: MakeRun) -> None:
    run = make_run(removed_at=timezone.now() - timedelta(days=3))
    answer = act("restore", run)
    assert (answer.status_code, answer.json()) == (409, {"restored": 0, "late": 1})


def test_only_ones_own_unless_one_manages_runs(client: Client, act: Act, make_run: MakeRun, admin: User) -> None:
    mine, theirs = make_run(), make_run(user=admin)
    assert act("remove", mine, theirs).status_code == 403
    assert not Generation.objects.exclude(removed_at=None).exists(), "all or nothing"
    client.force_login(admin)
    assert act("remove", mine, theirs).status_code == 200
    client.force_login(mine.user)  # type: ignore[arg-type]
    assert act("restore", theirs).status_code == 403
    assert act("restore", mine).status_code == 200


@pytest.mark.parametrize("name", ACTS)
def test_viewers_and_other_teams_do_nothing(
    client: Client, act: Act, make_run: MakeRun, viewer: User, outsider: User, name: str
) -> None:
    run = make_run()
    for user, status in ((viewer, 403), (outsider, 404)):
        client.force_login(user)
        assert act(name, run, on="true").status_code == status
    run.refresh_from_db()
    assert (run.favourite_at, run.removed_at) == (None, None)


def test_one_unknown_among_many_changes_nothing(act: Act, client: Client, make_run: MakeRun) -> None:
    run = make_run()
    asked = {"run": [str(run.id), str(uuid.uuid4())], "on": "true"}
    assert client.post("/gallery/favourite", asked, headers=JSON).status_code == 404
    assert not is_favourite(run)


@pytest.mark.parametrize(
    "given",
    [{}, {"run": "x", "on": "true"}, {"run": [str(uuid.UUID(int=n)) for n in range(501)], "on": "true"}],
    ids=["nothing", "no id", "too many"],
)
def test_what_makes_no_sense_is_refused(act: Act, client: Client, given: dict[str, Any]) -> None:
    assert client.post("/gallery/favourite", given, headers=JSON).status_code == 400


def test_on_is_true_or_false(act: Act, make_run: MakeRun) -> None:
    assert act("favourite", make_run(), on="maybe").status_code == 400


def test_forms_are_led_back_and_nowhere_else(act: Act, client: Client, make_run: MakeRun) -> None:
    run = make_run()
    page = f"/gallery/{run.outputs.get().id}?q=beach"
    given = {"run": str(run.id), "on": "true", "next": page}
    assert client.post("/gallery/favourite", given).headers["location"] == page
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        assert client.post("/gallery/favourite", {**given, "next": elsewhere}).headers["location"] == "/gallery"


def test_without_a_script_a_picture_is_deleted_and_brought_back(act: Act, client: Client, make_run: MakeRun) -> None:
    run = make_run()
    output = run.outputs.get()
    page = client.get(f"/gallery/{output.id}").content.decode()
    assert "Favourite" in page
    gone = client.post("/gallery/remove", {"run": str(run.id)}, follow=True)
    assert "toast__act" in gone.content.decode()
    client.post("/gallery/restore", {"run": str(run.id)})
    assert client.get(f"/gallery/{output.id}").status_code == 200
    assert "toast__act" not in client.get(f"/gallery?removed={run.id}").content.decode()


def test_nobody_is_offered_what_another_team_removed(
    client: Client, make_run: MakeRun, outsider: User, viewer: User
) -> None:
    run = make_run(removed_at=timezone.now())
    client.force_login(outsider)
    assert str(run.id) not in client.get(f"/gallery?removed={run.id}").content.decode()
    client.force_login(viewer)
    assert "toast__act" not in client.get(f"/gallery?removed={run.id}").content.decode()


def test_viewers_see_stars_and_no_way_to_change_them(client: Client, make_run: MakeRun, viewer: User) -> None:
    make_run(favourite_at=timezone.now())
    output = make_run().outputs.get()
    client.force_login(viewer)
    page = client.get("/gallery").content.decode()
    assert page.count("tile__star") == 1
    assert 'data-do="remove"' not in page
    assert 'id="collect"' not in page
    assert "gallery/favourite" not in client.get(f"/gallery/{output.id}").content.decode().split("gallery-urls")[0]


@pytest.mark.parametrize("name", ACTS)
def test_the_number_of_statements_does_not_grow(act: Act, make_run: MakeRun, name: str) -> None:
    def count(runs: list[Generation]) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert act(name, *runs, on="true").status_code == 200
        return len(captured)

    runs = [make_run() for _ in range(9)]
    if name == "restore":
        removal.remove_several([run.id for run in runs])
    assert count(runs[:1]) == count(runs[1:])
