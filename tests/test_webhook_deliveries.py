"""Events of generations on their way to a real receiver: each one signed, kept, repeated, and sent once at a time."""

import socket
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from standardwebhooks import Webhook as Signer

from accounts.access import Actor, actor_for
from accounts.models import Team, User
from generations import delivery as outputs
from generations import execution, finishing, predictions, reconciliation, submission, webhooks
from generations.models import Delivery, DeliveryAttempt, Generation, Webhook
from generations.models.generation import Door, Status
from generations.models.webhook import EVENTS, Event
from generations.webhooks import deliveries, endpoints, events, schedule, signing
from tests.conftest import run_at_once
from tests.jobs import Configure, given
from tests.loopback import Server, serving
from tests.pages import MakeRun
from tests.receivers import Receiver

State = Delivery.State
Submit = Callable[..., Generation]


@pytest.fixture
def hooked(actor: Actor, engines: Configure, receiver: Receiver) -> Submit:
    """Return a function that submits for the member with the receiver as the webhook."""

    def do(prompt: str = "a beach", *, filter: Sequence[str] | None = None, url: str = "") -> Generation:
        hook = webhooks.read(url or receiver.url, filter)
        assert hook is not None
        return submission.submit(
            actor=actor,
            door=Door.JOBS,
            model="bg-replace",
            raw=given(prompt=prompt),
            alongside=[webhooks.alongside(hook)],
        ).generation

    return do


@pytest.fixture
def pending(make_run: MakeRun, receiver: Receiver) -> Delivery:
    """The end of a run, to be sent."""
    run = make_run()
    hook = Webhook.objects.create(team=run.team, generation=run, url=receiver.url, events=["completed"])
    return Delivery.objects.create(team=run.team, webhook=hook, generation=run, event=Event.COMPLETED, url=hook.url)


def make_due(**filters: Any) -> None:
    """Let the time pass until the next attempt."""
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(state=State.PENDING, **filters).update(next_at=past)


def let_the_lease_run_out(delivery: Delivery) -> None:
    Delivery.objects.filter(id=delivery.id).update(lease_until=timezone.now() - timedelta(seconds=1))


# --- what is told -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("told", "inline")
@pytest.mark.django_db(transaction=True)
def test_a_success_is_told_from_start_to_end(hooked: Submit, receiver: Receiver, team: Team) -> None:
    run = hooked()
    assert [taken.told["id"] for taken in receiver.taken] == [str(run.id)] * 3
    assert receiver.events == ["processing", "succeeded", "succeeded"]
    rows = list(Delivery.objects.order_by("id"))
    assert [(row.event, row.state) for row in rows] == [
        ("start", "delivered"),
        ("output", "delivered"),
        ("completed", "delivered"),
    ]
    for taken, row in zip(receiver.taken, rows, strict=True):
        assert taken.headers["webhook-id"] == row.message_id
        assert taken.headers["content-type"] == "application/json"
        assert Signer(signing.secret(team.pk)).verify(taken.body, taken.headers) == taken.told
    assert len({taken.headers["webhook-id"] for taken in receiver.taken}) == 3
    start, _, end = (taken.told for taken in receiver.taken)
    assert (start["output"], start["metrics"], start["completed_at"]) == (None, {}, None)
    assert outputs.output_of_link(end["output"][0]) == run.outputs.get()
    run.refresh_from_db()
    assert run.hooked == 0


@pytest.mark.usefixtures("told", "inline")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("prompt", "status", "error"),
    [("@fail=rejected", "failed", True), ("@fail=crash", "failed", True), ("@fail=unavailable", "failed", True)],
)
def test_a_failure_is_told(hooked: Submit, receiver: Receiver, prompt: str, status: str, error: bool) -> None:
    hooked(prompt, filter=["completed"])
    assert receiver.events == [status]
    assert bool(receiver.taken[0].told["error"]) == error


@pytest.mark.usefixtures("told", "unpublished")
@pytest.mark.django_db(transaction=True)
def test_a_canceled_one_is_told(hooked: Submit, receiver: Receiver) -> None:
    run = hooked()
    finishing.cancel(run.id)
    assert receiver.events == ["canceled"]


