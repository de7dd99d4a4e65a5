"""R5: workers go on by themselves after their broker or their database was away."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from accounts.access import Actor
from accounts.models import Team
from generations import submission
from generations.models import Attempt, Generation
from generations.models.attempt import State
from generations.models.generation import Door, Status
from tests.chaos.rabbitmq import RabbitMQ
from tests.jobs import given
from tests.live import APPLICATION, Workers, all_ended, until
from tests.servers import Redis, free_port

pytestmark = [pytest.mark.workers, pytest.mark.django_db(transaction=True)]


def submit_and_wait(actor: Actor, workers: Workers, seconds: float) -> None:
    generation = submission.submit(actor=actor, door=Door.WEB, model="bg-replace", raw=given()).generation
    done = Generation.objects.filter(id=generation.id, status=Status.SUCCEEDED)
    until(done.exists, seconds, workers.logs)


class TestBroker:
    @pytest.fixture
    def server(self, tmp_path: Path) -> Iterator[Redis]:
        server = Redis(tmp_path)
        yield server
        server.kill()

    @pytest.fixture
    def broker_url(self, server: Redis) -> str:
        return server.url

    def test_jobs_go_on_after_the_broker_was_killed(
        self, server: Redis, workers: Workers, actor: Actor, team: Team
    ) -> None:
        for queue in ("compute", "control"):
            workers.start(queue)
        workers.beat()
        workers.ready(2)
        submit_and_wait(actor, workers, 20)
        server.kill()
        accepted = submission.submit(actor=actor, door=Door.WEB, model="bg-replace", raw=given()).generation
        server.start()
        until(Generation.objects.filter(id=accepted.id, status=Status.SUCCEEDED).exists, 60, workers.logs)
        submit_and_wait(actor, workers, 60)
        assert Generation.objects.filter(status=Status.SUCCEEDED).count() == 3


class TestRabbitMQ:
    @pytest.fixture
    def server(self, rabbitmq_url: str) -> Iterator[RabbitMQ]:
        server = RabbitMQ(rabbitmq_url, free_port())
        server.come()
        yield server
        server.go()

    @pytest.fixture
    def broker_url(self, server: RabbitMQ) -> str:
        return server.url

    @pytest.fixture
    def scripted_engines(self) -> dict[str, Any]:
        return {"scripted": {"queue": "network", "delay": 2}}

    def test_threads_go_on_after_its_connections_were_cut(
        self, server: RabbitMQ, workers: Workers, actor: Actor, team: Team
    ) -> None:
        for queue in ("network", "control"):
            workers.start(queue)
        workers.beat()
        workers.ready(2)
        for _ in range(8):
            submission.submit(actor=actor, door=Door.WEB, model="bg-replace", raw=given())
        until(Attempt.objects.filter(state=State.SUBMITTING).exists, 20, workers.logs)
        server.go()
        server.come()
        for _ in range(16):
            submission.submit(actor=actor, door=Door.WEB, model="bg-replace", raw=given())
        until(all_ended, 60, workers.logs)
        assert Generation.objects.filter(status=Status.SUCCEEDED).count() == 24


class TestDatabase:
    def test_jobs_go_on_after_every_connection_was_dropped(self, workers: Workers, actor: Actor, team: Team) -> None:
        if connection.vendor != "postgresql":
            pytest.skip("SQLite has no server whose connections could drop")
        for queue in ("compute", "control"):
            workers.start(queue)
        workers.beat()
        workers.ready(2)
        submit_and_wait(actor, workers, 20)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = %s",
                [APPLICATION],
            )
            assert cursor.fetchone()[0] > 0
        submit_and_wait(actor, workers, 60)
