"""The playground: what the form shows, what it would cost, what it runs, and what it says when it cannot."""

import uuid

import pytest
from django.conf import LazySettings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts import budgets, ledger
from accounts.credits import MICRO, format_credits
from accounts.models import Span, Subject, Team, User
from generations import catalogue
from generations.catalogue import snippets
from generations.models import Asset, Generation
from generations.models.generation import Door, Status
from tests.jobs import Configure, mask, png
from tests.pages import HTMX, MakeRun

pytestmark = pytest.mark.usefixtures("engines", "unpublished")

URL = "/playground/bg-replace"
CLASSICAL = "generations.engines.classical.engine.ClassicalEngine"


@pytest.fixture
def signed_in(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


def upload(name: str = "image", data: bytes = b"") -> SimpleUploadedFile:
    return SimpleUploadedFile(f"{name}.png", data or png(), "image/png")


def form(**more: object) -> dict[str, object]:
    fields: dict[str, object] = {"image": upload(), "ref_image": upload("ref_image"), "prompt": "on a beach"}
    numbers = {"samples": "2", "num_inference_steps": "25", "seed": "-1", "scheduler": "DPM2 Karras"}
    rest = {"guidance_scale": "7.5", "strength": "1", "cn_weight": "0.9", "ip_adapter_weight": "0.5"}
    return {**fields, **numbers, **rest, "negative_prompt": "", "most": str(25 * MICRO), **more}


def shown_quote(page: str) -> int:
    return int(page.split('name="most" value="')[1].split('"')[0])


@pytest.mark.parametrize("slug", catalogue.MODELS)
def test_the_form_has_a_field_for_every_parameter(signed_in: Client, slug: str) -> None:
    page = signed_in.get(f"/playground/{slug}").content.decode()
    for parameter in catalogue.get(slug).parameters:
        assert (f'name="{parameter.name}"' in page) is parameter.in_form


@pytest.mark.parametrize("slug", catalogue.MODELS)
def test_what_moves_the_price_is_marked(signed_in: Client, slug: str) -> None:
    page = signed_in.get(f"/playground/{slug}").content.decode()
    assert page.count("affects price") == len(catalogue.get(slug).price_names)


def test_the_query_string_fills_the_form(signed_in: Client) -> None:
    page = signed_in.get(URL, {"prompt": 'a "quiet" <beach>', "samples": "3", "lock": "true"}).content.decode()
    assert "a &quot;quiet&quot; &lt;beach&gt;</textarea>" in page
    assert 'name="samples" data-param data-default="1"' in page
    assert page.count('value="3"') == 2  # the slider and the number
    assert 'id="id_lock" name="lock" data-param data-default="false"' in page
    assert "checked" in page


def test_a_bad_query_string_is_no_error(signed_in: Client) -> None:
    answer = signed_in.get(URL, {"samples": "many", "scheduler": "nope"})
    assert answer.status_code == 200
    assert "No price yet: samples must be a whole number from 1 to 4" in answer.content.decode()


def test_the_quote_follows_the_samples(signed_in: Client) -> None:
    url = reverse("quote", args=["bg-replace"])
    one, two = (signed_in.get(url, {"samples": number}).context["price"].quote for number in (1, 2))
    assert one < two <= 2 * one


def test_the_quote_says_when_the_balance_is_too_small(signed_in: Client, team: Team) -> None:
    ledger.adjust(team.pk, -25 * MICRO + 1, reference=uuid.uuid4(), note="spent")
    answer = signed_in.get(reverse("quote", args=["bg-replace"]))
    assert "The team has 0.000001 credits; this run needs" in answer.content.decode()


def test_who_adds_credits_is_somebody_who_can(signed_in: Client, team: Team) -> None:
    ledger.adjust(team.pk, -25 * MICRO, reference=uuid.uuid4(), note="spent")
    assert "manage.py grant_credits" in signed_in.get(reverse("quote", args=["bg-replace"])).content.decode()


def test_the_snippet_has_the_parameters_and_no_key(signed_in: Client, settings: LazySettings, key: str) -> None:
    answer = signed_in.post(reverse("snippet", args=["bg-replace"]), {"prompt": "a quay", "samples": "3"})
    page = answer.content.decode()
    assert page.count("a quay") == len(snippets.LANGUAGES)
    assert f"{settings.PUBLIC_URL}/v1/bg-replace" in page
    assert "SCENESHIFT_API_KEY" in page
    assert key not in page


def test_a_run_is_submitted(signed_in: Client, member: User, unpublished: list[int]) -> None:
    answer = signed_in.post(URL, form(lock="true"))
    made = Generation.objects.get()
    assert (answer.status_code, answer["location"]) == (302, f"/runs/{made.id}")
    assert (made.door, made.user_id, made.lock, made.status) == (Door.WEB, member.pk, True, Status.QUEUED)
    assert made.params["samples"] == 2
    assert set(made.inputs) == {"image", "ref_image"}


def test_htmx_is_sent_to_the_run(signed_in: Client) -> None:
    answer = signed_in.post(URL, form(), headers=HTMX)
    assert answer["HX-Redirect"] == f"/runs/{Generation.objects.get().id}"


def test_what_is_wrong_is_said_at_each_field(signed_in: Client) -> None:
    answer = signed_in.post(URL, form(image="", prompt=" ", samples="9"), headers=HTMX)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Add a picture here: image." in page
    assert "Fill this in: prompt." in page
    assert "Must be a whole number from 1 to 4; got &quot;9&quot;." in page
    assert 'id="error-seed" data-error-of="seed" hx-swap-oob="true" hidden' in page
    assert not Generation.objects.exists()


def test_a_bad_picture_is_said_at_its_field(signed_in: Client) -> None:
    answer = signed_in.post(URL, form(ref_image=upload(data=b"not a picture")), headers=HTMX)
    rows = {item.row.name: item.row.error for item in answer.context["fields"].all}
    assert rows["ref_image"]
    assert not rows["image"]


def test_an_empty_file_is_said_at_its_field(signed_in: Client) -> None:
    empty = SimpleUploadedFile("image.png", b"", "image/png")
    answer = signed_in.post(URL, form(image=empty), headers=HTMX)
    rows = {item.row.name: item.row.error for item in answer.context["fields"].all}
    assert rows["image"] == "This file is empty. Choose another."


def test_a_mask_without_white_is_said_at_its_field(signed_in: Client) -> None:
    black = upload("mask", png(colour=0, mode="L"))
    sent = {**form(image=upload(), mask=black), "strength": "0.9"}
    answer = signed_in.post("/playground/sdxl-inpaint", sent, headers=HTMX)
    assert "nothing to repaint" in answer.content.decode()


def test_without_javascript_the_page_comes_again_with_what_was_typed(signed_in: Client) -> None:
    answer = signed_in.post(URL, form(image="", prompt="my long prompt"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "my long prompt</textarea>" in page
    assert "Add a picture here: image." in page


def test_too_few_credits_are_said_with_numbers(signed_in: Client, team: Team) -> None:
    ledger.adjust(team.pk, -25 * MICRO + 5, reference=uuid.uuid4(), note="spent")
    answer = signed_in.post(URL, form(), headers=HTMX)
    assert answer.status_code == 402
    assert "The team has 0.000005 credits, and this run needs up to" in answer.content.decode()
    assert not Generation.objects.exists()


@pytest.mark.parametrize("door", ["form", "demo"])
def test_a_budget_that_is_used_up_is_said(signed_in: Client, team: Team, door: str) -> None:
    budgets.put(team.pk, Subject.TEAM, "", Span.MONTH, 5)
    if door == "form":
        answer = signed_in.post(URL, form(), headers=HTMX)
        assert answer.status_code == 402
    else:
        answer = signed_in.post(reverse("try-demo"), follow=True)
    assert "the monthly budget of the team is 0.000005 credits: 0.00 are used" in answer.content.decode()
    assert not Generation.objects.exists()


def test_too_many_runs_at_a_time_are_refused(signed_in: Client, settings: LazySettings) -> None:
    settings.TEAM_JOBS_IN_FLIGHT = 1
    signed_in.post(URL, form())
    answer = signed_in.post(URL, form(), headers=HTMX)
    assert answer.status_code == 429
    assert "The team has 1 runs in progress" in answer.content.decode()


@pytest.mark.parametrize("most", ["", "0", "-1", "x", "٢", "9" * 99])
def test_without_a_price_that_was_shown_nothing_runs(signed_in: Client, most: str) -> None:
    assert signed_in.post(URL, form(most=most), headers=HTMX).status_code == 409
    assert not Generation.objects.exists()


def test_a_price_that_rose_is_shown_and_run_again_accepts_it(
    signed_in: Client, team: Team, engines: Configure, settings: LazySettings
) -> None:
    settings.ENGINES = {"classical": {"BACKEND": CLASSICAL, "OPTIONS": {"rate": 0.0015}}}
    settings.ROUTES = {slug: ["classical"] for slug in catalogue.MODELS}
    seen = shown_quote(signed_in.get(reverse("quote", args=["bg-replace"])).content.decode())
    large = {"image": upload(data=png(2048, 2048)), "samples": "1", "most": str(seen)}
    answer = signed_in.post(URL, form(**large), headers=HTMX)
    page = answer.content.decode()
    real = shown_quote(page)
    assert answer.status_code == 409
    assert real > seen
    assert f"This run costs up to {format_credits(real)} credits, more than the price that was shown." in page
    assert '<div id="quote" hx-swap-oob="innerHTML">' in page
    assert ledger.balance(team.pk).held == 0
    assert not Generation.objects.exists()
    signed_in.post(URL, form(**{**large, "image": upload(data=png(2048, 2048)), "most": str(real)}), headers=HTMX)
    assert Generation.objects.get().quote == ledger.balance(team.pk).held == real


def test_without_javascript_the_price_that_rose_comes_with_the_page(signed_in: Client, engines: Configure) -> None:
    engines(dear={"rate": 1.0})
    answer = signed_in.post(URL, form(most="7"))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert shown_quote(page) == answer.context["price"].quote > 7
    assert "until yours is here" not in page


@pytest.mark.parametrize("kind", ["output", "asset"])
def test_a_lost_picture_is_said_at_its_field(signed_in: Client, make_run: MakeRun, kind: str) -> None:
    run = make_run()
    row = run.outputs.get() if kind == "output" else Asset.objects.get(id=run.inputs["image"])
    default_storage.delete(row.file)
    answer = signed_in.post(URL, form(image="", image_source=f"{kind}:{row.id}"), headers=HTMX)
    rows = {item.row.name: item.row.error for item in answer.context["fields"].all}
    assert answer.status_code == 422
    assert rows["image"] == "The file of this picture is lost. Choose another."
    assert Generation.objects.count() == 1


def test_a_remix_starts_from_the_run(signed_in: Client, make_run: MakeRun) -> None:
    run = make_run("a pine forest", samples=3)
    page = signed_in.get(URL, {"from": str(run.id)}).content.decode()
    assert "a pine forest</textarea>" in page
    assert f'name="image_source" value="asset:{run.inputs["image"]}"' in page
    changed = signed_in.get(URL, {"from": str(run.id), "prompt": "a quay"}).content.decode()
    assert "a quay</textarea>" in changed


def test_a_remix_runs_on_the_same_pictures(signed_in: Client, make_run: MakeRun) -> None:
    run = make_run()
    sources = {f"{name}_source": f"asset:{asset}" for name, asset in run.inputs.items()}
    signed_in.post(URL, {**form(), "image": "", "ref_image": "", **sources})
    made = Generation.objects.exclude(id=run.id).get()
    assert made.inputs == run.inputs


def test_an_output_becomes_an_input(signed_in: Client, make_run: MakeRun) -> None:
    output = make_run().outputs.get()
    page = signed_in.get("/playground/sdxl-inpaint", {"output": str(output.id)}).content.decode()
    assert f'value="output:{output.id}"' in page
    sent = {**form(image=""), "image_source": f"output:{output.id}", "mask": upload("mask", mask()), "strength": "0.9"}
    signed_in.post("/playground/sdxl-inpaint", sent)
    made = Generation.objects.get(model="sdxl-inpaint")
    assert Asset.objects.get(id=made.inputs["image"]).size == output.size


@pytest.mark.parametrize("query", [{"from": "x"}, {"output": "x"}, {"from": str(uuid.uuid4())}])
def test_a_start_that_does_not_exist_is_not_found(signed_in: Client, query: dict[str, str]) -> None:
    assert signed_in.get(URL, query).status_code == 404


def test_the_demo_runs_in_one_click(signed_in: Client) -> None:
    answer = signed_in.post(reverse("try-demo"))
    made = Generation.objects.get()
    assert answer["location"] == f"/runs/{made.id}"
    assert (made.model, made.status) == ("bg-replace", Status.QUEUED)
    assert "perfume" in made.params["prompt"]


def test_the_demo_without_credits_says_so(signed_in: Client, team: Team) -> None:
    ledger.adjust(team.pk, -25 * MICRO + 1, reference=uuid.uuid4(), note="spent")
    answer = signed_in.post(reverse("try-demo"), follow=True)
    assert "0.000001 available" in answer.content.decode()


def test_the_demo_needs_a_post(signed_in: Client) -> None:
    assert signed_in.get(reverse("try-demo")).status_code == 405


def test_the_form_is_not_taken_without_its_token(member: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(member)
    answer = strict.post(URL, form())
    assert answer.status_code == 403
    assert "The page was open too long" in answer.content.decode()
