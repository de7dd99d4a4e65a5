"""Environment variables whose errors say which variable, which value, and what is allowed."""

from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from accounts import credits

_KINDS = {int: "a whole number", float: "a number", bool: "true or false"}
_DATABASES = {"postgres", "postgresql", "sqlite"}
_DATABASE_FORMS = "postgres://USER:PASSWORD@HOST:PORT/NAME or sqlite:////FOLDER/FILE"


class Environment(environ.Env):  # type: ignore[misc]  # django-environ has no types
    """django-environ, with clear errors. Values that may hold a secret are not repeated in them.

    Every method raises ImproperlyConfigured on a value that is not allowed.
    """

    def get_value(self, var: str, cast: Any = None, **options: Any) -> Any:
        """Return the variable, cast."""
        try:
            return super().get_value(var, cast=cast, **options)
        except ValueError as error:
            value = self.ENVIRON.get(var, "")
            if cast in _KINDS:
                raise ImproperlyConfigured(f"{var}={value!r} is not {_KINDS[cast]}") from error
            raise ImproperlyConfigured(f"{var} cannot be read: {error}") from error

    def whole(self, var: str, default: int, *, least: int = 1, most: int | None = None) -> int:
        """Return a whole number from `least` to `most`."""
        number: int = self.int(var, default)
        if number < least or (most is not None and number > most):
            allowed = f"{least} to {most} are" if most is not None else f"{least} or more is"
            raise ImproperlyConfigured(f"{var}={number}: {allowed} allowed")
        return number

    def number(self, var: str, default: float) -> float:
        """Return a number that is 0 or more."""
        number: float = self.float(var, default)
        if not 0 <= number < float("inf"):
            raise ImproperlyConfigured(f"{var}={number}: 0 or more is allowed")
        return number

    def port(self, var: str, default: int) -> int:
        """Return a TCP port, 1 to 65535."""
        port: int = self.int(var, default)
        if not 0 < port < 65536:
            raise ImproperlyConfigured(f"{var}={port} is not a port: 1 to 65535 are allowed")
        return port

    def choice(self, var: str, default: str, *allowed: str) -> str:
        """Return `default`, or another of the words that are `allowed`."""
        word: str = self.str(var, default)
        if word not in {default, *allowed}:
            raise ImproperlyConfigured(f"{var}={word!r}: {' or '.join((default, *allowed))} is allowed")
        return word

    def amount(self, var: str, default: str) -> str:
        """Return credits, 0 or more, as they are written."""
        text: str = self.str(var, default)
        try:
            is_negative = credits.parse(text) < 0
        except ValueError as error:
            raise ImproperlyConfigured(f"{var}={text!r} is not an amount of {error}") from error
        if is_negative:
            raise ImproperlyConfigured(f"{var}={text!r}: 0 or more is allowed")
        return text

    def origin(self, var: str, default: str) -> SplitResult:
        """Return a web address without a path: http(s)://HOST or http(s)://HOST:PORT."""
        text: str = self.str(var, default).rstrip("/")
        try:
            parts = urlsplit(text)
            is_origin = parts.port != 0 and parts.scheme in {"http", "https"} and bool(parts.hostname)
        except ValueError:
            is_origin = False
        if not is_origin or "@" in parts.netloc or parts.path or parts.query or parts.fragment:
            raise ImproperlyConfigured(f"{var}={text!r} is not of the form https://HOST or http://HOST:PORT")
        return parts

    def database(self, var: str) -> dict[str, Any] | None:
        """Return Django's settings for the database that a URL names, or None where it is not set."""
        url: str = self.str(var, "")
        if not url:
            return None
        try:
            parts = urlsplit(url)
            is_known = parts.scheme in _DATABASES and parts.port != 0 and len(parts.path) > 1
        except ValueError:  # no port; its text would repeat part of the password
            is_known = False
        if not is_known:
            raise ImproperlyConfigured(f"{var} is not of the form {_DATABASE_FORMS}")
        config: dict[str, Any] = self.db_url_config(url)
        return config
