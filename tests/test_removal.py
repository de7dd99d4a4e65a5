"""Removing generations: hidden at once everywhere, restored for a while, then purged but for what the books need."""

import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.http import Http404
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.access import Actor
from accounts.models import Entry, Team, User
from generations import access, delivery, execution, inputs, orphans, queries, removal, tasks, uploads
from generations.models import (
    Asset,
    Attempt,
    Collection,
    CollectionItem,
    Delivery,
    Generation,
    Output,
    Prompt,
    Webhook,
)
from generations.models.attempt import State
from generations.models.generation import Status
from generations.selection import Selection
from tests.jobs import Submit, png
from tests.pages import MakeRun

pytestmark = pytest.mark.django_db


def let_pass(seconds: float = 0.0) -> None:
    """Let a removal be so much longer ago, and by default long enough to be purged."""
    ago = timedelta(seconds=seconds or 86400 + 61)
    for row_id, removed_at in Generation.objects.filter(removed_at__isnull=False).values_list("id", "removed_at"):
        assert removed_at
        Generation.objects.filter(id=row_id).update(removed_at=removed_at - ago)


def let_doubts_settle() -> None:
    Asset.objects.exclude(doubtful_at=None).update(doubtful_at=timezone.now() - timedelta(hours=1, minutes=1))


@pytest.fixture
def run(make_run: MakeRun) -> Generation:
    return make_run(samples=2)


def test_a_removed_run_is_nowhere(client: Client, actor: Actor, run: Generation, member: User, key: str) -> None:
    output = run.outputs.get(number=0)
    link = delivery.link(output)
    client.force_login(member)
    pages = [f"/runs/{run.id}", f"/runs/{run.id}/download/0", f"/gallery/{output.id}", link]
    pages += [f"/pictures/outputs/{output.id}/full", f"/pictures/outputs/{output.id}/thumbnail"]
    by_key = {"x-api-key": key}
    assert {client.get(each).status_code for each in pages} == {200}
    assert client.get(f"/v2/requests/{run.id}", headers=by_key).status_code == 200
    assert removal.remove(run.id)
    assert {client.get(each).status_code for each in pages} == {404}
    assert client.get(f"/v2/requests/{run.id}", headers=by_key).status_code == 404
    assert queries.gallery(Selection(team_id=run.team_id)).rows == []
    assert queries.gallery(Selection(team_id=run.team_id), search="beach").rows == []
    with pytest.raises(Http404):
        access.generation(actor, run.id)
    with pytest.raises(inputs.Unusable):
        inputs.store(run.team_id, link)


def test_it_is_no_neighbour(make_run: MakeRun) -> None:
    newer, middle, older = make_run(age=1), make_run(age=2), make_run(age=3)
    removal.remove(middle.id)
    beside = queries.neighbours(newer.outputs.get(), Selection(team_id=newer.team_id))
    assert beside.older == older.outputs.get().id


def test_it_can_be_restored_for_a_while(run: Generation, settings: LazySettings) -> None:
    settings.REMOVED_KEPT_SECONDS = 100
    assert not removal.restore(run.id)
    for passed, is_back in ((99, True), (101, False)):
        assert removal.remove(run.id)
        assert removal.remove(run.id) is None
        let_pass(passed)
        assert removal.restore(run.id) is is_back
        assert len(queries.gallery(Selection(team_id=run.team_id), search="beach").rows) == is_back
    assert removal.purge() == 0, "nothing is purged within a minute of the last moment to restore it"
    let_pass(60)
    assert removal.purge() == 1
    assert not removal.restore(run.id)


@pytest.mark.parametrize("status", [Status.QUEUED, Status.RUNNING])
def test_a_running_one_is_not_removed(make_run: MakeRun, status: Status) -> None:
    run = make_run(status=status)
    with pytest.raises(removal.StillRunning):
        removal.remove(run.id)
    run.refresh_from_db()
    assert run.removed_at is None


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELED])
def test_one_that_brought_nothing_is(make_run: MakeRun, status: Status) -> None:
    run = make_run(status=status)
    assert removal.remove(run.id)
    assert removal.restore(run.id)
    assert not Prompt.objects.exists()


def test_what_is_not_there_is_not_removed() -> None:
    assert removal.remove(uuid.uuid4()) is None
    assert not removal.restore(uuid.uuid4())


def _files(settings: LazySettings) -> set[str]:
    base = Path(settings.MEDIA_ROOT)
    return {str(file.relative_to(base)) for file in base.rglob("*") if file.is_file()}


