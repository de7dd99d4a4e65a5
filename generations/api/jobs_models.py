"""The jobs API: image models, and whose key it is. The list is OpenAI's as well."""

from typing import Any, NoReturn

from django.http import Http404, HttpResponse
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import queries
from accounts.access import Right
from accounts.models import Team
from generations import catalogue, predictions
from generations.api import jobs_answers, jobs_requests, jobs_schema
from generations.api.jobs import JobsView


class ModelsView(JobsView):
    """GET /v1/models."""

    schema = jobs_schema.LIST_MODELS
    rights = {"GET": Right.VIEW}

    def get(self, request: Request) -> HttpResponse:
        return Response(jobs_answers.models(queries.runs(self.actor.team_id)))

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """Replicate's clients search by QUERY."""
        if request.method == "QUERY":
            raise MethodNotAllowed("QUERY", "Models are not searched here: GET lists all of them, in one page.")
        raise MethodNotAllowed(str(request.method))


class ModelView(JobsView):
    """GET /v1/models/{owner}/{slug}, and /v1/models/{slug}, as OpenAI's clients ask."""

    schema = jobs_schema.GET_MODEL
    rights = {"GET": Right.VIEW}

    def get(self, request: Request, slug: str, owner: str = predictions.OWNER) -> HttpResponse:
        declared = jobs_requests.model(self.actor, owner, slug)
        runs = queries.runs(self.actor.team_id).get(declared.slug, 0)
        return Response(jobs_answers.model(owner, declared, runs))


class VersionsView(JobsView):
    """GET /v1/models/{owner}/{slug}/versions: there is one, the latest."""

    schema = jobs_schema.VERSIONS
    rights = {"GET": Right.VIEW}

    def get(self, request: Request, owner: str, slug: str) -> HttpResponse:
        declared = jobs_requests.model(self.actor, owner, slug)
        return Response({"next": None, "previous": None, "results": [jobs_answers.version(declared)]})


class VersionView(JobsView):
    """GET /v1/models/{owner}/{slug}/versions/{version}."""

    schema = jobs_schema.GET_VERSION
    rights = {"GET": Right.VIEW}

    def get(self, request: Request, owner: str, slug: str, version: str) -> HttpResponse:
        declared = jobs_requests.model(self.actor, owner, slug)
        if version != catalogue.version(declared):
            raise Http404(f"There is no such version of {slug}; the latest is {catalogue.version(declared)}.")
        return Response(jobs_answers.version(declared))


class AccountView(JobsView):
    """GET /v1/account: the key's team."""

    schema = jobs_schema.GET_ACCOUNT
    rights = {"GET": Right.VIEW}

    def get(self, request: Request) -> HttpResponse:
        return Response(jobs_answers.account(self.actor, Team.objects.get(id=self.actor.team_id).name))
