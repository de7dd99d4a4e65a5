"""What a person is told once everything runs: where it is, how to sign in, and a first call to paste."""

import http.client
import json
import time
from collections.abc import Callable
from types import ModuleType

from config import demo

READY_SECONDS = 60


def announce(settings: ModuleType, began: float, say: Callable[[str], None]) -> None:
    """Wait until jobs would be run, then say where and how; `began` is what time.monotonic said at the start."""
    late = began + READY_SECONDS
    while (problem := _problem(settings)) is not None:
        if time.monotonic() > late:
            late = float("inf")
            say(f"Not ready after {READY_SECONDS} s ({problem}), and still trying; logs: {settings.DATA_DIR / 'logs'}")
        time.sleep(0.1)
    say(_banner(settings, time.monotonic() - began))


def _problem(settings: ModuleType) -> str | None:
    """Return why /readyz does not answer 200, or None where it does."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.PORT, timeout=5)
    try:
        connection.request("GET", "/readyz", headers={"Host": settings.ALLOWED_HOSTS[0]})
        answer = connection.getresponse()
        checks = json.loads(answer.read()).get("checks", {}) if answer.status == 503 else {}
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"the web does not answer: {error}"
    finally:
        connection.close()
    if answer.status == 200:
        return None
    return (
        ", ".join(f"{name}: {result}" for name, result in checks.items() if result != "ok") or f"HTTP {answer.status}"
    )


def _banner(settings: ModuleType, seconds: float) -> str:
    account = demo.read(settings.DATA_DIR / "demo.txt")
    lines = ["", f"Sceneshift is ready ({seconds:.1f} s): {settings.PUBLIC_URL}", ""]
    if account and settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        lines += [
            f"  Sign in    {account.email}",
            f"  Password   {account.password}",
            f"  API key    {account.key}",
            "",
            "Replace a background:",
            "",
            *_curl(settings.PUBLIC_URL, account.key),
        ]
    else:
        lines.append(
            'Make a team: .venv/bin/python manage.py create_team "My team" --owner me@example.com --credits 25'
        )
    return "\n".join([*lines, "", f"Logs: {settings.DATA_DIR / 'logs'}    Stop: Ctrl+C"])


def _curl(address: str, key: str) -> list[str]:
    return [
        f"  curl {address}/v1/bg-replace -H 'x-api-key: {key}' \\",
        "    -F image=@static/demo/perfume.jpg -F ref_image=@static/demo/beach.jpg \\",
        "    -F prompt='a perfume bottle on a beach' -o out.jpg",
    ]
