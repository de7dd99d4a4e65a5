"""What the hosted API is sent: our parameters under its names, which are the same, and pictures in base64."""

import msgspec

from generations import catalogue
from generations.engines import base
from generations.imaging import composite, decode, encode, strip

_OURS = frozenset({"base64", "seed"})
"""Said by us whatever was asked for: we want URLs, and the seed that the generation has."""

_TAKEN = frozenset({"PNG", "JPEG", "GIF"})
"""Formats that the published pages name."""


def encoded(job: base.Job) -> bytes:
    """Return the JSON body of a submit. Pictures leave without metadata, upright, in a format that is taken there."""
    params = {name: value for name, value in job.params.items() if name not in _OURS and value is not None}
    if "cn_processor" in params:
        params["cn_processor"] = catalogue.resolve_preprocessor(job.params)
    pictures = {name: _picture(job, name) for name in job.images}
    return msgspec.json.encode({**params, **pictures, "seed": job.seed, "base64": False})


def _picture(job: base.Job, name: str) -> bytes:
    data = job.images[name]
    model = catalogue.get(job.model)
    probe = decode.probe(data)
    if name == model.mask_name:
        return _mask(job, data)
    if model.size_from and name == "image":
        width, height = model.output_size(job.params, probe.width, probe.height)
        return encode.png(composite.cover(decode.decode(data), width, height))
    keeps_alpha = job.model == "bg-replace"
    if probe.format not in _TAKEN or (probe.has_alpha and not keeps_alpha):
        return encode.png(decode.decode(data, alpha=keeps_alpha))
    return strip.strip(data)


def _mask(job: base.Job, data: bytes) -> bytes:
    """Return the mask in black and white, of the size of the image that goes with it."""
    model = catalogue.get(job.model)
    probe = decode.probe(job.images["image"])
    mask = decode.decode_mask(data, probe.width, probe.height)
    width, height = model.output_size(job.params, probe.width, probe.height)
    return encode.png(composite.cover(mask, width, height, nearest=True))
