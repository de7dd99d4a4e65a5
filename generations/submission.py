"""The one way in: every door turns what it was sent into a call of `submit`."""

import contextlib
import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import keys, ledger
from accounts.access import Actor, Right
from generations import catalogue, dispatch, idempotency, inputs, masks, routing, statements
from generations.catalogue.validation import FieldError, InvalidInput
from generations.engines.base import Engine
from generations.models import Asset, Attempt, Generation
from generations.models.generation import Door

SEED_LIMIT = 10**15
"""Seeds are below it, those of later samples included."""


Alongside = Callable[[Generation], None]
"""Writes something that belongs to a generation, in the transaction that accepts it and before its rows are there; what
it raises undoes everything."""

Fit = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Returns the sources of a good input's images as they are to be stored: what a door does that has to look into them.
It may fetch; raises InvalidInput, inputs.TooManyFetches."""


class NotAllowed(Exception):
    """The member's role, or the key's scope or models, do not include what was asked for; the message says why."""

    def __init__(
        self, why: str = "This key may not run models: its scope or its maker's role does not allow it."
    ) -> None:
        super().__init__(why)


class ModelNotAllowed(NotAllowed):
    """The key is limited to other image models: `allowed`."""

    def __init__(self, model: str, allowed: Sequence[str]) -> None:
        super().__init__(f"This key may not run {model}: it is limited to {', '.join(allowed)}.")
        self.model, self.allowed = model, tuple(allowed)


class Gone(Exception):
    """The key was deleted after it had been found good, a moment ago."""


class QuoteRose(Exception):
    """The run costs more at most than the quote that it was asked for on. price: the real one."""

    def __init__(self, price: "Price") -> None:
        super().__init__(f"up to {price.quote} millionths of a credit are needed")
        self.price = price


class TooManyJobs(Exception):
    """As many of the team's jobs are in flight as the setting TEAM_JOBS_IN_FLIGHT allows."""


@dataclass(frozen=True, slots=True)
class Price:
    """Millionths of a credit: what a run will probably cost, and what it costs at most."""

    estimate: int
    quote: int


@dataclass(frozen=True, slots=True)
class Submission:
    """An accepted request. ignored: the unknown names that were given, where the door forgives them. repeated: it was
    accepted before, under the same Idempotency-Key."""

    generation: Generation
    ignored: tuple[str, ...]
    repeated: bool = False


def submit(
    *,
    actor: Actor,
    door: Door,
    model: str,
    raw: Mapping[str, Any],
    unknown: Literal["refuse", "ignore"] = "refuse",
    lock: bool = False,
    generation_id: uuid.UUID | None = None,
    publish: bool = True,
    most: int | None = None,
    allow_fallback: bool | None = None,
    fit: Fit | None = None,
    alongside: Sequence[Alongside] = (),
    once: idempotency.Once | None = None,
) -> Submission:
    """Accept a request: validate it, store its images, hold its quote, and hand it to the workers.

    `raw` maps parameter names to what the door was given; `most` is the quote that was agreed to, in millionths of a
    credit; `allow_fallback` lets an engine stand in that does not read the prompt (None: as the actor's team has it);
    `alongside` is written in the same transaction as the hold; `once` returns what the same request made before, and
    makes nothing, nor looks at an image again: it may have ended meanwhile. Raises QuoteRose where `most` is not
    enough, NotAllowed, Gone, catalogue.UnknownModel, InvalidInput, routing.NoEngine, ledger.InsufficientCredits,
    ledger.OverBudget, TooManyJobs, inputs.TooManyFetches, idempotency.Reused; then nothing is held.
    """
    if not actor.may(Right.GENERATE):
        raise NotAllowed
    declared = catalogue.get(model)
    require_model(actor, model)
    given = catalogue.validate(declared, raw, unknown=unknown)
    if once and (earlier := once.earlier()):
        return Submission(earlier, given.ignored, repeated=True)
    assets = inputs.ingest(actor.team_id, fit(given.images) if fit else given.images)
    masks.check(declared, given.params, assets)
    pixels = _pixels(declared, given.params, assets)
    may_fall = actor.allow_fallback if allow_fallback is None else allow_fallback
    ladder = routing.ladder(model, given.params, pixels, actor, allow_fallback=may_fall)
    cost = _price(ladder, model, given.params, pixels)
    if most is not None and cost.quote > most:
        raise QuoteRose(cost)
    generation = Generation(
        id=generation_id or uuid.uuid4(),
        team_id=actor.team_id,
        user_id=actor.user_id,
        api_key_id=actor.key_id,
        door=door,
        model=model,
        params=given.params,
        inputs={field: str(asset.id) for field, asset in assets.items()},
        seed=_seed(given.params),
        lock=lock,
        route=[engine.alias for engine in ladder],
        hooked=actor.hooked,
        estimate=cost.estimate,
        quote=cost.quote,
        created_at=timezone.now(),
    )
    beside = [once.write, *alongside] if once else alongside
    try:
        _accept(generation, beside, has_budgets=actor.has_budgets, publish=publish)
    except idempotency.Taken:
        assert once is not None
        return _copy(once, given.ignored)
    return Submission(generation, given.ignored)


