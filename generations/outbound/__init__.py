"""The only way out: guarded fetches of and posts to strangers' URLs, and calls to an origin that the operator named."""

from generations.outbound.errors import Failed, OutboundError, Refused, Unreachable
from generations.outbound.fetches import LIMIT, SECONDS, Fetched, fetch
from generations.outbound.origins import Answer, Origin
from generations.outbound.posts import post
from generations.outbound.targets import MAX_URL, Target, target

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
    "Target",
    "Unreachable",
    "fetch",
    "post",
    "target",
]
