"""kombu's Redis transport, as config/redis_transport.py mends it."""

from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection, Queue

from config import redis_transport
from tests.servers import Redis


def test_r5_a_worker_that_could_not_acknowledge_takes_the_next_message(tmp_path: Path) -> None:
    redis_transport.install()
    server = Redis(tmp_path)
    try:
        with Connection(server.url) as connection:
            channel: Any = connection.channel()
            channel.basic_qos(0, 1, False)
            with connection.Producer() as producer:
                producer.publish({}, routing_key="jobs", declare=[Queue("jobs", routing_key="jobs")])
            taken = Queue("jobs")(channel).get()
            assert taken is not None
            channel.qos.append(taken, taken.delivery_tag)  # as for a consumer, whose messages are counted
            assert not channel.qos.can_consume()
            server.kill()
            with pytest.raises(redis.ConnectionError):
                taken.ack()
            assert channel.qos.can_consume()
    finally:
        server.kill()
