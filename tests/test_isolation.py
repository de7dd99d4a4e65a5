"""S5: tenants are isolated. Every route, by every method it serves, for everybody (tests/isolation.py)."""

import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts import keys
from accounts.models import ApiKey, Membership, Team, User
from generations import catalogue, delivery
from generations.models import Asset, Collection, CollectionItem, Generation, Upload
from tests import isolation
from tests.isolation import ACTORS, Row
from tests.pages import MakeRun
from tests.portal import ALL, key_of

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ROWS = list(isolation.rows())
LET_IN = {200, 201, 204, 302, 400, 406, 409, 415, 422, 503}
"""What the table has as +; 302 where it leads elsewhere than to the sign-in, 503 where no worker runs (/readyz)."""
BY_KEY = {"key", "reader", "foreign"}

Make = Callable[["World"], object]


class World:
    """A team with one of everything, and who asks for it."""

    def __init__(
        self, people: dict[str, User], team: Team, run: Generation, key: ApiKey, collection: Collection
    ) -> None:
        self.people, self.team, self.run, self.key, self.collection = people, team, run, key, collection
        self.output = run.outputs.get(number=0)
        asset = Asset.objects.get(id=run.inputs["image"])
        self.upload = Upload.objects.create(team=team, asset=asset, name="a.png", created_at=timezone.now())
        theirs = people["outsider"].memberships.get().team
        self.raw = {
            "key": key_of(people["member"], team, *ALL),
            "reader": key_of(people["member"], team, "read"),
            "foreign": key_of(people["outsider"], theirs, *ALL),
            "owner": key_of(people["owner"], team, *ALL),
        }

    def secrets(self) -> list[str]:
        """Return what no answer to another team may hold."""
        named = [self.run.id, self.output.id, self.upload.id, self.collection.id, *self.run.inputs.values()]
        return [*map(str, named), self.key.prefix, self.collection.name, "a secret prompt", "member@example.com"]


ARGUMENTS: dict[str, Make] = {
    "generation_id": lambda world: world.run.id,
    "run_id": lambda world: world.run.id,
    "request_id": lambda world: world.run.id,
    "prediction_id": lambda world: world.run.id,
    "output_id": lambda world: world.output.id,
    "asset_id": lambda world: world.run.inputs["image"],
    "file_id": lambda world: world.upload.id,
    "collection_id": lambda world: world.collection.id,
    "key_id": lambda world: world.key.pk,
    "number": lambda world: 0,
    "portal-key.number": lambda world: world.key.pk,
    "slug": lambda world: "bg-replace",
    "alias": lambda world: "classical",
    "owner": lambda world: "official",
    "version": lambda world: catalogue.version(catalogue.get("bg-replace")),
    "variant": lambda world: "full",
    "extension": lambda world: "jpg",
}
"""What stands in an address, by its name in the pattern; "route.name" where one route means something else by it."""

OTHERWISE: dict[str, str] = {
    "portal-unknown": "/api/nothing",
    "jobs-unknown": "/v1/files/x/y",
    "segmind-unknown": "/v1/x/y",
}
"""Addresses of routes that are regular expressions."""


