"""The addresses of the Segmind dialect."""

from django.urls import path, re_path

from generations.api import segmind, segmind_answers, segmind_schema

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
    path("upload-asset", segmind.UploadView.as_view(), name="segmind-upload"),
    path("v1/<str:slug>", segmind.RunView.as_view(), name="segmind-run"),
    path("v2/<str:slug>", segmind.QueueView.as_view(), name="segmind-queue"),
    re_path(r"^(v1|v2|upload-asset)(/|$)", segmind.UnknownView.as_view(), name="segmind-unknown"),
]
