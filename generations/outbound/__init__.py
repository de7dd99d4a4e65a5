"""The only way out: guarded fetches of strangers' URLs, and calls to an origin that the operator named."""

from generations.outbound.errors import Failed, OutboundError, Refused, Unreachable
from generations.outbound.fetches import LIMIT, MAX_URL, SECONDS, Fetched, fetch
from generations.outbound.origins import Answer, Origin

__all__ = [
    "LIMIT",
    "MAX_URL",
    "SECONDS",
    "Answer",
    "Failed",
    "Fetched",
    "Origin",
    "OutboundError",
    "Refused",
    "Unreachable",
    "fetch",
]
