"""What allauth's mails say, and whom its limits hold back."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

PUBLIC = "https://studio.example.com:8443"


@pytest.fixture(autouse=True)
def _public(settings: Settings) -> None:
    settings.PUBLIC_URL = PUBLIC
    settings.ALLOWED_HOSTS = ["evil.example.net"]


def post(client: Client, name: str, **fields: str) -> str:
    """POST as a stranger who writes the Host header; return the one mail that was sent."""
    answer = client.post(reverse(name), fields, headers={"host": "evil.example.net"})
    assert answer.status_code == 302, answer.content
    (sent,) = mail.outbox
    assert sent.subject.startswith("[Sceneshift] ")
    body = str(sent.body)
    assert "evil" not in sent.subject + body + sent.from_email
    assert re.findall(r"https?://[^/\s]+", body)
    assert set(re.findall(r"https?://[^/\s]+", body)) == {PUBLIC}
    return body


def test_a_link_that_resets_a_password_is_ours_whoever_asked(client: Client, owner: User) -> None:
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    body = post(client, "account_reset_password", email=owner.email)
    (path,) = re.findall(rf"{PUBLIC}(/accounts/password/reset/key/\S+)", body)
    assert client.get(path, headers={"host": "evil.example.net"}).status_code == 302


def test_so_are_the_links_of_signing_up(client: Client, owner: User, settings: Settings) -> None:
    settings.SIGNUP = "open"
    new = {"password1": PASSWORD, "password2": PASSWORD}
    assert "/accounts/confirm-email/" in post(client, "account_signup", email="new@example.com", **new)
    mail.outbox.clear()
    client.logout()
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    post(client, "account_reset_password", email="nobody@example.com")


def test_who_guesses_behind_a_proxy_locks_nobody_else_out(client: Client, owner: User, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def sign_in(address: str, email: str, password: str) -> int:
        chain = f"198.51.100.9, {address}"  # the first is what a stranger claims
        fields = {"login": email, "password": password}
        return client.post(reverse("account_login"), fields, headers={"x-forwarded-for": chain}).status_code

    for number in range(40):
        sign_in("203.0.113.1", f"{number}@example.com", "wrong")
    assert sign_in("203.0.113.1", owner.email, PASSWORD) != 302
    assert sign_in("203.0.113.2", owner.email, PASSWORD) == 302
