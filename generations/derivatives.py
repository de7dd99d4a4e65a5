"""Thumbnails and fidelity figures, made after the answer."""

import uuid
from dataclasses import asdict
from pathlib import PurePosixPath

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from generations import catalogue, delivery
from generations.imaging import composite, decode, fidelity, thumbnail
from generations.imaging.pixels import Mask, Pixels
from generations.models import Asset, Generation, Output


def make(generation_id: uuid.UUID) -> None:
    """Make what is missing for the outputs of a generation. Safe to run twice."""
    outputs = list(Output.objects.filter(generation_id=generation_id, thumbnail="").select_related("generation"))
    if not outputs:
        return
    original = _original(outputs[0].generation) if outputs[0].keep else None
    keep = _keep(outputs[0]) if outputs[0].keep else None
    for output in outputs:
        master = delivery.read(output.file)
        if original is not None and keep is not None:
            output.fidelity = asdict(fidelity.report(original, decode.decode(master), keep))
        name = str(PurePosixPath(output.file).with_suffix(".thumbnail.webp"))
        output.thumbnail = default_storage.save(name, ContentFile(thumbnail.thumbnail(master)))
        if not Output.objects.filter(id=output.id, thumbnail="").update(
            thumbnail=output.thumbnail, fidelity=output.fidelity
        ):
            default_storage.delete(output.thumbnail)  # the same task ran twice


def _original(generation: Generation) -> Pixels:
    asset = Asset.objects.get(id=generation.inputs["image"])
    pixels = decode.decode(delivery.read(asset.file))
    declared = catalogue.get(generation.model)
    width, height = declared.output_size(generation.params, asset.width, asset.height)
    return composite.cover(pixels, width, height)


def _keep(output: Output) -> Mask:
    return decode.decode_mask(delivery.read(output.keep), output.width, output.height)
