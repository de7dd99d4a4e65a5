"""The log of a round: what was done when, a JSON object a line."""

import json
import threading
import time
from collections import Counter
from pathlib import Path


class Events:
    """Writes the log, and counts the blows. Safe for threads."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self.blows: Counter[str] = Counter()

    def note(self, what: str, **details: object) -> None:
        seconds = round(time.monotonic() - self._began, 3)
        with self._lock:
            self._file.write(json.dumps({"s": seconds, "what": what, **details}, default=str) + "\n")

    def blow(self, what: str, **details: object) -> None:
        self.blows[what] += 1
        self.note(f"blow: {what}", **details)
