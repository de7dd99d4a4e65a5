"""The verbs by Django's ORM, for every database that it knows; each arrow's row count decides who won."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Coalesce

from accounts import ledger
from accounts.ledger import Settle
from generations.engines.base import Limits, Result
from generations.models import Asset, Attempt, Generation, Output
from generations.models.attempt import LIVE, State
from generations.models.generation import ACTIVE, FINAL, Fault, Status
from generations.statements.terms import Claimed, Final, Progress


def known_assets(team_id: int, digests: Collection[str]) -> dict[str, Asset]:
    return {asset.sha256: asset for asset in Asset.objects.filter(team_id=team_id, sha256__in=digests)}


@transaction.atomic
def accept(generation: Generation, attempt: Attempt, hold: ledger.Hold, most: int) -> int | None:
    ledger.hold(
        hold.team_id,
        hold.amount,
        reference=hold.reference,
        model=hold.model,
        user_id=hold.user_id,
        key_id=hold.key_id,
        has_budgets=hold.has_budgets,
    )
    if Generation.objects.filter(team_id=generation.team_id, status__in=ACTIVE).count() >= most:
        transaction.set_rollback(True)
        return None
    generation.save(force_insert=True)
    attempt.save(force_insert=True)
    return attempt.id


# --- claim --------------------------------------------------------------------------------------------------


def claim(attempt_id: int, lease: uuid.UUID, now: datetime, until: datetime) -> Claimed | None:
    attempt = Attempt.objects.select_related("generation").filter(id=attempt_id).first()
    if attempt is None:
        return None
    files = _files(attempt.generation)
    attempt.lease, attempt.lease_until = lease, until
    taken = _resume(attempt, now) if attempt.state == State.SUBMITTED else _start(attempt, now)
    return Claimed(attempt, files) if taken else None


def _files(generation: Generation) -> dict[str, str]:
    rows = Asset.objects.filter(id__in=generation.inputs.values()).values_list("id", "file")
    return {str(asset_id): file for asset_id, file in rows}


def _resume(attempt: Attempt, now: datetime) -> bool:
    expired = Attempt.objects.filter(id=attempt.id, state=State.SUBMITTED, lease_until__lt=now)
    return bool(expired.update(lease=attempt.lease, lease_until=attempt.lease_until))


def _start(attempt: Attempt, now: datetime) -> bool:
    """Move the generation, then the attempt; both or neither."""
    if attempt.state != State.QUEUED or (attempt.not_before and attempt.not_before > now):
        return False
    active = Generation.objects.filter(id=attempt.generation_id, status__in=ACTIVE)
    queued = Attempt.objects.filter(id=attempt.id, state=State.QUEUED)
    attempt.state, attempt.started_at = State.SUBMITTING, now
    with transaction.atomic():
        running = active.update(status=Status.RUNNING, started_at=Coalesce("started_at", now))
        taken = running and queued.update(
            state=State.SUBMITTING, started_at=now, lease=attempt.lease, lease_until=attempt.lease_until
        )
        if not taken:
            transaction.set_rollback(True)
    return bool(taken)


# --- deliver ------------------------------------------------------------------------------------------------


@transaction.atomic
def deliver(attempt: Attempt, result: Result, outputs: Sequence[Output], settling: Settle, now: datetime) -> bool:
    facts = {"cost": settling.cost, "engine": attempt.engine, "seconds": result.seconds, "notes": list(result.notes)}
    if not _take(attempt, now, **facts):
        _end(attempt, now, State.CANCELED)  # whoever ended the generation has seen to the credits
        return False
    if not _end(attempt, now, State.DONE, seconds=result.seconds, cost=result.house_cost):
        transaction.set_rollback(True)
        return False
    Output.objects.bulk_create(outputs)
    ledger.settle(settling.reference, settling.cost, usage=settling.usage)
    return True


def _take(attempt: Attempt, now: datetime, **facts: Any) -> bool:
    """Move the generation. A canceled one takes the picture of a paid call only."""
    row = Generation.objects.filter(id=attempt.generation_id)
    moved = row.filter(status=Status.RUNNING).update(
        status=Status.SUCCEEDED, finished_at=now, progress=1.0, stage="", error="", fault=Fault.NONE, **facts
    )
    canceled = row.filter(status=Status.CANCELED, cost__isnull=True)
    return bool(moved or (attempt.paid and canceled.update(**facts)))


def _end(attempt: Attempt, now: datetime, state: State, **facts: Any) -> int:
    live = Attempt.objects.filter(id=attempt.id, lease=attempt.lease, state__in=LIVE)
    return live.update(state=state, ended_at=now, lease=None, **facts)


# --- progress -----------------------------------------------------------------------------------------------


@transaction.atomic
def note_progress(said: Mapping[uuid.UUID, Progress]) -> None:
    for lease, each in said.items():
        attempt = Attempt.objects.filter(id=each.attempt_id, lease=lease)
        running = Generation.objects.filter(id__in=attempt.values("generation_id"), status=Status.RUNNING)
        running.update(progress=each.share, stage=each.stage)


# --- calls that cost money ----------------------------------------------------------------------------------


def confirm(attempt_id: int, lease: uuid.UUID, since: datetime) -> bool:
    mine = Attempt.objects.filter(id=attempt_id, lease=lease, state=State.SUBMITTING)
    return mine.filter(generation__status=Status.RUNNING, generation__created_at__gt=since).exists()


def note_submitted(attempt_id: int, lease: uuid.UUID, upstream_id: str) -> bool:
    mine = Attempt.objects.filter(id=attempt_id, lease=lease, state__in=(State.SUBMITTING, State.SUBMITTED))
    return bool(mine.update(state=State.SUBMITTED, upstream_id=upstream_id))


def enter(alias: str, limits: Limits, now: datetime) -> float | None:  # noqa: ARG001
    return None


def leave(alias: str, place: float, now: datetime) -> bool:  # noqa: ARG001
    return False


# --- final --------------------------------------------------------------------------------------------------


def final(generation_id: uuid.UUID) -> Final | None:
    generation = Generation.objects.filter(id=generation_id, status__in=FINAL).first()
    if generation is None:
        return None
    outputs = list(generation.outputs.order_by("number"))
    return Final(generation, outputs, ledger.balance(generation.team_id).available)


def complete(final: Final) -> Sequence[Attempt]:
    return list(final.generation.attempts.order_by("number"))
