"""Registered addresses while something else happens to them: nothing undoes it, and nobody waits for ever."""

import threading
import time
import uuid

import pytest
from django.http import Http404
from django.test import Client

from accounts.models import Membership, Team, User
from generations import access, webhooks
from generations.models import Delivery, Webhook
from generations.webhooks import deliveries, endpoints
from tests.conftest import run_at_once
from tests.portal import Api
from tests.receivers import Receiver


def registered(team: Team, url: str = "https://example.com/a") -> Webhook:
    hook = webhooks.read(url, ["completed"])
    assert hook is not None
    return endpoints.register(team.pk, hook)


# --- somebody changes what has answered 410 -----------------------------------------------------------------


@pytest.mark.django_db
def test_a_change_of_something_else_leaves_a_410_alone(team: Team) -> None:
    hook = registered(team)
    seen = Webhook.objects.get(id=hook.id)
    endpoints.note_gone(team.pk, hook.id)
    endpoints.change(seen, description="The shop")
    hook.refresh_from_db()
    team.refresh_from_db()
    assert (hook.disabled, hook.description, team.hooked) == ("gone", "The shop", 0)
    assert seen.disabled == "gone", "whoever asked is told so"


@pytest.mark.django_db
def test_what_two_people_change_is_both_changed(team: Team) -> None:
    hook = registered(team)
    one, other = (Webhook.objects.get(id=hook.id) for _ in range(2))
    endpoints.change(one, description="The shop")
    endpoints.change(other, enabled=False)
    hook.refresh_from_db()
    assert (hook.description, hook.disabled) == ("The shop", "person")


@pytest.mark.django_db
@pytest.mark.usefixtures("untold")
def test_a_change_of_what_was_deleted_meanwhile_is_404(
    admins: Api, client: Client, admin: User, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = registered(team)

    def find(_: object, webhook_id: uuid.UUID) -> Webhook:
        found = Webhook.objects.filter(id=webhook_id).first()
        if found is None:
            raise Http404
        endpoints.delete(Webhook.objects.get(id=webhook_id))
        return found

    monkeypatch.setattr(access, "webhook", find)
    assert admins("PATCH", f"/api/webhooks/{hook.id}", {"description": "late"}).status_code == 404
    client.force_login(Membership.objects.get(user=admin, team=team).user)
    again = registered(team)
    assert client.post(f"/webhooks/{again.id}", {"events": ["completed"]}).status_code == 404


# --- it answers 410 while somebody deletes it ---------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("untold")
def test_a_410_and_a_deletion_do_not_wait_for_each_other(
    team: Team, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = registered(team, receiver.url)
    made = endpoints.send_test(hook)
    receiver.answers = [410]
    is_inside, note_gone = threading.Event(), endpoints.note_gone

    def slowly(team_id: int, webhook_id: uuid.UUID) -> None:
        is_inside.set()
        time.sleep(0.5)  # the other takes its locks meanwhile
        note_gone(team_id, webhook_id)

    def delete() -> None:
        assert is_inside.wait(10)
        endpoints.delete(Webhook.objects.get(id=hook.id))

    monkeypatch.setattr(endpoints, "note_gone", slowly)
    run_at_once(lambda number: deliveries.send(made.id) if number else delete(), 2)
    assert not Webhook.objects.exists()
    assert Delivery.objects.get().state == "failed"
