"""The folder that serves as a broker: nothing lost, nothing read half, whoever is killed."""

import fcntl
import json
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import Empty

import pytest
import redis
from celery import Celery
from celery.worker.request import Request
from django.conf import LazySettings
from kombu import Connection
from kombu.exceptions import OperationalError

from config import broker, celery, queues
from config.mailbox import SLACK, Bell, Mailbox, QueueFile

SPAWN = multiprocessing.get_context("spawn")
LONG = "x" * 200_000
"""Long enough that a reader of a file that is being written would see a part of it."""


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    made = Mailbox(tmp_path / "a folder")
    made.prepare()
    return made


def write(root: Path, writer: int, count: int) -> None:
    mailbox = Mailbox(root)
    for number in range(count):
        mailbox.put("jobs", json.dumps([f"{writer}-{number}", LONG]).encode())


def read(root: Path, out: Path) -> None:
    """Take until "end", one line in `out` per message; a message read half would be no JSON."""
    mailbox = Mailbox(root)
    bell = Bell(mailbox)
    bell.hang("jobs")
    with out.open("a", buffering=1) as lines:
        while True:
            message = mailbox.take("jobs")
            if message is None:
                bell.wait(0.2)
                continue
            name, body = json.loads(message)
            if name == "end":
                return
            assert body == LONG
            lines.write(f"{name}\n")


def start(work: Callable[..., None], *arguments: object) -> multiprocessing.process.BaseProcess:
    process = SPAWN.Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


def names(*files: Path) -> list[str]:
    return [name for file in files if file.exists() for name in file.read_text().split()]


def test_processes_that_write_and_read_at_once_lose_and_repeat_nothing(mailbox: Mailbox, tmp_path: Path) -> None:
    outs = [tmp_path / "first", tmp_path / "second"]
    readers = [start(read, mailbox.root, out) for out in outs]
    writers = [start(write, mailbox.root, writer, 300) for writer in range(2)]
    for process in writers:
        process.join(60)
    for _ in readers:
        mailbox.put("jobs", json.dumps(["end", ""]).encode())
    for process in readers:
        process.join(60)
    assert [process.exitcode for process in (*writers, *readers)] == [0, 0, 0, 0]
    assert sorted(names(*outs)) == sorted(f"{writer}-{number}" for writer in range(2) for number in range(300))
    assert mailbox.size("jobs") == 0


def test_a_killed_reader_takes_at_most_what_it_held(mailbox: Mailbox, tmp_path: Path) -> None:
    out, other = tmp_path / "killed", tmp_path / "other"
    reader = start(read, mailbox.root, out)
    write(mailbox.root, 0, 50)
    until(lambda: len(names(out)) > 10)
    writer = start(write, mailbox.root, 1, 300)
    until(lambda: len(names(out)) > 60)
    assert reader.pid is not None
    os.kill(reader.pid, signal.SIGKILL)
    writer.join(60)
    survivor = start(read, mailbox.root, other)
    until(lambda: mailbox.size("jobs") == 0)
    mailbox.put("jobs", json.dumps(["end", ""]).encode())
    survivor.join(60)
    seen = names(out, other)
    assert len(seen) == len(set(seen))
    assert len(seen) >= 350 - 1


def test_a_writer_or_reader_killed_before_the_last_write_has_changed_nothing(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox.put("jobs", b"first")
    with monkeypatch.context() as dying:
        dying.setattr(QueueFile, "_span", die)
        with pytest.raises(SystemExit):
            mailbox.put("jobs", b"never put")
        with pytest.raises(SystemExit):
            mailbox.take("jobs")
    mailbox.put("jobs", b"second")
    assert [mailbox.take("jobs") for _ in range(3)] == [b"first", b"second", None]


def die(*_: object) -> None:
    raise SystemExit


def test_a_queue_that_is_never_empty_does_not_grow_for_ever(mailbox: Mailbox) -> None:
    mailbox.put("jobs", b"0")
    for number in range(1, 60):
        mailbox.put("jobs", str(number).encode() + LONG.encode())
        before = mailbox.take("jobs")
        assert before is not None
        assert before.rstrip(b"x") == str(number - 1).encode()
    assert mailbox.size("jobs") == 1
    assert file_of(mailbox).stat().st_size < 3 * SLACK
    assert mailbox.purge("jobs") == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: os.truncate(file, 30),
        lambda file: file.write_bytes(b"\xff" * 40),
        lambda file: file.write_bytes(b"short"),
        lambda file: file.write_bytes(file.read_bytes()[:16] + b"\0" * 3),
    ],
    ids=["cut off", "nonsense", "no front", "not written"],
)
def test_a_file_that_a_crash_of_the_machine_spoilt_begins_anew(
    mailbox: Mailbox, spoil: Callable[[Path], object]
) -> None:
    mailbox.put("jobs", b"x" * 100)
    spoil(file_of(mailbox))
    assert mailbox.take("jobs") is None
    mailbox.put("jobs", b"1")
    assert [mailbox.take("jobs"), mailbox.take("jobs")] == [b"1", None]


