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
from django.utils import timezone

from accounts import key_cache, key_uses
from accounts.access import RIGHTS, SCOPES, Actor, Right, actor_of_key
from accounts.models import ApiKey, Membership, Role
from accounts.models.key import DEFAULT_SCOPES

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MARK = "ss_"
_RANDOM = 32
_CHECK = 6
_PREFIX = 11
_FORM = re.compile(rf"{_MARK}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}", re.ASCII)


def create(
    membership: Membership,
    *,
    name: str,
    scopes: Iterable[str] = DEFAULT_SCOPES,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key of a member; return its row and the raw key, which is kept nowhere.

    Raise PermissionDenied where the role may not make keys, ValueError on a scope that there is not.
    """
    if Right.CREATE_KEYS not in RIGHTS[Role(membership.role)]:
        raise PermissionDenied(f"role: {membership.role}; it may not create API keys")
    chosen = sorted(set(scopes))
    unknown = [scope for scope in chosen if scope not in SCOPES]
    if unknown or not chosen:
        raise ValueError(f"scopes: {', '.join(unknown) or 'none'}; allowed are {', '.join(SCOPES)}")
    raw = _generate()
    key = ApiKey.objects.create(
        membership=membership,
        team_id=membership.team_id,
        name=name,
        prefix=raw[:_PREFIX],
        digest=_digest(raw),
        scopes=chosen,
        expires_at=expires_at,
    )
    return key, raw


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
    """End a key: at once in this process, within the cache's two seconds in the others."""
    key.revoked_at = key.revoked_at or timezone.now()
    key.save(update_fields=["revoked_at"])
    key_cache.forget(key.digest)


def _find(prefix: str, digest: str) -> Actor | None:
    keys = ApiKey.objects.filter(prefix=prefix, membership__user__is_active=True)
    row = keys.select_related("membership__team").first()
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