@pytest.mark.usefixtures("told", "unpublished")
@pytest.mark.django_db(transaction=True)
def test_one_that_ran_out_of_time_is_told(hooked: Submit, receiver: Receiver, settings: LazySettings) -> None:
    run = hooked(filter=["completed"])
    Generation.objects.filter(id=run.id).update(created_at=timezone.now() - timedelta(hours=1))
    reconciliation.expire_overdue()
    assert receiver.events == ["failed"]


@pytest.mark.usefixtures("told", "inline")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("only", EVENTS)
def test_only_what_was_asked_for_is_told(hooked: Submit, receiver: Receiver, only: str) -> None:
    hooked(filter=[only])
    assert set(Delivery.objects.values_list("event", flat=True)) <= {only}
    assert len(receiver.taken) == (0 if only == Event.LOGS else 1)


@pytest.mark.usefixtures("told", "unpublished")
@pytest.mark.django_db(transaction=True)
def test_progress_is_told_twice_a_second_at_most(
    hooked: Submit, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timedelta(seconds=0.5) == events.LOGS_EVERY
    monkeypatch.setattr(events, "LOGS_EVERY", timedelta(hours=1))  # however busy the machine is
    run = hooked(filter=["logs"])
    Generation.objects.filter(id=run.id).update(status=Status.RUNNING, progress=0.25, stage="cutting out")
    for _ in range(20):
        events.note(run.id, Event.LOGS)
    assert len(receiver.taken) == 1
    assert "25%, cutting out" in receiver.taken[0].told["logs"]
    Delivery.objects.update(created_at=timezone.now() - events.LOGS_EVERY)
    Generation.objects.filter(id=run.id).update(progress=0.5)
    events.note(run.id, Event.LOGS)
    assert "50%" in receiver.taken[1].told["logs"]


@pytest.mark.usefixtures("told", "unpublished")
@pytest.mark.django_db(transaction=True)
def test_what_an_engine_says_while_it_works_is_told(hooked: Submit, receiver: Receiver) -> None:
    run = hooked("@delay=1.3 @steps=13", filter=["logs", "completed"])
    execution.run(run.attempts.get().id)
    told = [taken.told for taken in receiver.taken]
    assert [each["status"] for each in told] == ["processing"] * (len(told) - 1) + ["succeeded"]
    assert 2 <= len(told) <= 4
    assert "%" in told[0]["logs"]


@pytest.mark.usefixtures("told", "inline")
@pytest.mark.django_db(transaction=True)
def test_a_registered_address_is_told_of_every_door(
    actor: Actor, engines: Configure, receiver: Receiver, team: Team, member: User
) -> None:
    hook = webhooks.read(receiver.url, ["completed"])
    assert hook is not None
    endpoints.register(team.pk, hook)
    fresh = actor_for(member, team)
    assert fresh is not None
    for door in (Door.WEB, Door.SEGMIND, Door.OPENAI):
        submission.submit(actor=fresh, door=door, model="bg-replace", raw=given())
    assert [taken.told["source"] for taken in receiver.taken] == ["web", "api", "api"]


@pytest.mark.usefixtures("told", "inline")
@pytest.mark.django_db(transaction=True)
def test_the_requests_own_and_the_registered_one_are_both_told(
    actor: Actor, engines: Configure, receiver: Receiver, team: Team, member: User
) -> None:
    registered, own = (
        webhooks.read(f"{receiver.url}/all", ["start"]),
        webhooks.read(f"{receiver.url}/own", ["completed"]),
    )
    assert registered is not None
    assert own is not None
    endpoints.register(team.pk, registered)
    fresh = actor_for(member, team)
    assert fresh is not None
    submission.submit(actor=fresh, door=Door.JOBS, model="bg-replace", raw=given(), alongside=[webhooks.alongside(own)])
    assert [(taken.path, taken.told["status"]) for taken in receiver.taken] == [
        ("/hook/all", "processing"),
        ("/hook/own", "succeeded"),
    ]


# --- whoever is not told ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("inline", "untold")
@pytest.mark.django_db(transaction=True)
def test_a_generation_without_a_webhook_costs_nothing(actor: Actor, engines: Configure, untold: list[Any]) -> None:
    with CaptureQueriesContext(connection) as captured:
        submission.submit(actor=actor, door=Door.WEB, model="bg-replace", raw=given())
    said = [str(query["sql"]) for query in captured]
    assert not [sql for sql in said if "webhook" in sql or "delivery" in sql]
    assert not untold


# --- what can be lost ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("inline")
@pytest.mark.django_db(transaction=True)
def test_an_end_whose_message_was_lost_is_written_down_and_sent(
    hooked: Submit, receiver: Receiver, untold: list[Any], settings: LazySettings, request: pytest.FixtureRequest
) -> None:
    run = hooked()
    assert untold == [(run.id, "start"), (run.id, "completed")]
    assert not Delivery.objects.exists()
    reconciliation.reconcile()
    assert not Delivery.objects.exists(), "the usual way gets a moment"
    Generation.objects.update(finished_at=timezone.now() - timedelta(minutes=1))
    reconciliation.reconcile()
    assert list(Delivery.objects.order_by("id").values_list("event", flat=True)) == ["start", "output", "completed"]
    untold.clear()
    Delivery.objects.update(published_at=timezone.now() - timedelta(minutes=1))
    request.getfixturevalue("told")
    for _ in range(3):
        Delivery.objects.update(published_at=timezone.now() - timedelta(minutes=1))
        reconciliation.reconcile()
    assert receiver.events == ["processing", "succeeded", "succeeded"]
    assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


@pytest.mark.usefixtures("inline", "untold")
@pytest.mark.django_db(transaction=True)
def test_an_event_is_written_down_once_however_often_it_is_noted(hooked: Submit) -> None:
    run = hooked()
    for event in (Event.START, Event.COMPLETED, Event.START, Event.COMPLETED):
        events.note(run.id, event)
    assert list(Delivery.objects.order_by("id").values_list("event", flat=True)) == ["start", "output", "completed"]


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_died_gives_its_delivery_back(pending: Delivery, receiver: Receiver, told: None) -> None:
    assert deliveries._claim(pending.id) is not None
    deliveries.send(pending.id)
    reconciliation.reconcile()
    assert not receiver.taken, "its lease holds"
    let_the_lease_run_out(pending)
    Delivery.objects.update(published_at=timezone.now() - timedelta(minutes=1))
    reconciliation.reconcile()
    assert receiver.events == ["succeeded"]
    first, second = DeliveryAttempt.objects.order_by("number")
    assert (first.ended_at, second.status_code) == (None, 200)


def test_workers_that_die_of_it_each_time_do_so_for_the_last_time(pending: Delivery, untold: list[Any]) -> None:
    Delivery.objects.update(tries=schedule.LAST)
    assert deliveries._claim(pending.id) is not None
    let_the_lease_run_out(pending)
    deliveries.take_back()
    pending.refresh_from_db()
    assert pending.state == State.FAILED


@pytest.mark.django_db(transaction=True)
def test_one_attempt_is_made_by_one_worker(pending: Delivery, receiver: Receiver, untold: list[Any]) -> None:
    receiver.delay = 0.2
    run_at_once(lambda _: deliveries.send(pending.id), 8)
    assert len(receiver.taken) == 1
    assert DeliveryAttempt.objects.count() == 1


def test_whoever_lost_the_lease_changes_nothing(pending: Delivery, untold: list[Any]) -> None:
    late = deliveries._claim(pending.id)
    assert late is not None
    let_the_lease_run_out(pending)
    deliveries.take_back()
    assert deliveries._claim(pending.id) is not None
    deliveries._finish(late, deliveries.Outcome("{}", 200))
    pending.refresh_from_db()
    assert (pending.state, pending.lease is None) == (State.PENDING, False)


# --- what receivers answer ----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_is_a_success(pending: Delivery, receiver: Receiver, untold: list[Any], status: int) -> None:
    receiver.answers, receiver.body = [status], b""
    deliveries.send(pending.id)
    pending.refresh_from_db()
    assert pending.state == State.DELIVERED
    assert pending.attempts.get().status_code == status


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 429, 500, 503])
def test_anything_else_is_tried_again_in_five_seconds(
    pending: Delivery, receiver: Receiver, untold: list[Any], status: int
) -> None:
    receiver.answers, receiver.headers = [status], {"location": f"{receiver.url}/elsewhere"}
    deliveries.send(pending.id)
    pending.refresh_from_db()
    assert pending.state == State.PENDING
    assert 3 < (pending.next_at - timezone.now()).total_seconds() <= 5.5
    attempt = pending.attempts.get()
    assert (attempt.status_code, str(status) in attempt.error) == (status, True)
    assert len(receiver.taken) == 1, "a redirect is not followed"
    assert untold == [pending.id]


