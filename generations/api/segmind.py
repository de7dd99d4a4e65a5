"""The Segmind dialect: POST /v1/{slug} blocks, POST /v2/{slug} is polled. A translation and nothing else."""

import uuid
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpResponse
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import ledger
from accounts.access import Right
from accounts.credits import MICRO
from generations import access, catalogue, inputs, notices, submission
from generations.api import bodies, door, segmind_answers, segmind_errors, segmind_schema
from generations.api.door import DoorView
from generations.api.problems import Problem
from generations.models import Attempt, Generation
from generations.models.generation import Door, Status


class SegmindView(DoorView):
    """A view of this dialect: every error is `{"error": …}`."""

    group = segmind_schema.GROUP

    def tell(self, problem: Problem) -> Response:
        return segmind_errors.answer(problem)


class SubmitView(SegmindView):
    """What both submits share: the limit, the body, the call."""

    rights = {"POST": Right.GENERATE}

    def submit(self, request: Request, slug: str, generation_id: uuid.UUID | None = None) -> submission.Submission:
        self.count_submit()
        declared = catalogue.get(slug)
        return self.accepted_as(
            submission.submit(
                actor=self.actor,
                door=Door.SEGMIND,
                model=slug,
                raw=bodies.read(request, declared.image_names),
                unknown="ignore",
                generation_id=generation_id,
                allow_fallback=self.allow_fallback(request),
                once=self.once(request),
            )
        )


class RunView(SubmitView):
    """POST /v1/{slug}: the answer is the picture."""

    schema = segmind_schema.RUN

    def post(self, request: Request, slug: str) -> HttpResponse:
        generation_id = uuid.uuid4()
        with notices.expected(generation_id) as bell:
            accepted = self.submit(request, slug, generation_id)
            done = self.final(accepted, bell, settings.V1_DEADLINE)
        if done is None:
            return segmind_errors.out_of_time(generation_id)
        if done.generation.status != Status.SUCCEEDED:
            return segmind_errors.ended(done.generation)
        return segmind_answers.finished(done, accepted.ignored, request.headers.get("accept", ""))


class QueueView(SubmitView):
    """POST /v2/{slug}: the answer says where to ask."""

    schema = segmind_schema.QUEUE

    def post(self, request: Request, slug: str) -> HttpResponse:
        accepted = self.submit(request, slug)
        return segmind_answers.queued(accepted)


class RequestView(SegmindView):
    """GET of a request: its status, its result, or both, by `answer`."""

    rights = {"GET": Right.VIEW}
    answer: Callable[[Generation], dict[str, Any]] = staticmethod(segmind_answers.status)

    def get(self, request: Request, request_id: uuid.UUID) -> HttpResponse:
        generation = access.generation(self.actor, request_id)
        prefetch_related_objects([generation], Prefetch("attempts", Attempt.objects.order_by("number")))
        if generation.status in (Status.FAILED, Status.CANCELED):
            return Response(segmind_answers.failed(generation), status=422)
        return Response(self.answer(generation))


class CreditsView(SegmindView):
    """GET /v1/get-user-credits."""

    schema = segmind_schema.GET_CREDITS
    rights = {"GET": Right.VIEW}

    def get(self, request: Request) -> HttpResponse:
        return Response({"credits": ledger.balance(self.actor.team_id).available / MICRO, "free-credits": 0})


class UploadView(SegmindView):
    """POST /upload-asset: pictures that later requests name by URL."""

    MOST = 16
    schema = segmind_schema.UPLOAD
    rights = {"POST": Right.GENERATE}

    def post(self, request: Request) -> HttpResponse:
        given = bodies.read(request).get("data_urls")
        if not isinstance(given, list) or not 1 <= len(given) <= self.MOST:
            raise ParseError(f"data_urls: a list of 1 to {self.MOST} data: URIs is required")
        urls = [self._store(number, uri) for number, uri in enumerate(given)]
        return Response({"file_urls": urls, "urls": urls, "message": f"{len(urls)} uploaded"})

    def _store(self, number: int, uri: object) -> str:
        if not isinstance(uri, str) or not uri.startswith("data:"):
            raise ParseError(f"data_urls[{number}]: a data: URI is required, such as data:image/png;base64,…")
        try:
            asset = inputs.store(self.actor.team_id, uri, uploaded=True)
        except inputs.Unusable as error:
            raise ParseError(f"data_urls[{number}]: {error}") from error
        return f"{settings.PUBLIC_URL}/files/{asset.id}"


class UnknownView(SegmindView, door.UnknownView):
    """Any other path of the dialect."""
