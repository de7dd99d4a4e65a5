"""`python -m tests.chaos.inside.naive QUEUE`: a worker as most are written, for the harness to find out.

It leaves it to Celery that a job is not lost (acks_late, reject_on_worker_lost): what was not acknowledged is delivered
again. Nobody claims the job, and nothing says that a paid call is under way.
"""

import sys
from collections.abc import Mapping
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from accounts import ledger
from config import worker
from config.celery import app
from generations import delivery, routing
from generations.engines import base
from generations.models import Asset, Attempt, Generation, Output
from generations.models.attempt import State
from generations.models.generation import FINAL, Status

TASK = "generations.tasks.run_attempt"
PROCESSES = 4
VISIBILITY_SECONDS = 10
"""After which Redis gives what a dead worker had to another; longer than nearly every job takes."""


def main() -> None:
    (queue,) = sys.argv[1:]
    app.loader.import_default_modules()
    app.tasks.unregister(TASK)
    app.task(name=TASK, acks_late=True, reject_on_worker_lost=True)(run)
    options = app.conf.broker_transport_options
    app.conf.broker_transport_options = {**options, "visibility_timeout": VISIBILITY_SECONDS}
    pool: Mapping[str, Any] = {**worker.options("compute"), "concurrency": PROCESSES}
    app.Worker(queues=[queue], hostname=f"{queue}@naive", without_gossip=True, without_mingle=True, **pool).start()


def run(attempt_id: int) -> None:
    """Do the job unless it is done."""
    attempt = Attempt.objects.select_related("generation").get(id=attempt_id)
    if attempt.generation.status in FINAL:
        return
    try:
        result = _work(attempt)
    except base.EngineError as error:
        _fail(attempt, str(error))
    else:
        _succeed(attempt, result)


def _work(attempt: Attempt) -> base.Result:
    engine, generation = routing.engine(attempt.engine), attempt.generation
    files = {str(asset.id): asset.file for asset in Asset.objects.filter(id__in=generation.inputs.values())}
    images = {name: delivery.read(files[asset]) for name, asset in generation.inputs.items()}
    job = base.Job(generation.model, generation.params, images, generation.seed)
    outcome = engine.submit(job, lambda share, stage: None)
    if isinstance(outcome, base.Result):
        return outcome
    return base.sit_out(engine.collect(outcome.request_id, job, lambda share, stage: None))


@transaction.atomic
def _succeed(attempt: Attempt, result: base.Result) -> None:
    generation, now = attempt.generation, timezone.now()
    cost = min(result.cost, generation.quote)
    facts = {"status": Status.SUCCEEDED, "cost": cost, "engine": attempt.engine, "finished_at": now}
    Generation.objects.filter(id=generation.id).update(**facts)
    Attempt.objects.filter(id=attempt.id).update(state=State.DONE, cost=cost, ended_at=now)
    for number, picture in enumerate(result.pictures):
        Output.objects.create(
            generation=generation,
            number=number,
            file=default_storage.save(f"{generation.id}-{number}", ContentFile(picture.data)),
            content_type=picture.content_type,
            width=picture.width,
            height=picture.height,
            size=len(picture.data),
            seed=picture.seed,
        )
    ledger.settle(generation.id, cost, usage=ledger.Usage(generation.model, generation.user_id or 0, 0, now.date()))


@transaction.atomic
def _fail(attempt: Attempt, error: str) -> None:
    facts = {"status": Status.FAILED, "error": error, "finished_at": timezone.now()}
    Generation.objects.filter(id=attempt.generation_id).update(**facts)
    Attempt.objects.filter(id=attempt.id).update(state=State.UNKNOWN, ended_at=timezone.now())
    ledger.release(attempt.generation_id)


if __name__ == "__main__":
    main()
