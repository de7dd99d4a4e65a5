"""/api/webhooks: the team's registered addresses, every delivery, and the secret."""

import uuid

import msgspec
from django.http import Http404, HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access import Right
from generations import access, webhooks
from generations.api import filters, pagination, portal_bodies, problems, webhooks_answers, webhooks_schema
from generations.api.pagination import Cursor
from generations.api.portal import PortalView
from generations.catalogue.validation import FieldError, InvalidInput
from generations.models import Delivery, Webhook
from generations.webhooks import deliveries, endpoints, listing, signing

LONGEST_DESCRIPTION = 120
NAMES = ("url", "events")
NUMBERED = ("id",)
"""The order of deliveries, which are counted."""


class NewEndpoint(msgspec.Struct, forbid_unknown_fields=True):
    """A new address. events: None for all."""

    url: str
    events: list[str] | None = None
    description: str = ""
    enabled: bool = True


class EndpointChange(msgspec.Struct, forbid_unknown_fields=True):
    """What of an address is to be changed; what is not given stays."""

    events: list[str] | msgspec.UnsetType = msgspec.UNSET
    description: str | msgspec.UnsetType = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET


class WebhookView(PortalView):
    group = webhooks_schema.GROUP

    def count_by_hand(self) -> None:
        """Count a test or a replay. Raises problems.OverLimit."""
        self.rate = endpoints.count_by_hand(self.actor.team_id)
        if not self.rate.allowed:
            raise problems.OverLimit(self.rate)


class EndpointsView(WebhookView):
    """/api/webhooks: GET, POST {"url", "events", "description", "enabled"}."""

    schema = webhooks_schema.ENDPOINTS
    rights = {"GET": Right.VIEW, "POST": Right.MANAGE_WEBHOOKS}

    def get(self, request: Request) -> HttpResponse:
        asked = pagination.read(filters.read(request, pagination.PARAMETERS), (filters.moment, uuid.UUID))
        found = pagination.page(endpoints.registered(self.actor.team_id), asked)
        return pagination.answer(request, found, webhooks_answers.endpoint)

    def post(self, request: Request) -> HttpResponse:
        body = portal_bodies.read(request, NewEndpoint)
        hook = webhooks.read(body.url, body.events, names=NAMES)
        assert hook is not None, "there is a URL"
        description = _description(body.description)
        try:
            made = endpoints.register(self.actor.team_id, hook, description=description, enabled=body.enabled)
        except endpoints.TooMany as error:
            raise InvalidInput((FieldError("url", "", f"url: {error}"),)) from error
        return Response(webhooks_answers.endpoint(made), status=201)


class EndpointView(WebhookView):
    """/api/webhooks/{id}: GET, PATCH {"events", "description", "enabled"}, DELETE."""

    schema = webhooks_schema.ENDPOINT_ITEM
    rights = {"GET": Right.VIEW, "PATCH": Right.MANAGE_WEBHOOKS, "DELETE": Right.MANAGE_WEBHOOKS}

    def get(self, request: Request, webhook_id: uuid.UUID) -> HttpResponse:
        return Response(webhooks_answers.endpoint(access.webhook(self.actor, webhook_id)))

    def patch(self, request: Request, webhook_id: uuid.UUID) -> HttpResponse:
        found = access.webhook(self.actor, webhook_id)
        body = portal_bodies.read(request, EndpointChange)
        try:
            endpoints.change(
                found,
                events=None if body.events is msgspec.UNSET else webhooks.read_events(body.events),
                description=None if body.description is msgspec.UNSET else _description(body.description),
                enabled=None if body.enabled is msgspec.UNSET else body.enabled,
            )
        except Webhook.DoesNotExist as error:
            raise Http404 from error
        return Response(webhooks_answers.endpoint(found))

    def delete(self, request: Request, webhook_id: uuid.UUID) -> HttpResponse:
        endpoints.delete(access.webhook(self.actor, webhook_id))
        return Response(status=204)


class TestView(WebhookView):
    """POST /api/webhooks/{id}/test."""

    schema = webhooks_schema.TEST
    rights = {"POST": Right.MANAGE_WEBHOOKS}

    def post(self, request: Request, webhook_id: uuid.UUID) -> HttpResponse:
        found = access.webhook(self.actor, webhook_id)
        self.count_by_hand()
        made = endpoints.send_test(found)
        return _detail(made, status=202)


class DeliveriesView(WebhookView):
    """GET /api/webhooks/deliveries, of one state, one registered address, one prediction."""

    schema = webhooks_schema.DELIVERIES
    rights = {"GET": Right.VIEW}
    narrowed_by = {
        "state": filters.one_of(Delivery.State.values),
        "webhook": filters.identifier,
        "prediction": filters.identifier,
    }

    def get(self, request: Request) -> HttpResponse:
        given = filters.read(request, self.narrowed_by, pagination.PARAMETERS)
        columns = {"state": "state", "webhook": "webhook_id", "prediction": "generation_id"}
        wanted = {columns[name]: value for name, value in given.items() if name in columns}
        rows = listing.deliveries(self.actor.team_id).filter(**wanted)
        found = pagination.page(rows, pagination.read(given, (int,)), NUMBERED)
        return pagination.answer(
            request, found, webhooks_answers.delivery, cursor=lambda row, newer: Cursor((row.pk,), newer)
        )


class DeliveryView(WebhookView):
    """GET /api/webhooks/deliveries/{id}."""

    schema = webhooks_schema.DELIVERY_ITEM
    rights = {"GET": Right.VIEW}

    def get(self, request: Request, delivery_id: uuid.UUID) -> HttpResponse:
        return _detail(access.delivery(self.actor, delivery_id))


class ReplayView(WebhookView):
    """POST /api/webhooks/deliveries/{id}/replay."""

    schema = webhooks_schema.REPLAY
    rights = {"POST": Right.MANAGE_WEBHOOKS}

    def post(self, request: Request, delivery_id: uuid.UUID) -> HttpResponse:
        found = access.delivery(self.actor, delivery_id)
        self.count_by_hand()
        deliveries.replay(found)
        return _detail(found, status=202)


class SecretView(WebhookView):
    """GET /api/webhooks/secret."""

    schema = webhooks_schema.SECRET_ITEM
    rights = {"GET": Right.VIEW}

    def get(self, request: Request) -> HttpResponse:
        if not access.may_see_secret(self.actor):
            self.refuse(Right.GENERATE)
        return _secret(self.actor.team_id)


class RotateView(WebhookView):
    """POST /api/webhooks/secret/rotate."""

    schema = webhooks_schema.ROTATE
    rights = {"POST": Right.MANAGE_WEBHOOKS}

    def post(self, request: Request) -> HttpResponse:
        signing.rotate(self.actor.team_id)
        return _secret(self.actor.team_id)


def _secret(team_id: int) -> Response:
    until = signing.overlaps_until(team_id)
    return Response({"key": signing.secret(team_id), "overlaps_until": webhooks_answers.timestamp(until)})


def _detail(delivery: Delivery, *, status: int = 200) -> Response:
    found = listing.deliveries(delivery.team_id).get(id=delivery.id)
    return Response(webhooks_answers.detail(found, found.attempts.order_by("number")), status=status)


def _description(given: str) -> str:
    plain = given.strip()
    if len(plain) > LONGEST_DESCRIPTION or not (plain.isprintable()):
        raise portal_bodies.wrong("description", given, f"{LONGEST_DESCRIPTION} printable characters are allowed")
    return plain