@pytest.mark.parametrize(
    ("status", "asked", "tries", "least", "most"),
    [
        (429, "120", 0, 119, 120),
        (503, "120", 0, 119, 120),
        (429, "1", 0, 3, 5.5),
        (429, "86400", 0, 299, 300),
        (429, "600", 7, 64_799, 79_201),
        (503, "999999", 8, 86_399, 95_041),
        (503, "Fri, 20 Nov 2026 12:02:10 GMT", 0, 119, 120),
        (503, "Fri, 20 Nov 2020 12:02:10 GMT", 0, 3, 5.5),
        (503, "-7", 0, 3, 5.5),
        (503, "soon", 0, 3, 5.5),
        (500, "120", 0, 3, 5.5),
    ],
)
def test_a_receiver_may_ask_for_more_time(
    pending: Delivery,
    receiver: Receiver,
    untold: list[Any],
    status: int,
    asked: str,
    tries: int,
    least: float,
    most: float,
) -> None:
    receiver.answers, receiver.headers = [status], {"retry-after": asked}
    Delivery.objects.update(tries=tries)
    with time_machine.travel(datetime(2026, 11, 20, 12, 0, 10, tzinfo=UTC), tick=False):
        Delivery.objects.update(next_at=timezone.now())
        deliveries.send(pending.id)
        pending.refresh_from_db()
        assert pending.state == State.PENDING
        assert least <= (pending.next_at - timezone.now()).total_seconds() <= most


