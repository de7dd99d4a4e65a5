"""Every kind of problem there is: one made for real, what it means, and what to do about it.

The reference, the pages and the examples of errors are made from this table. A kind's code is nowhere written down:
each dialect is asked to tell the sample.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated, ParseError

from accounts import ledger
from accounts.limits import Decision
from accounts.models import Budget
from accounts.models.budget import Span, Subject
from generations import catalogue, delivery, idempotency, inputs, removal, routing, submission
from generations.api import bodies, portal_schema, problems, samples
from generations.api.problems import OverLimit, Problem
from generations.models import Generation
from generations.models.generation import Fault, Status


@dataclass(frozen=True, slots=True)
class Kind:
    """sample: makes one as it happens. means: one sentence. remedy: what the caller does. only_at: the door that alone
    tells of it, where there is one."""

    sample: Callable[[], Problem]
    means: str
    remedy: str
    only_at: str = ""


def _raised(make: Callable[[], Exception]) -> Callable[[], Problem]:
    return lambda: problems.of(make())


def _failed(fault: Fault, error: str) -> Callable[[], Problem]:
    return lambda: problems.ended(Generation(status=Status.FAILED, fault=fault, error=error))


def _of_call(call: Callable[[], object]) -> Callable[[], Problem]:
    """Return the problem of a call that fails."""

    def sample() -> Problem:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told as a door would tell it
            return problems.of(error)
        raise AssertionError("a sample of a problem has to fail")

    return sample


def _too_many_samples() -> object:
    model = catalogue.MODELS["bg-replace"]
    return catalogue.validate(model, {**samples.of(model), "samples": 9}, unknown="refuse")


def _over_budget() -> ledger.OverBudget:
    budget = Budget(kind=Subject.TEAM, span=Span.DAY, amount=5_000_000)
    return ledger.OverBudget(budget, 4_990_000, 17_900, datetime(2026, 5, 2, tzinfo=UTC))


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "malformed_request": Kind(
            _raised(lambda: ParseError("the body is not a JSON object: input data was truncated")),
            "The body or a header cannot be read as what it says it is.",
            "Send valid JSON with Content-Type: application/json, or a multipart form.",
        ),
        "invalid_input": Kind(
            _of_call(_too_many_samples),
            "A parameter is missing, out of its range, unknown, or a picture that cannot be read.",
            "The message names each field, its value and what is allowed. Change those; nothing was charged.",
        ),
        "unauthorized": Kind(
            _raised(lambda: NotAuthenticated("Missing Authorization or x-api-key in header")),
            "There is no API key in the request, or it is wrong, revoked or expired.",
            "Send the key as x-api-key, Authorization: Bearer or Authorization: Token. Make one on the Keys page.",
        ),
        "insufficient_credits": Kind(
            _raised(lambda: ledger.InsufficientCredits(available=2_000, required=17_900)),
            "The team's balance is lower than the quote, which is what a run may cost at most.",
            "Add credits, or ask for fewer samples or steps. Credits held by running jobs come back when they end.",
        ),
        "forbidden": Kind(
            _raised(lambda: submission.NotAllowed("key: this needs the scope generate, which the key does not have")),
            "The key's scopes, or the role of the member who made it, do not allow this.",
            "The message names the scope or the role that is needed. `generate` runs models and uploads, `read` sees "
            "runs, balance, usage and the ledger, `manage` changes runs, collections, webhooks and keys.",
        ),
        "model_not_allowed": Kind(
            _raised(lambda: submission.ModelNotAllowed("inpaint-auto", ["bg-replace"])),
            "The key is limited to other image models.",
            "Use one of those that the message lists, or a key without that limit.",
        ),
        "over_budget": Kind(
            _raised(_over_budget),
            "The request could take a budget of the team, the member, the key or the model above its limit.",
            "Wait until the budget begins anew, which the message says, or ask who set it for more.",
        ),
        "unknown_model": Kind(
            _of_call(lambda: catalogue.get("bg-remove")),
            "No image model has this name.",
            "The message lists the models that there are.",
        ),
        "not_found": Kind(
            _raised(Http404),
            "The address or the id names nothing, or something of another team.",
            "Check the id, and that the key is one of the same team.",
        ),
        "picture_lost": Kind(
            _raised(lambda: delivery.Lost("gone")),
            "The job is known, but its picture is no longer kept.",
            "Run the job again.",
        ),
        "method_not_allowed": Kind(
            _raised(lambda: MethodNotAllowed("GET")),
            "The address is served by another method.",
            "The Allow header lists those that are.",
        ),
        "unsupported_content_type": Kind(
            _raised(lambda: bodies.NotAcceptable("Content-Type: 'text/plain' is not accepted; send application/json")),
            "The body is neither JSON nor a multipart form.",
            "Set Content-Type to application/json or multipart/form-data.",
        ),
        "body_too_large": Kind(
            _raised(RequestDataTooBig),
            "The body is over the limit.",
            "Send smaller pictures, or send them by URL or as uploads.",
        ),
        "rejected": Kind(
            _failed(Fault.REJECTED, "No subject was found in the image."),
            "The engine cannot do this with this picture, and no other engine could.",
            "The message says why. Change the picture or the parameters; nothing was charged.",
        ),
        "no_engine": Kind(
            _raised(lambda: routing.NoEngine("no engine serves sdxl-inpaint for this team")),
            "No engine of this installation serves the model for your team, or with these parameters.",
            "Ask the operator; with x-allow-fallback: true another engine may stand in.",
        ),
        "canceled": Kind(
            lambda: problems.ended(Generation(status=Status.CANCELED)),
            "The job was canceled while its caller waited.",
            "Submit again if that was not meant.",
        ),
        "still_running": Kind(
            _raised(lambda: removal.StillRunning("The run has not ended; cancel it first.")),
            "What was to be removed has not ended.",
            "Cancel it first, or wait for its end.",
            only_at=portal_schema.GROUP.tag,
        ),
        "removed": Kind(
            _raised(lambda: problems.Removed(datetime(2026, 5, 1, 12, tzinfo=UTC))),
            "The run was removed by somebody of the team. `/api/generations/{id}` says so; every other door says 404.",
            "POST to `/api/generations/{id}/restore` brings it back, for as long as what was removed is kept.",
            only_at=portal_schema.GROUP.tag,
        ),
        "idempotency_key_reused": Kind(
            _raised(lambda: idempotency.Reused()),
            "The Idempotency-Key came before, with another request.",
            "Take a new key for each request; send the old one only to repeat the same request.",
        ),
        "idempotency_key_in_use": Kind(
            _raised(lambda: idempotency.Underway(uuid.UUID(samples.ID))),
            "The first request with this Idempotency-Key is still being answered.",
            "Wait for the seconds in Retry-After, then repeat; or ask for the request_id of the answer.",
        ),
        "rate_limited": Kind(
            _raised(lambda: OverLimit(Decision(allowed=False, limit=1000, remaining=0, reset_seconds=30))),
            "The key has made more submits this minute than its limit allows.",
            "Wait for the seconds in Retry-After, then send the same request again.",
        ),
        "too_many_jobs": Kind(
            _raised(submission.TooManyJobs),
            "As many of the team's jobs are waiting or running as may be at a time.",
            "Wait for one to end, then send the same request again.",
        ),
        "too_many_fetches": Kind(
            _raised(inputs.TooManyFetches),
            "As many pictures are being fetched by URL for the team as may be at a time.",
            "Send the same request again after the seconds in Retry-After, or send the picture itself.",
        ),
        "internal_error": Kind(
            problems.internal,
            "Something broke on our side.",
            "Send the request again; where it goes on, tell us the x-request-id. Nothing was charged.",
        ),
        "engine_failed": Kind(
            _failed(Fault.ENGINE, "The engine did not deliver."),
            "Every engine that could serve the job failed.",
            "Submit again. Nothing was charged.",
        ),
        "out_of_time": Kind(
            problems.out_of_time,
            "The answer was not ready in time. Where only the wait ended, the job goes on and its picture is kept.",
            "Ask for the request_id of the answer, or submit without waiting and poll.",
        ),
    }
)
"""Kind → what is said of it."""
