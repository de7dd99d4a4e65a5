"""Run an image model from the command line, through the same submission as every other door."""

import sys
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import access, ledger
from accounts.access import Actor
from accounts.credits import format_credits
from accounts.models import Membership, Role
from generations import catalogue, delivery, derivatives, execution, finishing, inputs, queries, routing, submission
from generations.imaging import decode, encode
from generations.models import Attempt, Generation, Output
from generations.models.attempt import LIVE, State
from generations.models.generation import Door, Status

IMAGES = ("image", "mask", "ref_image")
LOOK_EVERY = 0.2
"""Seconds between two looks at an attempt that is not to be run yet, or that a worker has taken."""
REFUSALS: dict[type[Exception], str] = {
    ledger.InsufficientCredits: "",
    ledger.OverBudget: "",
    routing.NoEngine: "",
    submission.TooManyJobs: "Too many of the team's jobs are in flight; wait for one to end.",
    inputs.TooManyFetches: "Too many of the team's image URLs are being fetched; try again in a moment.",
}
"""What a refusal says; its own words where there are none here."""


class Command(BaseCommand):
    help = "Run an image model on local files and write the picture; needs no web server and no worker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", choices=sorted(catalogue.MODELS))
        for name in IMAGES:
            parser.add_argument(f"--{name.replace('_', '-')}", type=Path, required=name == "image")
        parser.add_argument("--prompt", default="")
        parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="any other parameter")
        parser.add_argument("--lock", action="store_true", help="paste the subject's own pixels back")
        parser.add_argument("--team", default="", help="slug of the team that pays; the first one otherwise")
        parser.add_argument("--out", type=Path, required=True, help="further samples get -2, -3, … before the suffix")

    def handle(self, *_: Any, **options: Any) -> None:
        if not options["out"].parent.is_dir():
            raise CommandError(f"--out {options['out']}: there is no folder {options['out'].parent}")
        try:
            accepted = submission.submit(
                actor=_owner(options["team"]),
                door=Door.COMMAND,
                model=options["model"],
                raw=_input(options),
                lock=options["lock"],
                publish=False,
            )
        except catalogue.InvalidInput as error:
            raise CommandError("\n".join(each.message for each in error.errors)) from error
        except tuple(REFUSALS) as error:
            raise CommandError(REFUSALS[type(error)] or str(error)) from error
        self._line(f"running; it costs {format_credits(accepted.generation.quote)} credits at most …")
        self._report(_finish(accepted.generation), options["out"])

    def _report(self, run: queries.Run, out: Path) -> None:
        generation = run.generation
        if generation.status != Status.SUCCEEDED:
            said = generation.error or f"The run is {generation.status}."
            raise CommandError(said if generation.cost else f"{said} Nothing was charged.")
        for output in run.outputs:
            path = out if output.number == 0 else out.with_stem(f"{out.stem}-{output.number + 1}")
            _write(path, _encoded(output, path.suffix.lower()))
            self._line(
                f"wrote {path}: {output.width} × {output.height}, seed {output.seed}{_fidelity(output.fidelity)}"
            )
        self._line(
            f"{format_credits(generation.cost or 0)} credits, {generation.seconds or 0:.2f} s, "
            f"engine {generation.engine}"
        )
        for note in generation.notes:
            self._line(note)

    def _line(self, text: str) -> None:
        self.stdout.write(text)
        sys.stdout.flush()


def _encoded(output: Output, suffix: str) -> bytes:
    """Return the picture in the format that a file's name promises: the master, PNG, or JPEG for every other name."""
    if suffix == f".{delivery.EXTENSIONS[output.content_type]}":
        return delivery.read(output.file)
    if suffix == ".png":
        return encode.png(decode.decode(delivery.read(output.file), alpha=True))
    return delivery.image(output)[0]


def _owner(slug: str) -> Actor:
    owners = Membership.objects.filter(role=Role.OWNER, user__is_active=True).select_related("team").order_by("id")
    owner = (owners.filter(team__slug=slug) if slug else owners).first()
    if owner is None:
        raise CommandError(f"--team {slug or '(none)'}: there is no such team; create_team makes one")
    return access.actor_of(owner)


def _input(options: dict[str, Any]) -> dict[str, Any]:
    raw: dict[str, Any] = {"prompt": options["prompt"] or None}
    for name in IMAGES:
        if options[name]:
            try:
                raw[name] = options[name].read_bytes()
            except OSError as error:
                raise CommandError(f"--{name.replace('_', '-')} {options[name]}: {error.strerror}") from error
    for pair in options["param"]:
        name, equals, value = pair.partition("=")
        if not equals:
            raise CommandError(f"--param {pair}: NAME=VALUE is needed, such as seed=7")
        raw[name] = value
    return raw


def _finish(generation: Generation) -> queries.Run:
    """Carry out every attempt here, in this process; wait for one that a worker has taken."""
    try:
        while attempt := generation.attempts.filter(state__in=LIVE).order_by("number").first():
            _advance(attempt)
    except KeyboardInterrupt:
        finishing.cancel(generation.id)
        raise
    derivatives.make(generation.id)
    generation.refresh_from_db()
    return queries.run(generation)


def _advance(attempt: Attempt) -> None:
    if attempt.state == State.QUEUED:
        execution.run(attempt.id)
    if Attempt.objects.filter(id=attempt.id, state__in=LIVE).exists():
        time.sleep(LOOK_EVERY)


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}; the picture is in the gallery") from error


def _fidelity(report: dict[str, Any] | None) -> str:
    if report is None:
        return ""
    return f", kept pixels changed: {report['changed_share']:.2%}, mean ΔE {report['delta_e_mean']:.2f}"
