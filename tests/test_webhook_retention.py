"""Deliveries go some time after their end, with all that was sent, and no others do."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from accounts.models import Team
from generations import tasks
from generations.models import Delivery, DeliveryAttempt
from generations.webhooks import deliveries, retention

pytestmark = pytest.mark.django_db


def delivery(team: Team, *, days: float | None, state: str = "delivered") -> Delivery:
    """Return one that ended so many days ago, None for one that has not."""
    now = timezone.now()
    ended_at = None if days is None else now - timedelta(days=days)
    made = Delivery.objects.create(
        team=team, event="test", url="https://example.com", body={}, state=state, ended_at=ended_at
    )
    DeliveryAttempt.objects.create(delivery=made, number=1, started_at=now, body="sent")
    return made


def test_what_ended_long_ago_goes_with_its_bodies(team: Team, settings: LazySettings) -> None:
    assert settings.WEBHOOK_KEPT_DAYS == 30
    old = [delivery(team, days=30.1, state=state) for state in ("delivered", "failed")]
    kept = [delivery(team, days=29.9), delivery(team, days=None, state="pending")]
    tasks.purge()
    assert set(Delivery.objects.values_list("id", flat=True)) == {row.id for row in kept}
    assert not DeliveryAttempt.objects.filter(delivery_id__in=[row.id for row in old]).exists()
    assert DeliveryAttempt.objects.count() == 2


def test_the_setting_says_when(team: Team, settings: LazySettings) -> None:
    settings.WEBHOOK_KEPT_DAYS = 1
    delivery(team, days=1.1)
    assert (retention.purge(), retention.purge()) == (1, 0)


def test_what_is_sent_once_more_stays(team: Team, untold: list[Any]) -> None:
    deliveries.replay(delivery(team, days=31))
    assert retention.purge() == 0


def test_batches_go_on_until_the_time_is_over(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        delivery(team, days=31)
    assert retention.purge(until=time.monotonic()) == 0
    assert retention.purge() == 5
