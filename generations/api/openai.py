"""OpenAI's dialect: POST /v1/images/edits, which waits for the pictures. A translation and nothing else."""

import uuid

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Right
from generations import notices, submission
from generations.api import door, openai_answers, openai_bodies, openai_errors, openai_schema, problems
from generations.api.door import DoorView
from generations.api.openai_bodies import Edit
from generations.api.problems import Problem
from generations.catalogue import InvalidInput
from generations.models.generation import Door, Status
from generations.submission import Submission


class OpenAIView(DoorView):
    """A view of this dialect. accepted: the job that was accepted, whatever the answer becomes."""

    group = openai_schema.GROUP
    accepted: uuid.UUID | None = None

    def tell(self, problem: Problem) -> Response:
        return openai_errors.answer(problem, self.accepted)


class EditsView(OpenAIView):
    """POST /v1/images/edits. What a caller that gave up had asked for goes on, and is in the gallery."""

    schema = openai_schema.EDIT
    rights = {"POST": Right.GENERATE}

    def post(self, request: Request) -> HttpResponse:
        self.count_submit()
        edit = openai_bodies.read(request)
        generation_id = uuid.uuid4()
        with notices.expected(generation_id) as bell:
            accepted = self.submit(request, edit, generation_id)
            self.accepted = accepted.generation.id
            done = self.final(accepted, bell, settings.V1_DEADLINE)
        if done is None:
            return self.tell(problems.out_of_time())
        if done.generation.status != Status.SUCCEEDED:
            return self.tell(problems.ended(done.generation))
        return openai_answers.finished(accepted.generation, done, edit)

    def submit(self, request: Request, edit: Edit, generation_id: uuid.UUID) -> Submission:
        try:
            return self.accepted_as(
                submission.submit(
                    actor=self.actor,
                    door=Door.OPENAI,
                    model=edit.model.slug,
                    raw=edit.raw,
                    fit=lambda images: openai_bodies.fit(self.actor.team_id, edit, images),
                    generation_id=generation_id,
                    allow_fallback=self.allow_fallback(request),
                    once=self.once(request),
                )
            )
        except InvalidInput as error:
            raise edit.told(error) from error


class UnknownView(OpenAIView, door.UnknownView):
    """Any other path of the dialect."""

    instead = "of OpenAI's API there are POST /v1/images/edits and GET /v1/models: this site edits photographs"
