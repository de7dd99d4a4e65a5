"""What a round is told, and the environment of its processes."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.upstream.options import KEY

LEASE_SECONDS = 3
SEGMIND = "generations.engines.segmind.engine.SegmindEngine"
SCRIPTED = "generations.engines.scripted.ScriptedEngine"
PAID = ("segmind", "mirror")
"""Two aliases of one upstream: after an unknown outcome at the first, the second must not be called."""

ROUTES = {
    "bg-replace": ["segmind", "classical"],
    "inpaint-auto": ["segmind", "mirror", "scripted"],
    "sdxl-inpaint": ["scripted", "segmind"],
}


@dataclass(frozen=True, slots=True)
class Round:
    """One seed. seconds: for so long jobs come and blows fall. deadline: JOB_DEADLINE. port: of the stand-in.

    broker, broker_url: its kind, and where this round's is to be; behind: the server to which the wire at broker_url
    leads, for a kind that we don't start ourselves. folder: for files and logs.
    """

    seed: int
    jobs: int
    seconds: float
    deadline: int
    port: int
    broker: str
    broker_url: str
    behind: str
    folder: Path
    naive: bool = False

    @classmethod
    def read(cls, text: str) -> Self:
        told = json.loads(text)
        return cls(**{**told, "folder": Path(told["folder"])})

    def text(self) -> str:
        """Return it for `read` in another process."""
        return json.dumps(dataclasses.asdict(self), default=str)

    def environment(self, database_url: str) -> dict[str, str]:
        """Return the settings of every process of the round."""
        return {
            "DATABASE_URL": database_url,
            "DATA_DIR": str(self.folder),
            "CELERY_BROKER_URL": self.broker_url,
            "REDIS_URL": self.broker_url if self.broker == "redis" else "",
            "ENGINES": json.dumps(self._engines()),
            "ROUTES": json.dumps(ROUTES),
            "JOB_DEADLINE": str(self.deadline),
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "LEASE_RENEWAL": "1",
            "RECONCILE_EVERY": "1",
            "REPUBLISH_AFTER": "2",
            "COMPUTE_PROCESSES": "2",
            "NETWORK_THREADS": "16",
            "SECRET_KEY": "chaos",
            "STORAGE_URL": "",
            "PYTHONUNBUFFERED": "1",
        }

    def _engines(self) -> dict[str, Any]:
        hosted = {
            "key": KEY,
            "base_url": f"http://127.0.0.1:{self.port}",
            "submit_seconds": 4,
            "poll_seconds": 2,
            "output_seconds": 3,
        }
        paid = {alias: {"BACKEND": SEGMIND, "OPTIONS": hosted} for alias in PAID}
        return {**paid, "scripted": {"BACKEND": SCRIPTED, "OPTIONS": {"delay": 0.6, "steps": 3}}}