def test_it_is_tried_ten_times_and_then_given_up(pending: Delivery, receiver: Receiver, untold: list[Any]) -> None:
    receiver.answers = [500]
    waits = []
    while True:
        deliveries.send(pending.id)
        pending.refresh_from_db()
        if pending.state != State.PENDING:
            break
        waits.append((pending.next_at - timezone.now()).total_seconds())
        make_due()
    assert pending.state == State.FAILED
    assert len(receiver.taken) == len(schedule.DELAYS) == 10
    for wait, delay in zip(waits, schedule.DELAYS[1:], strict=True):
        assert 0.88 * delay < wait < 1.11 * delay
    ids = {taken.headers["webhook-id"] for taken in receiver.taken}
    assert ids == {pending.message_id}
    assert [row.number for row in pending.attempts.order_by("id")] == list(range(1, 11))


def test_410_ends_it_and_whatever_else_was_for_that_address(
    team: Team, receiver: Receiver, untold: list[Any], make_run: MakeRun
) -> None:
    hook = webhooks.read(receiver.url)
    assert hook is not None
    registered = endpoints.register(team.pk, hook)
    run = make_run()
    first, second = (
        Delivery.objects.create(team=team, webhook=registered, generation=run, event=event, url=receiver.url)
        for event in (Event.START, Event.COMPLETED)
    )
    receiver.answers = [410]
    deliveries.send(first.id)
    registered.refresh_from_db()
    team.refresh_from_db()
    assert (registered.disabled, team.hooked) == ("gone", 0)
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.FAILED}
    deliveries.send(second.id)
    assert len(receiver.taken) == 1


def test_the_beginning_of_an_answer_is_kept(pending: Delivery, receiver: Receiver, untold: list[Any]) -> None:
    receiver.body = b"\x00\xff" + b"a" * 100_000
    deliveries.send(pending.id)
    kept = pending.attempts.get().answer
    assert kept.startswith("\N{REPLACEMENT CHARACTER}" * 2)
    assert len(kept) == deliveries.KEPT


