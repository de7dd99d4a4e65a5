"""kombu's Redis transport, mended in two places.

One client a channel: kombu builds a new one, at half a millisecond, for each command. A client has no connection of its
own; it takes one from the channel's pool for each command, as the new ones did.

A message whose acknowledgement fails is not in hand any more: kombu counts it for ever, and a worker that has as many
as it may take, all begun while Redis went away, lives on and takes no other.
"""

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis, virtual


class QoS(redis.QoS):
    """Counts the messages in hand."""

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge. Raises what Redis does, and lets the message go all the same."""
        try:
            super().ack(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    """Keeps its client as long as its pool, which kombu replaces after a fork or a broken connection."""

    QoS = QoS
    _kept: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]  # kombu has no types
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = super()._create_client()  # type: ignore[misc]
        return self._kept


class Transport(redis.Transport):
    """kombu's, with such channels."""

    Channel = Channel


def install() -> None:
    """Let every Redis connection of this process use this transport."""
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = f"{__name__}:{Transport.__name__}"
