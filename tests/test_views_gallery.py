"""The gallery, the page of a picture, and the pictures themselves."""

import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from generations import queries
from generations.models import Output
from generations.models.generation import Status
from generations.selection import Selection
from tests.pages import HTMX, MakeRun


@pytest.fixture
def signed_in(client: Client, member: User) -> Client:
    client.force_login(member)
    return client


def prompts(client: Client, url: str = "/gallery", **query: str) -> list[str]:
    return [tile.alt for tile in client.get(url, query).context["tiles"]]


def test_pictures_come_newest_first(signed_in: Client, make_run: MakeRun) -> None:
    make_run("old", age=60)
    make_run("new", samples=2)
    make_run("unfinished", status=Status.RUNNING)
    assert prompts(signed_in) == ["new", "new, sample 2", "old"]


def test_an_empty_gallery_offers_the_demo(signed_in: Client) -> None:
    page = signed_in.get("/gallery").content.decode()
    assert "Try it with our perfume bottle" in page
    assert reverse("try-demo") in page


def test_an_empty_gallery_offers_a_viewer_nothing_to_run(client: Client, viewer: User) -> None:
    client.force_login(viewer)
    assert reverse("try-demo") not in client.get("/gallery").content.decode()


def test_search_and_model(signed_in: Client, make_run: MakeRun) -> None:
    make_run("a Sunny quay")
    make_run("a forest", model="sdxl-inpaint")
    assert prompts(signed_in, q="sunny ") == ["a Sunny quay"]
    assert prompts(signed_in, model="sdxl-inpaint") == ["a forest"]
    assert prompts(signed_in, model="sdxl-inpaint", q="quay") == []
    assert "No picture matches" in signed_in.get("/gallery", {"q": "zebra"}).content.decode()


def test_what_was_searched_for_is_never_markup(signed_in: Client) -> None:
    page = signed_in.get("/gallery", {"q": "<b>x"}).content.decode()
    assert "<b>x" not in page


def test_more_goes_on_where_the_page_ended(
    signed_in: Client, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries.gallery, "__kwdefaults__", {**(queries.gallery.__kwdefaults__ or {}), "limit": 2})
    for number in range(5):
        make_run(f"number {number}", age=number)
    seen: list[str] = []
    url = "/gallery"
    while url:
        answer = signed_in.get(url, headers=HTMX if seen else {})
        seen += [tile.alt for tile in answer.context["tiles"]]
        url = answer.context["next"]
    assert seen == [f"number {number}" for number in range(5)]


def test_htmx_gets_the_tiles_alone(signed_in: Client, make_run: MakeRun) -> None:
    make_run()
    page = signed_in.get("/gallery", headers=HTMX).content.decode()
    assert page.startswith('<li class="tile" ')


@pytest.mark.parametrize("cursor", ["x", "2026-01-01_x", "_"])
def test_a_bad_cursor_starts_at_the_newest(signed_in: Client, make_run: MakeRun, cursor: str) -> None:
    make_run("only")
    assert prompts(signed_in, before=cursor) == ["only"]


def test_a_picture_has_its_parameters_and_its_neighbours(signed_in: Client, make_run: MakeRun) -> None:
    old, middle, new = (make_run(name, samples=2, age=age) for name, age in (("a", 60), ("b", 30), ("c", 0)))
    order = [*new.outputs.order_by("number"), *middle.outputs.order_by("number"), *old.outputs.order_by("number")]
    ids = [output.id for output in order]
    for index, output in enumerate(order):
        found = queries.neighbours(
            Output.objects.select_related("generation").get(id=output.id), Selection(team_id=old.team_id)
        )
        assert found.newer == (ids[index - 1] if index else None)
        assert found.older == (ids[index + 1] if index + 1 < len(ids) else None)
    page = signed_in.get(reverse("image", args=[ids[2]])).content.decode()
    assert f'rel="prev" href="/gallery/{ids[1]}"' in page
    assert f'rel="next" href="/gallery/{ids[3]}"' in page
    assert "DPM2 Karras" in page
    assert f"/playground/bg-replace?from={middle.id}" in page


def test_the_neighbours_are_those_of_the_search_and_the_model(signed_in: Client, make_run: MakeRun) -> None:
    wanted = [make_run("a Quay", age=age).outputs.get() for age in (0, 30, 60)]
    make_run("a forest", age=20)
    make_run("a quay", model="sdxl-inpaint", age=40)
    query = {"q": "quay", "model": "bg-replace"}
    said = "?q=quay&amp;model=bg-replace"
    assert f'href="/gallery/{wanted[1].id}{said}"' in signed_in.get("/gallery", query).content.decode()
    page = signed_in.get(reverse("image", args=[wanted[1].id]), query).content.decode()
    assert f'rel="prev" href="/gallery/{wanted[0].id}{said}"' in page
    assert f'rel="next" href="/gallery/{wanted[2].id}{said}"' in page
    assert f'class="crumb" href="/gallery{said}"' in page


def test_the_way_from_picture_to_picture_is_markup_in_no_search(signed_in: Client, make_run: MakeRun) -> None:
    output = make_run().outputs.get()
    page = signed_in.get(reverse("image", args=[output.id]), {"q": '"><b>', "model": "no-such"}).content.decode()
    assert '"><b>' not in page
    assert "no-such" not in page


def test_tiles_and_page_are_kept_apart_by_caches(signed_in: Client) -> None:
    assert "HX-Request" in signed_in.get("/gallery")["vary"]


# --- the pictures -------------------------------------------------------------------------------------------


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_a_picture_is_private_and_immutable(signed_in: Client, make_run: MakeRun) -> None:
    run = make_run()
    output = run.outputs.get()
    full = signed_in.get(reverse("output-picture", args=[output.id, "full"]))
    assert body(full).startswith(b"\x89PNG")
    small = signed_in.get(reverse("output-picture", args=[output.id, "thumbnail"]))
    assert (small["content-type"], body(small)) == ("image/webp", b"thumbnail")
    asset = signed_in.get(reverse("asset-picture", args=[run.inputs["image"]]))
    for answer in (full, small, asset):
        assert answer["cache-control"] == "private, max-age=31536000, immutable"
        assert answer["content-security-policy"] == "sandbox; default-src 'none'"
        assert answer["x-content-type-options"] == "nosniff"


def test_before_its_thumbnail_is_made_the_picture_itself_is_shown(signed_in: Client, make_run: MakeRun) -> None:
    output = make_run(ready=False).outputs.get()
    answer = signed_in.get(reverse("output-picture", args=[output.id, "thumbnail"]))
    assert (answer.status_code, answer["cache-control"]) == (302, "no-store")
    assert answer["location"] == reverse("output-picture", args=[output.id, "full"])


def test_an_unknown_variant_and_a_lost_file_are_not_found(signed_in: Client, make_run: MakeRun) -> None:
    output = make_run().outputs.get()
    assert signed_in.get(reverse("output-picture", args=[output.id, "huge"])).status_code == 404
    Output.objects.filter(id=output.id).update(file="outputs/gone.png")
    assert signed_in.get(reverse("output-picture", args=[output.id, "full"])).status_code == 404
    assert signed_in.get(reverse("output-picture", args=[uuid.uuid4(), "full"])).status_code == 404