@pytest.mark.parametrize("how", ["hangs", "drips its headers", "drips its body", "hangs up", "speaks no HTTP"])
def test_a_receiver_that_does_not_answer_properly_is_tried_again(
    pending: Delivery, settings: LazySettings, untold: list[Any], how: str
) -> None:
    settings.WEBHOOK_SECONDS = 1
    servers: list[Server] = []

    def reply(connection: socket.socket, _: str) -> None:
        match how:
            case "hangs":
                servers[0].stopped.wait(30)
            case "drips its headers":
                servers[0].drip(connection, b"HTTP/1.1 200 OK\r\n" * 50, 0.05)
            case "drips its body":
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2000\r\n\r\n")
                servers[0].drip(connection, b"a" * 2000, 0.05)
            case "speaks no HTTP":
                connection.sendall(b"hello\r\n\r\n")

    with serving(reply) as server:
        servers.append(server)
        settings.OUTBOUND_ALLOW = [server.place]
        Delivery.objects.update(url=server.url)
        began = timezone.now()
        deliveries.send(pending.id)
    assert (timezone.now() - began).total_seconds() < 3
    pending.refresh_from_db()
    assert pending.state == State.PENDING
    assert pending.attempts.get().error


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "http://localhost:8000/",
        "https://[::1]:8443/",
        "https://0x7f.1/",
        "https://2130706433/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "http://169.254.169.254/latest/meta-data/",
        "https://0/",
    ],
)
def test_no_private_address_is_reached(
    pending: Delivery, receiver: Receiver, untold: list[Any], settings: LazySettings, url: str
) -> None:
    """Rows may be older than the rules: what is refused at the door is refused in connect as well."""
    Delivery.objects.update(url=url)
    deliveries.send(pending.id)
    attempt = pending.attempts.get()
    assert attempt.status_code is None
    assert "public internet" in attempt.error or "no address" in attempt.error


# --- order and places ---------------------------------------------------------------------------------------


def several(team: Team, receiver: Receiver, count: int, run: Generation | None = None) -> list[Delivery]:
    hook = Webhook.objects.create(team=team, generation=run, url=receiver.url, events=list(EVENTS))
    return [
        Delivery.objects.create(
            team=team,
            webhook=hook,
            generation=run,
            event=Event.TEST,
            url=receiver.url,
            body={**predictions.sample(), "status": str(number)},
        )
        for number in range(count)
    ]


def test_of_one_generation_nothing_overtakes(make_run: MakeRun, receiver: Receiver, told: None) -> None:
    run = make_run()
    rows = several(run.team, receiver, 5, run)
    for row in reversed(rows):
        deliveries.send(row.id)
    assert receiver.events == ["0", "1", "2", "3", "4"]


def test_what_failed_once_holds_up_nothing(make_run: MakeRun, receiver: Receiver, told: None) -> None:
    run = make_run()
    rows = several(run.team, receiver, 3, run)
    receiver.answers = [500, 200]
    deliveries.send(rows[0].id)
    assert receiver.events == ["0", "1", "2"]
    assert [row.state for row in Delivery.objects.order_by("id")] == ["pending", "delivered", "delivered"]


@pytest.mark.django_db(transaction=True)
def test_a_slow_receiver_takes_its_teams_places_and_no_more(
    team: Team, receiver: Receiver, untold: list[Any], settings: LazySettings, outsider: User
) -> None:
    settings.TEAM_WEBHOOKS_IN_FLIGHT = 3
    receiver.delay = 0.5
    rows = several(team, receiver, 12)
    other = several(Team.objects.exclude(pk=team.pk).get(), receiver, 1)
    run_at_once(lambda number: deliveries.send([*rows, *other][number].id), 13)
    assert receiver.most_at_once == 4
    assert Delivery.objects.filter(state=State.DELIVERED, team=team).count() == 3
    assert Delivery.objects.get(id=other[0].id).state == State.DELIVERED


@pytest.mark.django_db(transaction=True)
def test_whoever_found_no_place_comes_after_whoever_had_one(
    team: Team, receiver: Receiver, told: None, settings: LazySettings
) -> None:
    settings.TEAM_WEBHOOKS_IN_FLIGHT = 1
    rows = several(team, receiver, 6)
    run_at_once(lambda number: deliveries.send(rows[number].id), 6)
    assert Delivery.objects.filter(state=State.DELIVERED).count() == 6
    assert receiver.most_at_once == 1


