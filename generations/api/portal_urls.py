"""The addresses of the portal's resources."""

from django.urls import path

from generations.api import (
    portal_collections,
    portal_generations,
    portal_keys,
    portal_ledger,
    portal_models,
    portal_team,
    portal_usage,
    webhooks_urls,
)

_GENERATION = "api/generations/<uuid:generation_id>"
_COLLECTION = "api/collections/<uuid:collection_id>"

urlpatterns = [
    path("api/account", portal_team.AccountView.as_view(), name="portal-account"),
    path("api/teams", portal_team.TeamsView.as_view(), name="portal-teams"),
    path("api/members", portal_team.MembersView.as_view(), name="portal-members"),
    path("api/models", portal_models.ModelsView.as_view(), name="portal-models"),
    path("api/models/<str:slug>", portal_models.ModelView.as_view(), name="portal-model"),
    path("api/generations", portal_generations.GenerationsView.as_view(), name="portal-generations"),
    path(_GENERATION, portal_generations.GenerationView.as_view(), name="portal-generation"),
    path(f"{_GENERATION}/cancel", portal_generations.CancelView.as_view(), name="portal-generation-cancel"),
    path(f"{_GENERATION}/restore", portal_generations.RestoreView.as_view(), name="portal-generation-restore"),
    path("api/collections", portal_collections.CollectionsView.as_view(), name="portal-collections"),
    path(_COLLECTION, portal_collections.CollectionView.as_view(), name="portal-collection"),
    path(f"{_COLLECTION}/items", portal_collections.ItemsView.as_view(), name="portal-collection-items"),
    path(f"{_COLLECTION}/items/remove", portal_collections.TakeOutView.as_view(), name="portal-collection-remove"),
    path("api/usage", portal_usage.UsageView.as_view(), name="portal-usage"),
    path("api/ledger", portal_ledger.LedgerView.as_view(), name="portal-ledger"),
    path("api/keys", portal_keys.KeysView.as_view(), name="portal-keys"),
    path("api/keys/<int:number>", portal_keys.KeyView.as_view(), name="portal-key"),
    *webhooks_urls.urlpatterns,
]
