"""Image edits as OpenAI's clients send them, in the terms of submission.submit.

A form has `image` once, or `image[]` repeated; JSON has `images: [{"image_url": "…"}]` and `mask: {"image_url": "…"}`,
where `{"file_id": "…"}` names an upload. The first picture is the image, a second one the reference; their masks are
transparent where ours are white. `model` is one of ours; OpenAI's own names, which apps have built in, name none, so
that what is sent decides. Every other name is one of openai_options, or a parameter of the image model.
"""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from django.conf import settings
from rest_framework.request import Request

from generations import catalogue, inputs, masks
from generations.api import bodies, openai_options
from generations.api.openai_options import Options, refused
from generations.catalogue import FieldError, ImageModel, InvalidInput

REPLACES, REPAINTS = "bg-replace", "sdxl-inpaint"
"""The models of who names none: with two pictures, and with a mask."""

THEIRS = re.compile(r"(gpt-image|chatgpt-image|dall-e)-[a-z0-9][a-z0-9.-]{0,99}", re.ASCII)
"""The image models of OpenAI's own; a client that names one cannot mean one of ours."""

MOST = 2
_IMAGE = re.compile(r"image(\[\d*\])?", re.ASCII)
_PARAMETERS = ("image", "ref_image")


@dataclass(frozen=True, slots=True)
class Edit:
    """What is to be submitted, and how it is answered.

    raw: by the parameters' names. names: a parameter → what the client calls it, where that is another name.
    """

    model: ImageModel
    raw: Mapping[str, Any]
    names: Mapping[str, str]
    options: Options

    def told(self, error: InvalidInput) -> InvalidInput:
        """Return an error in the client's names; what one name of theirs has wrong for two of ours is said once."""
        return InvalidInput(tuple(dict.fromkeys(self._told(each) for each in error.errors)))

    def _told(self, error: FieldError) -> FieldError:
        name = self.names.get(error.field, error.field)
        message = error.message
        if message.startswith(error.field):
            message = name + message.removeprefix(error.field)
        return FieldError(name, error.value, message)


def read(request: Request) -> Edit:
    """Return what a body asks for. Raises ParseError, bodies.NotAcceptable, catalogue.UnknownModel, InvalidInput."""
    if bodies.kind(request) == bodies.FORM:
        pictures, values = _form(request)
        names = _names([f"image[{number}]" if len(pictures) > 1 else "image" for number in range(len(pictures))])
    else:
        pictures, values = _json(request)
        names = _names([f"images[{number}]" for number in range(len(pictures))])
    said = values.pop("model", None)
    is_theirs = isinstance(said, str) and THEIRS.fullmatch(said) is not None
    model = _model(None if is_theirs else said, pictures, values)
    _place(model, pictures, values)
    options = openai_options.take(values)
    if is_theirs:
        options = replace(options, ignored=("model", *options.ignored))
    return Edit(model, values, {**names, **_renamed(model, values, options)}, options)


