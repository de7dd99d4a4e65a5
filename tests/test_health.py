"""/healthz says that the web lives; /readyz whether a job submitted now would be run."""

import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import LazySettings
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from config import celery, database, health, heartbeat
from generations import routing
from generations.models import Heartbeat
from tests.conftest import run_at_once


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A broker of this test's own, in a folder."""
    folder = tmp_path / "broker"
    monkeypatch.setitem(celery.app.conf, "broker_url", "filesystem://localhost")
    monkeypatch.setitem(celery.app.conf, "broker_transport_options", {"folder": str(folder)})
    return folder


@pytest.fixture(autouse=True)
def _nothing_known() -> None:
    health.probe.forget()


def beat(age: float = 0.0, *queues: str) -> None:
    at = timezone.now() - timedelta(seconds=age)
    for queue in queues or ("control", *routing.queues()):
        Heartbeat.objects.update_or_create(worker=f"{queue}@test/{queue}", defaults={"queue": queue, "at": at})


def test_the_web_lives_without_a_database(client: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_all_well(client: Client, broker: Path) -> None:
    beat()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["status"]) == (200, "ok")
    assert set(response.json()["checks"].values()) == {"ok"}
    assert {"database", "broker", "worker:control"} < set(response.json()["checks"])


@pytest.mark.django_db(transaction=True)
def test_a_queue_without_a_worker(client: Client, broker: Path) -> None:
    beat(0, "control")
    response = client.get("/readyz")
    assert response.status_code == 503
    wrong = {name for name, result in response.json()["checks"].items() if result != "ok"}
    assert wrong == {f"worker:{queue}" for queue in routing.queues()}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("age", "status"), [(heartbeat.STALE_SECONDS - 5, 200), (heartbeat.STALE_SECONDS + 1, 503)])
def test_a_sign_of_life_grows_old(client: Client, broker: Path, age: float, status: int) -> None:
    beat(age)
    assert client.get("/readyz").status_code == status


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_cannot_be_written_to(client: Client, broker: Path) -> None:
    beat()
    broker.write_text("a file where the folder should be")
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"]["broker"] != "ok"
    assert response.json()["checks"]["worker:control"] == "ok"


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away(client: Client, broker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(celery.app.conf, "broker_url", "redis://127.0.0.1:1/0")
    monkeypatch.setitem(celery.app.conf, "broker_transport_options", {"socket_connect_timeout": 0.2})
    assert client.get("/readyz").json()["checks"]["broker"] == "OperationalError"


def test_a_database_that_is_away(client: Client, broker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OperationalError("password of me@db.example.com is wrong")

    monkeypatch.setattr("config.health.direct_connection", refuse)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["checks"] == {"database": "OperationalError", "broker": "ok"}


def test_one_looks_for_all_who_ask(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def look() -> dict[str, str]:
        looks.append(1)
        time.sleep(0.05)  # long enough for the others to arrive
        return {"database": "ok"}

    monkeypatch.setattr(health, "_checks", look)
    results = run_at_once(lambda _: health.probe.result(), 20)
    assert {result.is_ready for result in results} == {True}
    assert client.get("/readyz").status_code == 200
    assert len(looks) == 1


def test_what_was_seen_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = iter([{"database": "OperationalError"}, {"database": "ok"}, {"database": "OperationalError"}])
    monkeypatch.setattr(health, "_checks", lambda: next(seen))
    now = [0.0]
    monkeypatch.setattr("config.health.time", SimpleNamespace(monotonic=lambda: now[0]))
    found = []
    for seconds in (0.0, health.KEEP_NOT_READY, 0.9, 0.2):
        now[0] += seconds
        found.append(health.probe.result().is_ready)
    assert found == [False, True, True, False]


def test_not_being_ready_is_no_error_in_the_log(
    client: Client, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_checks", lambda: {"database": "OperationalError"})
    assert client.get("/readyz").status_code == 503
    assert not [record for record in caplog.records if record.name == "django.request"]


@pytest.mark.django_db(transaction=True)
def test_a_worker_writes_its_row_renews_it_and_takes_it_along() -> None:
    pulse = heartbeat.Pulse("compute@here", ["compute"])
    pulse.beat()
    first = Heartbeat.objects.get()
    assert (first.worker, first.queue) == ("compute@here/compute", "compute")
    pulse.beat()
    assert Heartbeat.objects.get().at > first.at
    pulse.start()
    pulse.stop()
    assert not Heartbeat.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_heart_goes_on_after_the_database_was_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pulse = heartbeat.Pulse("control@here", ["control"], every=0.01)
    beats, away = pulse.beat, [3]

    def beat_or_fail() -> None:
        if away[0]:
            away[0] -= 1
            raise OperationalError("away")
        beats()
        pulse.ended.set()

    monkeypatch.setattr(pulse, "beat", beat_or_fail)
    pulse.start()
    pulse.thread.join(20)
    assert Heartbeat.objects.filter(queue="control").exists()
    assert caplog.text.count("could not be written") == 1


@pytest.mark.django_db(transaction=True)
def test_a_direct_connection_is_not_the_threads_own_and_has_no_pool(settings: LazySettings) -> None:
    with database.direct_connection() as direct, direct.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
        assert direct is not connection
        assert "pool" not in direct.settings_dict["OPTIONS"]
        assert direct.settings_dict["NAME"] == connection.settings_dict["NAME"]