def test_a_message_that_does_not_fit_on_the_disk_leaves_no_trace(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(os, "pwrite", lambda *_: 3)
        with pytest.raises(OSError, match="disk is full"):
            mailbox.put("jobs", b"1")
    assert mailbox.take("jobs") is None


@contextmanager
def kept_locked(file: Path) -> Iterator[None]:
    """What a process that was stopped does to a queue."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def test_a_child_forked_while_a_queue_is_locked_does_not_keep_it_locked(mailbox: Mailbox) -> None:
    with mailbox._opened("jobs"):
        child = os.fork()
        if not child:
            time.sleep(600)
            os._exit(0)
    with ThreadPoolExecutor(1) as other:
        try:
            other.submit(mailbox.put, "jobs", b"1").result(20)
            assert other.submit(mailbox.take, "jobs").result(20) == b"1"
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


@pytest.mark.parametrize(
    "use",
    [lambda mailbox: mailbox.put("jobs", b"2"), lambda mailbox: mailbox.take("jobs")],
    ids=["put", "take"],
)
def test_a_queue_kept_locked_is_not_waited_for_for_ever_and_loses_nothing(
    mailbox: Mailbox, use: Callable[[Mailbox], object]
) -> None:
    mailbox.put("jobs", b"1")
    with ThreadPoolExecutor(1) as other, kept_locked(file_of(mailbox)):
        used = other.submit(use, mailbox)
        wait([used], 20)
        assert used.done(), "it waits for ever"
        assert isinstance(used.exception(), TimeoutError)
    assert [mailbox.take("jobs"), mailbox.take("jobs")] == [b"1", None]


def file_of(mailbox: Mailbox) -> Path:
    return mailbox.root / "queues" / "jobs.messages"


def test_messages_come_in_the_order_in_which_they_were_put(mailbox: Mailbox) -> None:
    for number in range(20):
        mailbox.put("jobs", str(number).encode())
    assert [mailbox.take("jobs") for _ in range(20)] == [str(number).encode() for number in range(20)]
    assert mailbox.take("jobs") is None


def test_queues_are_apart(mailbox: Mailbox) -> None:
    mailbox.put("jobs", b"1")
    assert mailbox.take("other") is None
    assert (mailbox.size("jobs"), mailbox.size("other")) == (1, 0)
    assert mailbox.purge("jobs") == 1


def test_a_message_rings_the_bell_of_those_who_wait(mailbox: Mailbox) -> None:
    bell = Bell(mailbox)
    bell.hang("jobs")
    heard: list[float] = []
    waiter = threading.Thread(target=lambda: heard.append(time.monotonic()) if bell.wait(20) else None)
    waiter.start()
    rung = time.monotonic()
    mailbox.put("jobs", b"1")
    waiter.join(20)
    assert heard
    assert heard[0] - rung < 5
    assert not bell.wait(0), "a bell that was heard is silent again"
    mailbox.put("other", b"1")
    assert not bell.wait(0), "another queue's message is none of its business"
    bell.close()


def test_bells_of_the_dead_are_removed_and_harm_nobody(mailbox: Mailbox) -> None:
    bell = Bell(mailbox)
    bell.hang("jobs")
    path, descriptor = bell.pipes["jobs"]
    os.close(descriptor)
    mailbox.put("jobs", b"1")
    assert not path.exists()
    assert mailbox.take("jobs") == b"1"


def test_ringing_for_long_without_being_heard_does_not_block(mailbox: Mailbox) -> None:
    bell = Bell(mailbox)
    bell.hang("jobs")
    for _ in range(70_000):
        mailbox.ring("jobs")
    assert bell.wait(0)
    bell.close()


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    broker.install()
    with Connection("filesystem://localhost", transport_options={"folder": str(tmp_path / "broker")}) as made:
        yield made


def test_kombu_sends_and_receives(connection: Connection) -> None:
    queue = connection.SimpleQueue("jobs")
    queue.put({"id": 1})
    message = queue.get(timeout=10)
    assert message.payload == {"id": 1}
    message.ack()
    assert isinstance(connection.transport, broker.Transport)


def test_a_worker_goes_on_once_its_queue_is_no_longer_kept_locked(connection: Connection) -> None:
    queue = connection.SimpleQueue("jobs")
    queue.put("late")
    assert connection.transport_options
    file = Path(connection.transport_options["folder"]) / "queues" / "jobs.messages"
    with ThreadPoolExecutor(1) as other, kept_locked(file):
        reading = other.submit(queue.get, timeout=1)
        wait([reading], 20)
        assert reading.done(), "it waits for ever"
        assert isinstance(reading.exception(), Empty), "to Celery's loop, too, nothing came"
    assert queue.get(timeout=10).payload == "late"


def test_what_was_not_acknowledged_is_put_back_when_a_worker_stops(connection: Connection) -> None:
    queue = connection.SimpleQueue("jobs")
    queue.put("unfinished")
    queue.get(timeout=10)
    connection.close()
    assert connection.SimpleQueue("jobs").get(timeout=10).payload == "unfinished"


def test_a_spoilt_message_is_dropped_and_logged(connection: Connection, caplog: pytest.LogCaptureFixture) -> None:
    queue = connection.SimpleQueue("jobs")
    assert connection.transport_options
    Mailbox(Path(connection.transport_options["folder"])).put("jobs", b'{"half')
    queue.put("whole")
    assert queue.get(timeout=10).payload == "whole"
    assert "not JSON" in caplog.text


def application(settings: LazySettings, url: str) -> Celery:
    settings.CELERY_BROKER_URL = url
    made = Celery("test", set_as_current=False)
    queues.configure(made)
    return made


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "amqp://guest@127.0.0.1:1//"])
def test_publishing_fails_within_a_second_where_nothing_listens(settings: LazySettings, url: str) -> None:
    began = time.monotonic()
    with pytest.raises(OperationalError):
        queues.publish(application(settings, url), "any", [], "control")
    assert time.monotonic() - began < 1


def test_publishing_fails_within_a_second_where_the_broker_hangs(settings: LazySettings, mute: int) -> None:
    app = application(settings, f"redis://127.0.0.1:{mute}/0")
    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(OperationalError):
            queues.publish(app, "any", [], "control")
        assert time.monotonic() - began < 1


def test_r4_publishing_fails_within_a_second_where_a_queue_is_kept_locked(
    settings: LazySettings, tmp_path: Path
) -> None:
    settings.BROKER_DIR = tmp_path / "broker"
    app = application(settings, "filesystem://localhost")
    with ThreadPoolExecutor(1) as other:
        other.submit(queues.publish, app, "any", [], "control").result(20)
        with kept_locked(settings.BROKER_DIR / "queues" / "control.messages"):
            began = time.monotonic()
            publishing = other.submit(queues.publish, app, "any", [], "control")
            wait([publishing], 20)
            took = time.monotonic() - began
            assert publishing.done(), "it waits for ever"
            assert isinstance(publishing.exception(), OperationalError)
    assert took < 1
    queues.publish(app, "any", [], "control")
    assert Mailbox(settings.BROKER_DIR).size("control") == 2


@pytest.fixture
def mute() -> Iterator[int]:
    """The port of a server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_publishing_fails_where_the_folder_cannot_be_written_to(settings: LazySettings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings.BROKER_DIR = tmp_path / "file" / "broker"
    with pytest.raises(OperationalError):
        queues.publish(application(settings, "filesystem://localhost"), "any", [], "control")


def test_a_task_goes_to_the_queue_that_it_was_sent_to(settings: LazySettings, tmp_path: Path) -> None:
    settings.BROKER_DIR = tmp_path / "broker"
    app = application(settings, "filesystem://localhost")
    for queue in queues.QUEUES:
        queues.publish(app, "any", [1], queue)
    mailbox = Mailbox(settings.BROKER_DIR)
    assert [mailbox.size(queue) for queue in queues.QUEUES] == [1] * len(queues.QUEUES)


def test_what_is_published_is_what_celerys_workers_read(settings: LazySettings, tmp_path: Path) -> None:
    settings.BROKER_DIR = tmp_path / "broker"
    app = application(settings, "filesystem://localhost")
    seen: list[int] = []

    @app.task(name="note")
    def note(number: int) -> None:
        seen.append(number)

    queues.publish(app, "note", [7], "network")
    queues.publish(app, "note", [8], "network", after=60)
    with app.connection_for_read() as connection:
        taken = connection.SimpleQueue("network")
        first, second = (Request(taken.get(timeout=10), app=app) for _ in range(2))
    assert first.eta is None
    assert second.eta
    assert timedelta(seconds=50) < second.eta - datetime.now(UTC) <= timedelta(seconds=60)
    first.execute()
    assert (seen, first.args, second.args) == ([7], [7], [8])


def test_what_redis_gave_and_nobody_acknowledged_is_put_back_when_a_worker_stops(
    settings: LazySettings, redis_url: str
) -> None:
    app = application(settings, redis_url)
    queues.publish(app, "any", [7], "network")
    for is_last in (False, True):
        with app.connection_for_read() as connection:
            message = connection.SimpleQueue("network").get(timeout=10)
            assert message.payload[0] == [7]
            if is_last:
                message.ack()
    with app.connection_for_read() as connection, pytest.raises(Empty):
        connection.SimpleQueue("network").get(timeout=0.2)
    assert redis.Redis.from_url(redis_url).keys("unacked*") == []


def test_reconciliation_is_asked_for_often_and_expires_before_the_next(settings: LazySettings) -> None:
    entry = celery.app.conf.beat_schedule["reconcile"]
    assert entry["schedule"] == entry["options"]["expires"] == settings.RECONCILE_EVERY
    assert entry["options"]["queue"] == "control"
    celery.app.loader.import_default_modules()
    assert entry["task"] in celery.app.tasks


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not come about"
        time.sleep(0.01)
