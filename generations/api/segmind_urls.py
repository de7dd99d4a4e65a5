"""The addresses of the Segmind dialect.

Its clients send workflows to POST /workflows/…, so no page of the studio under that address is posted to; such pages
come before these lines.
"""

from django.urls import path, re_path

from generations.api import segmind, segmind_answers, segmind_history, segmind_schema

OTHERS = "v1|v2|upload-asset|inference-request|inference-model-information|api/auth|webhook|finetune|workflows"
"""Where the dialect's clients look for more than is here."""

urlpatterns = [
    path("v1/get-user-credits", segmind.CreditsView.as_view(), name="segmind-credits"),
    path(
        "v1/requests/<uuid:request_id>",
        segmind.RequestView.as_view(answer=segmind_answers.polled, schema=segmind_schema.POLL),
        name="segmind-poll",
    ),
    path(
        "v2/requests/<uuid:request_id>/status",
        segmind.RequestView.as_view(answer=segmind_answers.status, schema=segmind_schema.REQUEST_STATUS),
        name="segmind-status",
    ),
    path(
        "v2/requests/<uuid:request_id>",
        segmind.RequestView.as_view(answer=segmind_answers.result, schema=segmind_schema.REQUEST_RESULT),
        name="segmind-result",
    ),
    path("inference-request/request-history", segmind_history.HistoryView.as_view(), name="segmind-request-history"),
    path(
        "inference-request/request-history/<uuid:request_id>",
        segmind_history.HistoryEntryView.as_view(),
        name="segmind-request-history-entry",
    ),
    path("inference-request/generations", segmind_history.GenerationsView.as_view(), name="segmind-generations"),
    path("inference-request/recent-generations", segmind_history.RecentView.as_view(), name="segmind-recent"),
    path("inference-model-information/list", segmind_history.ModelsView.as_view(), name="segmind-models"),
    path("api/auth/authenticate", segmind_history.AccountView.as_view(), name="segmind-account"),
    path("upload-asset", segmind.UploadView.as_view(), name="segmind-upload"),
    path("v1/<str:slug>", segmind.RunView.as_view(), name="segmind-run"),
    path("v2/<str:slug>", segmind.QueueView.as_view(), name="segmind-queue"),
    re_path(rf"^({OTHERS})(/|$)", segmind.UnknownView.as_view(), name="segmind-unknown"),
]