def routes(patterns: list[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every route: its name, and its address with <names> in it."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern) and not str(pattern.name).startswith(isolation.NOT_OURS):
            yield str(pattern.name), prefix + str(pattern.pattern)


ROUTES = dict(routes(get_resolver().url_patterns))


def address(route: str, world: World) -> str:
    if route in OTHERWISE:
        return OTHERWISE[route]

    def fill(match: "re.Match[str]") -> str:
        name = match[1].rpartition(":")[2]
        return str(ARGUMENTS.get(f"{route}.{name}", ARGUMENTS.get(name, _unknown(route, name)))(world))

    return "/" + re.sub(r"<(.*?)>", fill, ROUTES[route])


def _unknown(route: str, name: str) -> Make:
    def fail(_: World) -> object:
        raise AssertionError(f"{route}: what is {name!r}? Say it in ARGUMENTS")

    return fail


@pytest.fixture
def world(team: Team, owner: User, admin: User, member: User, viewer: User, outsider: User, make_run: MakeRun) -> World:
    run = make_run("a secret prompt")
    key, _ = keys.create(Membership.objects.get(user=member, team=team), name="of the test")
    collection = Collection.objects.create(team=team, owner=member, name="Hidden away", visibility="team")
    CollectionItem.objects.create(collection=collection, generation=run, added_at=timezone.now())
    loner = User.objects.create_user("loner@example.com")
    people = {"loner": loner, "owner": owner, "admin": admin, "member": member, "viewer": viewer, "outsider": outsider}
    return World(people, team, run, key, collection)


def ask(world: World, actor: str, method: str, path: str) -> Any:
    """Send a request of no content, which leaves nothing behind."""
    client, headers = Client(raise_request_exception=False), {}
    with transaction.atomic():
        if actor in BY_KEY:
            headers["x-api-key"] = world.raw[actor]
        elif actor != "anonymous":
            client.force_login(world.people[actor])
        answer = client.generic(method, path, "{}", content_type="application/json", headers=headers)
        if getattr(answer, "streaming", False):
            answer.getvalue()
        transaction.set_rollback(True)
    return answer


def told(answer: HttpResponseBase) -> str:
    """Return an answer as the table has it."""
    if answer.status_code == 302 and answer["location"].startswith("/accounts/login/"):
        return "sign-in"
    return "+" if answer.status_code in LET_IN else str(answer.status_code)


@pytest.mark.usefixtures("unpublished", "engines")
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_everybody_gets_what_the_table_says(world: World, row: Row) -> None:
    path = address(row.route, world)
    found = [told(ask(world, actor, row.method, path)) for actor in ACTORS]
    assert dict(zip(ACTORS, found, strict=True)) == dict(zip(ACTORS, row.cells, strict=True))


@pytest.mark.usefixtures("unpublished", "engines")
@pytest.mark.parametrize("row", [row for row in ROWS if row.method == "GET"], ids=str)
def test_no_answer_tells_another_team_anything(world: World, row: Row) -> None:
    """Where another team is let in, it sees its own."""
    path = address(row.route, world)
    for actor in ("outsider", "foreign", "anonymous"):
        answer = ask(world, actor, "GET", path)
        shown = "" if getattr(answer, "streaming", False) else answer.content.decode(errors="replace")
        leaked = [secret for secret in world.secrets() if secret in shown and secret not in path]
        assert not leaked, (actor, leaked)


def test_every_route_has_rows() -> None:
    lacking = {name: ROUTES[name] for name in set(ROUTES) - {row.route for row in ROWS}}
    assert not lacking, f"who may ask for these? Say it in tests/isolation.py: {lacking}"
    assert {row.route for row in ROWS} <= set(ROUTES), "rows of routes that there are no more"


@pytest.mark.usefixtures("unpublished", "engines")
@pytest.mark.parametrize("route", sorted(ROUTES))
def test_no_method_is_served_without_a_row(world: World, route: str) -> None:
    """An owner who also sends a key is let in by every door, so that any other answer than 405 is a method served."""
    path, known = address(route, world), {row.method for row in ROWS if row.route == route}
    served = set()
    for method in set(METHODS) - known:
        client = Client(raise_request_exception=False)
        with transaction.atomic():
            client.force_login(world.people["owner"])
            answer = client.generic(
                method, path, "{}", content_type="application/json", headers={"x-api-key": world.raw["owner"]}
            )
            transaction.set_rollback(True)
        if answer.status_code not in (405, 404):
            served.add((method, answer.status_code))
    assert not served


def test_what_does_not_exist_is_told_like_what_is_another_teams(world: World) -> None:
    """Byte for byte, but for the id itself."""
    for route in ("portal-generation", "portal-collection", "segmind-result", "prediction"):
        theirs = address(route, world)
        none = theirs.replace(str(world.run.id), (other := str(uuid.uuid4()))).replace(str(world.collection.id), other)
        answers = [ask(world, "foreign", "GET", path) for path in (theirs, none)]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1, route


def test_a_signed_link_is_no_key_to_anything_else(world: World) -> None:
    link = delivery.link(world.output).removeprefix("http://127.0.0.1:8000")
    assert Client().get(link).status_code == 200
    other = link.replace(str(world.output.id), str(uuid.uuid4()))
    assert Client().get(other).status_code == 404
