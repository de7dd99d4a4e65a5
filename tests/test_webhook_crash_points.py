"""Every statement and every commit between a run's end and its receiver fails once, by an error and by the death of the
process: it is written down once, and arrives."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from generations import reconciliation
from generations.models import Delivery, Generation, Webhook
from generations.models.webhook import Event
from generations.webhooks import deliveries, events
from tests.pages import MakeRun
from tests.receivers import Receiver
from tests.test_crash_points import survive, trap, with_outside_view

pytestmark = pytest.mark.django_db(transaction=True)

MOST = 80
"""Events of one life; one that needs more has lost its way."""


def tell(run: Generation) -> None:
    """Write down and send, then let time pass and reconciliation and workers do what they do, until all is at rest."""
    survive(lambda: events.note(run.id, Event.COMPLETED))
    send_all()
    for _ in range(8):
        with_outside_view(make_everything_due)
        survive(reconciliation.reconcile)
        send_all()
        if with_outside_view(is_at_rest):
            return


def send_all() -> None:
    for delivery_id in with_outside_view(pending):
        survive(lambda delivery_id=delivery_id: deliveries.send(delivery_id))  # type: ignore[misc]


def pending() -> list[int]:
    return list(Delivery.objects.filter(state="pending").values_list("id", flat=True))


def make_everything_due() -> None:
    past = timezone.now() - timedelta(hours=1)
    Generation.objects.update(finished_at=past)
    Delivery.objects.update(next_at=past, published_at=past)
    Delivery.objects.filter(lease__isnull=False).update(lease_until=past)


def is_at_rest() -> bool:
    return not pending() and not Generation.objects.filter(hooked__gt=0).exists()


@pytest.mark.usefixtures("untold")
@pytest.mark.parametrize("error", [OperationalError, SystemExit], ids=["error", "death"])
def test_an_end_is_told_whatever_fails_once(make_run: MakeRun, receiver: Receiver, error: Any) -> None:
    for number in range(1, MOST):
        run = make_run(hooked=Event.COMPLETED.bit)
        Webhook.objects.create(team=run.team, generation=run, url=receiver.url, events=["completed"])
        with trap(number, error) as trapped:
            tell(run)
        row = Delivery.objects.get()
        assert (row.state, row.event) == ("delivered", "completed"), trapped.sprung
        assert is_at_rest(), trapped.sprung
        assert {taken.headers["webhook-id"] for taken in receiver.taken} == {row.message_id}, trapped.sprung
        assert {taken.told["id"] for taken in receiver.taken} == {str(run.id)}
        if not trapped.sprung:
            assert number > 8
            return
        Generation.objects.all().delete()
        receiver.taken.clear()
    raise AssertionError(f"more than {MOST} events")
