"""What the hosted API's answers mean: a table of statuses, and its bodies read with care."""

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from generations.engines import base
from generations.outbound import Answer

AGAIN_SECONDS = 5.0
"""After a 429 that does not say when."""

LEAST_PAUSE, MOST_PAUSE = 0.5, 3600.0
"""What a 429 may ask for, in seconds: a clock that is off, or a wrong unit, must not be obeyed."""

UNSURE = frozenset({408, 499})
"""4xx that something in front of the API answers after it has passed the request on."""

LONGEST_WORDS = 300


@dataclass(frozen=True, slots=True)
class Metrics:
    """Millionths of a credit and seconds; None where the upstream does not say."""

    cost: int | None = None
    balance: int | None = None
    seconds: float | None = None
    total: float | None = None


def refusal(answer: Answer) -> base.EngineError:
    """Return what a submit that was not accepted means. 4xx is certainly not paid for; all else is unknown."""
    make = REFUSALS.get(answer.status)
    if make is not None:
        return make(answer)
    if 400 <= answer.status < 500 and answer.status not in UNSURE:
        return base.Broken(f"The hosted API refused this run ({answer.status}): {words(answer)}")
    return base.OutcomeUnknown(f"The hosted API answered {answer.status}; whether it runs the job is not known.")


def request_id(answer: Answer) -> str:
    """Return the id of an accepted submit. Raises OutcomeUnknown where there is none that can be used."""
    found = body(answer).get("request_id")
    if not isinstance(found, str) or not 0 < len(found) <= 100 or not found.replace("-", "").replace("_", "").isalnum():
        raise base.OutcomeUnknown("The hosted API took the job and gave no request id.")
    return found


def body(answer: Answer) -> dict[str, Any]:
    """Return a JSON object; empty where it is none."""
    try:
        read = msgspec.json.decode(answer.data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    return read if isinstance(read, dict) else {}


COMPLETED = "COMPLETED"
GOING = frozenset({"", "QUEUED", "PROCESSING", "IN_QUEUE", "IN_PROGRESS", "PENDING", "RUNNING", "STARTING"})


def status(answer: Answer) -> str:
    """Return where a job stands, in upper case; "" where the answer does not say."""
    return str(body(answer).get("status", "")).upper()


def is_failure(answer: Answer) -> bool:
    """Return whether a job has ended without a result; a word that we do not know is taken for an end."""
    return answer.status == 422 or status(answer) not in GOING | {COMPLETED}


def words(answer: Answer) -> str:
    """Return what an answer says is wrong, in its own words, or that it says nothing."""
    read = body(answer)
    said = next((read[name] for name in ("error", "message", "detail") if isinstance(read.get(name), str)), "")
    return " ".join(said.split())[:LONGEST_WORDS] or "it gave no reason"


def metrics(answer: Answer) -> Metrics:
    """Return what an answer says of cost, balance and time, in its body or its headers."""
    found = body(answer).get("metrics")
    given: Mapping[str, Any] = found if isinstance(found, dict) else {}
    headers = answer.headers
    return Metrics(
        cost=_credits(given.get("cost", headers.get("x-cost"))),
        balance=_credits(given.get("remaining_credits", headers.get("x-remaining-credits"))),
        seconds=_number(given.get("inference_time", headers.get("x-generation-time"))),
        total=_number(given.get("total_time")),
    )


def credits_left(answer: Answer) -> int | None:
    """Return the millionths of a credit that the account has."""
    return _credits(body(answer).get("credits"))


def pause(answer: Answer) -> float:
    """Return the seconds that a 429 asks us to wait, within reason."""
    after = answer.headers.get("Retry-After", "")
    dates = (answer.headers.get("x-rate-limit-reset-at-utc", ""), after)
    moment = next((found for text in dates if (found := _time(text)) is not None), None)
    seconds = _number(after) if moment is None else moment - time.time()
    return AGAIN_SECONDS if seconds is None else min(max(LEAST_PAUSE, seconds), MOST_PAUSE)


def _rejected(answer: Answer) -> base.EngineError:
    return base.Rejected(f"The hosted API rejected this run: {words(answer)}")


def _locked_out(answer: Answer) -> base.EngineError:
    detail = f"The hosted API does not accept the key ({answer.status}): {words(answer)}"
    return base.NotConfigured("The hosted API can't be used at the moment.", detail=detail)


def _too_poor(answer: Answer) -> base.EngineError:
    detail = f"The hosted API's credits are used up ({answer.status}): {words(answer)}"
    return base.NotConfigured("The hosted API can't be used at the moment.", detail=detail)


REFUSALS: Mapping[int, Callable[[Answer], base.EngineError]] = {
    400: _rejected,
    422: _rejected,
    413: _rejected,
    401: _locked_out,
    403: _locked_out,
    402: _too_poor,
    406: _too_poor,
    404: lambda _: base.Unsupported("The hosted API does not know this model."),
    429: lambda answer: base.RateLimited("The hosted API asked for a pause.", after=pause(answer)),
}


def _number(value: Any) -> float | None:
    with contextlib.suppress(TypeError, ValueError):
        number = float(value)
        return number if math.isfinite(number) and number >= 0 else None
    return None


def _credits(value: Any) -> int | None:
    number = _number(value)
    return None if number is None or number > 1e9 else math.ceil(round(number * base.MICRO, 3))


def _time(text: str) -> float | None:
    """Return the seconds since 1970 that a date names, in ISO 8601 or as HTTP writes it."""
    with contextlib.suppress(ValueError):
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    with contextlib.suppress(TypeError, ValueError):
        return parsedate_to_datetime(text).timestamp()
    return None
