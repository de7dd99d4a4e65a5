"""`python -m tests.chaos.inside.round {…}`: play one round, and write result.json into its folder."""

import json
import random
import signal
import sys
import time
import uuid
from collections.abc import Callable

from generations.models import Generation, Heartbeat
from generations.models.generation import Status
from tests import upstream
from tests.chaos import faults
from tests.chaos.inside import brokers, findings, jobs
from tests.chaos.inside.blows import Blows
from tests.chaos.inside.events import Events
from tests.chaos.inside.fleet import Fleet
from tests.chaos.inside.schedule import Schedule
from tests.chaos.options import LEASE_SECONDS, Round

START_SECONDS = 120.0
MARGIN_SECONDS = 60.0
"""On top of deadline and lease, until everything is at rest: for a machine with other things to do."""

UNPUBLISHED = 0.1
"""Of the jobs, so many never reach the broker."""

SPARED = ("broker", "network", "compute", "control", "beat", "freeze")
"""Not done to the naive worker: it would lose jobs, or get them back from Redis after minutes only. The question is
what it pays twice."""

NEXT_SECONDS = 60.0
"""R5: after all that, the next job is done so soon."""

TICK = 0.01


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    told = Round.read(sys.argv[1])
    events = Events(told.folder / "events.jsonl")
    broker = brokers.make(told)
    fleet = Fleet(told.folder, events, _chance(told, "supervisor"), naive=told.naive)
    with upstream.running(faults.RULES, port=told.port, delay=0.6, credits=1e6, seed=told.seed) as server:
        broker.come()
        try:
            row = _play(told, events, broker, fleet, server)
        finally:
            fleet.end()
            broker.go()
    (told.folder / "result.json").write_text(json.dumps(row))


def _play(
    told: Round, events: Events, broker: brokers.Broker, fleet: Fleet, server: upstream.Server
) -> dict[str, object]:
    customers = jobs.Customers(events)
    _tend_until(fleet, lambda: Heartbeat.objects.values("worker").count() >= len(fleet.programs) - 1, START_SECONDS)
    _storm(told, events, broker, fleet, server, customers)
    server.script()
    began = time.monotonic()
    _tend_until(fleet, lambda: _is_over(told, server), told.deadline + LEASE_SECONDS + MARGIN_SECONDS)
    rest = time.monotonic() - began
    events.note("rest", seconds=rest)
    broken = [] if told.naive else _next_job(fleet, customers)
    found = findings.collect(server.report())
    for promise in found.broken:
        events.note("broken", promise=promise)
    broken += found.broken
    return {**found.row, "seed": told.seed, "seconds": rest, "blows": dict(events.blows), "broken": broken}


def _storm(
    told: Round,
    events: Events,
    broker: brokers.Broker,
    fleet: Fleet,
    server: upstream.Server,
    customers: jobs.Customers,
) -> None:
    """Submit, cancel and strike for the seconds of the round."""
    schedule = Schedule()
    spared = SPARED if told.naive else ()
    Blows(events, _chance(told, "blows"), schedule, fleet, broker, server, spared=spared).plan(told.seconds)
    unpublished = 0.0 if told.naive else UNPUBLISHED
    for job in jobs.plan(_chance(told, "jobs"), told.jobs, told.seconds, unpublished):
        schedule.at(job.at, lambda job=job: _submit(customers, schedule, job))  # type: ignore[misc]
    while not schedule.is_over:
        fleet.tend()
        schedule.do_due()
        time.sleep(TICK)


def _submit(customers: jobs.Customers, schedule: Schedule, job: jobs.Job) -> None:
    made = customers.submit(job)
    if job.canceled_after is not None:
        schedule.later(job.canceled_after, lambda: customers.cancel(made))


def _is_over(told: Round, server: upstream.Server) -> bool:
    """Return whether all is at rest, or the naive worker has been found out."""
    return findings.is_at_rest() or (told.naive and max(server.submits().values(), default=0) > 1)


def _next_job(fleet: Fleet, customers: jobs.Customers) -> list[str]:
    made = customers.one_more()
    if _tend_until(fleet, lambda: _has_succeeded(made), NEXT_SECONDS):
        return []
    return [f"R5: job {made}, submitted after the storm, was not done within {NEXT_SECONDS:.0f} s"]


def _has_succeeded(generation_id: uuid.UUID) -> bool:
    return Generation.objects.filter(id=generation_id, status=Status.SUCCEEDED).exists()


def _tend_until(fleet: Fleet, is_so: Callable[[], bool], seconds: float) -> bool:
    """Keep the programs running until it is so; False where it does not come."""
    give_up = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > give_up:
            return False
        fleet.tend()
        time.sleep(0.1)
    return True


def _chance(told: Round, what: str) -> random.Random:
    return random.Random(f"{told.seed} {what}")


if __name__ == "__main__":
    main()
