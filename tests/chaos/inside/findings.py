"""What came out of a round, by three witnesses: our rows, our books, and what the upstream charged."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.files.storage import default_storage
from django.utils import timezone

from accounts import ledger
from accounts.models import Entry, Kind
from generations.models import Attempt, Generation
from generations.models.attempt import LIVE, State
from generations.models.generation import FINAL, Status
from tests.chaos.options import PAID


def is_at_rest() -> bool:
    """Return whether no job and no attempt has anything left to do."""
    goes_on = Generation.objects.exclude(status__in=FINAL)
    return not goes_on.exists() and not Attempt.objects.filter(state__in=LIVE).exists()


@dataclass(slots=True)
class Findings:
    """row: a line of the table. broken: the promises that were not kept, each with its job."""

    row: dict[str, Any] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def count(self, name: str, broken: list[str]) -> None:
        """Put a figure into the table that has to be 0."""
        self.row[name] = len(broken)
        self.broken += broken


def collect(report: Mapping[str, Any]) -> Findings:
    """Return what came out. report: the stand-in's."""
    jobs = list(Generation.objects.prefetch_related("attempts", "outputs"))
    found = Findings()
    _paid_calls(found, jobs, report)
    _ends(found, jobs)
    _money(found, jobs)
    return found


# --- paid calls ---------------------------------------------------------------------------------------------


def _paid_calls(found: Findings, jobs: list[Generation], report: Mapping[str, Any]) -> None:
    """R1 and R3."""
    taken_on: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for job in report["jobs"]:
        taken_on[job["key"]].append(job)
    posts = Counter(call["key"] for call in report["calls"] if call["kind"] == "submit" and _may_be_paid(call))
    unlisted = []
    most = 0
    for generation in jobs:
        key = f"{generation.seed} {generation.params['prompt']}"
        charged = [job for job in taken_on[key] if job["cost"]]
        free = len(taken_on[key]) - len(charged)
        submits = max(len(charged), posts[key] - free)
        most = max(most, submits)
        if submits > 1:
            found.broken.append(f"R1: {_name(generation)} was submitted {submits} times")
        if charged and not any(_lists_a_payment(attempt) for attempt in generation.attempts.all()):
            unlisted.append(f"R3: {_name(generation)} was charged upstream, and no attempt says so")
    found.row["submits"] = most
    found.row["uncalled"] = sum(not posts[f"{each.seed} {each.params['prompt']}"] for each in jobs)
    found.row["unknown"] = sum(a.state == State.UNKNOWN for each in jobs for a in each.attempts.all())
    found.count("unlisted", unlisted)


def _may_be_paid(call: Mapping[str, Any]) -> bool:
    """Return whether a submit may have been taken on, as far as the caller can know."""
    return bool(call["key"]) and (call["status"] is None or not 400 <= call["status"] < 500)


def _lists_a_payment(attempt: Attempt) -> bool:
    is_paid_for = attempt.state in (State.DONE, State.UNKNOWN) or (attempt.state == State.FAILED and attempt.cost)
    return attempt.engine in PAID and bool(is_paid_for)


# --- ends ---------------------------------------------------------------------------------------------------


def _ends(found: Findings, jobs: list[Generation]) -> None:
    """R2, and that a success is one."""
    statuses = Counter(each.status for each in jobs)
    found.row |= {
        "jobs": len(jobs),
        "ended": sum(statuses[status] for status in FINAL),
        "succeeded": dict(Counter(each.engine for each in jobs if each.status == Status.SUCCEEDED)),
        "failed": statuses[Status.FAILED],
        "canceled": statuses[Status.CANCELED],
    }
    for generation in jobs:
        found.broken += [f"R2: {_name(generation)} {what}" for what in _unfinished(generation)]


def _unfinished(generation: Generation) -> Iterator[str]:
    if generation.status not in FINAL:
        yield f"is still {generation.status}"
    for attempt in generation.attempts.all():
        if attempt.state in LIVE:
            yield f"has an attempt {attempt.id} at {attempt.engine} that is still {attempt.state}"
    files = [output.file for output in generation.outputs.all()]
    if generation.status == Status.SUCCEEDED and len(files) != generation.params["samples"]:
        yield f"succeeded with {len(files)} pictures"
    if not all(default_storage.exists(file) for file in files):
        yield "lacks the file of a picture"


# --- money --------------------------------------------------------------------------------------------------


def _money(found: Findings, jobs: list[Generation]) -> None:
    """M2, M3 and M5."""
    settled: dict[str, list[int]] = defaultdict(list)
    for reference, posted in Entry.objects.filter(kind=Kind.SETTLE).values_list("reference", "posted"):
        settled[str(reference)].append(-posted)
    charges = [(each, settled[str(each.id)]) for each in jobs]
    found.count(
        "open_holds",
        [f"M3: job {hold.reference} still holds {hold.amount}" for hold in ledger.open_holds(timezone.now())],
    )
    found.count("settled_twice", [f"M5: {_name(job)} was settled twice" for job, each in charges if len(each) > 1])
    found.count(
        "charged_failures",
        [
            f"M5: {_name(job)} is {job.status} and cost {each}"
            for job, each in charges
            if _is_charged_in_vain(job, each)
        ],
    )
    found.count(
        "above_quote",
        [f"M5: {_name(job)} cost {each} of {job.quote}" for job, each in charges if sum(each) > job.quote],
    )
    found.count("books", [f"M2: {difference}" for difference in ledger.check()])
    found.broken += [
        f"M2: {_name(job)} says {job.cost} and {each} was settled"
        for job, each in charges
        if each != ([] if job.cost is None else [job.cost])
    ]


def _is_charged_in_vain(generation: Generation, charges: list[int]) -> bool:
    """A canceled job costs what its paid call brought, if it brought a picture."""
    return bool(sum(charges)) and not generation.outputs.all()


def _name(generation: Generation) -> str:
    return f"job {generation.id} ({generation.params['prompt']}, {generation.model})"
