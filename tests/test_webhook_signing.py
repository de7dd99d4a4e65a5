"""Signatures as Standard Webhooks has them, and the secrets behind them."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.utils import timezone
from standardwebhooks import Webhook as Signer
from standardwebhooks import WebhookVerificationError

from accounts.models import Team, User
from generations.models import SigningSecret
from generations.webhooks import signing

VECTOR = {
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "at": datetime.fromtimestamp(1614265330, UTC),
    "body": '{"test": 2432232314}',
    "signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
BODY = '{"a":"ä"}'


def headers(team: Team) -> dict[str, str]:
    return signing.headers(team.pk, "msg_1", timezone.now(), BODY)


def test_the_published_vector(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "secrets", lambda team_id: [VECTOR["secret"]])
    told = signing.headers(team.pk, str(VECTOR["id"]), VECTOR["at"], str(VECTOR["body"]))  # type: ignore[arg-type]
    assert told == {
        "webhook-id": VECTOR["id"],
        "webhook-timestamp": "1614265330",
        "webhook-signature": VECTOR["signature"],
    }


def test_a_receiver_finds_the_signature_good(team: Team) -> None:
    assert Signer(signing.secret(team.pk)).verify(BODY, headers(team)) == {"a": "ä"}
    with pytest.raises(WebhookVerificationError):
        Signer(signing.secret(team.pk)).verify(BODY + " ", headers(team))


def test_each_team_has_its_own_which_stays_the_same(team: Team, outsider: User) -> None:
    other = Team.objects.exclude(pk=team.pk).get()
    assert signing.secret(team.pk) == signing.secret(team.pk) != signing.secret(other.pk)


def test_the_database_alone_does_not_tell_it(team: Team, settings: LazySettings) -> None:
    before = signing.secret(team.pk)
    settings.SECRET_KEY = "another installation's"
    assert signing.secret(team.pk) != before


def test_after_a_rotation_both_sign_for_a_day(team: Team) -> None:
    old = signing.secret(team.pk)
    signing.rotate(team.pk)
    new = signing.secret(team.pk)
    assert old != new
    told = headers(team)
    assert len(told["webhook-signature"].split(" ")) == 2
    for each in (old, new):
        Signer(each).verify(BODY, told)
    assert signing.overlaps_until(team.pk) is not None
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
        later = headers(team)
        Signer(new).verify(BODY, later)
        with pytest.raises(WebhookVerificationError):
            Signer(old).verify(BODY, later)
        assert signing.overlaps_until(team.pk) is None


def test_a_second_rotation_ends_the_secret_before_the_last(team: Team) -> None:
    oldest = signing.secret(team.pk)
    signing.rotate(team.pk)
    signing.rotate(team.pk)
    assert oldest not in signing.secrets(team.pk)
    assert SigningSecret.objects.get(team=team).number == 2
