"""Celery without a broker: kombu's filesystem transport, done again for many processes.

kombu's own reads half-written messages (a worker was seen to die of it), loses its table of exchanges when two
processes declare one at once, makes a file and lists the whole folder for each message, and polls. This one keeps
messages in `config.mailbox`; like kombu's, it delivers a message at most once to a worker that is then killed, which
is why the database and not the broker is the truth about jobs.
"""

import logging
import time
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.utils.json import dumps, loads

from config.mailbox import Bell, Mailbox

logger = logging.getLogger(__name__)

RECHECK_SECONDS = 0.5
"""How long a waiting worker trusts its bell before it looks for itself; also how soon it notices SIGTERM."""


class Channel(virtual.Channel):
    """Queues in the folder that the transport option `folder` names."""

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        self.mailbox = Mailbox(Path(connection.client.transport_options["folder"]))
        self.mailbox.prepare()

    connection: "Transport"

    def basic_consume(self, queue: str, *args: Any, **kwargs: Any) -> str:
        """Deliver the messages of `queue`, and be woken by them."""
        tag: str = super().basic_consume(queue, *args, **kwargs)
        self.connection.bell(self.mailbox).hang(queue)
        return tag

    def basic_ack(self, delivery_tag: str, multiple: bool = False) -> None:
        """Acknowledge; where the limit of unacknowledged messages held the next one back, look for it at once."""
        was_full = not self.qos.can_consume()
        super().basic_ack(delivery_tag, multiple=multiple)
        if was_full:
            self.connection.bell(self.mailbox).ring()

    def _put(self, queue: str, message: dict[str, Any], **_: Any) -> None:
        self.mailbox.put(queue, dumps(message).encode())

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        message = self.mailbox.take(queue)
        if message is None:
            raise Empty
        try:
            return loads(message.decode())
        except ValueError as error:
            logger.error("a message in queue %s is not JSON and was dropped: %s", queue, error)
            raise Empty from error

    def _size(self, queue: str) -> int:
        return self.mailbox.size(queue)

    def _purge(self, queue: str) -> int:
        return self.mailbox.purge(queue)


class Transport(virtual.Transport):
    """One connection: its channels and the bell that they share."""

    Channel = Channel
    default_port = 0
    driver_type = "filesystem"
    driver_name = "filesystem"
    connection_errors = (*virtual.Transport.connection_errors, OSError)

    def __init__(self, client: Any, **kwargs: Any) -> None:
        super().__init__(client, **kwargs)
        self._bell: Bell | None = None

    def bell(self, mailbox: Mailbox) -> Bell:
        if self._bell is None:
            self._bell = Bell(mailbox)
        return self._bell

    def drain_events(  # type: ignore[override]  # as the class it replaces has it
        self, connection: Any, timeout: float | None = None
    ) -> None:
        """Deliver one message. Raises TimeoutError after `timeout`, or RECHECK_SECONDS where that is less, so that
        a worker told to stop does so."""
        assert self.cycle is not None
        ends = time.monotonic() + min(timeout or RECHECK_SECONDS, RECHECK_SECONDS)
        while True:
            try:
                self.cycle.get(self._deliver, timeout=timeout)
            except Empty:
                self._wait(ends - time.monotonic())
            else:
                return

    def _wait(self, seconds: float) -> None:
        if seconds <= 0:
            raise TimeoutError
        if self._bell is None:
            time.sleep(min(seconds, RECHECK_SECONDS))
        else:
            self._bell.wait(seconds)

    def close_connection(self, connection: Any) -> None:
        super().close_connection(connection)
        if self._bell is not None:
            self._bell.close()
            self._bell = None

    def driver_version(self) -> str:
        return "N/A"


def install() -> None:
    """Let every `filesystem://` connection of this process use this transport."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:{Transport.__name__}"
