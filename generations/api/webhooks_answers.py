"""Registered addresses and deliveries as the portal's resources show them."""

from collections.abc import Iterable
from typing import Any

from generations.models import Delivery, DeliveryAttempt, Webhook
from generations.predictions import timestamp

__all__ = ["delivery", "detail", "endpoint", "timestamp"]


def endpoint(row: Webhook) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "url": row.url,
        "events": row.events,
        "description": row.description,
        "enabled": row.is_enabled,
        "disabled_because": row.disabled or None,
        "created_at": timestamp(row.created_at),
    }


def delivery(row: Any) -> dict[str, Any]:
    """Return a row of listing.deliveries."""
    is_registered = row.webhook is not None and row.webhook.generation_id is None
    is_pending = row.state == Delivery.State.PENDING
    return {
        "id": str(row.key),
        "message_id": row.message_id,
        "webhook": str(row.webhook_id) if is_registered else None,
        "prediction": str(row.generation_id) if row.generation_id else None,
        "event": row.event,
        "url": row.url,
        "state": row.state,
        "last_status": row.answered,
        "last_error": row.said or None,
        "next_at": timestamp(row.next_at) if is_pending else None,
        "created_at": timestamp(row.created_at),
        "ended_at": timestamp(row.ended_at),
    }


def detail(row: Any, attempts: Iterable[DeliveryAttempt]) -> dict[str, Any]:
    """Return a row of listing.deliveries with its attempts."""
    return {**delivery(row), "attempts": [_attempt(each) for each in attempts]}


def _attempt(row: DeliveryAttempt) -> dict[str, Any]:
    return {
        "number": row.number,
        "started_at": timestamp(row.started_at),
        "ended_at": timestamp(row.ended_at),
        "status": row.status_code,
        "error": row.error or None,
        "body": row.body,
        "answer": row.answer,
    }
