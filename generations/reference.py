"""The OpenAPI document of every door, made from what the addresses' views say of themselves, once a process."""

import functools
import json
from typing import Any

from django.conf import settings
from drf_spectacular.settings import spectacular_settings

Document = dict[str, Any]


def document() -> Document:
    """Return the document. It is shared: nobody changes it."""
    return _document(settings.PUBLIC_URL)


@functools.lru_cache(maxsize=4)
def _document(public_url: str) -> Document:
    made = spectacular_settings.DEFAULT_GENERATOR_CLASS().get_schema(request=None, public=True)
    plain: Document = json.loads(json.dumps(made))
    return {**plain, "servers": [{"url": public_url}]}
