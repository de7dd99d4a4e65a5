"""Sending what was written down: each attempt is claimed by a lease, made, and its outcome kept.

At least once: a worker that dies gives its lease back by letting it run out, and the attempt is made again. Of a team
so many are sent at a time as TEAM_WEBHOOKS_IN_FLIGHT allows, so that a slow receiver holds up nobody else; what one
address is told of one generation goes out in order, as far as the first attempts go. Progress is told once or never,
and holds up nothing but more of it.
"""

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Exists, F, Max, OuterRef, Q, QuerySet, When, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from accounts.models import Team
from generations import dispatch, outbound, predictions, waiting
from generations.models import Delivery, DeliveryAttempt, Generation, Webhook
from generations.models.webhook import Event
from generations.webhooks import endpoints, schedule, signing

State = Delivery.State

SOON = 60
"""Seconds up to which the broker keeps a message for later; for longer the rows are asked."""

LEASE_MARGIN = 5
"""Seconds that a lease lasts beyond the longest attempt."""

KEPT = 4096
"""Bytes of an answer that are read and kept."""

GONE = 410
BUSY = (429, 503)

URGENCY = Case(When(event=Event.LOGS, then=1), default=0)
"""Progress takes the places that nothing else wants."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went: `error` is "" where the event was taken. retry_after: seconds the receiver asked for."""

    body: str
    status_code: int | None = None
    answer: str = ""
    error: str = ""
    retry_after: float = 0.0


def send(delivery_id: int) -> None:
    """Make one attempt, if it is due and nobody else makes it. Safe to call twice."""
    attempt = _claim(delivery_id)
    if attempt is None:
        return
    delivery = attempt.delivery
    outcome = _post(delivery, _body(delivery))
    _finish(attempt, outcome)
    following = _sendable().filter(team_id=delivery.team_id).order_by(URGENCY, "next_at", "id").first()
    if following:  # which may have found no place
        dispatch.delivery(following.id)


def replay(delivery: Delivery) -> None:
    """Send an event once more, at once, under the same id; one that still waits for its next attempt need not wait."""
    again = {"state": State.PENDING, "next_at": timezone.now(), "published_at": timezone.now()}
    row = Delivery.objects.filter(id=delivery.id, lease=None)
    ended = row.exclude(state=State.PENDING).update(**again, tries=schedule.LAST, ended_at=None)
    if ended or row.filter(state=State.PENDING).update(**again):
        transaction.on_commit(lambda: dispatch.delivery(delivery.id))


# --- who sends ----------------------------------------------------------------------------------------------


def _sendable() -> QuerySet[Delivery]:
    """What is due and goes before nothing else: of one address and generation, an attempt waits for the first attempts
    of what happened earlier; for progress, only more progress does."""
    earlier = Delivery.objects.filter(
        Q(tries=0) | Q(tries=1, lease__isnull=False),
        ~Q(event=Event.LOGS) | Q(event=OuterRef("event")),
        generation=OuterRef("generation"),
        webhook=OuterRef("webhook"),
        id__lt=OuterRef("id"),
        state=State.PENDING,
    )
    due = Delivery.objects.filter(state=State.PENDING, lease=None, next_at__lte=timezone.now())
    return due.filter(~Exists(earlier))


def _claim(delivery_id: int) -> DeliveryAttempt | None:
    """Take a delivery for one attempt, and write that down; None where there is nothing to take, or no place.

    The team's lock makes the count of places exact.
    """
    lease, now = uuid.uuid4(), timezone.now()
    until = now + timedelta(seconds=settings.WEBHOOK_SECONDS + LEASE_MARGIN)
    with transaction.atomic():
        delivery = _sendable().filter(id=delivery_id).first()
        if delivery is None or not _has_place(delivery.team_id):
            return None
        mine = Delivery.objects.filter(id=delivery_id, state=State.PENDING, lease=None, next_at__lte=now)
        if not mine.update(lease=lease, lease_until=until, tries=F("tries") + 1):
            return None
        delivery.lease, delivery.tries = lease, delivery.tries + 1
        last = delivery.attempts.aggregate(last=Max("number"))["last"] or 0
        return DeliveryAttempt.objects.create(delivery=delivery, number=last + 1, started_at=now)


def _has_place(team_id: int) -> bool:
    Team.objects.select_for_update(no_key=True).get(id=team_id)
    return Delivery.objects.filter(team_id=team_id, lease__isnull=False).count() < settings.TEAM_WEBHOOKS_IN_FLIGHT


# --- one attempt --------------------------------------------------------------------------------------------


def _body(delivery: Delivery) -> str:
    """Return what is told: as it was then, or of what is over as it is now, with links that are good now."""
    told = delivery.body
    if told is None:
        rows = Generation.objects.prefetch_related(*predictions.LOADED)
        told = predictions.prediction(rows.get(deliveries=delivery))
    if delivery.event == Event.START:
        told = predictions.as_started(told)
    return json.dumps(told, separators=(",", ":"))


