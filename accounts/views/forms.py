"""Forms of accounts' pages."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms import BoundField
from django.utils import timezone

from accounts.access import SCOPES
from accounts.credits import LIMIT, MICRO, parse
from accounts.key_limits import MOST_RATE
from accounts.models import ApiKey
from accounts.models.key import DEFAULT_SCOPES
from accounts.queries import Spending

_LIFETIMES = {"": "Never", "30": "In 30 days", "90": "In 90 days", "365": "In a year"}
_SCOPE_LABELS = {
    "generate": "Generate: submit runs and upload images",
    "read": "Read: runs, balance and usage",
    "manage": "Manage: favourites, collections, deleting runs, keys and webhooks",
}


class CreditsField(forms.CharField):
    """Credits above 0 as people write them; cleaned, millionths, None where it was left empty."""

    def clean(self, value: Any) -> int | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            amount = parse(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error
        if not 0 < amount < LIMIT:
            raise ValidationError(f"credits: {text}; above 0 is allowed")
        return amount


class LimitsForm(forms.Form):
    """What an API key is limited to."""

    models = forms.MultipleChoiceField(
        choices=lambda: [(slug, slug) for slug in settings.ROUTES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Only these models",
        help_text="None ticked: every model",
    )
    rate_limit = forms.IntegerField(min_value=1, max_value=MOST_RATE, required=False, label="Submits a minute")
    daily = CreditsField(required=False, label="Credits a day", help_text="Without a number: as many as the team has")
    monthly = CreditsField(required=False, label="Credits a month", help_text="Days and months begin at 0:00 UTC")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        most = settings.RATE_LIMIT
        self.fields["rate_limit"].help_text = f"At most {most}, as for every key" if most else "Without a number: any"

    def figures(self) -> list[BoundField]:
        """The limits that are written as a number."""
        return [self[name] for name in ("rate_limit", "daily", "monthly")]

    def has_limit_error(self) -> bool:
        return any(name in self.errors for name in ("models", "rate_limit", "daily", "monthly"))

    @classmethod
    def of(cls, key: ApiKey, spent: Spending, data: Mapping[str, Any] | None = None) -> Self:
        """Return the form of a key that is there, as it is limited now or as `data` has it."""
        own: dict[str, Any] = {
            "models": key.models,
            "rate_limit": key.rate_limit,
            "daily": _figure(spent.day.limit),
            "monthly": _figure(spent.month.limit),
        }
        return cls(data, initial=own, auto_id=f"id_{key.pk}_%s")


class KeyForm(LimitsForm):
    """A new API key."""

    name = forms.CharField(max_length=80, label="Name", help_text="Where it will be used, such as “web shop”")
    scopes = forms.MultipleChoiceField(
        choices=[(scope, _SCOPE_LABELS[scope]) for scope in SCOPES],
        initial=DEFAULT_SCOPES,
        widget=forms.CheckboxSelectMultiple,
        label="It may",
    )
    lifetime = forms.ChoiceField(choices=list(_LIFETIMES.items()), required=False, label="Expires")

    def expires_at(self) -> datetime | None:
        """When the key ends, None for never. Call it once the form is valid."""
        days = self.cleaned_data["lifetime"]
        return timezone.now() + timedelta(days=int(days)) if days else None


def _figure(amount: int | None) -> str:
    """Return an amount as it is typed: "0.5"."""
    return "" if amount is None else f"{Decimal(amount) / MICRO:f}"
