"""Notices between processes: at once, by datagram as by Redis; never an error, never a dead listener."""

import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings

from generations import notices
from tests.live import until

PUBLISHER = """
import sys, uuid, django
django.setup()
from generations import notices
print("ready", flush=True)
for line in sys.stdin:
    notices.publish(uuid.UUID(line.strip()))
"""


@pytest.fixture(params=["datagram", "redis"])
def way(request: pytest.FixtureRequest, settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Either way that notices go, with a listener and a client of this test's own."""
    settings.REDIS_URL = request.getfixturevalue("redis_url") if request.param == "redis" else ""
    settings.RUN_DIR = tmp_path
    monkeypatch.setattr(notices, "_listening", None)
    monkeypatch.setattr(notices, "_client", None)
    monkeypatch.setattr(notices, "CHANNEL", f"test:{uuid.uuid4()}")
    return str(request.param)


@pytest.fixture
def datagrams(settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Notices go by datagram; return the folder of the sockets."""
    settings.REDIS_URL, settings.RUN_DIR = "", tmp_path
    monkeypatch.setattr(notices, "_listening", None)
    return notices._directory()


@pytest.fixture
def elsewhere(way: str, settings: LazySettings) -> Iterator[Callable[[uuid.UUID], None]]:
    """Return a function that has a second process publish."""
    code = PUBLISHER.replace('print("ready"', f'notices.CHANNEL = "{notices.CHANNEL}"\nprint("ready"')
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "REDIS_URL": settings.REDIS_URL,
        "DATA_DIR": str(settings.RUN_DIR),
        "SECRET_KEY": "x",
    }
    code = code.replace(
        "django.setup()",
        f"django.setup()\nfrom django.conf import settings\nsettings.RUN_DIR = {settings.RUN_DIR!r}".replace(
            "PosixPath", "__import__('pathlib').Path"
        ),
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        stdin = other.stdin
        assert other.stdout.readline() == "ready\n"

        def publish(generation_id: uuid.UUID) -> None:
            stdin.write(f"{generation_id}\n")
            stdin.flush()

        yield publish
        stdin.close()
        other.wait(10)


def test_another_process_wakes_a_waiter_at_once(way: str, elsewhere: Callable[[uuid.UUID], None]) -> None:
    for _ in range(3):
        generation_id = uuid.uuid4()
        with notices.expected(generation_id) as bell:
            assert not bell.is_set()
            began = time.monotonic()
            elsewhere(generation_id)
            assert bell.wait(5)
            assert time.monotonic() - began < 0.5


def test_a_notice_right_after_the_first_wait_began_is_not_missed(way: str) -> None:
    generation_id = uuid.uuid4()
    with notices.expected(generation_id) as bell:
        notices.publish(generation_id)
        assert bell.wait(0.5)


def test_others_are_not_woken_and_nothing_is_left_behind(way: str) -> None:
    mine = uuid.uuid4()
    with notices.expected(mine) as bell:
        notices.publish(uuid.uuid4())
        assert not bell.wait(0.1)
    assert mine not in notices._waiting
    notices.publish(mine)


def test_fifty_at_once_are_all_woken(way: str) -> None:
    ids = [uuid.uuid4() for _ in range(50)]
    bells = [notices._waiting.setdefault(each, threading.Event()) for each in ids]
    try:
        with notices.expected(uuid.uuid4()):
            for each in ids:
                notices.publish(each)
            assert all(bell.wait(2) for bell in bells)
    finally:
        for each in ids:
            notices._waiting.pop(each)


def test_a_message_that_is_no_id_does_not_end_the_listener(way: str) -> None:
    generation_id = uuid.uuid4()
    with notices.expected(generation_id) as bell:
        for nonsense in (b"", b"short", b"x" * 100):
            if way == "redis":
                notices._redis().publish(notices.CHANNEL, nonsense)
            else:
                notices._send_datagrams(nonsense)
        notices.publish(generation_id)
        assert bell.wait(0.9)


def test_a_forked_process_has_a_listener_of_its_own(way: str) -> None:
    """A web server forks after something was waited for; threads do not survive that."""
    with notices.expected(uuid.uuid4()):
        child = os.fork()
        if child == 0:
            generation_id = uuid.uuid4()
            with notices.expected(generation_id) as bell:
                notices.publish(generation_id)
                os._exit(0 if bell.wait(0.9) else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


# --- datagrams ----------------------------------------------------------------------------------------------


def test_a_dead_process_socket_is_removed_and_others_hear(datagrams: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as dead:
        dead.bind(str(datagrams / "1.sock"))
    (datagrams / "2.sock").touch()  # something that is no socket at all
    generation_id = uuid.uuid4()
    with notices.expected(generation_id) as bell:
        notices.publish(generation_id)
        assert bell.wait(0.5)
    assert not (datagrams / "1.sock").exists()


def test_a_process_that_does_not_listen_costs_a_moment_and_keeps_nobody_from_it(datagrams: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(datagrams / "1.sock"))
        deaf.setblocking(False)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            with pytest.raises(BlockingIOError):
                _fill(sender, datagrams / "1.sock")
        generation_id = uuid.uuid4()
        with notices.expected(generation_id) as bell:
            began = time.monotonic()
            notices.publish(generation_id)
            assert time.monotonic() - began < notices.PATIENCE + 5
            assert bell.wait(0.5)
    assert not notices._waiting


def _fill(sender: socket.socket, path: Path) -> None:
    while True:
        sender.sendto(b"x", str(path))


def test_the_sockets_are_private_and_their_path_is_short(
    settings: LazySettings, tmp_path: Path, datagrams: Path
) -> None:
    assert datagrams.stat().st_mode & 0o777 == 0o700
    settings.RUN_DIR = tmp_path / ("x" * 200)
    folder = notices._directory()
    assert len(os.fsencode(folder)) < 90
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.rmdir()


def test_publishing_never_fails_and_says_so(
    settings: LazySettings, datagrams: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    settings.RUN_DIR = Path("/proc/nowhere")
    notices.publish(uuid.uuid4())
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    monkeypatch.setattr(notices, "_client", None)
    notices.publish(uuid.uuid4())
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_a_listener_that_fails_starts_again(datagrams: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "RETRY", 0.01)
    calls: list[int] = []
    ended = threading.Event()

    def listen(ready: threading.Event) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("something nobody thought of")
        if len(calls) == 2:
            raise OSError("the folder is gone")
        ended.set()
        threading.Event().wait()

    threading.Thread(target=notices._forever, args=(listen, threading.Event()), daemon=True).start()
    assert ended.wait(2)
    until(lambda: len(calls) == 3, 1)
