"""What the hosted API answers about jobs where nothing goes wrong (the contract's section A)."""

import base64
import json
from typing import Any

from tests.upstream import pictures, published
from tests.upstream.account import Job, NoCredits
from tests.upstream.calls import Call, Refused
from tests.upstream.wire import Answer


def submit(call: Call) -> Answer:
    job = _take_on(call)
    at = f"{call.origin}/v2/requests/{job.id}"
    body = {
        "request_id": job.id,
        "status": "QUEUED",
        "poll_url": f"{call.origin}/v1/requests/{job.id}",
        "status_url": f"{at}/status",
        "response_url": at,
    }
    return Answer.json(body, headers=_headers(job))


def run(call: Call) -> Answer:
    job = _take_on(call)
    if not job.ends:
        call.connection.wait_for_the_client()
    call.connection.wait(job.delay)
    if job.ends == "FAILED":
        return Answer.json({"error": job.error}, 500, headers=_headers(job))
    width, height = job.size
    headers = {
        **_headers(job),
        "x-generation-time": f"{job.delay:.3f}",
        "x-seed-value": str(job.seed),
        "x-output-metadata": json.dumps({"height": height, "width": width, "samples": job.samples}),
    }
    inline = str(call.fields.get("base64")).lower() in ("true", "1")
    accept = call.request.headers.get("accept", "")
    only_json = "application/json" in accept and "*/*" not in accept and "image/" not in accept
    if inline or job.samples > 1 or only_json:
        return Answer.json(_success(call, job, inline=inline), headers=headers)
    content_type = pictures.TYPES[call.account.options.format]
    return Answer(200, call.account.picture(job, 0), {"Content-Type": content_type, **headers})


def _take_on(call: Call) -> Job:
    slug = call.named[0]
    if slug not in published.MODELS:
        raise Refused(404, f"Model {slug} not found")
    try:
        call.job = call.account.take_on(slug, call.fields, call.fate)
    except published.Invalid as error:
        raise Refused(400, str(error)) from error
    except NoCredits as error:
        raise Refused(406, f"Insufficient credits: {error}") from error
    call.record.billed, call.record.request_id = True, call.job.id
    return call.job


def _success(call: Call, job: Job, *, inline: bool) -> dict[str, Any]:
    count = range(job.samples)
    images = [_base64(call.account.picture(job, n)) if inline else call.url(job, n) for n in count]
    return {
        "status": "Success",
        "image": images[0],
        "images": images,
        "outputs": len(images),
        "infer_time": job.delay,
        "seed": job.seed,
        "seeds": [job.seed + n for n in count],
        "image_format": call.account.options.format,
        "cost": job.cost,
        "remaining_credits": job.remaining,
        "request_id": job.id,
    }


def status(call: Call) -> Answer:
    job = call.known_job()
    return Answer.json(_state(call, job), 422 if job.status == "FAILED" else 200, headers=_headers(job))


def result(call: Call) -> Answer:
    job = call.known_job()
    if job.status != "COMPLETED":
        return status(call)
    return Answer.json(_output(call, job), headers=_headers(job))


def poll(call: Call) -> Answer:
    job = call.known_job()
    done = _output(call, job) if job.status == "COMPLETED" else {}
    return Answer.json({**_state(call, job), **done}, 422 if job.status == "FAILED" else 200, headers=_headers(job))


def _state(call: Call, job: Job) -> dict[str, Any]:
    at = f"{call.origin}/v2/requests/{job.id}"
    known = {"status": job.status, "request_id": job.id, "status_url": f"{at}/status", "response_url": at}
    match job.status:
        case "COMPLETED":
            return {**known, "metrics": _metrics(job)}
        case "FAILED":
            return {**known, "error": job.error, "metrics": _metrics(job)}
        case _:
            return {**known, "metrics": {}}


def _output(call: Call, job: Job) -> dict[str, Any]:
    images = [
        {
            "url": call.url(job, number),
            "content_type": pictures.TYPES[call.account.options.format],
            "file_name": f"{number}.{pictures.EXTENSIONS[call.account.options.format]}",
            "file_size": len(call.account.picture(job, number)),
        }
        for number in range(job.samples)
    ]
    return {
        "status": "COMPLETED",
        "request_id": job.id,
        "output": images[0]["url"],
        "images": images,
        "seed": job.seed,
        "prompt": job.params.get("prompt"),
        "timings": {"inference": job.delay},
        "metrics": _metrics(job),
    }


def picture(call: Call) -> Answer:
    job, number = call.known_job(), int(call.named[1])
    if job.status != "COMPLETED" or number >= job.samples:
        raise Refused(404, "Output not found")
    content_type = pictures.TYPES[call.account.options.format]
    return Answer(200, call.account.picture(job, number), {"Content-Type": content_type})


# --- parts --------------------------------------------------------------------------------------------------


def _headers(job: Job) -> dict[str, str]:
    return {"x-request-id": job.id, "x-remaining-credits": f"{job.remaining:.6f}", "x-cost": f"{job.cost:.6f}"}


def _metrics(job: Job) -> dict[str, Any]:
    return {
        "cost": job.cost,
        "remaining_credits": job.remaining,
        "inference_time": job.delay,
        "queue_time": 0.0,
        "total_time": job.delay,
        "retry_count": 0,
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
