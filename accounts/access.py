"""Who may do what in a team: the table of rights.

| right           | owner | admin | member | viewer | scopes of keys that carry it |
|-----------------|-------|-------|--------|--------|------------------------------|
| VIEW            | yes   | yes   | yes    | yes    | read, generate, manage       |
| GENERATE        | yes   | yes   | yes    |        | generate                     |
| CURATE          | yes   | yes   | yes    |        | manage                       |
| MANAGE_RUNS     | yes   | yes   |        |        | manage                       |
| CREATE_KEYS     | yes   | yes   | yes    |        | manage                       |
| MANAGE_KEYS     | yes   | yes   |        |        | manage                       |
| MANAGE_WEBHOOKS | yes   | yes   |        |        | manage                       |
| SEE_LEDGER      | yes   | yes   | yes    |        | read                         |
| MANAGE_MEMBERS  | yes   | yes   |        |        |                              |
| MANAGE_TEAM     | yes   |       |        |        |                              |

tests/test_access.py holds the code to this table, row by row. A key's rights are its maker's, as they are at
the request, cut down to its scopes; people and money are managed by people only, so no scope carries those
rights. A key that a key made makes none itself, whatever its scopes: else one key's limits would be the limits
of each of many.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from accounts.models import ApiKey, Membership, Role, Team, User


class Right(StrEnum):
    VIEW = "view"
    """see the team's runs, pictures and balance"""
    GENERATE = "generate"
    """submit runs, cancel one's own, upload images"""
    CURATE = "curate"
    """favourite and collect pictures; cancel and delete one's own runs"""
    MANAGE_RUNS = "manage_runs"
    """cancel or delete what others submitted"""
    CREATE_KEYS = "create_keys"
    """make API keys, and revoke one's own"""
    MANAGE_KEYS = "manage_keys"
    """see and revoke every key of the team"""
    MANAGE_WEBHOOKS = "manage_webhooks"
    """make, change and remove the team's webhooks, and see their secrets"""
    SEE_LEDGER = "see_ledger"
    """read the statement of credits and the usage by member and key"""
    MANAGE_MEMBERS = "manage_members"
    """invite and remove people, and set roles up to one's own"""
    MANAGE_TEAM = "manage_team"
    """rename the team, make owners"""


_VIEWER = frozenset({Right.VIEW})
_MEMBER = _VIEWER | {Right.GENERATE, Right.CURATE, Right.CREATE_KEYS, Right.SEE_LEDGER}
_ADMIN = _MEMBER | {Right.MANAGE_RUNS, Right.MANAGE_KEYS, Right.MANAGE_WEBHOOKS, Right.MANAGE_MEMBERS}
_OWNER = _ADMIN | {Right.MANAGE_TEAM}

RIGHTS: Mapping[Role, frozenset[Right]] = MappingProxyType(
    {Role.OWNER: _OWNER, Role.ADMIN: _ADMIN, Role.MEMBER: _MEMBER, Role.VIEWER: _VIEWER}
)

SCOPES: Mapping[str, frozenset[Right]] = MappingProxyType(
    {
        "generate": frozenset({Right.VIEW, Right.GENERATE}),
        "read": frozenset({Right.VIEW, Right.SEE_LEDGER}),
        "manage": frozenset(
            {
                Right.VIEW,
                Right.CURATE,
                Right.MANAGE_RUNS,
                Right.CREATE_KEYS,
                Right.MANAGE_KEYS,
                Right.MANAGE_WEBHOOKS,
            }
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Parent:
    """The key that made a key. rate_limit: its own submits a minute, None for the setting's."""

    key_id: int
    rate_limit: int | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts for a team: a member in the browser (`key_id` None) or one of their API keys.

    team: its slug. engines: those that it chose, () for any. allow_fallback: whether an engine that does not read the
    prompt may stand in. models: the slugs that a key is limited to, () for all. rate_limit: a key's own submits a
    minute, None for the setting's. has_budgets: whether budgets may apply, so that a hold has to look. hooked: events
    of its runs that registered addresses are told. parent: the key that made it, in whose window its submits count too.
    """

    team_id: int
    user_id: int
    key_id: int | None
    role: Role
    rights: frozenset[Right]
    team: str = ""
    engines: tuple[str, ...] = ()
    allow_fallback: bool = False
    hooked: int = 0
    models: tuple[str, ...] = ()
    rate_limit: int | None = None
    has_budgets: bool = False
    parent: Parent | None = None

    def may(self, right: Right) -> bool:
        return right in self.rights


def actor_of(membership: Membership) -> Actor:
    """The actor of a member in the browser, who sees which engine it was; costs no query where the team is loaded."""
    team, role = membership.team, Role(membership.role)
    return Actor(
        membership.team_id,
        membership.user_id,
        None,
        role,
        RIGHTS[role],
        team=team.slug,
        engines=tuple(team.engines),
        allow_fallback=True,
        hooked=team.hooked,
        has_budgets=team.has_budgets,
    )


def actor_of_key(key: ApiKey) -> Actor:
    """The actor of a key, whose membership, team and parent are loaded. A key that another made has what both have."""
    membership, team, parent = key.membership, key.membership.team, key.parent
    role = Role(membership.role)
    rights = scoped(role, key.scopes)
    models, rate_limit = tuple(key.models), key.rate_limit
    if parent is not None:
        rights -= {Right.CREATE_KEYS}
        if parent.models:
            models = tuple(each for each in key.models or parent.models if each in parent.models)
            rights -= frozenset() if models else {Right.GENERATE}  # () would be every model
        rate_limit = min((each for each in (rate_limit, parent.rate_limit) if each), default=None)
    return Actor(
        membership.team_id,
        membership.user_id,
        key.pk,
        role,
        rights,
        team=team.slug,
        engines=tuple(team.engines),
        allow_fallback=team.allow_fallback,
        hooked=team.hooked,
        models=models,
        rate_limit=rate_limit,
        has_budgets=key.has_budgets or team.has_budgets,
        parent=Parent(parent.pk, parent.rate_limit) if parent else None,
    )


def actor_for(user: User, team: Team) -> Actor | None:
    """The actor of `user` in `team`, or None where they are no active member; costs one query."""
    membership = Membership.objects.select_related("team").filter(user=user, team=team, user__is_active=True).first()
    return actor_of(membership) if membership else None


def scoped(role: Role, scopes: Iterable[str]) -> frozenset[Right]:
    """The rights of a key: its maker's role's, cut down to `scopes`. An unknown scope carries nothing."""
    carried = frozenset[Right]().union(*(SCOPES.get(scope, frozenset()) for scope in scopes))
    return RIGHTS[role] & carried


def refusal(actor: Actor, right: Right) -> str:
    """Return what is said to who lacks a right, in words that they can act on: roles and scopes, never the right."""
    roles = _either([role for role in RIGHTS if right in RIGHTS[role]])
    if actor.key_id is None:
        return f"role: {actor.role}; this needs the role {roles}"
    if right not in RIGHTS[actor.role]:
        return f"key: its maker has the role {actor.role}; this needs a key of somebody with the role {roles}"
    scopes = _either([scope for scope in SCOPES if right in SCOPES[scope]])
    if not scopes:
        return "key: no API key may do this, whatever its scopes; sign in"
    if right == Right.CREATE_KEYS and actor.may(Right.CURATE):
        return "key: one that was made by a key has no keys of its own"
    return f"key: this needs the scope {scopes}, which the key does not have"


def _either(names: Sequence[str]) -> str:
    *firsts, last = names or [""]
    return f"{', '.join(firsts)} or {last}" if firsts else last
