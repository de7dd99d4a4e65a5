"""The addresses of OpenAI's dialect, but for those that it shares with others."""

from django.urls import path, re_path

from generations.api import openai

urlpatterns = [
    path("v1/images/edits", openai.EditsView.as_view(), name="openai-edits"),
    re_path(r"^v1/images(/|$)", openai.UnknownView.as_view(), name="openai-unknown"),
]
