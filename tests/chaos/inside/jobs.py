"""The jobs of a round: planned by the seed, submitted as any door does."""

import random
import uuid
from collections import Counter
from dataclasses import dataclass

from accounts import access, ledger, teams
from accounts.access import Actor
from accounts.credits import MICRO
from generations import finishing, submission
from generations.models.generation import Door
from tests.chaos.inside.events import Events
from tests.chaos.options import ROUTES
from tests.jobs import given

TEAMS = 3
CREDITS = 1000
CANCELED = 0.15
LONGEST_PATIENCE = 6.0
"""Seconds until somebody cancels at the latest."""


@dataclass(frozen=True, slots=True)
class Job:
    """at: seconds from the start of the round. canceled_after: seconds from the submit, None for never."""

    at: float
    prompt: str
    model: str
    team: int
    allow_fallback: bool
    published: bool
    canceled_after: float | None


def plan(chance: random.Random, count: int, seconds: float, unpublished: float) -> list[Job]:
    """Return the jobs, in order. unpublished: the share that never reaches the broker."""
    moments = sorted(chance.uniform(0, seconds) for _ in range(count))
    return [_job(chance, number, at, unpublished) for number, at in enumerate(moments)]


def _job(chance: random.Random, number: int, at: float, unpublished: float) -> Job:
    model = chance.choices(list(ROUTES), (4, 3, 2))[0]
    refuses = model == "sdxl-inpaint" and chance.random() < 0.5  # the free engine, which comes first there
    return Job(
        at=at,
        prompt=f"job {number}{' @fail=unavailable' if refuses else ''}",
        model=model,
        team=chance.randrange(TEAMS),
        allow_fallback=chance.random() < 0.6,
        published=chance.random() >= unpublished,
        canceled_after=chance.uniform(0, LONGEST_PATIENCE) if chance.random() < CANCELED else None,
    )


class Customers:
    """Teams with credits, and what they do."""

    def __init__(self, events: Events) -> None:
        self.events = events
        self.actors = [_actor(number) for number in range(TEAMS)]
        self.counts: Counter[str] = Counter()

    def submit(self, job: Job) -> uuid.UUID:
        made = submission.submit(
            actor=self.actors[job.team],
            door=Door.WEB,
            model=job.model,
            raw=given(job.model, job.prompt),
            allow_fallback=job.allow_fallback,
            publish=job.published,
        ).generation
        self.counts["jobs"] += 1
        self.counts["unpublished"] += not job.published
        self.events.note("submit", job=made.id, prompt=job.prompt, model=job.model, published=job.published)
        return made.id

    def cancel(self, generation_id: uuid.UUID) -> None:
        self.events.note("cancel", job=generation_id, done=finishing.cancel(generation_id))

    def one_more(self) -> uuid.UUID:
        """Submit a job that no upstream is needed for."""
        return self.submit(Job(0.0, "the last job", "sdxl-inpaint", 0, True, True, None))


def _actor(number: int) -> Actor:
    user, _ = teams.find_or_create_user(f"owner{number}@example.com")
    team = teams.create_team(f"Team {number}", user)
    ledger.grant(team.pk, CREDITS * MICRO, reference=uuid.uuid4(), note="chaos")
    actor = access.actor_for(user, team)
    assert actor is not None
    return actor
