"""How messages travel: a queue for each kind of work, JSON only, no results, and every one may be lost.

Publishing fails within a second where the broker is away: the job is in the database, and `generations.tasks.reconcile`
publishes it again. Workers on the other hand wait for their broker for ever.
"""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from logging.config import dictConfig
from typing import Any

from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from kombu import Queue

from config import broker, redis_transport

QUEUES = ("network", "compute", "control", "thumbnails", "webhooks")
CONNECT_SECONDS = 0.3
ANSWER_SECONDS = 0.3
PURGE_EVERY = 60
AT_ONCE = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
"""One immediate second try: a connection that idled while the broker was restarted is found dead by using it."""


def _transport_options(url: str) -> dict[str, Any]:
    """Return kombu's options that bound how long `url` may keep a publisher waiting."""
    match url.partition(":")[0].partition("+")[0]:
        case "filesystem":
            return {"folder": str(settings.BROKER_DIR)}
        case "redis" | "rediss":
            return {
                "socket_connect_timeout": CONNECT_SECONDS,
                "socket_timeout": ANSWER_SECONDS,
                "socket_keepalive": True,
                # A message that a killed worker had taken is lost; kombu would keep a copy of each, at twice the price
                # of the message, until it is acknowledged, and restore it later than reconciliation publishes it again.
                "ack_emulation": False,
                "priority_steps": [0],
            }
        case _:
            return {}


def configure(app: Celery) -> None:
    """Give `app` the settings of every process that publishes or consumes."""
    broker.install()
    redis_transport.install()
    app.conf.update(
        broker_url=settings.CELERY_BROKER_URL,
        broker_transport_options={**AT_ONCE, **_transport_options(settings.CELERY_BROKER_URL)},
        broker_connection_timeout=CONNECT_SECONDS,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_pool_limit=64,
        broker_pool_acquire_timeout=ANSWER_SECONDS,
        broker_heartbeat=20,
        task_publish_retry=True,
        task_publish_retry_policy=AT_ONCE,
        task_queues=[Queue(name, routing_key=name) for name in QUEUES],
        task_default_queue="control",
        task_default_delivery_mode="transient",
        task_create_missing_queues=False,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # On AMQP it sets the prefetch from a pool's thread while the consumer reads the same connection: both wait for
        # ever for what the other has read.
        worker_enable_prefetch_count_reduction=False,
        worker_redirect_stdouts=False,
        timezone="UTC",
        beat_schedule={
            "reconcile": {
                "task": "generations.tasks.reconcile",
                "schedule": settings.RECONCILE_EVERY,
                "options": {"queue": "control", "expires": settings.RECONCILE_EVERY},
            },
            "purge": {
                "task": "generations.tasks.purge",
                "schedule": PURGE_EVERY,
                "options": {"queue": "control", "expires": PURGE_EVERY},
            },
        },
    )


def publish(app: Celery, task: str, args: Sequence[object], queue: str, *, after: float = 0.0) -> None:
    """Ask the workers of `queue` to run a task, at the earliest in `after` seconds. Raises OperationalError.

    As Celery's send_task, but with those headers of its protocol alone that somebody reads.
    """
    eta = (datetime.now(UTC) + timedelta(seconds=after)).isoformat() if after else None
    with app.producer_or_acquire() as producer:
        producer.publish(
            (args, {}, {}),
            headers={"lang": "py", "task": task, "id": str(uuid.uuid4()), "eta": eta},
            routing_key=queue,
            declare=[app.amqp.queues[queue]],
            serializer="json",
            delivery_mode="transient",
            retry=True,
            retry_policy=AT_ONCE,
        )


@setup_logging.connect
def configure_logging(**_: object) -> None:
    """Keep Celery from replacing the settings' logging: connecting to this signal is how it is told."""
    dictConfig(settings.LOGGING)
