"""The settings of a machine where nothing is set, of a production site, and of one where something is set wrongly."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from config import secret_key
from tests.conftest import run_at_once

ROOT = Path(__file__).resolve().parent.parent
SHOWN = [
    "DEBUG",
    "HOST",
    "PORT",
    "PUBLIC_URL",
    "ALLOWED_HOSTS",
    "CSRF_TRUSTED_ORIGINS",
    "SESSION_COOKIE_SECURE",
    "SECURE_HSTS_SECONDS",
    "CELERY_BROKER_URL",
    "CACHES",
    "STORAGES",
    "SECRET_KEY",
    "DATABASES",
    "SECURE_PROXY_SSL_HEADER",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    "SECURE_HSTS_PRELOAD",
    "ALLAUTH_TRUSTED_PROXY_COUNT",
    "DEFAULT_FROM_EMAIL",
    "EMAIL_BACKEND",
]


def run(tmp_path: Path, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    variables = {**kept, "DATA_DIR": str(tmp_path / "my data"), **environment}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=variables, text=True, capture_output=True)


def settings(tmp_path: Path, **environment: str) -> dict[str, Any]:
    code = f"import json; from config import settings as s; print(json.dumps({{n: getattr(s, n) for n in {SHOWN}}}))"
    finished = run(tmp_path, code, **environment)
    assert finished.returncode == 0, finished.stderr
    shown: dict[str, Any] = json.loads(finished.stdout)
    return shown


def test_nothing_set_is_one_machine_without_servers(tmp_path: Path) -> None:
    shown = settings(tmp_path)
    assert shown["DEBUG"] is False
    assert (shown["HOST"], shown["PORT"]) == ("127.0.0.1", 8000)
    assert shown["PUBLIC_URL"] == "http://127.0.0.1:8000"
    assert set(shown["ALLOWED_HOSTS"]) == {"127.0.0.1", "localhost", "[::1]"}
    assert shown["CELERY_BROKER_URL"].startswith("filesystem://")
    assert shown["DATABASES"]["default"]["NAME"] == str(tmp_path / "my data" / "sceneshift.sqlite3")
    assert shown["STORAGES"]["default"]["BACKEND"].endswith("FileSystemStorage")


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    first, second = settings(tmp_path)["SECRET_KEY"], settings(tmp_path)["SECRET_KEY"]
    file = tmp_path / "my data" / "secret_key"
    assert first == second == file.read_text()
    assert len(first) > 60
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_the_limits_on_signing_in_need_no_redis(tmp_path: Path) -> None:
    code = """import django; django.setup()
from django.core.cache import cache
from django.core.management import call_command
call_command("createcachetable")
assert cache.add("a", 1) and not cache.add("a", 2) and cache.get("a") == 1
"""
    dead = {"REDIS_URL": "redis://127.0.0.1:1/0", "DJANGO_SETTINGS_MODULE": "config.settings"}
    finished = run(tmp_path, code, **dead)
    assert finished.returncode == 0, finished.stderr


def test_mail_by_default_goes_into_a_file(tmp_path: Path) -> None:
    code = """import django; django.setup()
