"""The addresses that a team registers, which are told of all its runs."""

import uuid
from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts import limits
from accounts.limits import Decision
from accounts.models import Team
from generations import dispatch, predictions
from generations.models import Delivery, Webhook
from generations.models.webhook import Event, bits
from generations.webhooks import schedule
from generations.webhooks.subscriptions import Hook

MOST = 20
"""Addresses of one team."""

PERSON, GONE = "person", "gone"
"""Why an address is told nothing: somebody disabled it, or it answered 410."""


BY_HAND = 10
"""Tests and replays of one team a minute: who may register an address may name a stranger's."""


class TooMany(Exception):
    """The team has as many addresses as it may."""


def lock(team_id: int) -> Team:
    """Let nobody else change the team's addresses until the transaction ends. Take it before rows of deliveries."""
    return Team.objects.select_for_update(no_key=True).get(id=team_id)


def register(team_id: int, hook: Hook, *, description: str = "", enabled: bool = True) -> Webhook:
    """Tell an address of all runs of a team that are submitted from now on. Raises TooMany."""
    with transaction.atomic():
        team = lock(team_id)
        if registered(team_id).count() >= MOST:
            raise TooMany(f"the team has {MOST} addresses; more are not allowed")
        made = Webhook.objects.create(
            team_id=team_id,
            url=hook.url,
            events=list(hook.events),
            description=description,
            disabled="" if enabled else PERSON,
        )
        _note(team)
    return made


def change(
    webhook: Webhook,
    *,
    events: Sequence[Event] | None = None,
    description: str | None = None,
    enabled: bool | None = None,
) -> None:
    """Change what is given, and nothing else. What is still to be sent to an address that is disabled is given up.

    Raises Webhook.DoesNotExist where it was deleted meanwhile.
    """
    with transaction.atomic():
        team = lock(webhook.team_id)
        webhook.refresh_from_db(fields=["events", "description", "disabled"])  # it may have answered 410 since
        if events is not None:
            webhook.events = list(events)
        if description is not None:
            webhook.description = description
        if enabled is not None:
            webhook.disabled = "" if enabled else webhook.disabled or PERSON
        webhook.save(update_fields=["events", "description", "disabled"])
        if webhook.disabled:
            _give_up(webhook.id)
        _note(team)


def delete(webhook: Webhook) -> None:
    """Forget an address. Its deliveries stay; those still to be sent are given up."""
    with transaction.atomic():
        team = lock(webhook.team_id)
        _give_up(webhook.id)
        webhook.delete()
        _note(team)


def note_gone(team_id: int, webhook_id: uuid.UUID) -> None:
    """Tell an address that answered 410 nothing more."""
    with transaction.atomic():
        team = lock(team_id)
        Webhook.objects.filter(id=webhook_id).update(disabled=GONE)
        _give_up(webhook_id)
        _note(team)


def count_by_hand(team_id: int) -> Decision:
    """Count a test or a replay that somebody asks for. Call it outside transactions."""
    return limits.count(f"webhook-by-hand:{team_id}", BY_HAND)


def send_test(webhook: Webhook) -> Delivery:
    """Send an event that says it is a test, once, whatever events the address wants."""
    made = Delivery.objects.create(
        team_id=webhook.team_id,
        webhook=webhook,
        event=Event.TEST,
        url=webhook.url,
        body=predictions.sample(),
        tries=schedule.LAST,
    )
    transaction.on_commit(lambda: dispatch.delivery(made.id))
    return made


def registered(team_id: int) -> QuerySet[Webhook]:
    """Return a team's addresses."""
    return Webhook.objects.filter(team_id=team_id, generation=None)


def _note(team: Team) -> None:
    """Keep in the team's own row what its addresses want: it is read with whoever acts for the team."""
    wanted = registered(team.id).filter(disabled="").values_list("events", flat=True)
    Team.objects.filter(id=team.id).update(hooked=bits(event for events in wanted for event in events))


def _give_up(webhook_id: uuid.UUID) -> None:
    waiting = Delivery.objects.filter(webhook_id=webhook_id, state=Delivery.State.PENDING, lease=None)
    waiting.update(state=Delivery.State.FAILED, ended_at=timezone.now())
