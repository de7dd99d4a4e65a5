"""Forms of accounts' pages."""

from datetime import datetime, timedelta

from django import forms
from django.utils import timezone

from accounts.access import SCOPES
from accounts.models.key import DEFAULT_SCOPES

_LIFETIMES = {"": "Never", "30": "In 30 days", "90": "In 90 days", "365": "In a year"}
_SCOPE_LABELS = {
    "generate": "Generate: submit runs and upload images",
    "read": "Read: runs, balance and usage",
    "manage": "Manage: favourites, collections, deleting runs, keys and webhooks",
}


class KeyForm(forms.Form):
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
