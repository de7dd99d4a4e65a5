"""What a snippet says, in no language: one call of an image model. And what the languages' writers share."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from generations.catalogue.model import ImageModel


@dataclass(frozen=True, slots=True)
class Call:
    """params: what to send. files: image parameter → file name. urls: image parameter → address."""

    url: str
    params: Mapping[str, Any]
    files: Mapping[str, str]
    urls: Mapping[str, str]

    @property
    def in_base64(self) -> bool:
        return bool(self.params.get("base64"))

    @property
    def answers_json(self) -> bool:
        return self.in_base64 or self.params.get("samples", 1) > 1


def call(model: ImageModel, params: Mapping[str, Any], images: Mapping[str, str], base_url: str) -> Call:
    """Return the call; of `params`, only what is required or differs from its default."""
    sent = {
        p.name: params[p.name]
        for p in model.parameters
        if p.name in params and not p.is_image and (p.required or params[p.name] != p.default)
    }
    pictures = {
        name: images.get(name) or model.by_name[name].example
        for name in model.image_names
        if images.get(name) or model.by_name[name].required
    }
    urls = {name: text for name, text in pictures.items() if text.startswith(("http://", "https://"))}
    files = {name: text for name, text in pictures.items() if name not in urls}
    return Call(f"{base_url.rstrip('/')}/v1/{model.slug}", sent, files, urls)


def literal(text: str, escape: Callable[[str], str]) -> str:
    """Return a double-quoted literal; what cannot be seen is escaped, so that code shows what it says."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else escape(c) for c in quoted)


def entries(call: Call, quote: Callable[[Any], str], read: str) -> list[tuple[str, str]]:
    """Return the name and the value of each thing that is sent, as code; `read` makes base64 of the file named {}."""
    sent = {name: read.format(quote(path)) for name, path in call.files.items()}
    sent |= {name: quote(value) for name, value in {**call.urls, **call.params}.items()}
    return [(quote(name), value) for name, value in sent.items()]