def fit(team_id: int, edit: Edit, images: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the sources of an edit's images with its mask turned into ours, once its size is found to be what the
    model gives.

    Raises InvalidInput, inputs.TooManyFetches.
    """
    is_to_match = edit.options.size is not None and not edit.model.size_from
    if "mask" not in images and not is_to_match:
        return images
    looked_at = {name: source for name, source in images.items() if name in ("image", "mask")}
    loaded = inputs.load(team_id, looked_at)
    if is_to_match:
        _match(edit, masks.size(loaded["image"]))
    if "mask" in loaded:
        loaded["mask"] = masks.from_alpha(loaded["mask"], loaded["image"])
    return {**images, **loaded}


def _match(edit: Edit, size: tuple[int, int]) -> None:
    """See to it that the size that was asked for is the one that the picture will have."""
    if edit.options.size != size:
        asked, real = ("{}x{}".format(*each) for each in (edit.options.size or (), size))
        message = f'size must be "auto" or the size of the image, {real}, which {edit.model.slug} keeps; got "{asked}"'
        raise refused("size", asked, message)


# --- pictures and values ------------------------------------------------------------------------------------


def _form(request: Request) -> tuple[list[Any], dict[str, Any]]:
    """Return the pictures and the other values of a form. A file comes before a text of its name."""
    texts, files = bodies.form(request._request), request._request.FILES
    pictures = [
        each for sent in (files, texts) for name, many in sent.lists() if _IMAGE.fullmatch(name) for each in many
    ]
    values = {name: value for name, value in {**texts.dict(), **files.dict()}.items() if not _IMAGE.fullmatch(name)}
    return pictures, values


def _json(request: Request) -> tuple[list[Any], dict[str, Any]]:
    """Return the pictures and the other values of a JSON object; long base64 is decoded where it lies."""
    raw = bodies.envelope(request, f"{bodies.JSON} or {bodies.FORM}")
    pictures = _sources(raw.pop("images", None))
    values = {
        name: bodies.image(value) if name in _PARAMETERS else bodies.value(value)
        for name, value in raw.items()
        if name != "mask"
    }
    if "mask" in raw:
        values["mask"] = _mask(raw["mask"])
    if values.get("image") is not None and not pictures:  # our own name for it
        pictures = [values.pop("image")]
    return pictures, values


def _sources(value: msgspec.Raw | None) -> list[Any]:
    if value is None or bytes(value) == b"null":
        return []
    listed = bodies.objects(value)
    if listed is None:
        raise refused("images", None, 'images must be a list such as [{"image_url": "data:image/png;base64,…"}]')
    return [_source(f"images[{number}]", each) for number, each in enumerate(listed)]


def _mask(value: msgspec.Raw) -> Any:
    """Return what a mask is made of: {"image_url": …}, or as the image models have it, the text alone."""
    if memoryview(value)[0] != ord("{"):
        return bodies.image(value)
    return _source("mask", bodies.members(value))


def _source(where: str, members: Mapping[str, msgspec.Raw]) -> Any:
    """Return what a picture is read from: an address, a data: URI, bytes, or an upload's address."""
    said = {name: value for name, value in members.items() if bytes(value) != b"null"}
    if set(said) == {"image_url"}:
        found = bodies.image(said["image_url"])
        if isinstance(found, str | bytes):
            return found
    if set(said) == {"file_id"}:
        return _upload(where, bodies.value(said["file_id"]))
    raise refused(where, None, f'{where} must be {{"image_url": "…"}}, a URL or a data: URI, or {{"file_id": "…"}}')


def _upload(where: str, file_id: object) -> str:
    try:
        return f"{settings.PUBLIC_URL}/files/{uuid.UUID(str(file_id))}"
    except ValueError:
        raise refused(where, file_id, f"{where}: file_id must be the id of an uploaded file") from None


# --- which model, and what is which -------------------------------------------------------------------------


def _model(said: object, pictures: Sequence[Any], values: Mapping[str, Any]) -> ImageModel:
    if said not in (None, ""):
        return catalogue.get(str(said))
    if len(pictures) >= MOST or values.get("ref_image") is not None:
        return catalogue.get(REPLACES)
    if values.get("mask") is not None:
        return catalogue.get(REPAINTS)
    raise refused(
        "model",
        None,
        f"model is required with one picture and no mask: one of {', '.join(catalogue.MODELS)}. Without it, or with "
        f"one of OpenAI's own, two pictures are the subject and the background for {REPLACES}, and a picture with a "
        f"mask is for {REPAINTS}",
    )


def _place(model: ImageModel, pictures: Sequence[Any], values: dict[str, Any]) -> None:
    """Put the pictures under the names of the model's parameters."""
    taken = [name for name in _PARAMETERS if name in model.image_names]
    if len(pictures) > len(taken):
        raise refused("image", None, f"image: {model.slug} takes {len(taken)} at most; got {len(pictures)}")
    for name, picture in zip(taken, pictures, strict=False):
        if values.get(name) is not None:
            raise refused(name, None, f"{name} is given twice: by its name, and as one of the images")
        values[name] = picture


def _renamed(model: ImageModel, values: dict[str, Any], options: Options) -> Mapping[str, str]:
    """Put OpenAI's n and size under our names, and return what is called what."""
    names: dict[str, str] = {}
    if values.get("n") not in (None, ""):
        names["samples"] = "n"
        _set(values, "samples", values["n"], "n")
    values.pop("n", None)
    for name, pixels in zip(model.size_from, options.size or (), strict=False):
        names[name] = "size"
        _set(values, name, pixels, "size")
    return names


def _set(values: dict[str, Any], name: str, value: Any, said: str) -> None:
    if values.get(name) is not None:
        raise refused(said, value, f"{said} and {name} say the same; send one of them")
    values[name] = value


def _names(said: Sequence[str]) -> Mapping[str, str]:
    return dict(zip(_PARAMETERS, said, strict=False))
