"""What is to be told of a generation, written down as deliveries.

The generation's row says that somebody waits for its end (`hooked`) until the deliveries of that are written; both
change in one transaction. So an end cannot be forgotten, whoever dies: reconciliation finds what is hooked and over.
Progress may be forgotten, and is told twice a second at most; what waits to be told of it gives way to what is newer,
and to the end.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from generations import dispatch, predictions
from generations.models import Delivery, Generation, Webhook
from generations.models.generation import FINAL, Status
from generations.models.webhook import Event

LOGS_EVERY = timedelta(milliseconds=500)
_KEYS = uuid.UUID("0d1c7f0e-5f0b-4c53-9a37-0d3c6c1f2b8e")
"""names the keys of what happens once, so that it is written down once"""


def note(generation_id: uuid.UUID, event: Event) -> None:
    """Write down that a generation started, went on (LOGS) or ended (COMPLETED). Safe to call twice, and late."""
    with transaction.atomic():
        generation = Generation.objects.select_for_update(no_key=True).filter(id=generation_id, hooked__gt=0).first()
        if generation is None:
            return
        hooks = list(Webhook.objects.filter(_of(generation), disabled="").order_by("created_at"))
        written = _write(generation, hooks, event)
        if event == Event.COMPLETED and generation.status in FINAL:
            _drop_logs(generation, [hook for hook in hooks if Event.COMPLETED in hook.events])
            Generation.objects.filter(id=generation_id).update(hooked=0)
    for delivery_id in Delivery.objects.filter(key__in=written, tries=0).order_by("id").values_list("id", flat=True):
        dispatch.delivery(delivery_id)


def _of(generation: Generation) -> Q:
    return Q(generation_id=generation.id) | Q(team_id=generation.team_id, generation=None)


def _write(generation: Generation, hooks: Sequence[Webhook], event: Event) -> list[uuid.UUID]:
    """Return the keys of what is now written down."""
    if event == Event.LOGS:
        return _write_logs(generation, [hook for hook in hooks if event in hook.events])
    due = _happened(generation) if event == Event.COMPLETED else [event]
    rows = [_delivery(hook, generation, each) for hook in hooks for each in due if each in hook.events]
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    return [row.key for row in rows]


def _happened(generation: Generation) -> list[Event]:
    """Return everything that has happened once to a generation: what was missed before its end is made up for."""
    return [
        *([Event.START] if generation.started_at else []),
        *([Event.OUTPUT] if generation.status == Status.SUCCEEDED else []),
        *([Event.COMPLETED] if generation.status in FINAL else []),
    ]


def _delivery(hook: Webhook, generation: Generation, event: Event) -> Delivery:
    key = uuid.uuid5(_KEYS, f"{generation.id}:{hook.id}:{event}")
    return Delivery(key=key, team_id=hook.team_id, webhook=hook, generation=generation, event=event, url=hook.url)


def _write_logs(generation: Generation, hooks: Sequence[Webhook]) -> list[uuid.UUID]:
    """Write down where a generation stands now, unless that was told a moment ago, or it is over."""
    recent = Delivery.objects.filter(
        generation=generation, event=Event.LOGS, created_at__gt=timezone.now() - LOGS_EVERY
    )
    if generation.status != Status.RUNNING or recent.exists():
        return []
    body = predictions.prediction(Generation.objects.prefetch_related(*predictions.LOADED).get(id=generation.id))
    rows = [
        Delivery(team_id=hook.team_id, webhook=hook, generation=generation, event=Event.LOGS, url=hook.url, body=body)
        for hook in hooks
    ]
    _drop_logs(generation, hooks)
    Delivery.objects.bulk_create(rows)
    return [row.key for row in rows]


def _drop_logs(generation: Generation, hooks: Iterable[Webhook]) -> None:
    """Forget the progress that nobody has begun to send: locked, so that nobody begins meanwhile."""
    waiting = Delivery.objects.filter(
        generation=generation, webhook__in=hooks, event=Event.LOGS, state=Delivery.State.PENDING, lease=None, tries=0
    )
    ids = list(waiting.select_for_update().values_list("id", flat=True))
    if ids:
        Delivery.objects.filter(id__in=ids).delete()
