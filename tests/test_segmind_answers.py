"""What the hosted API's answers mean."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from generations.engines import base
from generations.engines.segmind import answers
from generations.outbound import Answer


def said(status: int, body: Any = None, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body if body is not None else {}).encode()
    return Answer(status, CaseInsensitiveDict({name.replace("_", "-"): value for name, value in headers.items()}), data)


MEANINGS: dict[int, type[base.EngineError]] = {
    400: base.Rejected,
    401: base.NotConfigured,
    402: base.NotConfigured,
    403: base.NotConfigured,
    404: base.Unsupported,
    405: base.Broken,
    408: base.OutcomeUnknown,
    499: base.OutcomeUnknown,
    406: base.NotConfigured,
    409: base.Broken,
    413: base.Rejected,
    422: base.Rejected,
    429: base.RateLimited,
    302: base.OutcomeUnknown,
    201: base.OutcomeUnknown,
    500: base.OutcomeUnknown,
    502: base.OutcomeUnknown,
    503: base.OutcomeUnknown,
    504: base.OutcomeUnknown,
}


@pytest.mark.parametrize("status", MEANINGS)
def test_each_status_of_a_submit_says_what_to_do(status: int) -> None:
    assert type(answers.refusal(said(status, {"error": "seed: too large"}))) is MEANINGS[status]


def test_a_rejection_has_the_upstreams_words_and_what_only_the_operator_should_read_is_apart() -> None:
    assert "seed: too large" in str(answers.refusal(said(400, {"error": "seed:  too\n large"})))
    error = answers.refusal(said(402, {"error": "balance is -3"}))
    assert isinstance(error, base.NotConfigured)
    assert "balance" not in str(error)
    assert "balance is -3" in error.detail


@pytest.mark.parametrize("body", [b"<html>", b"", b"\xff\xfe", [1], {"error": {"deep": 1}}, "text"])
def test_what_is_not_what_it_should_be_says_nothing(body: Any) -> None:
    assert answers.words(said(400, body)) == "it gave no reason"


def test_long_words_are_cut() -> None:
    assert len(answers.words(said(400, {"error": "x" * 10_000}))) == answers.LONGEST_WORDS


@pytest.mark.parametrize(
    "body", [{}, [], {"request_id": ""}, {"request_id": 7}, {"request_id": "../etc"}, {"request_id": "x" * 101}, b"{"]
)
def test_a_submit_without_a_usable_id_is_unknown(body: Any) -> None:
    with pytest.raises(base.OutcomeUnknown):
        answers.request_id(said(200, body))


def test_an_id_is_taken() -> None:
    assert answers.request_id(said(200, {"request_id": "4f2a-9_B"})) == "4f2a-9_B"


def test_cost_is_read_from_the_body_or_else_the_headers() -> None:
    body = {"metrics": {"cost": 0.0123456789, "remaining_credits": 3, "inference_time": 2.5, "total_time": 4}}
    assert answers.metrics(said(200, body)) == answers.Metrics(12_346, 3_000_000, 2.5, 4.0)
    assert answers.metrics(said(200, {}, x_cost="0.01", x_remaining_credits="9.5")) == answers.Metrics(
        10_000, 9_500_000
    )


@pytest.mark.parametrize("cost", ["free", None, -1, float("inf"), "NaN", 1e12, [], {}])
def test_a_cost_that_is_none_is_not_known(cost: Any) -> None:
    assert answers.metrics(said(200, {"metrics": {"cost": cost}})).cost is None


def test_a_cost_is_rounded_up_but_not_for_what_floats_do() -> None:
    assert answers.metrics(said(200, {"metrics": {"cost": 0.1 + 0.2}})).cost == 300_000


NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "low", "high"),
    [
        ({}, answers.AGAIN_SECONDS, answers.AGAIN_SECONDS),
        ({"Retry_After": "12"}, 12, 12),
        ({"Retry_After": "0"}, 0.5, 0.5),
        ({"Retry_After": "1e300"}, answers.MOST_PAUSE, answers.MOST_PAUSE),
        ({"Retry_After": "31536000"}, answers.MOST_PAUSE, answers.MOST_PAUSE),
        ({"Retry_After": "soon"}, answers.AGAIN_SECONDS, answers.AGAIN_SECONDS),
        ({"Retry_After": format_datetime(NOW + timedelta(seconds=600), usegmt=True)}, 600, 600),
        ({"x_rate_limit_reset_at_utc": (NOW + timedelta(seconds=600)).strftime("%Y-%m-%dT%H:%M:%SZ")}, 600, 600),
        ({"x_rate_limit_reset_at_utc": (NOW + timedelta(seconds=600)).replace(tzinfo=None).isoformat()}, 600, 600),
        ({"x_rate_limit_reset_at_utc": "2020-01-01T00:00:00Z", "Retry_After": "12"}, 0.5, 0.5),
    ],
)
def test_a_pause_is_as_long_as_was_asked_for(
    headers: dict[str, str], low: float, high: float, time_machine: Any
) -> None:
    time_machine.move_to(NOW, tick=False)
    assert low <= answers.pause(said(429, **headers)) <= high
