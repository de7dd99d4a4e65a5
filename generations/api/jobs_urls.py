"""The addresses of the jobs API."""

from django.urls import path, re_path

from generations.api import jobs, jobs_files, jobs_models, jobs_schema, jobs_webhooks

OTHERS = "deployments|hardware|collections|trainings|search"
"""What Replicate's clients call besides, which is told in their own shape that it is not here."""

urlpatterns = [
    path("v1/predictions", jobs.PredictionsView.as_view(), name="predictions"),
    path("v1/predictions/<uuid:prediction_id>", jobs.PredictionView.as_view(), name="prediction"),
    path("v1/predictions/<uuid:prediction_id>/cancel", jobs.CancelView.as_view(), name="prediction-cancel"),
    path("v1/models", jobs_models.ModelsView.as_view(), name="api-models"),
    path(
        "v1/models/<str:slug>",
        jobs_models.ModelView.as_view(schema=jobs_schema.GET_MODEL_BY_SLUG),
        name="api-model-by-slug",
    ),
    path("v1/models/<str:owner>/<str:slug>", jobs_models.ModelView.as_view(), name="api-model"),
    path(
        "v1/models/<str:owner>/<str:slug>/predictions",
        jobs.ModelPredictionsView.as_view(),
        name="model-predictions",
    ),
    path("v1/models/<str:owner>/<str:slug>/versions", jobs_models.VersionsView.as_view(), name="api-versions"),
    path(
        "v1/models/<str:owner>/<str:slug>/versions/<str:version>",
        jobs_models.VersionView.as_view(),
        name="api-version",
    ),
    path("v1/account", jobs_models.AccountView.as_view(), name="api-account"),
    path("v1/files", jobs_files.FilesView.as_view(), name="api-files"),
    path("v1/files/<uuid:file_id>", jobs_files.FileView.as_view(), name="api-file"),
    path("v1/webhooks/default/secret", jobs_webhooks.SecretView.as_view(), name="webhook-default-secret"),
    re_path(
        rf"^v1/(predictions|models|account|files|webhooks|{OTHERS})(/|$)",
        jobs.UnknownView.as_view(),
        name="jobs-unknown",
    ),
]
