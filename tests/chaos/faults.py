"""What goes wrong upstream: rules for the stand-in, each hitting a small share of the calls."""

from typing import Any

Rules = list[dict[str, Any]]


def _rule(fault: str, probability: float, *on: str, **options: Any) -> dict[str, Any]:
    return {"fault": fault, "probability": probability, "on": list(on), **options}


SUBMITS: Rules = [
    _rule("delay", 0.2, "submit", seconds=0.7),
    _rule("status", 0.06, "submit", status=429, retry_after=1),
    _rule("status", 0.01, "submit", status=400),
    _rule("status", 0.01, "submit", status=404),
    _rule("status", 0.02, "submit", status=503, billed=False),
    _rule("status", 0.02, "submit", status=500, billed=True),
    _rule("html", 0.01, "submit", status=502, billed=True),
    _rule("html", 0.01, "submit", status=504, billed=False),
    _rule("reset_early", 0.01, "submit"),
    _rule("reset", 0.02, "submit", billed=True),
    _rule("reset", 0.01, "submit", billed=False),
    _rule("close", 0.01, "submit", billed=True),
    _rule("reset_midway", 0.01, "submit"),
    _rule("cut", 0.01, "submit"),
    _rule("half", 0.01, "submit"),
    _rule("html", 0.01, "submit"),
    _rule("wrong_json", 0.01, "submit"),
    _rule("lose_id", 0.01, "submit"),
    _rule("gzip_bomb", 0.01, "submit", mebibytes=4),
    _rule("redirect", 0.01, "submit"),
    _rule("drip_body", 0.01, "submit", bytes_per_second=4),
    _rule("drip_headers", 0.01, "submit", bytes_per_second=4),
    _rule("hang", 0.01, "submit", billed=True),
    _rule("hang", 0.01, "submit", billed=False),
]
FATES: Rules = [
    _rule("failed", 0.03, "submit"),
    _rule("failed", 0.03, "submit", cost=0.0),
    _rule("price", 0.04, "submit", cost=9.0),
    _rule("slow", 0.06, "submit", seconds=5.0),
    _rule("stuck", 0.02, "submit"),
    _rule("elsewhere", 0.01, "submit"),
]
QUESTIONS: Rules = [
    _rule(fault, 0.015, "status", "result", "output", **options)
    for fault, options in (
        ("delay", {"seconds": 0.5}),
        ("status", {"status": 500}),
        ("status", {"status": 429, "retry_after": 1}),
        ("reset", {}),
        ("reset_midway", {}),
        ("cut", {}),
        ("half", {}),
        ("html", {}),
        ("wrong_type", {}),
        ("gzip_bomb", {"mebibytes": 4}),
        ("drip_body", {"bytes_per_second": 4}),
        ("hang", {}),
    )
]
RULES = [*SUBMITS, *FATES, *QUESTIONS]
