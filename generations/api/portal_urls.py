"""The addresses of the portal's resources."""

from generations.api import webhooks_urls

urlpatterns = [
    *webhooks_urls.urlpatterns,
]
