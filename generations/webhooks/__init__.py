"""Telling others what happens to generations: signed POSTs as Standard Webhooks has them, each one kept.

What a door needs is named here; `events` writes down what is to be told, `deliveries` sends it.
"""

from generations.webhooks.subscriptions import FILTER, URL, Hook, alongside, read, read_events

__all__ = ["FILTER", "URL", "Hook", "alongside", "read", "read_events"]