from django.core.mail import send_mail
send_mail("Reset", "a secret link", None, ["me@example.com"])
"""
    finished = run(tmp_path, code, DJANGO_SETTINGS_MODULE="config.settings")
    (file,) = (tmp_path / "my data" / "mail").iterdir()
    assert "a secret link" in file.read_text()
    assert "secret" not in finished.stdout + finished.stderr


@pytest.mark.parametrize("left", ["", " \n"])
def test_an_empty_key_is_no_key(tmp_path: Path, left: str) -> None:
    file = tmp_path / "secret_key"
    file.write_text(left)
    assert len(secret_key.kept(file)) > 60
    assert secret_key.kept(file) == file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_all_who_start_at_once_have_one_key(tmp_path: Path) -> None:
    file = tmp_path / "secret_key"
    assert run_at_once(lambda _: secret_key.kept(file), 16) == [file.read_text()] * 16
    assert list(tmp_path.iterdir()) == [file]


def test_a_key_is_kept_where_there_are_no_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    key = secret_key.kept(tmp_path / "secret_key")
    assert secret_key.kept(tmp_path / "secret_key") == key


@pytest.mark.parametrize(
    ("environment", "count"),
    [({}, 0), ({"PUBLIC_URL": "https://x.example.com"}, 1), ({"BEHIND_PROXY": "true"}, 1)],
)
def test_people_behind_a_proxy_are_told_apart(tmp_path: Path, environment: dict[str, str], count: int) -> None:
    shown = settings(tmp_path, **environment)
    assert shown["ALLAUTH_TRUSTED_PROXY_COUNT"] == count
    assert bool(shown["SECURE_PROXY_SSL_HEADER"]) == bool(count)


def test_mail_lies_in_a_private_folder_until_it_is_sent(tmp_path: Path) -> None:
    shown = settings(tmp_path)
    assert shown["EMAIL_BACKEND"].endswith("filebased.EmailBackend")
    assert stat.S_IMODE((tmp_path / "my data" / "mail").stat().st_mode) == 0o700
    assert shown["DEFAULT_FROM_EMAIL"] == "Sceneshift <no-reply@localhost>"
    sent = settings(tmp_path, EMAIL_URL="smtp+tls://u:p@mail.example.com:587", MAIL_FROM="Studio <s@example.com>")
    assert sent["EMAIL_BACKEND"].endswith("smtp.EmailBackend")
    assert sent["DEFAULT_FROM_EMAIL"] == "Studio <s@example.com>"


def test_an_address_of_ipv6(tmp_path: Path) -> None:
    shown = settings(tmp_path, PUBLIC_URL="https://[2001:db8::1]:8443")
    assert shown["ALLOWED_HOSTS"] == ["[2001:db8::1]", "127.0.0.1"]
    assert shown["CSRF_TRUSTED_ORIGINS"] == ["https://[2001:db8::1]:8443"]
    assert settings(tmp_path, PUBLIC_URL="http://[::1]:8000")["ALLOWED_HOSTS"] == ["127.0.0.1", "localhost", "[::1]"]


def test_a_public_address_makes_cookies_secure_and_hosts_strict(tmp_path: Path) -> None:
    shown = settings(tmp_path, PUBLIC_URL="https://studio.example.com/")
    assert shown["PUBLIC_URL"] == "https://studio.example.com"
    assert shown["ALLOWED_HOSTS"] == ["studio.example.com", "127.0.0.1"]
    assert shown["CSRF_TRUSTED_ORIGINS"] == ["https://studio.example.com"]
    assert shown["SESSION_COOKIE_SECURE"] is True
    assert shown["SECURE_HSTS_SECONDS"] == 3600
    assert not shown["SECURE_HSTS_INCLUDE_SUBDOMAINS"]
    assert not shown["SECURE_HSTS_PRELOAD"]
    assert shown["DEFAULT_FROM_EMAIL"] == "Sceneshift <no-reply@studio.example.com>"
    wider = settings(tmp_path, PUBLIC_URL="https://example.com", HSTS_SUBDOMAINS="true", HSTS_SECONDS="31536000")
    assert (wider["SECURE_HSTS_SECONDS"], wider["SECURE_HSTS_INCLUDE_SUBDOMAINS"]) == (31536000, True)


def test_servers_are_used_where_they_are_named(tmp_path: Path) -> None:
    shown = settings(
        tmp_path,
        DATABASE_URL="postgres://me:secret@db.example.com:5433/studio",
        REDIS_URL="redis://cache.example.com:6379/1",
        STORAGE_URL="s3://key:secret@s3.example.com:9000/pictures",
    )
    database = shown["DATABASES"]["default"]
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db.example.com", 5433, "studio")
    assert database["OPTIONS"]["pool"]["max_size"] == 16
    assert shown["CELERY_BROKER_URL"] == "redis://cache.example.com:6379/1"
    assert shown["CACHES"]["default"]["BACKEND"].endswith("DatabaseCache"), "signing in would need Redis"
    assert shown["STORAGES"]["default"]["OPTIONS"]["bucket_name"] == "pictures"
    other = settings(tmp_path, REDIS_URL="redis://c/1", CELERY_BROKER_URL="amqp://guest@rabbit//")
    assert other["CELERY_BROKER_URL"] == "amqp://guest@rabbit//"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("PORT", "web", "PORT='web' is not a whole number"),
        ("PORT", "70000", "PORT=70000 is not a port: 1 to 65535 are allowed"),
        ("JOB_DEADLINE", "1.5", "JOB_DEADLINE='1.5' is not a whole number"),
        ("ROUTES", "{", "ROUTES cannot be read"),
        ("STORAGE_URL", "ftp://x/y", "STORAGE_URL: expected s3://"),
        ("STORAGE_URL", "s3://key:HIDDEN@host:99999/b", "STORAGE_URL: host or port cannot be read"),
        ("STORAGE_URL", "s3://key:HIDDEN/x@host/b", "STORAGE_URL: host or port cannot be read"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL is not of the form postgres://USER:PASSWORD@HOST:PORT/NAME or"),
        ("DATABASE_URL", "mysql://u:HIDDEN@h/x", "DATABASE_URL is not of the form postgres://"),
        ("DATABASE_URL", "postgres://u:HIDDEN@h:x/y", "DATABASE_URL is not of the form postgres://"),
        ("WEB_PROCESSES", "0", "WEB_PROCESSES=0: 1 or more is allowed"),
        ("RATE_LIMIT", "-1", "RATE_LIMIT=-1: 0 or more is allowed"),
        ("LINK_SECONDS", "601", "LINK_SECONDS=601: 1 to 600 are allowed"),
        ("PUBLIC_URL", "studio.example.com", "PUBLIC_URL='studio.example.com' is not of the form https://HOST or"),
        ("PUBLIC_URL", "https://x.example.com/studio", "is not of the form https://HOST or http://HOST:PORT"),
        ("PUBLIC_URL", "https://x.example.com:port", "is not of the form https://HOST or http://HOST:PORT"),
        ("PUBLIC_URL", "ftp://x.example.com", "is not of the form https://HOST or http://HOST:PORT"),
        ("SIGNUP", "Open", "SIGNUP='Open': closed or open is allowed"),
        ("SIGNUP_CREDITS", "many", "SIGNUP_CREDITS='many' is not an amount of credits"),
        ("SIGNUP_CREDITS", "-1", "SIGNUP_CREDITS='-1': 0 or more is allowed"),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, variable: str, value: str, message: str) -> None:
    finished = run(tmp_path, "import config.settings", **{variable: value})
    assert finished.returncode != 0
    assert message in finished.stderr.splitlines()[-1]
    assert "HIDDEN" not in finished.stderr
