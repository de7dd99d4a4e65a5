"""What the pages of a run and of a picture say, from the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.access import Actor, Right
from generations import access, catalogue
from generations.catalogue import ImageModel
from generations.models import Asset, Attempt, Generation, Output
from generations.models.attempt import LIVE, State
from generations.models.generation import Status
from generations.queries import Run
from generations.views import values

WORDS: Mapping[str, str] = {
    Status.QUEUED: "Waiting for a worker",
    Status.RUNNING: "Running",
    Status.SUCCEEDED: "Done",
    Status.FAILED: "Failed",
    Status.CANCELED: "Canceled",
}
TRIES: Mapping[str, tuple[str, str]] = {
    State.QUEUED: ("Waiting", ""),
    State.SUBMITTING: ("At work", ""),
    State.SUBMITTED: ("At work", ""),
    State.DONE: ("Delivered", "good"),
    State.FAILED: ("Did not deliver", "bad"),
    State.CANCELED: ("Stopped", "caution"),
    State.UNKNOWN: ("Outcome unknown, not charged", "caution"),
}
"""An attempt's state in words, and the tone of its badge."""

LONG_TEXT = 40
PATIENCE = 30
"""Seconds after which a run that has not ended is said to take long."""

FIDELITY_WAIT = timedelta(seconds=60)
"""How long a page asks for the comparison, which is made after the run."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as a page lists it."""

    label: str
    value: Any
    is_long: bool


@dataclass(frozen=True, slots=True)
class Input:
    """An input picture as a page shows it."""

    label: str
    asset: Asset


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt as a page lists it. cost: upstream, in millionths of a credit; for the operator alone."""

    engine: str
    words: str
    tone: str
    seconds: float | None
    error: str
    cost: int | None


@dataclass(frozen=True, slots=True)
class StandIn:
    """That another engine made the picture than was to, and why."""

    engine: str
    instead_of: str
    note: str


def of_run(actor: Actor, run: Run, *, number: int = 0) -> dict[str, Any]:
    """Return a template's context for a run; `number` is the sample that is shown large."""
    generation = run.generation
    model = catalogue.get(generation.model)
    selected = next((output for output in run.outputs if output.number == number), None)
    return {
        "run": run,
        "model": model,
        "models": catalogue.MODELS,
        "selected": selected,
        "before": run.inputs.get("image"),
        "inputs": [Input(model.by_name[name].title, asset) for name, asset in run.inputs.items()],
        "parameters": parameters(model, generation),
        "may_run": actor.may(Right.GENERATE),
        "may_cancel": access.may_cancel(actor, generation),
        "may_remove": access.may_remove(actor, generation),
        "tries": tries(run.attempts),
        **of_engine(generation),
        "is_held": any(attempt.state in LIVE for attempt in run.attempts),
        "snippets": values.code(model, generation.params, settings.PUBLIC_URL),
        **of_progress(generation),
        **(of_fidelity(generation, selected) if selected else {}),
    }


def of_progress(generation: Generation) -> dict[str, Any]:
    """Return the context of what moves while a run has not ended."""
    elapsed = (timezone.now() - generation.created_at).total_seconds()
    words = WORDS[generation.status]
    stage = generation.stage if generation.status == Status.RUNNING else ""
    return {
        "words": words,
        "is_active": not Status(generation.status).is_final,
        "stage": stage[:1].upper() + stage[1:] or words,
        "percent": round(100 * generation.progress),
        "elapsed": elapsed,
        "is_long": elapsed > PATIENCE,
        "interval": "2s" if elapsed > PATIENCE else "700ms",
        "deadline": settings.JOB_DEADLINE,
    }


def of_engine(generation: Generation) -> dict[str, Any]:
    """Return whether another engine made it than was to, and what else the engine notes."""
    first = generation.stood_in_for
    if not first:
        return {"stand_in": None, "notes": generation.notes}
    why = [note for note in generation.notes if note.startswith(f"{generation.engine} stood in for ")]
    return {
        "stand_in": StandIn(generation.engine, first, " ".join(why)),
        "notes": [note for note in generation.notes if note not in why],
    }


def tries(attempts: Sequence[Attempt]) -> list[Try]:
    """Return the attempts as a page lists them; none where the only one went as it should."""
    if len(attempts) == 1 and not attempts[0].error:
        return []
    return [Try(each.engine, *TRIES[each.state], each.elapsed, each.error, each.cost) for each in attempts]


def of_fidelity(generation: Generation, output: Output) -> dict[str, Any]:
    """Return the context of the comparison with the input, which may still be under way."""
    ended = generation.finished_at or generation.created_at
    is_fresh = timezone.now() - ended < FIDELITY_WAIT
    return {
        "selected": output,
        "fidelity_pending": bool(output.keep) and output.fidelity is None and is_fresh,
        "fidelity_words": fidelity_words(generation, output),
    }


def fidelity_words(generation: Generation, output: Output) -> str:
    """Return what became of the pixels that had to stay; "" where that is not known."""
    figures = output.fidelity
    if not figures:
        return ""
    where = "Pixels outside the mask" if "mask" in generation.inputs else "Subject pixels"
    if not figures["changed_pixels"]:
        return f"{where} unchanged"
    share = 100 * figures["changed_share"]
    shown = "under 0.1" if share < 0.1 else f"{share:.1f}"
    return (
        f"{where}: {shown} % changed, ΔE {figures['delta_e_mean']:.2f} on average, {figures['delta_e_max']:.1f} at most"
    )


def parameters(model: ImageModel, generation: Generation) -> list[Parameter]:
    """Return what the run was asked for, in the form's order."""
    given = {**generation.params}
    listed = [(p.title, given[p.name]) for p in model.parameters if p.in_form and p.name in given]
    if generation.lock:
        listed.append(("Keep the product’s pixels", "yes"))
    return [Parameter(label, value, len(str(value)) > LONG_TEXT) for label, value in listed]
