"""How allauth signs people up and in here, and what its mails say."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.sites.requests import RequestSite
from django.http import HttpRequest, HttpResponse

from accounts import teams
from accounts.models import User


def _is_open() -> bool:
    return bool(settings.SIGNUP == "open")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is imported without types
    """Sign-up is closed unless SIGNUP=open; then whoever verified an address gets a team of their own."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return _is_open()

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        is_confirmed = bool(super().confirm_email(request, email_address))
        if is_confirmed and _is_open():
            teams.welcome(email_address.user)
        return is_confirmed

    def post_login(self, request: HttpRequest, user: User, **options: Any) -> HttpResponse:
        """An address is also verified by resetting a password, which goes past confirm_email."""
        if _is_open() and EmailAddress.objects.filter(user=user, verified=True).exists():
            teams.welcome(user)
        response: HttpResponse = super().post_login(request, user, **options)
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Every address in a mail is on PUBLIC_URL: allauth takes them from the Host header, which strangers write."""
        links = {name: _public(value) for name, value in context.items() if name.endswith("_url") and value}
        super().send_mail(template_prefix, email, {**context, **links, "current_site": _Site()})


class _Site(RequestSite):
    """The installation, as mails name it."""

    def __init__(self) -> None:
        self.domain = self.name = urlsplit(settings.PUBLIC_URL).netloc


def _public(url: str) -> str:
    parts = urlsplit(url)
    return f"{settings.PUBLIC_URL}{parts._replace(scheme='', netloc='').geturl()}"