def test_purged_is_all_but_what_the_books_need(make_run: MakeRun, settings: LazySettings, actor: Actor) -> None:
    run, kept = make_run("a secret", samples=2, notes=["about a secret"], error="of a secret"), make_run(age=5)
    for output in run.outputs.all():
        delivery.image(output)  # makes the JPEG
    mine = Collection.objects.create(team_id=run.team_id, owner_id=actor.user_id, name="All")
    CollectionItem.objects.create(collection=mine, generation=run, added_at=timezone.now())
    facts = ("id", "team", "user", "model", "cost", "created_at", "finished_at")
    before = Generation.objects.values(*facts).get(id=run.id)
    removal.remove(run.id)
    assert removal.purge() == 0
    let_pass()
    assert removal.purge() == 1
    assert removal.purge() == 0
    assert not run.outputs.exists()
    assert kept.outputs.count() == 1
    assert {name for name in _files(settings) if str(run.id) in name} == set()
    assert {name for name in _files(settings) if str(kept.id) in name}
    assert not CollectionItem.objects.exists()
    after = Generation.objects.get(id=run.id)
    assert after.purged_at
    assert "secret" not in f"{after.params}{after.notes}{after.error}"
    assert after.inputs == {}
    assert Generation.objects.filter(**before).exists()


def test_the_books_stay(submit: Submit, unpublished: list[int], team: Team) -> None:
    run = submit("a secret")
    execution.run(Attempt.objects.get(generation=run).id)
    entries = list(Entry.objects.values())
    removal.remove(run.id)
    let_pass()
    assert removal.purge() == 1
    assert list(Entry.objects.values()) == entries


def test_files_that_are_gone_already_are_no_obstacle(run: Generation) -> None:
    for output in run.outputs.all():
        default_storage.delete(output.file)
    removal.remove(run.id)
    let_pass()
    assert removal.purge() == 1


def test_a_purge_that_died_over_the_files_begins_anew(run: Generation, monkeypatch: pytest.MonkeyPatch) -> None:
    removal.remove(run.id)
    let_pass()
    with monkeypatch.context() as patched:
        patched.setattr(orphans, "doubt", _die)
        with pytest.raises(SystemExit):
            removal.purge()
    assert run.outputs.count() == 2
    assert removal.purge() == 0, "who has it may not have died"
    let_an_hour_pass()
    assert removal.purge() == 1
    assert not run.outputs.exists()


def _die(*_: Any) -> None:
    raise SystemExit


