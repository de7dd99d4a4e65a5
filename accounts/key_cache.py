"""What recent API keys authenticated to, kept for a moment in this process.

The moment is what a revocation, a demotion or an expiry may take to reach a process, so it is short; the
promise is five seconds. Only keys that were right are kept: guesses cannot fill it.
"""

import threading
import time

from accounts.access import Actor

SECONDS = 2.0
ENTRIES = 4096

clock = time.monotonic
"""replaced in tests, where time travels"""

_entries: dict[str, tuple[float, Actor]] = {}
_lock = threading.Lock()


def get(digest: str) -> Actor | None:
    """The actor kept for a key's digest, or None where there is none or its time is over."""
    entry = _entries.get(digest)
    if entry is None or entry[0] <= clock():
        return None
    return entry[1]


def put(digest: str, actor: Actor) -> None:
    """Keep `actor` for SECONDS; the oldest entry makes room where there are ENTRIES."""
    with _lock:
        _entries.pop(digest, None)
        if len(_entries) >= ENTRIES:
            del _entries[next(iter(_entries))]
        _entries[digest] = (clock() + SECONDS, actor)


def forget(digest: str) -> None:
    """Drop one key's answer."""
    with _lock:
        _entries.pop(digest, None)


def clear() -> None:
    """Drop every answer."""
    with _lock:
        _entries.clear()