def require_model(actor: Actor, model: str) -> None:
    """Raise ModelNotAllowed where the actor's key is limited to other image models."""
    if actor.models and model not in actor.models:
        raise ModelNotAllowed(model, actor.models)


def _copy(once: idempotency.Once, ignored: tuple[str, ...]) -> Submission:
    """Return what a copy of the request made, which came at the same moment and was first."""
    earlier = once.earlier()
    assert earlier is not None, "a key is kept for a day"
    return Submission(earlier, ignored, repeated=True)


def quote(
    *,
    actor: Actor,
    model: str,
    raw: Mapping[str, Any],
    unknown: Literal["refuse", "ignore"] = "refuse",
    allow_fallback: bool | None = None,
) -> Price:
    """Return the price of what `submit` would accept, and keep nothing. Raises what it does, but for want of credits
    and too many jobs."""
    if not actor.may(Right.GENERATE):
        raise NotAllowed
    declared = catalogue.get(model)
    given = catalogue.validate(declared, raw, unknown=unknown)
    seen = inputs.inspect(actor.team_id, given.images)
    masks.check(declared, given.params, seen.assets, seen.read)
    return price(
        model, given.params, _pixels(declared, given.params, seen.assets), actor, allow_fallback=allow_fallback
    )


def price(
    model: str, params: Mapping[str, Any], pixels: int, actor: Actor, *, allow_fallback: bool | None = None
) -> Price:
    """Return the price of a run on an input of so many pixels: the first engine's estimate, and as the ceiling twice
    the dearest that an engine which may serve it expects. Raises ModelNotAllowed, routing.NoEngine."""
    require_model(actor, model)
    may_fall = actor.allow_fallback if allow_fallback is None else allow_fallback
    return _price(routing.ladder(model, params, pixels, actor, allow_fallback=may_fall), model, params, pixels)


def _price(ladder: Sequence[Engine], model: str, params: Mapping[str, Any], pixels: int) -> Price:
    dearest = max(engine.ceiling(model, params, pixels) for engine in ladder)
    return Price(estimate=ladder[0].estimate(model, params, pixels), quote=max(1, 2 * dearest))


def _accept(generation: Generation, alongside: Sequence[Alongside], *, has_budgets: bool, publish: bool) -> None:
    """Hold the quote and write the rows, all at once; after it, tell the workers."""
    engine = routing.following(generation.route, [])
    assert engine is not None, f"no engine serves {generation.model}"
    attempt = Attempt(
        generation=generation,
        number=1,
        engine=engine.alias,
        queue=engine.queue,
        paid=engine.paid,
        published_at=generation.created_at,
    )
    hold = ledger.Hold(
        generation.team_id,
        generation.quote,
        generation.id,
        generation.model,
        generation.user_id,
        generation.api_key_id,
        has_budgets,
    )
    try:
        with transaction.atomic() if alongside else contextlib.nullcontext():
            for write in alongside:
                write(generation)
            attempt_id = statements.current().accept(generation, attempt, hold, settings.TEAM_JOBS_IN_FLIGHT)
            if attempt_id is None:
                raise TooManyJobs
    except IntegrityError as error:
        if keys.exists(generation.api_key_id):
            raise
        raise Gone from error
    if publish:
        transaction.on_commit(lambda: dispatch.attempt(attempt_id, attempt.queue))


def _pixels(declared: catalogue.ImageModel, params: Mapping[str, Any], assets: Mapping[str, Asset]) -> int:
    image = assets["image"]
    width, height = declared.output_size(params, image.width, image.height)
    return width * height


def _seed(params: Mapping[str, Any]) -> int:
    asked = int(params["seed"])
    return asked if asked >= 0 else secrets.randbelow(SEED_LIMIT - 4)


__all__ = [
    "Alongside",
    "FieldError",
    "Fit",
    "Gone",
    "InvalidInput",
    "ModelNotAllowed",
    "NotAllowed",
    "Price",
    "QuoteRose",
    "Submission",
    "TooManyJobs",
    "price",
    "quote",
    "require_model",
    "submit",
]
