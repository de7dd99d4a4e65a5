"""Calls to the hosted API: the key goes to its origin alone, and every call has a total deadline."""

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from generations import outbound
from generations.engines import base
from generations.engines.segmind import answers
from generations.imaging import decode, errors
from generations.outbound import Answer

JSON_LIMIT = 1024 * 1024
TRIES = 5
"""Of one GET; each may be repeated freely."""

FIRST_PAUSE = 0.25
"""Seconds, at most, between the first two tries; doubles from try to try (full jitter)."""

LONGEST_PAUSE = 8.0
RETRY_SHARE = 0.2
"""Of all calls, retries may be so many, so that a sick upstream is not flooded; RETRY_FLOOR are always allowed."""

RETRY_FLOOR = 10

ELSEWHERE = "The hosted API made a picture, and says it lies where we do not fetch from."
Got = TypeVar("Got")


class Budget:
    """Counts calls and retries of a process, and says whether one more retry is allowed."""

    def __init__(self) -> None:
        self.calls = self.retries = 0
        self._lock = threading.Lock()

    def count(self) -> None:
        with self._lock:
            self.calls += 1

    def allows_retry(self) -> bool:
        with self._lock:
            allowed = self.retries < RETRY_FLOOR + RETRY_SHARE * self.calls
            self.retries += allowed
            return allowed


class Client:
    """base_url: an origin without a path. output_hosts: where pictures may lie beside it, subdomains included.

    submit_seconds, poll_seconds, output_seconds: what one call takes at most, in all.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        output_hosts: tuple[str, ...] = (),
        submit_seconds: float = 60.0,
        poll_seconds: float = 15.0,
        output_seconds: float = 30.0,
    ) -> None:
        self.origin = outbound.Origin(base_url)
        self.output_hosts = output_hosts
        self.submit_seconds, self.poll_seconds, self.output_seconds = submit_seconds, poll_seconds, output_seconds
        self.budget = Budget()
        if not key.strip().isprintable() or not key.strip().isascii():
            raise ValueError("the key of the hosted API has a character that no header may have")
        self._headers = {"x-api-key": key.strip(), "Accept": "application/json"}

    def submit(self, slug: str, body: bytes) -> str:
        """Hand a job over, once, and return its request id. Raises an EngineError that says whether it may be paid."""
        headers = {**self._headers, "Content-Type": "application/json"}
        self.budget.count()
        try:
            answer = self.origin.post(
                f"/v2/{slug}", body, headers=headers, seconds=self.submit_seconds, limit=JSON_LIMIT
            )
        except outbound.Unreachable as error:
            raise base.Unavailable("The hosted API can't be reached.") from error
        except outbound.OutboundError as error:
            raise base.OutcomeUnknown(f"The hosted API did not answer a submit: {error}.") from error
        if answer.status != 200:
            raise answers.refusal(answer)
        return answers.request_id(answer)

    def status(self, request_id: str) -> Answer:
        """Return where a job stands: 200, or 422 where it failed. Raises as `_json` does."""
        return self._json(f"/v2/requests/{request_id}/status")

    def result(self, request_id: str) -> Answer:
        """Return what a completed job brought. Raises as `_json` does."""
        return self._json(f"/v2/requests/{request_id}")

    def credits(self) -> int | None:
        """Return the millionths of a credit that are left, None where the answer does not say; somebody waits for
        it, so that it is asked once. Raises as `_json` does."""
        answer = self._json("/v1/get-user-credits", "what is left", tries=1)
        return answers.credits_left(answer)

    def picture(self, url: str) -> tuple[bytes, decode.Probe]:
        """Return a picture that was made, fully decoded once to see that it is whole.

        Raises OutcomeUnknown where it lies elsewhere or is none: it was paid for, and may be had by the request id.
        """
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" == self.origin.url:
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            return self._tried(lambda: _whole(self._own_picture(path)), "its picture")
        if parts.scheme != "https":
            raise base.OutcomeUnknown(ELSEWHERE)
        return self._tried(lambda: _whole(self._hosted_picture(url)), "its picture")

    def _own_picture(self, path: str) -> bytes:
        """Fetch from the origin; without the key, which a picture's address does not need."""
        answer = self.origin.get(path, headers={}, seconds=self.output_seconds, limit=outbound.LIMIT)
        if answer.status != 200:
            raise _Unreadable(answer)
        return answer.data

    def _hosted_picture(self, url: str) -> bytes:
        try:
            return outbound.fetch(url, hosts=self.output_hosts, seconds=self.output_seconds).data
        except outbound.Refused as error:
            raise base.OutcomeUnknown(ELSEWHERE) from error

    def _json(self, path: str, what: str = "where the job stands", *, tries: int = TRIES) -> Answer:
        """Return a readable answer: 200, or 422. Raises Unavailable where there is none now, NotConfigured,
        OutcomeUnknown where the upstream does not know the address."""

        def get() -> Answer:
            answer = self.origin.get(path, headers=self._headers, seconds=self.poll_seconds, limit=JSON_LIMIT)
            if answer.status in (401, 402, 403):
                raise answers.refusal(answer)
            if answer.status not in (200, 422) or not answers.body(answer):
                raise _Unreadable(answer)
            return answer

        return self._tried(get, what, tries)

    def _tried(self, get: Callable[[], Got], what: str, tries: int = TRIES) -> Got:
        """Return what `get` brings, in so many tries at most with growing, random pauses between them."""
        for number in range(1, tries + 1):
            self.budget.count()
            try:
                return get()
            except (outbound.OutboundError, errors.ImageError, _Unreadable) as error:
                if number == tries or not self.budget.allows_retry():
                    raise _given_up(error, what) from error
                time.sleep(_pause(number, error))
        raise AssertionError("unreachable")


class _Unreadable(Exception):
    """An answer to a GET that can't be used."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"it answered {answer.status}")
        self.answer = answer


def _pause(number: int, error: Exception) -> float:
    """Return the seconds before the next try."""
    if isinstance(error, _Unreadable) and error.answer.status == 429:
        return min(LONGEST_PAUSE, answers.pause(error.answer))
    return random.uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (number - 1)))  # noqa: S311


def _given_up(error: Exception, what: str) -> base.EngineError:
    if isinstance(error, errors.ImageError):
        return base.OutcomeUnknown(f"The hosted API made a picture that can't be used: {error}.")
    if isinstance(error, _Unreadable) and (error.answer.status in (404, 410) or 300 <= error.answer.status < 400):
        return base.OutcomeUnknown(f"The hosted API does not have {what} any more ({error.answer.status}).")
    return base.Unavailable(f"The hosted API does not say {what}: {error}.")


def _whole(data: bytes) -> tuple[bytes, decode.Probe]:
    probe = decode.probe(data)
    decode.decode(data, alpha=probe.has_alpha)
    return data, probe
