"""Pictures that the studio has already: the inputs of a run to remix, an output to go on with.

A form names them by a source, "asset:UUID" or "output:UUID", in a hidden field beside the file's.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, QueryDict
from django.urls import reverse

from accounts.access import Actor
from generations import access, delivery, queries
from generations.models import Asset, Output


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as a form field holds it: its source, where to see it, its size in pixels."""

    source: str
    url: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Origin:
    """What a playground is opened with. kind and id: the query parameter that says so, "" for none."""

    kind: str = ""
    id: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    pictures: Mapping[str, Picture] = field(default_factory=dict)


NOTHING = Origin()


def origin(actor: Actor, query: QueryDict) -> Origin:
    """Return what `?from=GENERATION` or `?output=OUTPUT` asks for. Raises Http404 for what the team does not have."""
    for kind, opener in (("from", _from_run), ("output", _from_output)):
        if kind in query:
            return opener(actor, _uuid(str(query[kind])))
    return NOTHING


def resolve(actor: Actor, source: str) -> uuid.UUID | bytes | None:
    """Return what a source stands for, as `submission.submit` takes it; None for "".

    Raises Http404 for what the team does not have, FileNotFoundError where the storage has lost its file.
    """
    kind, _, row_id = source.partition(":")
    if not source:
        return None
    if kind == "asset":
        asset = access.asset(actor, _uuid(row_id))
        if not default_storage.exists(asset.file):
            raise FileNotFoundError(asset.file)
        return asset.id
    if kind == "output":
        return delivery.read(access.output(actor, _uuid(row_id)).file)
    raise Http404(f"source: {source[:60]!r}; asset:UUID and output:UUID are allowed")


def given(request: HttpRequest, actor: Actor, name: str) -> uuid.UUID | bytes | None:
    """Return the picture of a form's field: the file that was sent, else one that the studio has, else None.

    Raises as `resolve` does.
    """
    file = request.FILES.get(name)
    return file.read() if file else resolve(actor, request.POST.get(f"{name}_source", ""))


def _from_run(actor: Actor, row_id: uuid.UUID) -> Origin:
    run = queries.run(access.generation(actor, row_id))
    values = {**run.generation.params, "lock": run.generation.lock}
    return Origin("from", str(row_id), values, {name: _of_asset(asset) for name, asset in run.inputs.items()})


def _from_output(actor: Actor, row_id: uuid.UUID) -> Origin:
    return Origin("output", str(row_id), {}, {"image": _of_output(access.output(actor, row_id))})


def _of_asset(asset: Asset) -> Picture:
    return Picture(f"asset:{asset.id}", reverse("asset-picture", args=[asset.id]), asset.width, asset.height)


def _of_output(output: Output) -> Picture:
    url = reverse("output-picture", args=[output.id, "full"])
    return Picture(f"output:{output.id}", url, output.width, output.height)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404(f"id: {text[:60]!r}; a UUID is allowed") from None
