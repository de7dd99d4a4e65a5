"""The jobs API, which Replicate's clients speak: predictions. A translation and nothing else."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Right
from generations import access, finishing, notices, predictions, submission
from generations.api import bodies, door, filters, jobs_answers, jobs_requests, jobs_schema, pagination, problem_json
from generations.api.door import DoorView
from generations.api.jobs_requests import Asked
from generations.api.problems import Problem
from generations.catalogue import ImageModel
from generations.models import Generation
from generations.models.generation import KEPT, Door

MARGIN = 0.5
"""Seconds by which an answer comes before the caller's time is over."""


class JobsView(DoorView):
    """A view of this dialect: every error is application/problem+json.

    under: where in the body the fields lie that an error names.
    """

    group = jobs_schema.GROUP
    under: Sequence[str] = ()

    def tell(self, problem: Problem) -> Response:
        if problem.kind == "unsupported_content_type":
            problem = replace(problem, status=415)
        return problem_json.answer(problem, under=self.under)


class CreateView(JobsView):
    """What both ways to make a prediction share."""

    def create(self, request: Request, model: ImageModel, asked: Asked, began: float) -> HttpResponse:
        self.under = ("input",)
        raw = bodies.values(asked.input, model.image_names)
        if asked.dry_run:
            price = submission.quote(
                actor=self.actor, model=model.slug, raw=raw, allow_fallback=self.allow_fallback(request)
            )
            return jobs_answers.price(self.actor, model, price)
        seconds = jobs_requests.wait(request)
        if seconds is None:
            return jobs_answers.created(self._submit(request, model, raw, asked).generation)
        return self._wait(request, model, raw, asked, seconds, began)

    def _wait(
        self, request: Request, model: ImageModel, raw: dict[str, Any], asked: Asked, seconds: int, began: float
    ) -> HttpResponse:
        """Make a prediction and answer when it has ended, or when the caller's time is nearly over."""
        generation_id = uuid.uuid4()
        with notices.expected(generation_id) as bell:
            accepted = self._submit(request, model, raw, asked, generation_id)
            done = self.final(accepted, bell, seconds - MARGIN - (time.monotonic() - began))
        if done:
            return jobs_answers.ended(accepted.generation, done, seconds)
        return jobs_answers.waited(access.generation(self.actor, accepted.generation.id), seconds)

    def _submit(
        self,
        request: Request,
        model: ImageModel,
        raw: dict[str, Any],
        asked: Asked,
        generation_id: uuid.UUID | None = None,
    ) -> submission.Submission:
        return self.accepted_as(
            submission.submit(
                actor=self.actor,
                door=Door.JOBS,
                model=model.slug,
                raw=raw,
                generation_id=generation_id,
                allow_fallback=self.allow_fallback(request),
                alongside=asked.alongside,
                once=self.once(request),
            )
        )


class ModelPredictionsView(CreateView):
    """POST /v1/models/{owner}/{slug}/predictions."""

    schema = jobs_schema.MODEL_PREDICTIONS
    rights = {"POST": Right.GENERATE}

    def post(self, request: Request, owner: str, slug: str) -> HttpResponse:
        began = time.monotonic()
        self.count_submit()
        model = jobs_requests.model(self.actor, owner, slug)
        return self.create(request, model, jobs_requests.read(request), began)


class PredictionsView(CreateView):
    """/v1/predictions: the team's predictions, whichever door they came in by; and a new one, by `version`."""

    schema = jobs_schema.PREDICTIONS
    rights = {"GET": Right.VIEW, "POST": Right.GENERATE}
    narrowed_by: ClassVar[dict[str, filters.Parse]] = {
        "created_after": filters.moment,
        "created_before": filters.moment,
    }

    def get(self, request: Request) -> HttpResponse:
        given = filters.read(request, self.narrowed_by, pagination.PARAMETERS)
        asked = pagination.read(given, (datetime.fromisoformat, uuid.UUID))
        rows = _within(Generation.objects.filter(KEPT, team_id=self.actor.team_id), given)
        found = pagination.page(rows.prefetch_related(*predictions.LOADED), asked)
        return pagination.answer(request, found, predictions.prediction)

    def post(self, request: Request) -> HttpResponse:
        began = time.monotonic()
        self.count_submit()
        asked = jobs_requests.read(request, more=["version"])
        return self.create(request, jobs_requests.model_of_version(self.actor, asked.version), asked, began)


def _within(rows: QuerySet[Generation], given: dict[str, Any]) -> QuerySet[Generation]:
    """Narrow to a time: its beginning belongs to it, its end does not."""
    if "created_after" in given:
        rows = rows.filter(created_at__gte=given["created_after"])
    if "created_before" in given:
        rows = rows.filter(created_at__lt=given["created_before"])
    return rows


class PredictionView(JobsView):
    """GET /v1/predictions/{id}."""

    schema = jobs_schema.PREDICTION_VIEW
    rights = {"GET": Right.VIEW}

    def get(self, request: Request, prediction_id: uuid.UUID) -> HttpResponse:
        return jobs_answers.shown(access.generation(self.actor, prediction_id))


class CancelView(JobsView):
    """POST /v1/predictions/{id}/cancel: one that has ended stays as it is."""

    schema = jobs_schema.CANCEL
    rights = {"POST": Right.VIEW}

    def post(self, request: Request, prediction_id: uuid.UUID) -> HttpResponse:
        generation = access.generation(self.actor, prediction_id)
        if not access.may_cancel(self.actor, generation):
            raise PermissionDenied(
                "Only the keys of who started a prediction, if their scope is generate, can cancel it."
            )
        finishing.cancel(generation.id)
        return jobs_answers.shown(access.generation(self.actor, prediction_id))


class UnknownView(JobsView, door.UnknownView):
    """Any other path of the dialect."""

    instead = "of Replicate's API there are predictions, models, files, account and webhooks/default/secret"
