"""The jobs API: what webhooks are signed with."""

from django.http import HttpResponse
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Right
from generations import access
from generations.api import webhooks_schema
from generations.api.jobs import JobsView
from generations.webhooks import signing


class SecretView(JobsView):
    """GET /v1/webhooks/default/secret: the team's, for keys that may generate or manage webhooks."""

    group = webhooks_schema.GROUP
    schema = webhooks_schema.DEFAULT_SECRET
    rights = {"GET": Right.VIEW}

    def get(self, request: Request) -> HttpResponse:
        if not access.may_see_secret(self.actor):
            raise PermissionDenied("This key may not see the secret: its scopes are neither generate nor manage.")
        return Response({"key": signing.secret(self.actor.team_id)}, headers={"Cache-Control": "private, no-store"})