def test_a_pass_publishes_no_more_of_a_team_than_it_has_places(
    team: Team, receiver: Receiver, untold: list[Any], outsider: User, settings: LazySettings
) -> None:
    settings.TEAM_WEBHOOKS_IN_FLIGHT = 2
    mine = several(team, receiver, 5)
    others = several(Team.objects.exclude(pk=team.pk).get(), receiver, 3)
    Delivery.objects.update(published_at=timezone.now() - timedelta(minutes=1))
    deliveries.publish_again(500)
    assert sorted(untold) == [mine[0].id, mine[1].id, others[0].id, others[1].id]


# --- progress holds up nothing ------------------------------------------------------------------------------


@pytest.fixture
def chatty(hooked: Submit, monkeypatch: pytest.MonkeyPatch) -> Generation:
    """A run that went on two hundred times and has ended, of which everything is to be told and nothing was."""
    monkeypatch.setattr(events, "LOGS_EVERY", timedelta(0))
    run = hooked()
    events.note(run.id, Event.START)
    Delivery.objects.update(tries=1, state=State.DELIVERED)
    Generation.objects.filter(id=run.id).update(status=Status.RUNNING, started_at=timezone.now())
    for step in range(200):
        Generation.objects.filter(id=run.id).update(progress=step / 200)
        events.note(run.id, Event.LOGS)
    return run


def rows_of(event: Event) -> list[Delivery]:
    return list(Delivery.objects.filter(event=event))


@pytest.mark.usefixtures("untold", "unpublished")
@pytest.mark.django_db(transaction=True)
def test_of_progress_the_newest_waits_alone(chatty: Generation) -> None:
    (log,) = rows_of(Event.LOGS)
    assert "99%" in str(log.body) or "100%" in str(log.body)


@pytest.mark.usefixtures("untold", "unpublished")
@pytest.mark.django_db(transaction=True)
def test_progress_that_is_being_sent_is_not_taken_back(chatty: Generation) -> None:
    (first,) = rows_of(Event.LOGS)
    claimed = deliveries._claim(first.id)
    assert claimed is not None
    events.note(chatty.id, Event.LOGS)
    events.note(chatty.id, Event.LOGS)
    assert len(rows_of(Event.LOGS)) == 2
    second = Delivery.objects.filter(event=Event.LOGS).exclude(id=first.id).get()
    assert deliveries._claim(second.id) is None, "more progress waits for it"
    deliveries._finish(claimed, deliveries.Outcome("{}", 200))
    assert deliveries._claim(second.id) is not None


@pytest.mark.usefixtures("untold", "unpublished")
@pytest.mark.django_db(transaction=True)
def test_the_end_does_not_wait_for_progress(chatty: Generation, receiver: Receiver) -> None:
    (log,) = rows_of(Event.LOGS)
    assert deliveries._claim(log.id) is not None
    events.note(chatty.id, Event.LOGS)
    finishing.cancel(chatty.id)
    events.note(chatty.id, Event.COMPLETED)
    assert [row.id for row in rows_of(Event.LOGS)] == [log.id], "what the end overtakes is not told"
    (end,) = rows_of(Event.COMPLETED)
    deliveries.send(end.id)
    assert receiver.events == ["canceled"]


