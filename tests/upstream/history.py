"""What the hosted API answers about the account: its credits, and the requests of its past."""

import datetime
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from tests.upstream.account import Job
from tests.upstream.calls import Call
from tests.upstream.wire import Answer

MOST_ROWS = 100
SORTS: Mapping[str, Callable[[Job], Any]] = {
    "model_created": lambda job: job.at,
    "model_name": lambda job: job.slug,
    "credits_deduction": lambda job: job.cost,
}


def credit(call: Call) -> Answer:
    return Answer.json({"credits": call.account.options.credits, "free-credits": 0})


def page(call: Call) -> Answer:
    """Return a page of rows. The envelope is a guess: only the rows are published."""
    query = {name: values[-1] for name, values in parse_qs(call.request.query).items()}
    number, per_page = int(query.get("page", 1)), min(int(query.get("per_page", 20)), MOST_ROWS)
    jobs = [job for job in list(call.account.jobs.values()) if _asked_for(job, query)]
    jobs.sort(key=SORTS[query.get("sort_by", "model_created")], reverse=query.get("sort_order", "desc") == "desc")
    rows = [row for job in jobs for row in _rows(call, job)]
    body = {
        "data": rows[(number - 1) * per_page : number * per_page],
        "page": number,
        "per_page": per_page,
        "total": len(rows),
        "total_pages": -(-len(rows) // per_page),
    }
    return Answer.json(body)


def one(call: Call) -> Answer:
    return Answer.json(_rows(call, call.known_job())[0])


def _asked_for(job: Job, query: Mapping[str, str]) -> bool:
    day = _moment(job)[:10]
    return (
        query.get("from_date", day) <= day <= query.get("to_date", day)
        and query.get("model_name", "") in job.slug
        and query.get("status", _row_status(job)) == _row_status(job)
    )


def _rows(call: Call, job: Job) -> list[dict[str, Any]]:
    """Return a row for each output, each with the whole charge, as the real one does."""
    done = job.status == "COMPLETED"
    row = {
        "request_id": job.id,
        "model_name": job.slug,
        "model_status": _row_status(job),
        "credits_deduction": job.cost,
        "request_body": dict(job.params),
        "generation_url": None,
        "latency_ms": int(job.delay * 1000) if done else None,
        "created_at": _moment(job),
        "error": job.error or None,
    }
    return [{**row, "generation_url": call.url(job, n)} for n in range(job.samples)] if done else [row]


def _row_status(job: Job) -> str:
    return job.status if job.status in ("COMPLETED", "FAILED") else "PENDING"


def _moment(job: Job) -> str:
    return datetime.datetime.fromtimestamp(job.at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
