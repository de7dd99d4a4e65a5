"""manage.py limit_api_key PREFIX"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import keys
from accounts.key_limits import Limits
from accounts.management import arguments
from accounts.models import ApiKey

NONE = "none"
_OPTIONS = {
    "models": "--model",
    "rate_limit": "--rate-limit",
    "daily": "--daily-credits",
    "monthly": "--monthly-credits",
}


class Command(BaseCommand):
    help = "Change what an API key is limited to. A limit that is not named stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prefix", help="the key's beginning, as the Keys page shows it, or all of it")
        parser.add_argument(
            "--model", action="append", metavar="SLUG", help=f"only it; may be repeated; {NONE}: every model"
        )
        parser.add_argument("--rate-limit", metavar="N", help=f"submits a minute; {NONE}: RATE_LIMIT alone")
        parser.add_argument("--daily-credits", metavar="N", help=f"what it may take in a day; {NONE}: no limit")
        parser.add_argument("--monthly-credits", metavar="N", help=f"what it may take in a month; {NONE}: no limit")

    def handle(self, *args: Any, **options: Any) -> None:
        key = _key(options["prefix"])
        now = Limits.of(key)
        try:
            keys.limit(
                key,
                models=_models(options["model"], now),
                rate_limit=_number(options["rate_limit"], now.rate_limit),
                daily=_credits(options, "daily_credits", now.daily),
                monthly=_credits(options, "monthly_credits", now.monthly),
            )
        except keys.InvalidKey as error:
            raise CommandError(f"{_OPTIONS.get(error.field, error.field)}: {error.message}") from error
        self.stdout.write(f"The limits of {key.prefix}… ({key.name}) are set.")


def _key(given: str) -> ApiKey:
    """Return the key; what else the text has than the prefix is not looked at."""
    prefix = given[: ApiKey._meta.get_field("prefix").max_length]
    found = ApiKey.objects.filter(prefix=prefix, revoked_at=None).first()
    if found is None:
        raise CommandError(f"prefix: {prefix!r}; no key that is in force begins so")
    return found


def _models(given: list[str] | None, now: Limits) -> list[str]:
    if given is None:
        return list(now.models)
    return [] if given == [NONE] else given


def _number(given: str | None, now: int | None) -> int | None:
    if given in (None, NONE):
        return now if given is None else None
    try:
        return int(str(given))
    except ValueError:
        raise CommandError(f"--rate-limit: {given!r}; a whole number, or {NONE}, is allowed") from None


def _credits(options: dict[str, Any], name: str, now: int | None) -> int | None:
    given = options[name]
    if given in (None, NONE):
        return now if given is None else None
    return arguments.credits(given, name=f"--{name.replace('_', '-')}", least=1)
