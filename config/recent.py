"""What this process found out a moment ago, kept so that it need not ask again at once."""

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Values by key, each for `seconds`; where there are `most`, the oldest makes room. For many threads."""

    def __init__(self, seconds: float, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds, self.most, self.clock = seconds, most, clock
        self._entries: dict[Key, tuple[float, Value]] = {}
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """Return the value, or None where there is none or its time is over."""
        entry = self._entries.get(key)
        if entry is None or entry[0] <= self.clock():
            return None
        return entry[1]

    def put(self, key: Key, value: Value) -> None:
        """Keep a value from now on."""
        with self._lock:
            self._entries.pop(key, None)
            if len(self._entries) >= self.most:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = (self.clock() + self.seconds, value)

    def forget(self, key: Key) -> None:
        """Drop one value."""
        with self._lock:
            self._entries.pop(key, None)

    def clear(self) -> None:
        """Drop every value."""
        with self._lock:
            self._entries.clear()
