"""Product lock: what had to stay is composited back from the input, whatever the engine did to it."""

from collections.abc import Callable
from dataclasses import replace

from generations import catalogue
from generations.engines.base import Engine, Job, Picture, Result
from generations.imaging import composite, decode, encode, strip
from generations.imaging.pixels import Mask, Pixels


def conform(engine: Engine, job: Job, result: Result, *, lock: bool) -> Result:
    """Return `result` with pictures of the promised size whose kept pixels are the input's, free of metadata.

    With a mask that is always so (unless the engine vouches for it itself); an automatic subject is pasted only where
    `lock` asks for it, since an imperfect outline over a good picture makes halos.
    """
    result = replace(result, pictures=tuple(_clean(picture) for picture in result.pictures))
    width, height = output_size(job)
    fits = all((picture.width, picture.height) == (width, height) for picture in result.pictures)
    pastes = "mask" in job.images or (lock and result.keep is not None)
    if fits and (engine.exact or not pastes):
        return result
    original = composite.cover(decode.decode(job.images["image"]), width, height)
    keep = kept(job, result, width, height) if pastes else None
    weight = _weight(job, width, height) if "mask" in job.images else keep
    pictures = tuple(_conformed(picture, original, weight) for picture in result.pictures)
    return replace(result, pictures=pictures, keep=result.keep if keep is None else encode.png(keep))


def output_size(job: Job) -> tuple[int, int]:
    """Return the width and height that the model promises for this input."""
    probe = decode.probe(job.images["image"])
    return catalogue.get(job.model).output_size(job.params, probe.width, probe.height)


def kept(job: Job, result: Result, width: int, height: int) -> Mask:
    """Return 255 where the input's pixels have to stay, as a (height, width) array."""
    if "mask" not in job.images:
        assert result.keep is not None
        return decode.decode_mask(result.keep, width, height)
    return _of_mask(job, width, height, decode.decode_mask)


def _weight(job: Job, width: int, height: int) -> Mask:
    """Return how much of the input each pixel takes: all where it has to stay, less and less along a soft edge."""
    return _of_mask(job, width, height, decode.decode_feather)


def _of_mask(job: Job, width: int, height: int, read: Callable[[bytes, int, int], Mask]) -> Mask:
    probe = decode.probe(job.images["image"])
    mask = read(job.images["mask"], probe.width, probe.height)
    return 255 - composite.cover(mask, width, height, nearest=True)


def _clean(picture: Picture) -> Picture:
    """Return the picture without metadata, described as its own bytes say. Raises ImageError where it is none."""
    data = strip.strip(picture.data)
    probe = decode.probe(data)
    return Picture(data, probe.content_type, probe.width, probe.height, picture.seed, probe.has_alpha)


def _conformed(picture: Picture, original: Pixels, keep: Mask | None) -> Picture:
    height, width = original.shape[:2]
    pixels = decode.decode(picture.data)
    if pixels.shape[:2] != (height, width):
        pixels = composite.cover(pixels, width, height)
    if keep is not None:
        pixels = composite.lock(original, pixels, keep)
    return Picture(encode.png(pixels), "image/png", width, height, picture.seed)
