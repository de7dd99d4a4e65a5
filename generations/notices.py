"""Wake those who wait for a generation: across processes, without polling.

A waiting process has one listener, a thread that hears of every generation that ended: by Redis publish/subscribe, or
where there is no Redis by a datagram to a socket in RUN_DIR. A notice can get lost, so `wait` looks into the
database now and then as well.
"""

import contextlib
import logging
import os
import socket
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

import redis
from django.conf import settings

log = logging.getLogger(__name__)

CHANNEL = "sceneshift:ended"
RETRY = 1.0
ID_BYTES = 16
PATIENCE = 0.5
"""Seconds that a sender waits for a listener whose queue is full: some systems keep ten datagrams only, and on a busy
machine the listener may not run for a while."""

_waiting: dict[uuid.UUID, threading.Event] = {}
_starting = threading.Lock()
_listening: tuple[int, str] | None = None


@contextlib.contextmanager
def expected(generation_id: uuid.UUID) -> Iterator[threading.Event]:
    """Yield an event that is set when the generation ends. Enter before the submit, so that nothing is missed."""
    _ensure_listener()
    bell = _waiting.setdefault(generation_id, threading.Event())
    try:
        yield bell
    finally:
        _waiting.pop(generation_id, None)


def publish(generation_id: uuid.UUID) -> None:
    """Tell every process that the generation ended. Never raises: waiting processes look by themselves too."""
    try:
        if settings.REDIS_URL:
            _redis().publish(CHANNEL, generation_id.bytes)
        else:
            _send_datagrams(generation_id.bytes)
    except (OSError, redis.RedisError) as error:
        log.warning("no notice of %s could be sent: %s", generation_id, error)


def awaited() -> Sequence[uuid.UUID]:
    """Return the generations that somebody in this process waits for."""
    return list(_waiting)


def wake(generation_ids: Iterable[uuid.UUID]) -> None:
    """Ring the bells of generations that have ended, in this process."""
    for generation_id in generation_ids:
        if bell := _waiting.get(generation_id):
            bell.set()


def _hear(message: bytes) -> None:
    if len(message) == ID_BYTES:
        wake([uuid.UUID(bytes=message)])


def _ensure_listener() -> None:
    """Start the listener once per process: web servers fork, and a thread does not survive that."""
    global _listening
    wanted = os.getpid(), settings.REDIS_URL or str(settings.RUN_DIR)
    if _listening == wanted:
        return
    with _starting:
        if _listening != wanted:
            listen = _hear_redis if settings.REDIS_URL else _hear_datagrams
            ready = threading.Event()
            threading.Thread(target=_forever, args=(listen, ready), name="notices", daemon=True).start()
            ready.wait(timeout=RETRY)
            _listening = wanted


def _forever(listen: Callable[[threading.Event], None], ready: threading.Event) -> None:
    while True:
        try:
            listen(ready)
        except Exception as error:
            log.warning("the listener for notices starts again: %s", error, exc_info=True)
            time.sleep(RETRY)


# --- Redis --------------------------------------------------------------------------------------------------

_client: redis.Redis | None = None


def _redis() -> redis.Redis:
    global _client
    if _client is None:
        pool = redis.BlockingConnectionPool.from_url(
            settings.REDIS_URL, max_connections=8, timeout=2, socket_timeout=2, socket_connect_timeout=0.5
        )
        _client = redis.Redis(connection_pool=pool)
    return _client


def _hear_redis(ready: threading.Event) -> None:
    connection = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.5, health_check_interval=15)
    with connection.pubsub(ignore_subscribe_messages=True) as subscription:  # type: ignore[no-untyped-call]
        subscription.subscribe(CHANNEL)
        subscription.get_message(timeout=RETRY)  # the server's word that it has begun
        ready.set()
        while True:
            message = subscription.get_message(timeout=10)
            if message:
                _hear(message["data"])


# --- datagrams ----------------------------------------------------------------------------------------------


def _directory() -> Path:
    """Return the sockets' folder. A socket's path must be short (104 bytes on macOS), DATA_DIR may be long."""
    folder = settings.RUN_DIR / "notices"
    if len(os.fsencode(folder)) > 80:
        name = uuid.uuid5(uuid.NAMESPACE_URL, str(folder)).hex[:16]
        folder = Path(tempfile.gettempdir()) / f"sceneshift-{os.getuid()}-{name}"
    return _made(folder)


@cache
def _made(folder: Path) -> Path:
    """Make the folder, and see to it once that it is ours."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    return folder


def _hear_datagrams(ready: threading.Event) -> None:
    path = _directory() / f"{os.getpid()}.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as inbox:
        inbox.bind(str(path))
        ready.set()
        while True:
            _hear(inbox.recv(ID_BYTES))


def _send_datagrams(message: bytes) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as outbox:
        outbox.settimeout(PATIENCE)
        for entry in os.scandir(_directory()):
            if not entry.name.endswith(".sock"):
                continue
            try:
                outbox.sendto(message, entry.path)
            except (ConnectionRefusedError, FileNotFoundError):  # its process died
                Path(entry.path).unlink(missing_ok=True)
            except OSError as error:
                log.warning("%s did not hear a notice: %s", entry.name, error)
