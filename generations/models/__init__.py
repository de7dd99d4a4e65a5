"""The rows of generations, one file a noun."""

from generations.models.asset import Asset
from generations.models.attempt import Attempt
from generations.models.collection import Collection, CollectionItem, Visibility
from generations.models.gate import Gate
from generations.models.generation import Generation
from generations.models.heartbeat import Heartbeat
from generations.models.idempotency import Idempotency
from generations.models.lease import Lease
from generations.models.output import Output
from generations.models.prompt import Prompt
from generations.models.upload import Upload
from generations.models.webhook import Delivery, DeliveryAttempt, SigningSecret, Webhook

__all__ = [
    "Asset",
    "Attempt",
    "Collection",
    "CollectionItem",
    "Delivery",
    "DeliveryAttempt",
    "Gate",
    "Generation",
    "Heartbeat",
    "Idempotency",
    "Lease",
    "Output",
    "Prompt",
    "SigningSecret",
    "Upload",
    "Visibility",
    "Webhook",
]
