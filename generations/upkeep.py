"""What the operator does with an engine: switch it off and on again, ask what is left upstream."""

from django.conf import settings
from django.utils import timezone

from generations import gate, routing, waiting
from generations.engines import base
from generations.models import Gate


class UnknownEngine(Exception):
    """There is no engine under this alias; the message names those that there are."""


class NoAnswer(Exception):
    """The upstream did not say what is left; the message is for the operator alone."""


def drain(alias: str) -> None:
    """Call an engine no more; what it has in hand is still collected. Raises UnknownEngine."""
    gate.drain(_known(alias).alias, drained=True)


def resume(alias: str) -> None:
    """Call an engine again. Raises UnknownEngine."""
    gate.drain(_known(alias).alias, drained=False)


def ask_balance(alias: str) -> int:
    """Ask what is left upstream, write it down and return it, in millionths of a credit.

    Raises UnknownEngine, NoAnswer. What was wrong with the account is over once it answers that something is left.
    """
    engine = _known(alias)
    Gate.objects.get_or_create(engine=alias)
    waiting.let_go()
    try:
        left = engine.balance()
    except base.NotConfigured as error:
        gate.note_alert(alias, error)
        raise NoAnswer(error.detail) from error
    except base.EngineError as error:
        raise NoAnswer(str(error)) from error
    if left is None:
        raise NoAnswer(f"{alias} does not say what is left.")
    solved = {"alert": ""} if left else {}
    Gate.objects.filter(engine=alias).update(balance=left, balance_at=timezone.now(), **solved)
    return left


def _known(alias: str) -> base.Engine:
    if alias not in settings.ENGINES:
        there = f"engine: {alias!r}; there are {', '.join(settings.ENGINES)}"
        raise UnknownEngine(f"{there}. Settings come from the environment: give this command the same as the server.")
    return routing.engine(alias)
