"""The addresses that other apps use: no trailing slash, no redirect.

Several dialects share /v1. The Segmind one comes last: there any other word is an image model's slug.
"""

from django.urls import path, re_path

from generations.api import files, jobs_urls, openai_urls, portal, portal_urls, schema, segmind, segmind_urls

urlpatterns = [
    *portal_urls.urlpatterns,
    *jobs_urls.urlpatterns,
    *openai_urls.urlpatterns,
    *segmind_urls.urlpatterns,
    path("files/<uuid:asset_id>", files.UploadedView.as_view(), name="file"),
    re_path(r"^files(/|$)", segmind.UnknownView.as_view(), name="file-unknown"),
    path("api/schema", schema.SchemaView.as_view(), name="schema"),
    path("outputs/<uuid:output_id>.<str:extension>", files.output, name="output"),
    # After every other address under /api/, whoever has it.
    re_path(r"^api(/|$)", portal.UnknownView.as_view(), name="portal-unknown"),
]
