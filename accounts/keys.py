"""API keys: made once, shown once, known afterwards by their digest.

A key is `ss_`, 32 random characters (190 bits) and 6 that check them, all of base 62. The check tells a
mistyped key without asking the database, and lets scanners of leaked secrets know ours when they see one.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from collections.abc import Iterable
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import budgets, key_cache, key_uses
from accounts.access import RIGHTS, Actor, Right, actor_of_key
from accounts.key_limits import InvalidKey, Limits, check_name
from accounts.models import ApiKey, Membership, Role, Span, Subject
from accounts.models.key import DEFAULT_SCOPES

__all__ = ["InvalidKey", "TooMany", "authenticate", "create", "exists", "limit", "revoke"]

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MARK = "ss_"
_RANDOM = 32
_CHECK = 6
_PREFIX = 11
MOST = 1000
"""Keys of one team that are active."""

_FORM = re.compile(rf"{_MARK}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}", re.ASCII)


class TooMany(InvalidKey):
    """The team has as many active keys as it may."""

    def __init__(self) -> None:
        super().__init__("name", f"the team has {MOST:,} active API keys; more are not allowed: revoke one first")


def create(
    membership: Membership,
    *,
    name: str,
    scopes: Iterable[str] = DEFAULT_SCOPES,
    expires_at: datetime | None = None,
    models: Iterable[str] = (),
    rate_limit: int | None = None,
    daily: int | None = None,
    monthly: int | None = None,
    by: Actor | None = None,
) -> tuple[ApiKey, str]:
    """Make a key of a member; return its row and the raw key, which is kept nowhere.

    models: slugs, none for all. rate_limit: submits a minute, None for the setting RATE_LIMIT. daily, monthly:
    millionths of a credit that runs may take, None for no limit. by: who asks; where that is one of the member's keys,
    the new one has no more scopes, models and limits than it, and ends with it.
    Raise PermissionDenied where the role or the key may make none, InvalidKey (a ValueError) that names what is wrong,
    TooMany among it.
    """
    if Right.CREATE_KEYS not in RIGHTS[Role(membership.role)]:
        raise PermissionDenied(f"role: {membership.role}; it may not create API keys")
    wanted = Limits(sorted(set(scopes)), expires_at, sorted(set(models)), rate_limit, daily, monthly)
    wanted.check()
    check_name(name)
    raw = _generate()
    with transaction.atomic():
        budgets.lock(membership.team_id)
        parent = _parent(by)
        _require_place(membership.team_id)
        key = _write(membership, name, raw, wanted.within(Limits.of(parent)) if parent else wanted, parent)
    return key, raw


def limit(
    key: ApiKey, *, models: Iterable[str], rate_limit: int | None, daily: int | None, monthly: int | None
) -> None:
    """Change what a key is limited to, all of it; for people, since a key may not widen another.

    Keys that it made have no more from then on. In force at once in this process, within two seconds in the others.
    Raise InvalidKey as `create` does.
    """
    wanted = Limits(key.scopes, None, sorted(set(models)), rate_limit, daily, monthly)
    wanted.check()
    with transaction.atomic():
        budgets.lock(key.team_id)
        key.models, key.rate_limit = list(wanted.models), rate_limit
        key.save(update_fields=["models", "rate_limit"])
        _set_budgets(key, wanted)
    for digest in ApiKey.objects.filter(Q(pk=key.pk) | Q(parent=key)).values_list("digest", flat=True):
        key_cache.forget(digest)


def authenticate(raw: str) -> Actor | None:
    """Whose key this is, with the rights it has now; None where it is wrong, revoked or expired.

    A key whose maker is no longer active is wrong too. An answer is kept for up to two seconds in the
    process; otherwise it costs one query, and a key whose check is wrong costs none.
    """
    if not _is_well_formed(raw):
        return None
    digest = _digest(raw)
    actor = key_cache.get(digest)
    if actor is None:
        actor = _find(raw[:_PREFIX], digest)
        if actor is not None:
            key_cache.put(digest, actor)
    return actor


def exists(key_id: int | None) -> bool:
    """Whether the key's row is still there; None, for who came without a key, has none to lose."""
    return key_id is None or ApiKey.objects.filter(pk=key_id).exists()


def revoke(key: ApiKey) -> None:
    """End a key and those that it made: at once in this process, within the cache's two seconds in the others."""
    key.revoked_at = key.revoked_at or timezone.now()
    ended = ApiKey.objects.filter(Q(pk=key.pk) | Q(parent=key))
    ended.filter(revoked_at=None).update(revoked_at=key.revoked_at)
    for digest in ended.values_list("digest", flat=True):
        key_cache.forget(digest)


def _parent(by: Actor | None) -> ApiKey | None:
    """Return the key that makes a key, locked, so that it is not revoked meanwhile; None where a person does."""
    if by is None or by.key_id is None:
        return None
    parent = ApiKey.objects.select_for_update(no_key=True).filter(pk=by.key_id).first()
    if parent is None or not parent.is_active or not by.may(Right.CREATE_KEYS):
        raise PermissionDenied("key: it may not create API keys; one made by a person, with the scope manage, may")
    return parent


def _require_place(team_id: int) -> None:
    """Raise TooMany where the team, whose lock is held, has as many keys as it may."""
    current = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    if ApiKey.objects.filter(current, team_id=team_id, revoked_at=None).count() >= MOST:
        raise TooMany


def _write(membership: Membership, name: str, raw: str, limits: Limits, parent: ApiKey | None) -> ApiKey:
    key = ApiKey.objects.create(
        membership=membership,
        team_id=membership.team_id,
        parent=parent,
        name=name,
        prefix=raw[:_PREFIX],
        digest=_digest(raw),
        scopes=list(limits.scopes),
        expires_at=limits.expires_at,
        models=list(limits.models),
        rate_limit=limits.rate_limit,
        has_budgets=parent is not None and parent.has_budgets,
    )
    _set_budgets(key, limits)
    return key


def _set_budgets(key: ApiKey, limits: Limits) -> None:
    for span, amount in ((Span.DAY, limits.daily), (Span.MONTH, limits.monthly)):
        if amount is not None or key.has_budgets:
            budgets.put(key.team_id, Subject.KEY, str(key.pk), span, amount)
    key.refresh_from_db(fields=["has_budgets"])


def _find(prefix: str, digest: str) -> Actor | None:
    keys = ApiKey.objects.filter(prefix=prefix, membership__user__is_active=True)
    row = keys.select_related("membership__team", "parent").first()
    if row is None or not hmac.compare_digest(row.digest, digest) or not row.is_active:
        return None
    key_uses.note(row.pk, row.last_used_at, timezone.now())
    return actor_of_key(row)


def _generate() -> str:
    body = _MARK + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return body + _checksum(body)


def _checksum(body: str) -> str:
    """The CRC32 of `body` in base 62."""
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def _is_well_formed(raw: str) -> bool:
    return _FORM.fullmatch(raw) is not None and raw[-_CHECK:] == _checksum(raw[:-_CHECK])


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode()).hexdigest()
