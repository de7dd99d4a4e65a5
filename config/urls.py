"""Every address of the application."""

from django.urls import include, path

from config import health

urlpatterns = [
    path("healthz", health.live, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("", include("generations.docs_urls")),
    path("", include("generations.api.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("generations.urls")),
]
