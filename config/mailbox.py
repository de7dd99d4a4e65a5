"""Messages in files, one a queue, with a bell for those that wait: the broker of one machine.

A queue's file is a list of messages and, in front of it, where the list begins and ends. Whoever puts or takes has
the file's lock for as long as that takes, and the last thing done is one write of those two numbers: a process killed
before it has changed nothing, one killed after it is done. No file is made or removed for a message, which may cost
more than all else. Waiting costs nothing: a reader hangs a named pipe ("bell") beside the queue, and whoever puts a
message writes one byte into it.
"""

import logging
import os
import selectors
import struct
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config import file_lock

SPANS = struct.Struct("<QQ")
"""In front of a file: where in it the first message begins, and where the last one ends."""
LENGTH = struct.Struct("<I")
"""In front of a message: its bytes."""
SLACK = 1 << 20
"""Bytes that a file may have for messages already taken."""
GLANCE = 4096
"""Bytes that are read at first; few messages have more."""

PATIENCE_SECONDS = 0.2
"""How long a queue's lock, held for a fraction of a millisecond, is waited for; kombu's publishing does so three times,
and must be over within a second."""

log = logging.getLogger(__name__)


class Mailbox:
    """Queues as files under `root`; any number of processes may put and take at once.

    Whatever opens a queue raises TimeoutError, an OSError, where somebody who was stopped has it locked.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def prepare(self) -> None:
        """Make the folders. Raises OSError where they can't be made or written to."""
        for folder in (self.root / "queues", self.bell_folder("")):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(f"{folder} is not writable")

    def bell_folder(self, queue: str) -> Path:
        return self.root / "bells" / queue

    def put(self, queue: str, message: bytes) -> None:
        """Append `message` to `queue` and ring. Raises OSError where it can't be written."""
        with self._opened(queue) as file:
            file.append(message)
        self.ring(queue)

    def take(self, queue: str) -> bytes | None:
        """Remove and return the oldest message of `queue`, or None where there is none."""
        with self._opened(queue) as file:
            return file.take()

    def size(self, queue: str) -> int:
        with self._opened(queue) as file:
            return file.count()

    def purge(self, queue: str) -> int:
        """Remove every message of `queue` and return how many there were."""
        with self._opened(queue) as file:
            count = file.count()
            file.clear()
        return count

    def ring(self, queue: str) -> None:
        """Wake everybody who waits for `queue`; removes the bells of the dead."""
        try:
            bells = list(os.scandir(f"{self.root}/bells/{queue}"))
        except FileNotFoundError:
            return
        for bell in bells:
            if not bell.name.startswith("."):
                _ring(bell.path)

    @contextmanager
    def _opened(self, queue: str) -> Iterator["QueueFile"]:
        """Yield the queue's file, locked; the death of this process ends the lock, too."""
        descriptor = os.open(f"{self.root}/queues/{queue}.messages", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not file_lock.take(descriptor, PATIENCE_SECONDS):
                raise TimeoutError(f"queue {queue} is kept locked")
            try:
                yield QueueFile(descriptor)
            finally:
                file_lock.give(descriptor)
        finally:
            os.close(descriptor)


class QueueFile:
    """An open and locked file of messages."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        front = os.pread(descriptor, SPANS.size, 0)
        self.begin, self.end = SPANS.unpack(front.ljust(SPANS.size, b"\0"))
        if not SPANS.size <= self.begin <= self.end <= os.fstat(descriptor).st_size:
            self.clear()  # it is new, or a crash of the machine spoilt it

    def append(self, message: bytes) -> None:
        record = LENGTH.pack(len(message)) + message
        self._write(record, self.end)
        self._span(self.begin, self.end + len(record))

    def take(self) -> bytes | None:
        """Remove and return the first message. What a crash of the machine left unreadable is given up, with what
        follows: the database knows what was asked for."""
        if self.begin == self.end:
            return None
        message = self._read(self.begin)
        if message is None:
            log.error("messages that cannot be read were dropped")
            self.clear()
            return None
        self._span(self.begin + LENGTH.size + len(message), self.end)
        self._shorten()
        return message

    def count(self) -> int:
        """Return how many messages there are."""
        count, at = 0, self.begin
        while at < self.end and (message := self._read(at)) is not None:
            count, at = count + 1, at + LENGTH.size + len(message)
        return count

    def clear(self) -> None:
        """Have no message; a file that was long is made short."""
        is_long = self.end > SLACK
        self._span(SPANS.size, SPANS.size)
        if is_long:
            os.ftruncate(self.descriptor, SPANS.size)

    def _read(self, at: int) -> bytes | None:
        """Return the message that begins there, or None where it is not whole."""
        found = os.pread(self.descriptor, GLANCE, at)
        if len(found) < LENGTH.size:
            return None
        (length,) = LENGTH.unpack_from(found)
        if at + LENGTH.size + length > self.end:
            return None
        message = found[LENGTH.size : LENGTH.size + length]
        if len(message) < length:
            message = os.pread(self.descriptor, length, at + LENGTH.size)
        return message if len(message) == length else None

    def _shorten(self) -> None:
        """Give back the room of what was taken, once all was, or so much that the rest fits there beside itself."""
        left = self.end - self.begin
        if not left:
            self.clear()
        elif self.begin - SPANS.size >= max(SLACK, left):
            self._write(os.pread(self.descriptor, left, self.begin), SPANS.size)
            self._span(SPANS.size, SPANS.size + left)
            os.ftruncate(self.descriptor, self.end)

    def _span(self, begin: int, end: int) -> None:
        self._write(SPANS.pack(begin, end), 0)
        self.begin, self.end = begin, end

    def _write(self, data: bytes, at: int) -> None:
        if os.pwrite(self.descriptor, data, at) < len(data):
            raise OSError("the disk is full")


class Bell:
    """What one process waits at. Not for use by several threads at once."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.selector = selectors.DefaultSelector()
        self.pipes: dict[str, tuple[Path, int]] = {}

    def hang(self, queue: str) -> None:
        """Be woken by messages for `queue` from now on. Raises OSError."""
        if queue in self.pipes:
            return
        folder = self.mailbox.bell_folder(queue)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{os.getpid()}-{uuid.uuid4().hex}"
        hidden, path = folder / f".{name}", folder / name
        os.mkfifo(hidden, 0o600)
        # Open for both ends: with a reader alone the pipe would read as ended after its first writer.
        descriptor = os.open(hidden, os.O_RDWR | os.O_NONBLOCK)
        hidden.rename(path)  # only now: a bell without a listener is taken for a dead one and removed
        self.pipes[queue] = path, descriptor
        self.selector.register(descriptor, selectors.EVENT_READ)

    def wait(self, seconds: float) -> bool:
        """Wait for a message and return whether one came; it may be gone again when looked for."""
        ready = self.selector.select(seconds)
        for key, _ in ready:
            os.read(key.fd, 65536)
        return bool(ready)

    def ring(self) -> None:
        """Wake this waiter alone, from any thread."""
        for path, _ in self.pipes.values():
            _ring(str(path))

    def close(self) -> None:
        self.selector.close()
        for path, descriptor in self.pipes.values():
            path.unlink(missing_ok=True)
            os.close(descriptor)
        self.pipes.clear()


def _ring(path: str) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    except OSError:  # ENXIO: nobody listens any more
        Path(path).unlink(missing_ok=True)
        return
    try:
        os.write(descriptor, b"\0")
    except BlockingIOError:
        return  # full of rings that nobody heard yet
    finally:
        os.close(descriptor)
