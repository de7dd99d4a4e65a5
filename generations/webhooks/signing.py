"""The secrets that webhooks are signed with, and the signatures, as Standard Webhooks has them.

A secret is derived from SECRET_KEY, the team and a number, and kept nowhere: whoever reads the database, or a copy of
it, cannot sign. Who changes SECRET_KEY changes every secret, as they change every session and link.
"""

import base64
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from standardwebhooks import Webhook as Signer

from accounts.models import Team
from generations.models import SigningSecret

PREFIX = "whsec_"
OVERLAP = timedelta(hours=24)
"""How long the secret before the last rotation goes on signing, beside the new one."""


def secret(team_id: int) -> str:
    """Return the team's secret, as receivers are given it."""
    return _derive(team_id, _number(_row(team_id)))


def secrets(team_id: int) -> list[str]:
    """Return the secrets that sign now, the newest first: two for a while after a rotation."""
    row = _row(team_id)
    number = _number(row)
    is_overlapping = row is not None and row.rotated_at + OVERLAP > timezone.now()
    return [_derive(team_id, each) for each in ((number, number - 1) if is_overlapping else (number,))]


def rotate(team_id: int) -> None:
    """Make a new secret. The one before it signs on for OVERLAP; one before that ends now."""
    with transaction.atomic():
        Team.objects.select_for_update(no_key=True).get(id=team_id)
        row = _row(team_id) or SigningSecret(team_id=team_id)
        row.number += 1
        row.rotated_at = timezone.now()
        row.save()


def overlaps_until(team_id: int) -> datetime | None:
    """Return when the secret before this one stops to sign; None where only one does."""
    row = _row(team_id)
    ends = row.rotated_at + OVERLAP if row else None
    return ends if ends and ends > timezone.now() else None


def headers(team_id: int, message_id: str, at: datetime, body: str) -> dict[str, str]:
    """Return the headers that sign a body."""
    signatures = [Signer(each).sign(message_id, at, body) for each in secrets(team_id)]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def _row(team_id: int) -> SigningSecret | None:
    return SigningSecret.objects.filter(team_id=team_id).first()


def _number(row: SigningSecret | None) -> int:
    return row.number if row else 0


def _derive(team_id: int, number: int) -> str:
    digest = salted_hmac("sceneshift.webhook.secret", f"{team_id}:{number}", algorithm="sha256").digest()
    return PREFIX + base64.b64encode(digest).decode()
