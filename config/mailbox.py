"""Messages as files in a folder, with a bell for those that wait: the broker of one machine.

A message appears under its name only when it is whole (written elsewhere, then renamed), and belongs to whoever
removes it: of two readers one succeeds. A reader that dies in between takes nothing with it. Waiting costs nothing:
a reader hangs a named pipe ("bell") beside the queue, and whoever puts a message writes one byte into it.
"""

import os
import selectors
import time
import uuid
from collections import deque
from pathlib import Path


class Mailbox:
    """Queues as folders under `root`; any number of processes may put and take at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.listed: dict[str, deque[str]] = {}

    def prepare(self) -> None:
        """Make the folders. Raises OSError where they can't be made or written to."""
        for folder in (self.queue_folder(""), self.bell_folder(""), self.partial_folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(f"{folder} is not writable")

    @property
    def partial_folder(self) -> Path:
        return self.root / "partial"

    def queue_folder(self, queue: str) -> Path:
        return self.root / "queues" / queue

    def bell_folder(self, queue: str) -> Path:
        return self.root / "bells" / queue

    def put(self, queue: str, message: bytes) -> None:
        """Append `message` to `queue` and ring. Raises OSError where the folder can't be written to."""
        name = f"{time.time_ns():020d}-{uuid.uuid4().hex}"
        partial = self.partial_folder / name
        try:
            partial.write_bytes(message)
            self._publish(partial, self.queue_folder(queue) / name)
        except OSError:
            partial.unlink(missing_ok=True)
            raise
        self.ring(queue)

    def take(self, queue: str) -> bytes | None:
        """Remove and return the oldest message of `queue`, or None where there is none."""
        folder = self.queue_folder(queue)
        while names := self._names(queue):
            path = folder / names.popleft()
            try:
                message = path.read_bytes()
                path.unlink()
            except FileNotFoundError:
                continue  # another reader was quicker
            return message
        return None

    def size(self, queue: str) -> int:
        return len(self._list(queue))

    def purge(self, queue: str) -> int:
        """Remove every message of `queue` and return how many there were."""
        count = 0
        while self.take(queue) is not None:
            count += 1
        return count

    def ring(self, queue: str) -> None:
        """Wake everybody who waits for `queue`; removes the bells of the dead."""
        try:
            bells = list(os.scandir(self.bell_folder(queue)))
        except FileNotFoundError:
            return
        for bell in bells:
            if not bell.name.startswith("."):
                _ring(Path(bell.path))

    def _publish(self, partial: Path, whole: Path) -> None:
        try:
            partial.rename(whole)
        except FileNotFoundError:
            whole.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            partial.rename(whole)

    def _names(self, queue: str) -> deque[str]:
        """Return what is left of the last listing, else a new one: a long queue is not listed for each message."""
        names = self.listed.get(queue)
        if not names:
            names = self.listed[queue] = deque(sorted(self._list(queue)))
        return names

    def _list(self, queue: str) -> list[str]:
        try:
            return os.listdir(self.queue_folder(queue))  # noqa: PTH208  Path.iterdir makes an object per message
        except FileNotFoundError:
            return []


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
            _ring(path)

    def close(self) -> None:
        self.selector.close()
        for path, descriptor in self.pipes.values():
            path.unlink(missing_ok=True)
            os.close(descriptor)
        self.pipes.clear()


def _ring(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    except OSError:  # ENXIO: nobody listens any more
        path.unlink(missing_ok=True)
        return
    try:
        os.write(descriptor, b"\0")
    except BlockingIOError:
        return  # full of rings that nobody heard yet
    finally:
        os.close(descriptor)
