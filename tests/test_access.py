"""The table of rights, row by row, and what is made of it."""

import itertools
import re

import pytest

from accounts import access
from accounts.access import RIGHTS, SCOPES, Actor, Right, actor_for, scoped
from accounts.models import Role, Team, User


def table() -> dict[Right, list[str]]:
    """The rows of the table that access.py's docstring shows, without its head."""
    lines = [line for line in (access.__doc__ or "").splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    head, _, *body = rows
    assert head[1:5] == ["owner", "admin", "member", "viewer"]
    return {Right[row[0]]: row[1:] for row in body}


def test_the_table_has_a_row_for_each_right() -> None:
    assert set(table()) == set(Right)


@pytest.mark.parametrize("right", Right)
def test_rights_are_as_the_table_says(right: Right) -> None:
    *cells, scopes = table()[right]
    assert [role.value for role in RIGHTS if right in RIGHTS[role]] == [
        role for role, cell in zip(("owner", "admin", "member", "viewer"), cells, strict=True) if cell == "yes"
    ]
    assert {scope for scope, rights in SCOPES.items() if right in rights} == {
        scope for scope in scopes.split(", ") if scope
    }


def test_every_role_has_rights_and_each_more_than_the_next() -> None:
    assert set(RIGHTS) == set(Role)
    assert RIGHTS[Role.OWNER] > RIGHTS[Role.ADMIN] > RIGHTS[Role.MEMBER] > RIGHTS[Role.VIEWER]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "scopes", [[], ["read"], ["generate"], ["generate", "read"], ["manage"], ["generate", "manage", "read"], ["root"]]
)
def test_a_scope_never_exceeds_its_makers_role(role: Role, scopes: list[str]) -> None:
    rights = scoped(role, scopes)
    assert rights <= RIGHTS[role]
    assert rights <= frozenset().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))


def test_no_scope_carries_people_and_the_team() -> None:
    carried = frozenset().union(*SCOPES.values())
    assert carried.isdisjoint({Right.MANAGE_MEMBERS, Right.MANAGE_TEAM})


def test_nobody_acts_for_a_team_they_are_not_in(team: Team, member: User, outsider: User) -> None:
    actor = actor_for(member, team)
    assert actor is not None
    assert actor.may(Right.GENERATE)
    assert not actor.may(Right.MANAGE_RUNS)
    assert (actor.team_id, actor.user_id, actor.key_id, actor.role) == (team.pk, member.pk, None, Role.MEMBER)
    assert actor_for(outsider, team) is None
    member.is_active = False
    member.save()
    assert actor_for(member, team) is None


@pytest.mark.parametrize(
    ("role", "scopes", "right", "says"),
    [
        (Role.VIEWER, None, Right.GENERATE, "role: viewer; this needs the role owner, admin or member"),
        (Role.MEMBER, ["generate"], Right.CURATE, "this needs the scope manage,"),
        (Role.OWNER, ["read"], Right.MANAGE_WEBHOOKS, "this needs the scope manage,"),
        (Role.OWNER, ["read"], Right.GENERATE, "this needs the scope generate,"),
        (Role.OWNER, ["generate"], Right.SEE_LEDGER, "this needs the scope read,"),
        (Role.MEMBER, ["manage"], Right.MANAGE_WEBHOOKS, "its maker has the role member; .* the role owner or admin"),
        (Role.OWNER, ["manage"], Right.MANAGE_MEMBERS, "no API key may do this"),
    ],
)
def test_a_refusal_says_what_is_needed_and_names_no_right(
    role: Role, scopes: list[str] | None, right: Right, says: str
) -> None:
    rights = RIGHTS[role] if scopes is None else access.scoped(role, scopes)
    actor = Actor(1, 1, None if scopes is None else 1, role, rights)
    assert not actor.may(right)
    assert re.search(says, access.refusal(actor, right))


def test_every_right_that_a_role_or_a_scope_lacks_has_a_refusal() -> None:
    for role, right, scope in itertools.product(Role, Right, SCOPES):
        actor = Actor(1, 1, 1, role, access.scoped(role, [scope]))
        if actor.may(right):
            continue
        said = access.refusal(actor, right)
        assert said.startswith("key: ")
        assert "_" not in said
        assert right not in RIGHTS[role] or any(scope in said for scope in SCOPES) or "sign in" in said


def test_a_key_that_a_key_made_is_told_that_it_makes_none() -> None:
    child = Actor(1, 1, 1, Role.OWNER, access.scoped(Role.OWNER, ["manage"]) - {Right.CREATE_KEYS})
    assert access.refusal(child, Right.CREATE_KEYS) == "key: one that was made by a key has no keys of its own"
