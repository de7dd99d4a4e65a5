"""manage.py engines"""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.credits import format_credits
from generations import engine_report, upkeep
from generations.engine_report import Report

WIDTH = 10
"""Characters of a fact's name."""


class Command(BaseCommand):
    help = "Show how each engine does, what it has in hand and what it took today; or switch one off and on again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        act = parser.add_mutually_exclusive_group()
        act.add_argument("--drain", metavar="ALIAS", help="call this engine no more; what it has in hand is collected")
        act.add_argument("--resume", metavar="ALIAS", help="call this engine again")
        act.add_argument("--unknown", action="store_true", help="list the attempts whose outcome is not known")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            if options["drain"]:
                upkeep.drain(options["drain"])
            elif options["resume"]:
                upkeep.resume(options["resume"])
        except upkeep.UnknownEngine as error:
            raise CommandError(str(error)) from error
        if options["unknown"]:
            self._unknown()
        else:
            self._engines([options["drain"] or options["resume"]])

    def _engines(self, only: list[str | None]) -> None:
        for report in engine_report.engines():
            if only == [None] or report.alias in only:
                self.stdout.write(f"{report.alias:{WIDTH + 2}}{_health(report)}")
                for name, value in _facts(report):
                    self.stdout.write(f"  {name:{WIDTH}}{value}")

    def _unknown(self) -> None:
        attempts = engine_report.unknown_attempts()
        for attempt in attempts:
            generation = attempt.generation
            self.stdout.write(
                f"attempt {attempt.pk}: run {generation.pk}, team {generation.team.slug}, engine {attempt.engine}, "
                f"{_time(attempt.ended_at)}, upstream id {attempt.upstream_id or 'not known'}"
            )
            self.stdout.write(f"  {attempt.error}")
        if not attempts:
            self.stdout.write("no attempt's outcome is unknown")
        elif len(attempts) == engine_report.MOST_UNKNOWN:
            self.stdout.write(f"the newest {engine_report.MOST_UNKNOWN}; there may be more")


def _health(report: Report) -> str:
    return f"{report.health} {_time(report.until)}" if report.until else str(report.health)


def _facts(report: Report) -> list[tuple[str, str]]:
    """Return what is said of an engine, line by line; the first line of several names the fact."""
    paid = "paid: called once for a job" if report.engine.paid else "free to repeat"
    workers = f"{report.workers} alive" if report.workers else "NONE ALIVE"
    facts = [
        ("kind", f"{report.kind}, {paid}"),
        ("answered", f"{report.answer}, {_time(report.answered_at)}" if report.answered_at else "–"),
        ("workers", f"queue {report.engine.queue}, {workers}"),
        ("jobs", f"{report.running} in hand, {report.waiting} waiting"),
        ("today", _today(report)),
        ("unknown", f"{report.unknown} attempts" if report.unknown else "none"),
    ]
    if report.gate.balance is not None:
        facts.append(("balance", _balance(report)))
    if report.gate.alert:
        facts.append(("ALERT", report.gate.alert))
    return [*facts, *_route(report)]


def _today(report: Report) -> str:
    today = report.today
    return (
        f"{today.delivered} delivered, {format_credits(today.spent)} credits spent, "
        f"{format_credits(today.charged)} charged"
    )


def _balance(report: Report) -> str:
    said = f"{format_credits(report.gate.balance or 0)} credits upstream, {_time(report.gate.balance_at)}"
    return f"{said}; LOW, under {format_credits(report.low_balance)}" if report.is_low else said


def _route(report: Report) -> list[tuple[str, str]]:
    lines = [
        f"{place.model}: {place.number}.{f' ({place.conditions})' if place.conditions else ''}"
        for place in report.route
    ] or ["on no route"]
    return [("" if number else "route", line) for number, line in enumerate(lines)]


def _time(moment: datetime | None) -> str:
    """Return a moment in UTC, and how long ago it was."""
    if moment is None:
        return "at an unknown time"
    written = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    seconds = (timezone.now() - moment).total_seconds()
    return written if seconds < 0 else f"{written} ({_age(seconds)} ago)"


def _age(seconds: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"
