"""How a test asks and steers a stand-in, in its own process or another."""

import http.client
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

Rules = Mapping[str, Any]
SECONDS = 60.0


class Control(ABC):
    """A stand-in, as a test sees it."""

    @property
    @abstractmethod
    def origin(self) -> str:
        """Return what clients are pointed at: http://127.0.0.1:port."""

    @abstractmethod
    def report(self) -> dict[str, Any]:
        """Return all that happened.

        submits: how many jobs were taken on and charged, by `job_key`. posts: how many submits arrived, refused and
        spoiled ones included. gets: how often each request id was asked for. jobs: see account.Job. calls: see
        account.Record, in the order of arrival. credits: what is left.
        """

    @abstractmethod
    def steer(self, told: Mapping[str, Any]) -> None:
        """Change what the mapping names: rules (with their seed), forget, STEERABLE options. Raises ValueError."""

    def script(self, *rules: Rules, **more: Any) -> None:
        """Put these rules (see rules.Rule.read) in place of those before; more: seed=, delay=, cost=, credits=, …"""
        self.steer({"rules": list(rules), **more})

    def forget(self) -> None:
        """Drop every job and call, and keep the rules."""
        self.steer({"forget": True})

    def submits(self) -> dict[str, int]:
        """Return how many paid jobs each of ours became, by `job_key`."""
        found: dict[str, int] = self.report()["submits"]
        return found

    def calls(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the calls of these kinds (none named: all), in the order of arrival."""
        return [call for call in self.report()["calls"] if not kinds or call["kind"] in kinds]


class Remote(Control):
    """A stand-in that is asked over its control routes."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    @property
    def origin(self) -> str:
        return self._origin

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._ask("GET", "/-/report"))
        return found

    def steer(self, told: Mapping[str, Any]) -> None:
        self._ask("POST", "/-/script", json.dumps(told))

    def _ask(self, method: str, path: str, body: str | None = None) -> bytes:
        connection = http.client.HTTPConnection(urlsplit(self.origin).netloc, timeout=SECONDS)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            data = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(json.loads(data)["error"])
        return data
