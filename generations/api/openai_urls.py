"""The addresses of OpenAI's dialect, but for those that it shares with others."""

from django.urls import path, re_path

from generations.api import openai

OTHERS = (
    "chat|completions|responses|conversations|embeddings|audio|moderations|videos|realtime|assistants|threads|"
    "vector_stores|fine_tuning|batches|uploads|containers|evals|organization"
)
"""What OpenAI's clients call besides, which is told in their own shape that it is not here."""

urlpatterns = [
    path("v1/images/edits", openai.EditsView.as_view(), name="openai-edits"),
    re_path(rf"^v1/(images|{OTHERS})(/|$)", openai.UnknownView.as_view(), name="openai-unknown"),
]
