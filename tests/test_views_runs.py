"""The page of a run, from its first second to its files."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from generations import execution, finishing
from generations.models import Attempt, Generation
from generations.models.attempt import State
from generations.models.generation import Fault, Status
from generations.views import presentation
from tests.jobs import Configure, Submit
from tests.pages import HTMX, UNCHANGED, MakeRun


@pytest.fixture
def signed_in(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


def page_of(client: Client, run: Generation, **query: str) -> str:
    return client.get(reverse("run", args=[run.id]), query).content.decode()


def test_a_run_that_goes_on_asks_for_its_progress(signed_in: Client, make_run: MakeRun) -> None:
    run = make_run(status=Status.RUNNING, progress=0.42, stage="finding the subject")
    page = page_of(signed_in, run)
    assert 'hx-trigger="every 700ms"' in page
    assert "Finding the subject" in page
    assert "42 %" in page
    assert reverse("run-cancel", args=[run.id]) in page


@pytest.mark.parametrize("status", Status)
def test_without_javascript_only_a_run_that_goes_on_is_loaded_again(
    signed_in: Client, make_run: MakeRun, status: Status
) -> None:
    page = page_of(signed_in, make_run(status=status))
    assert ('http-equiv="refresh"' in page) is not status.is_final


def test_the_progress_goes_on_until_the_end_and_then_stops(signed_in: Client, make_run: MakeRun) -> None:
    run = make_run(status=Status.RUNNING)
    url = reverse("run-progress", args=[run.id])
    assert "every 700ms" in signed_in.get(url, headers=HTMX).content.decode()
    Generation.objects.filter(id=run.id).update(status=Status.FAILED, fault=Fault.ENGINE, error="It broke.")
    answer = signed_in.get(url, headers=HTMX)
    page = answer.content.decode()
    assert "every 700ms" not in page
    assert (answer["HX-Retarget"], answer["HX-Reswap"]) == ("#run", "outerHTML")
    assert 'id="balance" hx-swap-oob="true"' in page


def test_a_run_that_takes_long_says_so(signed_in: Client, make_run: MakeRun) -> None:
    assert "longer than usual" not in page_of(signed_in, make_run(status=Status.QUEUED))
    assert "longer than usual" in page_of(signed_in, make_run(status=Status.QUEUED, age=120))


def test_a_result_shows_what_it_cost_and_how_it_came(signed_in: Client, make_run: MakeRun) -> None:
    run = make_run("a quay at dusk", samples=2, notes=["prompt was not read"], lock=True)
    page = page_of(signed_in, run)
    for shown in ("0.0018", "quoted at most 0.004", "1.2 s", "scripted", "prompt was not read", "a quay at dusk"):
        assert shown in page
    assert "Subject pixels unchanged" in page
    assert "before-after__range" in page
    assert "every 700ms" not in page


def test_the_second_sample_can_be_shown_large(signed_in: Client, make_run: MakeRun) -> None:
    run = make_run(samples=2)
    second = run.outputs.get(number=1)
    assert signed_in.get(reverse("run", args=[run.id]), {"sample": "2"}).context["selected"] == second
    for odd in ("", "0", "3", "x", "-1", "٢"):
        assert signed_in.get(reverse("run", args=[run.id]), {"sample": odd}).context["selected"].number == 0


def test_a_failed_run_says_why_and_that_it_was_free(signed_in: Client, make_run: MakeRun) -> None:
    run = make_run(status=Status.FAILED, fault=Fault.REJECTED, error="No subject was found.")
    page = page_of(signed_in, run)
    assert "No subject was found." in page
    assert "It cost nothing: 0.004 credits went back to the team" in page


def test_a_canceled_run_says_that_it_was_free(signed_in: Client, make_run: MakeRun) -> None:
    assert "It cost nothing" in page_of(signed_in, make_run(status=Status.CANCELED))


def test_a_canceled_run_whose_paid_call_is_under_way_is_followed_to_its_end(
    signed_in: Client, make_run: MakeRun
) -> None:
    run = make_run(status=Status.CANCELED)
    attempt = Attempt.objects.create(
        generation=run,
        number=2,
        engine="hosted",
        queue="network",
        paid=True,
        state="submitted",
        published_at=timezone.now(),
    )
    assert f'hx-get="{reverse("run-progress", args=[run.id])}"' in page_of(signed_in, run)
    Attempt.objects.filter(id=attempt.id).update(state="done")
    assert "hx-get" not in page_of(signed_in, run).partition('id="run"')[2].partition("</main>")[0]


def test_a_canceled_run_that_was_paid_says_what_it_cost_and_shows_its_picture(
    signed_in: Client, make_run: MakeRun
) -> None:
    run = make_run()
    Generation.objects.filter(id=run.id).update(status=Status.CANCELED, cost=15_000, quote=20_000)
    page = page_of(signed_in, run)
    assert "it cost 0.015 credits" in page
    assert "In the gallery" not in page


@pytest.mark.usefixtures("unpublished")
def test_cancel(signed_in: Client, submit: MakeRun) -> None:
    run = submit()
    answer = signed_in.post(reverse("run-cancel", args=[run.id]))
    assert answer["location"] == reverse("run", args=[run.id])
    run.refresh_from_db()
    assert run.status == Status.CANCELED
    assert "Canceled" in page_of(signed_in, run)


def test_who_may_not_cancel_sees_no_button(client: Client, make_run: MakeRun, viewer: User) -> None:
    run = make_run(status=Status.RUNNING)
    client.force_login(viewer)
    assert reverse("run-cancel", args=[run.id]) not in page_of(client, run)


def test_the_master_and_a_jpeg_can_be_downloaded(signed_in: Client, make_run: MakeRun) -> None:
    run = make_run("On a pale, marble counter!")
    url = reverse("run-download", args=[run.id, 0])
    master, jpeg = signed_in.get(url), signed_in.get(url, {"format": "jpeg"})
    name = f"bg-replace-on-a-pale-marble-counter-{run.id.hex[:8]}-1"
    assert f'filename="{name}.png"' in master["content-disposition"]
    assert b"".join(master.streaming_content).startswith(b"\x89PNG")  # type: ignore[attr-defined]
    assert f'filename="{name}.jpg"' in jpeg["content-disposition"]
    assert jpeg.content.startswith(b"\xff\xd8")
    assert signed_in.get(reverse("run-download", args=[run.id, 4])).status_code == 404


@pytest.mark.parametrize("query", [{}, {"format": "jpeg"}])
def test_a_download_whose_file_is_lost_is_not_found(
    signed_in: Client, make_run: MakeRun, query: dict[str, str]
) -> None:
    run = make_run()
    default_storage.delete(run.outputs.get().file)
    answer = signed_in.get(reverse("run-download", args=[run.id, 0]), query)
    assert answer.status_code == 404
    assert "its file is gone" in answer.content.decode()
    assert page_of(signed_in, run)


def test_the_comparison_is_awaited_and_then_shown(signed_in: Client, make_run: MakeRun) -> None:
    run = make_run(ready=False)
    url = reverse("run-fidelity", args=[run.id, 0])
    assert url in page_of(signed_in, run)
    assert "Comparing with the input" in signed_in.get(url).content.decode()
    run.outputs.update(fidelity=UNCHANGED)
    answer = signed_in.get(url).content.decode()
    assert "Subject pixels unchanged" in answer
    assert "hx-get" not in answer


def test_an_old_run_without_a_comparison_does_not_ask_for_ever(signed_in: Client, make_run: MakeRun) -> None:
    run = make_run(ready=False, age=600)
    assert reverse("run-fidelity", args=[run.id, 0]) not in page_of(signed_in, run)


@pytest.mark.parametrize(
    ("model", "figures", "words"),
    [
        ("bg-replace", {}, "Subject pixels unchanged"),
        ("sdxl-inpaint", {}, "Pixels outside the mask unchanged"),
        (
            "bg-replace",
            {"changed_pixels": 9, "changed_share": 0.123, "delta_e_mean": 0.456, "delta_e_max": 7.89},
            "Subject pixels: 12.3 % changed, ΔE 0.46 on average, 7.9 at most",
        ),
        (
            "bg-replace",
            {"changed_pixels": 1, "changed_share": 0.0001, "delta_e_mean": 0.0, "delta_e_max": 1.0},
            "Subject pixels: under 0.1 % changed, ΔE 0.00 on average, 1.0 at most",
        ),
    ],
)
def test_fidelity_in_words(make_run: MakeRun, model: str, figures: dict[str, float], words: str) -> None:
    run = make_run(model=model)
    output = run.outputs.get()
    output.fidelity = {**UNCHANGED, **figures}
    assert presentation.fidelity_words(run, output) == words


def test_a_prompt_is_never_markup(signed_in: Client, make_run: MakeRun) -> None:
    page = page_of(signed_in, make_run("<script>alert(1)</script>"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


# --- more than one engine -----------------------------------------------------------------------------------

committed = pytest.mark.django_db(transaction=True)
"""Attempts are published at a commit, which other tests never come to."""


@pytest.fixture
def stood_in(engines: Configure, inline: list[int], submit: Submit) -> Generation:
    """A run whose first engine was away."""
    engines(hosted={"fail": "unavailable", "paid": True, "queue": "network"}, own={"cost": 0.002})
    run = submit()
    run.refresh_from_db()
    assert (run.status, run.engine) == (Status.SUCCEEDED, "own")
    return run


@committed
@pytest.mark.parametrize("name", ["run", "image"])
def test_another_engines_picture_says_so_and_why(signed_in: Client, stood_in: Generation, name: str) -> None:
    where = stood_in.id if name == "run" else stood_in.outputs.get().id
    page = signed_in.get(reverse(name, args=[where])).content.decode()
    assert "Made by own instead of hosted" in page
    assert page.count("own stood in for hosted: the script says unavailable") == 1
    assert "A scripted picture, made for tests." in page
    tries = page.split('id="tries-title"')[1].split("</section>")[0]
    for words in ("hosted", "Did not deliver", "the script says unavailable", "own", "Delivered"):
        assert words in tries


@committed
def test_what_the_house_paid_is_for_the_operator_alone(signed_in: Client, stood_in: Generation, member: User) -> None:
    assert "cost the house" not in page_of(signed_in, stood_in)
    User.objects.filter(pk=member.pk).update(is_staff=True)
    assert "cost the house 0.002 credits" in page_of(signed_in, stood_in)


@committed
@pytest.mark.usefixtures("inline", "engines")
def test_a_run_that_went_as_it_should_lists_no_attempts(signed_in: Client, submit: Submit) -> None:
    page = page_of(signed_in, submit())
    assert "tries-title" not in page
    assert "instead of" not in page


@committed
@pytest.mark.usefixtures("inline")
def test_the_only_attempt_is_listed_where_it_failed(signed_in: Client, submit: Submit, engines: Configure) -> None:
    engines(hosted={"fail": "unknown", "paid": True})
    page = page_of(signed_in, submit())
    assert "Outcome unknown, not charged" in page
    assert "It cost nothing" in page


@committed
def test_a_run_that_waits_for_the_next_engine_says_so(
    signed_in: Client, submit: Submit, engines: Configure, unpublished: list[int]
) -> None:
    engines(hosted={"fail": "unavailable"}, own={})
    run = submit()
    execution.run(unpublished[0])
    run.refresh_from_db()
    assert (run.status, run.progress) == (Status.RUNNING, 0.0)
    page = page_of(signed_in, run)
    assert "Waiting for own, which stands in for hosted" in page
    assert "instead of" not in page
    fragment = signed_in.get(reverse("run-progress", args=[run.id]), headers=HTMX).content.decode()
    assert "Waiting for own, which stands in for hosted" in fragment


@committed
def test_an_engine_whose_worker_died_is_waited_for_again(submit: Submit, unpublished: list[int]) -> None:
    run = submit()
    attempt = run.attempts.get()
    past = timezone.now() - timedelta(seconds=1)
    Generation.objects.filter(id=run.id).update(status=Status.RUNNING, progress=0.7)
    run.attempts.update(state=State.SUBMITTING, lease_until=past)
    finishing.abandon(attempt)
    run.refresh_from_db()
    assert (run.stage, run.progress) == ("waiting for scripted again", 0.0)
    assert len(unpublished) == 2