def let_an_hour_pass() -> None:
    """Let every purge that did not end be so long ago that it is tried again."""
    ago = timezone.now() - removal.AGAIN - timedelta(seconds=1)
    Generation.objects.filter(purge_began_at__isnull=False, purged_at=None).update(purge_began_at=ago)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the names of files that the storage does not delete."""
    names: set[str] = set()
    delete = FileSystemStorage.delete

    def refuse(storage: FileSystemStorage, name: str) -> None:
        if name in names:
            raise PermissionError(13, "no right to delete it", name)
        delete(storage, name)

    monkeypatch.setattr(FileSystemStorage, "delete", refuse)
    return names


def test_a_file_that_cannot_be_deleted_keeps_no_other_run_from_it(
    make_run: MakeRun, broken: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    runs = [make_run() for _ in range(3)]
    for run in runs:
        removal.remove(run.id)
    let_pass()
    broken.add(runs[0].outputs.get().file)
    assert removal.purge() == 2
    assert str(runs[0].id) in caplog.text
    assert runs[0].outputs.exists()
    assert removal.purge() == 0, "it is set aside for an hour"
    broken.clear()
    let_an_hour_pass()
    assert removal.purge() == 1


def test_a_row_that_cannot_be_purged_keeps_no_other_from_it(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    runs = [make_run() for _ in range(3)]
    for run in runs:
        removal.remove(run.id)
    let_pass()
    Generation.objects.filter(id=runs[1].id).update(inputs={"image": "no id"})
    assert removal.purge() == 2
    assert f"run {runs[1].id} cannot be purged" in caplog.text
    assert list(Generation.objects.filter(purged_at=None)) == [runs[1]]
    remembered = Asset.objects.filter(doubtful_at__isnull=False).count()
    assert remembered == 2, "the inputs of the others are doubted"


def test_a_pass_ends_with_its_time_and_leaves_the_rest_for_the_next(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        removal.remove(make_run().id)
    let_pass()
    until = time.monotonic() + 60
    clock = iter([0.0, 0.0, until])  # of the loop, of the first run, of those after it
    monkeypatch.setattr(removal, "time", SimpleNamespace(monotonic=lambda: next(clock, until)))
    assert removal.purge(until) == 1
    assert Generation.objects.filter(purged_at=None, purge_began_at=None).count() == 2


def test_what_a_purge_has_begun_with_cannot_be_restored(run: Generation, settings: LazySettings) -> None:
    removal.remove(run.id)
    let_pass()
    settings.REMOVED_KEPT_SECONDS = 10**6  # an operator raises it, or a clock goes back
    Generation.objects.filter(id=run.id).update(purge_began_at=timezone.now())
    assert not removal.restore(run.id)
    Generation.objects.filter(id=run.id).update(purge_began_at=None)
    assert removal.restore(run.id)


@pytest.mark.parametrize("name", ["thumbnail", "jpeg"])
def test_a_file_that_is_made_meanwhile_is_not_left_behind(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, settings: LazySettings, name: str
) -> None:
    run = make_run(ready=False)
    removal.remove(run.id)
    let_pass()
    forget = removal._forget

    def late(*given: Any) -> int:
        monkeypatch.setattr(removal, "_forget", forget)
        file = default_storage.save(f"outputs/{run.id}/late", ContentFile(b"late"))
        assert run.outputs.filter(**{name: ""}).update(**{name: file}) == 1
        return forget(*given)

    monkeypatch.setattr(removal, "_forget", late)
    removal.purge(time.monotonic() + 30)
    assert not run.outputs.exists()
    assert {name for name in _files(settings) if str(run.id) in name} == set()


def test_what_engines_said_and_whom_to_tell_goes_too(run: Generation) -> None:
    Attempt.objects.create(
        generation=run,
        number=1,
        engine="x",
        queue="network",
        paid=True,
        state=State.FAILED,
        published_at=run.created_at,
        error="the prompt 'a secret' is refused",
    )
    address = "https://shop.example/hook?token=secret"
    own = Webhook.objects.create(team=run.team, generation=run, url=address, events=["completed"])
    kept = Webhook.objects.create(team=run.team, url=address, events=["completed"])
    Delivery.objects.create(team=run.team, webhook=own, generation=run, event="completed", url=own.url)
    removal.remove(run.id)
    let_pass()
    assert removal.purge() == 1
    assert Attempt.objects.get(generation=run).error == ""
    assert list(Webhook.objects.all()) == [kept]
    assert not Delivery.objects.exists()


def test_what_may_still_bring_a_picture_is_not_purged(make_run: MakeRun) -> None:
    run = make_run(status=Status.CANCELED)
    attempt = Attempt.objects.create(
        generation=run, number=1, engine="x", queue="network", paid=True, state="submitted", published_at=run.created_at
    )
    removal.remove(run.id)
    let_pass()
    assert removal.purge() == 0
    Attempt.objects.filter(id=attempt.id).update(state=State.UNKNOWN)
    assert removal.purge() == 1


def test_batches_go_on_to_the_end_of_a_pass(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(removal, "BATCH", 2)
    for _ in range(5):
        removal.remove(make_run().id)
    let_pass()
    tasks.purge()
    assert Generation.objects.filter(purged_at=None).count() == 0


def test_the_number_of_statements_of_a_batch_does_not_grow(make_run: MakeRun) -> None:
    def count(rows: int) -> int:
        for _ in range(rows):
            removal.remove(make_run().id)
        let_pass()
        with CaptureQueriesContext(connection) as captured:
            assert removal.purge() == rows
        return len(captured)

    assert count(2) == count(20)


# --- inputs -------------------------------------------------------------------------------------------------


def remove_for_good(*runs: Generation) -> None:
    for run in runs:
        removal.remove(run.id)
    let_pass()
    removal.purge()


def sweep_twice() -> None:
    for _ in range(2):
        let_doubts_settle()
        orphans.sweep()


@pytest.fixture
def files_of(settings: LazySettings) -> Callable[[], set[str]]:
    return lambda: {name for name in _files(settings) if name.startswith("assets/")}


def test_inputs_of_purged_runs_go_too(run: Generation, files_of: Callable[[], set[str]]) -> None:
    assert len(files_of()) == Asset.objects.count() == 2
    remove_for_good(run)
    assert Asset.objects.count() == 2, "not before an hour has passed"
    sweep_twice()
    assert files_of() == set()
    assert not Asset.objects.exists()


def test_inputs_that_serve_another_run_stay(make_run: MakeRun, files_of: Callable[[], set[str]]) -> None:
    removed, kept = make_run(age=5), make_run()
    hidden = make_run(age=3)
    remove_for_good(removed)
    removal.remove(hidden.id)
    sweep_twice()
    assert Asset.objects.filter(doubtful_at=None).count() == len(files_of()) == 2
    assert queries.run(kept).inputs
    remove_for_good(kept)
    sweep_twice()
    assert not Asset.objects.exists(), "the last run that they served is gone"


def test_an_upload_stays_while_its_address_does(run: Generation, team: Team, settings: LazySettings) -> None:
    asset = inputs.store(team.pk, png(), uploaded=True)
    assert str(asset.id) == run.inputs["image"]
    remove_for_good(run)
    sweep_twice()
    assert list(Asset.objects.all()) == [asset]
    settings.UPLOAD_SECONDS = 0
    uploads.purge()
    sweep_twice()
    assert not Asset.objects.exists()


def test_an_upload_that_no_run_used_goes_with_its_last_name(actor: Actor, files_of: Callable[[], set[str]]) -> None:
    one, other = (uploads.create(actor, png(), name=name, metadata={}) for name in ("a.png", "b.png"))
    uploads.delete(one)
    sweep_twice()
    assert len(files_of()) == 1, "the other one names the same picture"
    uploads.delete(other)
    sweep_twice()
    assert files_of() == set()


def test_a_picture_that_comes_again_meanwhile_is_stored_anew(run: Generation, make_run: MakeRun) -> None:
    remove_for_good(run)
    let_doubts_settle()
    orphans.sweep()  # hides them
    inputs.recent.clear()
    again = make_run()
    assert not set(again.inputs.values()) & set(run.inputs.values())
    sweep_twice()
    assert {str(asset.id) for asset in Asset.objects.all()} == set(again.inputs.values())
    assert all(delivery.read(asset.file) for asset in Asset.objects.all())


def test_a_request_that_had_found_it_before_keeps_it(run: Generation, make_run: MakeRun) -> None:
    remove_for_good(run)
    let_doubts_settle()
    orphans.sweep()  # hides them
    late = make_run()
    Generation.objects.filter(id=late.id).update(inputs=run.inputs)
    sweep_twice()
    late.refresh_from_db()
    assert set(queries.run(late).inputs) == set(run.inputs)


def test_each_team_is_asked_for_once_an_hour_by_one_statement(make_run: MakeRun) -> None:
    runs = [make_run() for _ in range(3)]
    remove_for_good(*runs[:2])
    with CaptureQueriesContext(connection) as captured:
        orphans.sweep()
    assert not [each for each in captured if "jsonb_each_text" in each["sql"] or "json_each" in each["sql"]]
    let_doubts_settle()
    with CaptureQueriesContext(connection) as captured:
        orphans.sweep()
    assert len([each for each in captured if "jsonb_each_text" in each["sql"] or "json_each" in each["sql"]]) == 1


def test_another_teams_picture_of_the_same_content_stays(run: Generation, outsider: User) -> None:
    theirs = inputs.store(outsider.memberships.get().team_id, png())
    remove_for_good(run)
    sweep_twice()
    assert list(Asset.objects.all()) == [theirs]
    assert Output.objects.count() == 0


def test_a_picture_that_cannot_be_deleted_keeps_no_other_from_it(
    run: Generation, outsider: User, broken: set[str], caplog: pytest.LogCaptureFixture
) -> None:
    theirs = inputs.store(outsider.memberships.get().team_id, png())
    orphans.doubt([theirs.id])
    remove_for_good(run)
    bad = Asset.objects.get(id=run.inputs["image"])
    broken.add(bad.file)
    sweep_twice()
    assert list(Asset.objects.all()) == [bad]
    assert f"image {bad.id} cannot be deleted" in caplog.text
    orphans.sweep()
    assert caplog.text.count("cannot be deleted") == 1, "it is set aside for an hour"
    broken.clear()
    let_doubts_settle()
    orphans.sweep()
    assert not Asset.objects.exists()


def test_a_team_that_cannot_be_asked_for_keeps_no_other_from_it(
    run: Generation, outsider: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    other = outsider.memberships.get().team_id
    orphans.doubt([inputs.store(other, png()).id])
    remove_for_good(run)
    used = orphans._used

    def fail(team_id: int, assets: Any) -> set[str]:
        if team_id == run.team_id:
            raise ValueError("no answer")
        return used(team_id, assets)

    monkeypatch.setattr(orphans, "_used", fail)
    sweep_twice()
    assert set(Asset.objects.values_list("team_id", flat=True)) == {run.team_id}
    assert f"team {run.team_id} " in caplog.text
    monkeypatch.setattr(orphans, "_used", used)
    sweep_twice()
    assert not Asset.objects.exists()
