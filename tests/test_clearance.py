"""The pass that deletes what is over: one at a time, bounded, and no step of it keeps another from its work."""

import threading
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import connection
from django.utils import timezone

from accounts.models import Team
from generations import clearance, inputs, places, removal, tasks, uploads
from generations.models import Asset, Generation, Lease, Output, Upload
from tests.jobs import png
from tests.pages import MakeRun
from tests.test_removal import let_pass

pytestmark = pytest.mark.django_db


def test_a_step_that_fails_keeps_no_other_from_its_work(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[int] = []

    def fail(_: float) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(clearance, "STEPS", (fail, lambda _: done.append(1), fail, lambda _: done.append(2)))
    for _ in range(2):
        tasks.purge()
    assert done == [1, 2] * 2
    assert caplog.text.count("the next pass tries again") == 4


def test_every_step_is_one_of_the_pass() -> None:
    named = {f"{step.__module__}.{step.__name__}" for step in clearance.STEPS}
    purges = {f"generations.{each}.purge" for each in ("idempotency", "uploads", "removal", "webhooks.retention")}
    assert named == purges | {"generations.orphans.sweep"}


def test_each_step_has_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []

    def note(until: float) -> None:
        shares.append(until - now[0])

    def long(until: float) -> None:
        note(until)
        now[0] += 100

    now = [50.0]
    monkeypatch.setattr(clearance, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(clearance, "STEPS", (note, note, long, note))
    clearance._pass(now[0] + 20)
    assert shares == [5.0, pytest.approx(20 / 3), 10.0, clearance.LEAST]


def test_while_one_is_under_way_no_other_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[int] = []

    def again(_: float) -> None:
        passes.append(1)
        tasks.purge()

    monkeypatch.setattr(clearance, "STEPS", (again,))
    tasks.purge()
    assert len(passes) == 1
    tasks.purge()
    assert len(passes) == 2, "the place is given back"


def test_the_place_of_a_pass_that_died_is_free_again(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[int] = []
    monkeypatch.setattr(clearance, "STEPS", (lambda _: passes.append(1),))
    assert places.take("purge", clearance.LONGEST)
    tasks.purge()
    assert not passes
    Lease.objects.filter(name="purge").update(until=time.time() - 0.01)
    tasks.purge()
    assert passes


def test_a_place_is_given_back_though_the_pass_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    def exit_now(_: float) -> None:
        raise SystemExit

    monkeypatch.setattr(clearance, "STEPS", (exit_now,))
    with pytest.raises(SystemExit):
        tasks.purge()
    assert places.take("purge", 1.0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("purge", [tasks.purge, removal.purge], ids=["the-pass", "the-step-alone"])
def test_at_once_no_file_is_deleted_twice(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch, purge: Any) -> None:
    for _ in range(8):
        removal.remove(make_run().id)
    let_pass()
    deleted: list[str] = []
    delete = FileSystemStorage.delete

    def slow(storage: FileSystemStorage, name: str) -> None:
        deleted.append(name)
        time.sleep(0.02)
        delete(storage, name)

    monkeypatch.setattr(FileSystemStorage, "delete", slow)
    masters = set(Output.objects.values_list("file", flat=True))

    def run() -> None:
        try:
            purge()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for name in deleted if name in masters) == sorted(masters)
    assert not Generation.objects.filter(purged_at=None).exists()


def test_uploads_of_any_number_end_within_a_pass(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "BATCH", 3)
    asset, old = inputs.store(team.pk, png()), timezone.now() - timedelta(days=2)
    Upload.objects.bulk_create(Upload(team=team, asset=asset, name="a", created_at=old) for _ in range(10))
    Asset.objects.bulk_create(
        Asset(team=team, sha256=f"{number:064}", file="x", width=1, height=1, size=1, uploaded_at=old)
        for number in range(10)
    )
    uploads.purge(time.monotonic())
    assert Upload.objects.count() == 10, "the pass has no time left"
    uploads.purge()
    assert not Upload.objects.exists()
    assert not Asset.objects.filter(uploaded_at__isnull=False).exists()
    assert Asset.objects.filter(doubtful_at__isnull=False).count() == 11
