"""The addresses of the documentation, which anybody may read. One lies under /api/, so they come before the API's."""

from django.urls import path
from django.views.generic import RedirectView

from generations.views import docs

urlpatterns = [
    path("docs", docs.start, name="docs"),
    path("docs/", RedirectView.as_view(pattern_name="docs", permanent=True), name="docs-slash"),
    path("docs/models/<str:slug>", docs.model, name="docs-model"),
    path("docs/api", docs.reference, name="docs-api"),
    path("docs/errors", docs.errors, name="docs-errors"),
    path("docs/limits", docs.limits, name="docs-limits"),
    path("docs/webhooks", docs.webhooks, name="docs-webhooks"),
    path("docs/migrate/<str:client>", docs.migrate, name="docs-migrate"),
    path("api/docs", docs.reference, name="api-docs"),
]
