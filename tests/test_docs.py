"""The documentation's pages: for anybody, with links that lead somewhere, and nothing loaded from elsewhere."""

import re
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.conf import LazySettings
from django.contrib.staticfiles import finders
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from generations import catalogue, docs_urls, reference
from generations.api import openai_options, problem_json
from generations.api.kinds import KINDS
from generations.catalogue import snippets
from generations.views import docs, docs_operations

PAGES = [
    "/docs",
    *(f"/docs/models/{slug}" for slug in catalogue.MODELS),
    *("/docs/api", "/api/docs", "/docs/errors", "/docs/limits", "/docs/webhooks"),
    *(f"/docs/migrate/{client}" for client in docs.CLIENTS),
]
each_page = pytest.mark.parametrize("path", PAGES)


class Links(HTMLParser):
    """Reads a page: where its links lead, what it loads, and the ids on it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        if "id" in given:
            self.ids.append(given["id"])
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif source := given.get("src") or (given.get("href") if tag in ("link", "use") else ""):
            self.loaded.append(source)


def read(client: Client, path: str) -> Links:
    answer = client.get(path)
    assert answer.status_code == 200
    return Links(answer.content.decode())


@each_page
@pytest.mark.django_db
def test_anybody_may_read_it_and_no_session_is_made(client: Client, path: str) -> None:
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(path)
    assert answer.status_code == 200
    assert "sessionid" not in answer.cookies
    assert len(seen) == 0
    page = answer.content.decode()
    assert page.count("<h1>") == 1
    assert 'href="/docs"' in page
    assert "ss_" not in page


@each_page
def test_a_member_reads_it_too(client: Client, member: User, path: str) -> None:
    client.force_login(member)
    assert client.get(path).status_code == 200


@pytest.mark.django_db
def test_who_is_in_no_team_reads_it_too(client: Client) -> None:
    client.force_login(User.objects.create_user("loner@example.com"))
    for path in PAGES:
        assert client.get(path).status_code == 200


@each_page
@pytest.mark.django_db
def test_its_links_lead_somewhere_and_it_loads_nothing_from_elsewhere(client: Client, path: str) -> None:
    page = read(client, path)
    assert len(page.ids) == len(set(page.ids)), sorted(name for name in page.ids if page.ids.count(name) > 1)
    anchors: dict[str, set[str]] = defaultdict(set)
    for link in page.links:
        target, _, anchor = link.partition("#")
        anchors[target].add(anchor)
    assert len(anchors) > 10
    for target, wanted in anchors.items():
        assert not target or target.startswith("/"), target
        if target.startswith("/static/"):
            assert finders.find(target.removeprefix("/static/")), target
            continue
        answer = client.get(target or path)
        assert answer.status_code in (200, 302), target
        assert wanted - {""} <= set(Links(answer.content.decode()).ids), target
    for source in page.loaded:
        assert source.startswith(("/static/", "#")), source
        assert finders.find(source.partition("#")[0].removeprefix("/static/")), source


def test_every_page_is_tested() -> None:
    named = {pattern.name for pattern in docs_urls.urlpatterns}
    assert named == {
        *("docs", "docs-model", "docs-api", "docs-errors", "docs-limits", "docs-webhooks", "docs-migrate"),
        *("api-docs", "docs-slash"),
    }


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/docs/models/nothing", "/docs/migrate/nobody", "/docs/nowhere"])
def test_what_is_not_there_is_404(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("slug", catalogue.MODELS)
def test_a_model_page_has_every_parameter_language_and_error(client: Client, slug: str, member: User) -> None:
    page = client.get(f"/docs/models/{slug}").content.decode()
    for name in catalogue.get(slug).by_name:
        assert f'<tr id="{name}">' in page
    for name in snippets.LANGUAGES.values():
        assert f">{name}</button>" in page
    for kind in ("invalid_input", "insufficient_credits", "rate_limited", "rejected"):
        assert f"/docs/errors#{kind}" in page
    assert "unknown_model" not in page
    client.force_login(member)
    assert re.search(r"about [\d.]+ credits, at most [\d.]+", client.get(f"/docs/models/{slug}").content.decode())


@pytest.mark.django_db
def test_the_type_of_a_problem_leads_to_its_place_on_the_page(client: Client, settings: LazySettings) -> None:
    ids = read(client, "/docs/errors").ids
    for kind in KINDS:
        address = problem_json.answer(KINDS[kind].sample()).data["type"]
        path, _, anchor = address.removeprefix(settings.PUBLIC_URL).partition("#")
        assert (path, anchor) == ("/docs/errors", kind)
        assert anchor in ids


def operations() -> Iterator[tuple[str, str]]:
    for path, methods in reference.document()["paths"].items():
        for method in methods:
            yield method.upper(), path


@pytest.mark.django_db
def test_the_reference_has_every_operation(client: Client) -> None:
    shown = [(each.method, each.path) for door in docs_operations.doors() for each in door.operations]
    assert sorted(shown) == sorted(operations())
    page = client.get("/docs/api").content.decode()
    for method, path in shown:
        assert method in page
        assert path in page
    assert client.get("/api/docs").content.count(b'class="operation"') == len(shown)


def test_a_table_of_fields_says_what_the_schema_says() -> None:
    document = reference.document()
    fields = docs_operations.fields(document, {"$ref": "#/components/schemas/SegmindStatus"})
    by_name = {field.name: field for field in fields}
    assert by_name["status"].type == "string"
    assert by_name["status"].note == "One of QUEUED, PROCESSING, COMPLETED"
    assert by_name["metrics.cost"].type == "number"
    assert by_name["attempts"].type == "list of object"
    assert by_name["attempts[].error"].type == "string or null"
    model = {
        field.name: field for field in docs_operations.fields(document, {"$ref": "#/components/schemas/BgReplaceBody"})
    }
    assert (model["samples"].note.endswith("1 to 4"), model["samples"].default) == (True, 1)
    assert model["prompt"].required
    assert not model["seed"].required


@pytest.mark.django_db
def test_the_limits_are_those_of_the_settings(client: Client, settings: LazySettings) -> None:
    settings.RATE_LIMIT, settings.TEAM_JOBS_IN_FLIGHT, settings.V1_DEADLINE = 77, 88, 99
    settings.MAX_BODY_BYTES = 7 * 2**20
    page = client.get("/docs/limits").content.decode()
    for said in ("77 a minute", "88 at a time", "99 seconds", "7 MiB", "q=77;w=60"):
        assert said in page
    settings.RATE_LIMIT = 0
    assert "no limit is set" in client.get("/docs/limits").content.decode()


@pytest.mark.django_db
def test_the_code_names_this_site_and_no_key(client: Client, settings: LazySettings) -> None:
    settings.PUBLIC_URL = "https://pictures.example"
    for path in ("/docs", "/docs/migrate/segmind", "/docs/limits"):
        page = client.get(path).content.decode()
        assert "https://pictures.example" in page
        assert "sceneshift.example" not in page
        assert "SCENESHIFT_API_KEY" in page


@pytest.mark.django_db
def test_backticks_become_code_and_nothing_else_does(client: Client) -> None:
    page = client.get("/docs/api").content.decode()
    assert "<code>base64</code> is true" in page
    assert "`" not in page


def test_the_header_leads_there_from_every_page(client: Client, member: User) -> None:
    client.force_login(member)
    assert f'href="{reverse("docs")}"' in client.get("/").content.decode()


@pytest.mark.django_db
def test_of_a_removed_run_only_the_door_that_says_so_is_named(client: Client) -> None:
    page = client.get("/docs/errors").content.decode()
    removed = page.split('id="removed"')[1].split("</section>")[0]
    assert re.findall(r"<li>(.+?) <strong class=\"figures\">(\d+)", removed) == [("Portal", "410")]


@pytest.mark.django_db
def test_the_guide_from_openai_names_every_field_of_theirs(client: Client) -> None:
    page = client.get("/docs/migrate/openai").content.decode()
    _, does, nothing, refused = page.split('id="fields"')[1].split("<dt>")
    assert {option.name for option in openai_options.IGNORED} == set(re.findall("<code>([a-z_]+)</code>", nothing)) - {
        "model"
    }
    assert all(f"<code>{name}</code>" in does for name in ("size", "output_format", "response_format"))
    for option in openai_options.HONOURED:
        assert option.name in does + refused


def test_a_slash_too_many_leads_to_the_documentation(client: Client) -> None:
    assert client.get("/docs/")["Location"] == "/docs"
