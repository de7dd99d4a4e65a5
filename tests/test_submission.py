"""The one way in: what is accepted holds its quote, what is refused costs nothing."""

import uuid

import pytest
from django.conf import LazySettings

from accounts import access, ledger
from accounts.access import Actor
from accounts.credits import MICRO
from accounts.models import Entry, Team, User
from generations import catalogue, submission
from generations.models import Asset, Attempt, Generation
from generations.models.generation import Door, Status
from tests.jobs import Configure, Submit, given, mask, png

pytestmark = pytest.mark.django_db


def test_a_submit_holds_the_quote_and_queues_one_attempt(submit: Submit, unpublished: list[int], team: Team) -> None:
    generation = submit()
    assert generation.status == Status.QUEUED
    assert 0 < generation.estimate <= generation.quote
    assert ledger.balance(team.pk).held == generation.quote
    attempt = Attempt.objects.get(generation=generation)
    assert (attempt.number, attempt.engine, attempt.state) == (1, "scripted", "queued")


def test_it_is_published_on_commit_only(
    submit: Submit, unpublished: list[int], django_capture_on_commit_callbacks: object
) -> None:
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        generation = submit()
        assert unpublished == []
    assert unpublished == [Attempt.objects.get(generation=generation).id]


def test_the_same_picture_is_stored_once_per_team(submit: Submit, unpublished: list[int]) -> None:
    first, second = submit(), submit()
    assert first.inputs == second.inputs
    assert Asset.objects.count() == 2


def test_another_team_does_not_share_it(submit: Submit, unpublished: list[int], outsider: User) -> None:
    submit()
    other = access.actor_of(outsider.memberships.get())
    submission.submit(actor=other, door=Door.WEB, model="bg-replace", raw=given())
    assert Asset.objects.count() == 4


def test_an_asset_of_another_team_is_not_found(submit: Submit, unpublished: list[int], outsider: User) -> None:
    theirs = submit().inputs["image"]
    other = access.actor_of(outsider.memberships.get())
    with pytest.raises(catalogue.InvalidInput, match="image: no such upload"):
        submission.submit(actor=other, door=Door.WEB, model="bg-replace", raw=given(image=uuid.UUID(theirs)))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"samples": 9}, "samples"),
        ({"image": b"no picture"}, "image"),
        ({"image": "not base64!"}, "neither an http"),
        ({"image": png()[:90]}, "image"),
        ({"image": png(2050, 16)}, "2048"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_bad_input_names_the_field_and_holds_nothing(
    actor: Actor, engines: Configure, team: Team, raw: dict[str, object], message: str
) -> None:
    with pytest.raises(catalogue.InvalidInput, match=message):
        submission.submit(actor=actor, door=Door.WEB, model="bg-replace", raw={**given(), **raw})
    assert ledger.balance(team.pk).held == 0
    assert not Generation.objects.exists()


def test_a_mask_with_nothing_to_repaint_is_refused(actor: Actor, engines: Configure) -> None:
    black = png(colour=0, mode="L")
    with pytest.raises(catalogue.InvalidInput, match="nothing to repaint"):
        submission.submit(actor=actor, door=Door.WEB, model="sdxl-inpaint", raw=given("sdxl-inpaint", mask=black))


def test_a_mask_of_another_size_is_accepted(submit: Submit, unpublished: list[int]) -> None:
    assert submit(model="sdxl-inpaint", mask=mask(32, 48)).status == Status.QUEUED


def test_too_few_credits_leave_no_row(submit: Submit, team: Team) -> None:
    ledger.adjust(team.pk, -25 * MICRO + 1, reference=uuid.uuid4(), note="spent")
    with pytest.raises(ledger.InsufficientCredits):
        submit()
    assert not Generation.objects.exists()
    assert not Attempt.objects.exists()


def test_a_viewer_may_not_submit(viewer: User, team: Team, engines: Configure) -> None:
    actor = access.actor_for(viewer, team)
    assert actor is not None
    with pytest.raises(submission.NotAllowed):
        submission.submit(actor=actor, door=Door.WEB, model="bg-replace", raw=given())


def test_jobs_in_flight_are_limited_and_the_refused_one_holds_nothing(
    submit: Submit, unpublished: list[int], settings: LazySettings, team: Team
) -> None:
    settings.TEAM_JOBS_IN_FLIGHT = 2
    held = sum(submit().quote for _ in range(2))
    with pytest.raises(submission.TooManyJobs):
        submit()
    assert ledger.balance(team.pk).held == held
    assert Entry.objects.filter(kind="hold").count() == 2


def test_the_quote_is_twice_the_dearest_estimate_on_the_route(actor: Actor, engines: Configure) -> None:
    engines(cheap={"cost": 0.01}, dear={"cost": 0.03})
    assert submission.price("bg-replace", {"samples": 1}, 4096, actor) == submission.Price(10_000, 60_000)


def test_a_seed_is_chosen_where_none_was_and_kept_where_one_was(submit: Submit, unpublished: list[int]) -> None:
    assert submit(seed=7).seed == 7
    assert submit().seed != submit().seed