def _post(delivery: Delivery, body: str) -> Outcome:
    headers = {
        **signing.headers(delivery.team_id, delivery.message_id, timezone.now(), body),
        "content-type": "application/json",
        "user-agent": "Sceneshift-Webhooks",
    }
    waiting.let_go()
    try:
        answer = outbound.post(
            delivery.url,
            body.encode(),
            headers=headers,
            seconds=settings.WEBHOOK_SECONDS,
            limit=KEPT,
            allow=settings.OUTBOUND_ALLOW,
        )
    except outbound.OutboundError as error:
        return Outcome(body, error=str(error))
    text = answer.data.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    is_busy = answer.status in BUSY
    asked = schedule.asked(answer.headers.get("retry-after", "")) if is_busy else 0.0
    return Outcome(body, answer.status, text, _refusal(answer.status), asked)


def _refusal(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"the server answered {status}; redirects are not followed"
    if status == GONE:
        return "the server answered 410: it wants nothing more, and is told nothing more"
    return f"the server answered {status}"


def _finish(attempt: DeliveryAttempt, outcome: Outcome) -> None:
    """Keep the outcome; whoever lost the lease meanwhile changes the attempt's own row only."""
    delivery, now = attempt.delivery, timezone.now()
    is_gone = outcome.status_code == GONE and delivery.webhook_id is not None
    with transaction.atomic():
        if is_gone:
            endpoints.lock(delivery.team_id)
        DeliveryAttempt.objects.filter(id=attempt.id).update(
            ended_at=now,
            status_code=outcome.status_code,
            body=outcome.body,
            answer=outcome.answer,
            error=outcome.error,
        )
        mine = Delivery.objects.filter(id=delivery.id, lease=delivery.lease, state=State.PENDING)
        moved = mine.update(lease=None, lease_until=None, **_next(delivery, outcome, now))
        if moved and is_gone and delivery.webhook_id:
            endpoints.note_gone(delivery.team_id, delivery.webhook_id)
    if moved and delivery.state == State.PENDING:
        _publish_later(delivery)


def _next(delivery: Delivery, outcome: Outcome, now: datetime) -> dict[str, Any]:
    """Return where a delivery stands after an attempt, also noted in `delivery`."""
    delay = _delay(delivery, outcome.retry_after) if outcome.error and _is_wanted(delivery, outcome) else None
    if delay is not None:
        delivery.next_at = now + timedelta(seconds=delay)
        delivery.published_at = delivery.next_at if delay <= SOON else now
        return {"next_at": delivery.next_at, "published_at": delivery.published_at}
    delivery.state = State.FAILED if outcome.error else State.DELIVERED
    return {"state": delivery.state, "ended_at": now}


def _delay(delivery: Delivery, asked: float = 0.0) -> float | None:
    """Return the seconds until the next attempt, None where there is none: progress is over by then."""
    return None if delivery.event == Event.LOGS else schedule.delay(delivery.tries, asked)


def _is_wanted(delivery: Delivery, outcome: Outcome) -> bool:
    """Return whether the address, which did not take it, is to be asked again."""
    if outcome.status_code == GONE or delivery.webhook_id is None:
        return False
    return Webhook.objects.filter(id=delivery.webhook_id, disabled="").exists()


def _publish_later(delivery: Delivery) -> None:
    after = (delivery.next_at - timezone.now()).total_seconds()
    if after <= SOON:
        dispatch.delivery(delivery.id, after=max(after, 0.0))


# --- what was lost ------------------------------------------------------------------------------------------


def take_back() -> None:
    """Give back the leases of workers that died: what they sent may not have arrived."""
    expired = Delivery.objects.filter(lease__isnull=False, lease_until__lt=timezone.now())
    for delivery in expired:
        over = {"state": State.FAILED, "ended_at": timezone.now()} if _delay(delivery) is None else {}
        mine = Delivery.objects.filter(id=delivery.id, lease=delivery.lease)
        mine.update(lease=None, lease_until=None, next_at=timezone.now(), **over)


def publish_again(most: int) -> None:
    """Publish what is due and was not, or whose message the broker lost: of each team as many as it has places."""
    now = timezone.now()
    lost = Q(published_at__lt=F("next_at")) | Q(published_at__lt=now - timedelta(seconds=settings.REPUBLISH_AFTER))
    order = [URGENCY.asc(), F("next_at").asc(), F("id").asc()]
    place = Window(RowNumber(), partition_by=[F("team_id")], order_by=order)
    due = _sendable().filter(lost).annotate(place=place).filter(place__lte=settings.TEAM_WEBHOOKS_IN_FLIGHT)
    for delivery_id in due.order_by(URGENCY, "next_at").values_list("id", flat=True)[:most]:
        Delivery.objects.filter(id=delivery_id).update(published_at=now)
        dispatch.delivery(delivery_id)
