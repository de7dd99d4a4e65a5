"""The addresses of accounts' own pages; allauth has its own under /accounts/."""

from django.urls import path

from accounts.views import keys, teams

urlpatterns = [
    path("keys", keys.index, name="keys"),
    path("keys/<int:key_id>/limits", keys.limit, name="key-limits"),
    path("keys/<int:key_id>/revoke", keys.revoke, name="key-revoke"),
    path("team/switch", teams.switch, name="team-switch"),
]
