"""What browsers and proxies may keep of a page: nothing."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers

from config.requests import GetResponse


class PageCachingMiddleware:
    """Let no page be kept that does not say otherwise: going back after signing out asks again.

    Pictures, files and answers of the API say for themselves what holds for them.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        if is_page and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response
