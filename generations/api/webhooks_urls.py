"""The addresses of the resources of webhooks."""

from django.urls import path

from generations.api import portal_webhooks as webhooks

_DELIVERY = "api/webhooks/deliveries/<uuid:delivery_id>"

urlpatterns = [
    path("api/webhooks", webhooks.EndpointsView.as_view(), name="portal-webhooks"),
    path("api/webhooks/secret", webhooks.SecretView.as_view(), name="portal-webhook-secret"),
    path("api/webhooks/secret/rotate", webhooks.RotateView.as_view(), name="portal-webhook-rotate"),
    path("api/webhooks/deliveries", webhooks.DeliveriesView.as_view(), name="portal-deliveries"),
    path(_DELIVERY, webhooks.DeliveryView.as_view(), name="portal-delivery"),
    path(f"{_DELIVERY}/replay", webhooks.ReplayView.as_view(), name="portal-delivery-replay"),
    path("api/webhooks/<uuid:webhook_id>", webhooks.EndpointView.as_view(), name="portal-webhook"),
    path("api/webhooks/<uuid:webhook_id>/test", webhooks.TestView.as_view(), name="portal-webhook-test"),
]