@pytest.mark.usefixtures("untold", "unpublished")
@pytest.mark.django_db(transaction=True)
def test_who_is_not_told_the_end_is_told_the_last_progress(
    hooked: Submit, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = hooked(filter=["logs"])
    Generation.objects.filter(id=run.id).update(status=Status.RUNNING, started_at=timezone.now())
    events.note(run.id, Event.LOGS)
    finishing.cancel(run.id)
    events.note(run.id, Event.COMPLETED)
    deliveries.send(rows_of(Event.LOGS)[0].id)
    assert receiver.events == ["processing"]


def test_the_end_does_not_wait_for_progress_written_before(
    make_run: MakeRun, receiver: Receiver, untold: list[Any], settings: LazySettings
) -> None:
    """Rows may be older than the rules."""
    rows = several(make_run().team, receiver, 201, make_run())
    Delivery.objects.update(event=Event.LOGS)
    Delivery.objects.filter(id=rows[-1].id).update(event=Event.COMPLETED)
    deliveries.send(rows[-1].id)
    assert receiver.events == ["200"]


@pytest.mark.parametrize("dies", [False, True], ids=["fails", "its worker dies"])
def test_progress_is_tried_once(make_run: MakeRun, receiver: Receiver, untold: list[Any], dies: bool) -> None:
    (row,) = several(make_run().team, receiver, 1, make_run())
    Delivery.objects.update(event=Event.LOGS)
    receiver.answers = [500]
    if dies:
        assert deliveries._claim(row.id) is not None
        let_the_lease_run_out(row)
        deliveries.take_back()
    else:
        deliveries.send(row.id)
    row.refresh_from_db()
    assert (row.state, row.tries) == (State.FAILED, 1)


def test_the_end_does_not_wait_for_the_second_attempt_of_what_failed(
    make_run: MakeRun, receiver: Receiver, untold: list[Any]
) -> None:
    first, end = several(make_run().team, receiver, 2, make_run())
    assert deliveries._claim(first.id) is not None
    assert deliveries._claim(end.id) is None, "it waits for the first"
    Delivery.objects.filter(id=first.id).update(tries=2)
    assert deliveries._claim(end.id) is not None


def test_progress_gives_its_places_to_what_is_not(
    team: Team, receiver: Receiver, untold: list[Any], make_run: MakeRun, settings: LazySettings
) -> None:
    settings.TEAM_WEBHOOKS_IN_FLIGHT = 1
    rows = [several(team, receiver, 1, make_run())[0] for _ in range(3)]
    Delivery.objects.filter(id__in=[row.id for row in rows[:2]]).update(event=Event.LOGS)
    deliveries.send(rows[0].id)
    assert untold == [rows[2].id]
    untold.clear()
    Delivery.objects.update(published_at=timezone.now() - timedelta(minutes=1))
    deliveries.publish_again(500)
    assert untold == [rows[2].id]


# --- once more ----------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("state", [State.DELIVERED, State.FAILED])
def test_a_replay_is_one_more_attempt_of_the_same_event(
    pending: Delivery, receiver: Receiver, told: None, state: State
) -> None:
    deliveries.send(pending.id)
    Delivery.objects.update(state=state, tries=10)
    pending.refresh_from_db()
    receiver.answers = [500]
    deliveries.replay(pending)
    first, second = receiver.taken
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    pending.refresh_from_db()
    assert (pending.state, pending.attempts.count()) == (State.FAILED, 2)


@pytest.mark.django_db(transaction=True)
def test_a_replay_has_a_new_time_and_new_links(pending: Delivery, receiver: Receiver, told: None) -> None:
    deliveries.send(pending.id)
    pending.refresh_from_db()
    with time_machine.travel(timezone.now() + timedelta(days=3)):
        deliveries.replay(pending)
        (link,) = receiver.taken[1].told["output"]
        assert outputs.output_of_link(link) is not None
        assert outputs.output_of_link(receiver.taken[0].told["output"][0]) is None
    assert receiver.taken[0].headers["webhook-timestamp"] != receiver.taken[1].headers["webhook-timestamp"]


@pytest.mark.django_db(transaction=True)
def test_a_replay_of_what_waits_does_not_wait(pending: Delivery, receiver: Receiver, told: None) -> None:
    receiver.answers = [500, 200]
    deliveries.send(pending.id)
    pending.refresh_from_db()
    deliveries.replay(pending)
    pending.refresh_from_db()
    assert (pending.state, len(receiver.taken)) == (State.DELIVERED, 2)


def test_what_is_being_sent_is_not_sent_twice(pending: Delivery, receiver: Receiver, told: None) -> None:
    assert deliveries._claim(pending.id) is not None
    pending.refresh_from_db()
    deliveries.replay(pending)
    assert not receiver.taken


def test_a_deleted_run_takes_what_was_told_of_it_along(pending: Delivery, untold: list[Any]) -> None:
    Generation.objects.filter(deliveries=pending).delete()
    assert not Delivery.objects.exists()
    deliveries.send(pending.id)
