"""Webhooks from request to receiver, by real workers, killed and cut off, and found good by the official clients."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from replicate.client import Client
from replicate.webhook import InvalidSignatureError, Webhooks, WebhookSigningSecret
from standardwebhooks import Webhook as Signer

from accounts.access import Actor, actor_for
from accounts.models import Membership, Team, User
from config.celery import app
from generations import delivery as outputs
from generations import submission, webhooks
from generations.models import Delivery, DeliveryAttempt, Generation
from generations.models.generation import Door
from generations.webhooks import signing
from tests.doors import encoded
from tests.jobs import given
from tests.live import Workers, all_ended, until
from tests.receivers import Receiver

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]

NODE = Path(__file__).parent / "node"


@pytest.fixture
def fleet(workers: Workers, receiver: Receiver, settings: LazySettings) -> Workers:
    """Workers that reach the receiver, and whose leases on deliveries soon run out."""
    workers.environment |= {"OUTBOUND_ALLOW": receiver.place, "WEBHOOK_SECONDS": "3"}
    return workers


def submit(actor: Actor, url: str, *, filter: list[str] | None = None, prompt: str = "a beach") -> Generation:
    hook = webhooks.read(url, filter)
    assert hook is not None
    return submission.submit(
        actor=actor,
        door=Door.JOBS,
        model="bg-replace",
        raw=given(prompt=prompt),
        alongside=[webhooks.alongside(hook)],
    ).generation


def all_delivered() -> bool:
    return Delivery.objects.exists() and not Delivery.objects.exclude(state="delivered").exists()


def is_good_in_node(headers: dict[str, str], body: str, secret: str) -> bool:
    """Ask the official Node client."""
    if not shutil.which("node") or not (NODE / "node_modules" / "replicate").is_dir():
        pytest.skip("needs node, and tests/node/node_modules")
    sent = json.dumps({"headers": headers, "body": body, "secret": secret})
    done = subprocess.run(["node", NODE / "webhook.mjs"], input=sent, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip() == "true"


def test_a_prediction_of_the_official_client_is_told_and_found_good(
    fleet: Workers, live_server: LiveServer, settings: LazySettings, key: str, receiver: Receiver, team: Team
) -> None:
    settings.PUBLIC_URL = live_server.url.replace("localhost", "127.0.0.1")
    fleet.environment["PUBLIC_URL"] = settings.PUBLIC_URL
    for queue in ("compute", "webhooks"):
        fleet.start(queue)
    fleet.ready(2)
    client = Client(api_token=key, base_url=settings.PUBLIC_URL)
    made = client.predictions.create(
        model="official/bg-replace",
        input=encoded(prompt="@delay=1.5 @steps=3"),
        webhook=receiver.url,
        webhook_events_filter=["start", "output", "logs", "completed"],
    )
    until(lambda: Delivery.objects.filter(event="completed", state="delivered").exists(), 30, fleet.logs)
    until(all_delivered, 10, fleet.logs)
    events = list(Delivery.objects.order_by("id").values_list("event", flat=True))
    assert events[0] == "start"
    assert events[-2:] == ["output", "completed"]
    assert 1 <= events.count("logs") <= 4
    secret: WebhookSigningSecret = client.webhooks.default.secret()
    assert secret.key == signing.secret(team.pk)
    for taken in receiver.taken:
        assert taken.told["id"] == made.id
        Webhooks.validate(headers=taken.headers, body=taken.body.decode(), secret=secret)
        Signer(secret.key).verify(taken.body, taken.headers)
    last = receiver.taken[-1]
    assert outputs.output_of_link(last.told["output"][0]) is not None
    assert last.told["status"] == client.predictions.get(made.id).status == "succeeded"
    assert is_good_in_node(last.headers, last.body.decode(), secret.key)
    assert not is_good_in_node(last.headers, last.body.decode() + " ", secret.key)
    with pytest.raises(InvalidSignatureError):
        Webhooks.validate(headers=last.headers, body=last.body.decode() + " ", secret=secret)


def test_both_clients_find_both_signatures_good_after_a_rotation(team: Team) -> None:
    old = signing.secret(team.pk)
    signing.rotate(team.pk)
    headers = signing.headers(team.pk, "msg_1", timezone.now(), "{}")
    for secret in (old, signing.secret(team.pk)):
        Webhooks.validate(headers=headers, body="{}", secret=WebhookSigningSecret(key=secret))
        assert is_good_in_node(headers, "{}", secret)


def test_a_worker_killed_while_it_sends(fleet: Workers, actor: Actor, receiver: Receiver) -> None:
    """What it sent may have arrived, and is sent again under the same id."""
    receiver.delay = 60
    victim = fleet.start("webhooks")
    for queue in ("compute", "control"):
        fleet.start(queue)
    fleet.beat()
    fleet.ready(3)
    submit(actor, receiver.url, filter=["completed"])
    until(lambda: len(receiver.taken) == 1, 30, fleet.logs)
    fleet.kill(victim)
    receiver.delay = 0
    fleet.start("webhooks")
    until(all_delivered, 60, fleet.logs)
    first, second = receiver.taken
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert [row.ended_at is None for row in DeliveryAttempt.objects.order_by("number")] == [True, False]


def test_ends_while_no_worker_sends_and_the_broker_forgets(
    fleet: Workers, actor: Actor, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but the rows knows of them."""
    compute = fleet.start("compute")
    fleet.ready(1)
    runs = [submit(actor, receiver.url, filter=["completed"], prompt=prompt) for prompt in ("a beach", "@fail=crash")]
    until(all_ended, 30, fleet.logs)
    fleet.kill(compute)
    _empty_the_broker(fleet)
    assert not Delivery.objects.exists()
    for queue in ("webhooks", "control"):
        fleet.start(queue)
    fleet.beat()
    until(all_delivered, 60, fleet.logs)
    assert sorted((taken.told["id"], taken.told["status"]) for taken in receiver.taken) == sorted(
        [(str(runs[0].id), "succeeded"), (str(runs[1].id), "failed")]
    )


def test_a_receiver_that_hangs_holds_up_neither_jobs_nor_other_teams(
    fleet: Workers, actor: Actor, receiver: Receiver, make_receiver: Callable[[], Receiver], outsider: User
) -> None:
    other_team = Membership.objects.get(user=outsider).team
    other = actor_for(outsider, other_team)
    assert other is not None
    quick = make_receiver()
    receiver.delay = 60
    fleet.environment["OUTBOUND_ALLOW"] = f"{receiver.place},{quick.place}"
    for queue in ("compute", "webhooks", "control"):
        fleet.start(queue)
    fleet.beat()
    fleet.ready(3)
    for _ in range(12):
        submit(actor, receiver.url)
    submit(other, quick.url)
    until(lambda: quick.events == ["processing", "succeeded", "succeeded"], 30, fleet.logs)
    until(all_ended, 30, fleet.logs)
    assert receiver.most_at_once <= 4


def _empty_the_broker(workers: Workers) -> None:
    with app.connection_for_write() as connection:
        for queue in app.amqp.queues.values():
            queue.bind(connection.default_channel).purge()
