"""The brokers of a round: each can go away with all its messages, and come back."""

from typing import Protocol
from urllib.parse import urlsplit

from django.conf import settings

from config.mailbox import Mailbox
from config.queues import QUEUES
from tests import servers
from tests.chaos.options import Round
from tests.chaos.rabbitmq import RabbitMQ


class Broker(Protocol):
    """Away from the start."""

    def come(self) -> None:
        """Return once it is there, empty."""

    def go(self) -> None:
        """Break every connection, and lose every message."""


class Redis:
    """A server of our own, killed outright; it keeps nothing on disk."""

    def __init__(self, told: Round) -> None:
        self.told = told
        self.server: servers.Redis | None = None

    def come(self) -> None:
        self.server = servers.Redis(self.told.folder, port=urlsplit(self.told.broker_url).port or 0)

    def go(self) -> None:
        if self.server:
            self.server.kill()


class Folder:
    """No server: its messages are removed."""

    def __init__(self, told: Round) -> None:
        self.mailbox = Mailbox(settings.BROKER_DIR)

    def come(self) -> None:
        self.mailbox.prepare()

    def go(self) -> None:
        for queue in QUEUES:
            self.mailbox.purge(queue)


def make(told: Round) -> Broker:
    """Return the broker of a round."""
    match told.broker:
        case "redis":
            return Redis(told)
        case "rabbitmq":
            return RabbitMQ(told.behind, urlsplit(told.broker_url).port or 0)
        case _:
            return Folder(told)
