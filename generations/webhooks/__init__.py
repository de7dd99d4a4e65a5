"""Telling others what happens to generations: signed POSTs as Standard Webhooks has them, each one kept.

What a door needs is named here; `events` writes down what is to be told, `deliveries` sends it.
"""

from generations.webhooks.subscriptions import Hook, alongside, read, read_events

__all__ = ["Hook", "alongside", "read", "read_events"]
