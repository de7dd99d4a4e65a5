"""What Celery runs: load by id, call the service, nothing else. Every task is safe to run twice."""

import uuid

from config.celery import app
from generations import agenda, clearance, derivatives, execution, reconciliation
from generations.models.webhook import Event
from generations.webhooks import deliveries, events


@app.task
def run_attempt(attempt_id: int) -> None:
    agenda.carry_out(execution.steps(attempt_id))


@app.task
def make_derivatives(generation_id: str) -> None:
    derivatives.make(uuid.UUID(generation_id))


@app.task
def note_event(generation_id: str, event: str) -> None:
    events.note(uuid.UUID(generation_id), Event(event))


@app.task
def send_delivery(delivery_id: int) -> None:
    deliveries.send(delivery_id)


@app.task
def reconcile() -> None:
    reconciliation.reconcile()


@app.task
def purge() -> None:
    clearance.clear()
