"""Colours of the subject where its edge is soft."""

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]

COARSE = 4
"""The wide pass is computed on every so many pixels: it carries colours from afar, not detail."""


def foreground(pixels: Pixels, alpha: Pixels) -> Pixels:
    """Return the subject's own colours, uint8 (H, W, 3), free of the old background.

    Blur fusion (Forte 2021) in two passes: a wide one that brings colours from afar, a narrow one that sharpens.
    Where `alpha` is 255 the colours are those of `pixels`, exactly; where it is 0 they are not used.
    """
    window = _window(alpha, max(2, round(0.01 * max(alpha.shape))))
    image = pixels[window].astype(np.float32)
    share = np.asarray(alpha[window] / np.float32(255), np.float32)
    height, width = share.shape
    small = (max(1, width // COARSE), max(1, height // COARSE))
    coarse_image = np.asarray(cv2.resize(image, small, interpolation=cv2.INTER_AREA), np.float32)
    coarse_share = np.asarray(cv2.resize(share, small, interpolation=cv2.INTER_AREA), np.float32)
    size = _odd(0.06 * max(alpha.shape) / COARSE)
    front = _mean(coarse_image, coarse_share, size)
    back = _mean(coarse_image, np.asarray(1 - coarse_share, np.float32), size)
    front = np.asarray(cv2.resize(_fitted(coarse_image, front, back, coarse_share), (width, height)), np.float32)
    back = np.asarray(cv2.resize(back, (width, height)), np.float32)
    front = _mean(front, share, _odd(0.006 * max(alpha.shape)))
    front = _fitted(image, front, back, share)
    result, soft = pixels.copy(), (alpha[window] > 0) & (alpha[window] < 255)
    result[window][soft] = np.rint(front[soft]).astype(np.uint8)
    return result


def _mean(colours: Plane, weight: Plane, size: int) -> Plane:
    total = np.asarray(cv2.blur(weight, (size, size)), np.float32)
    mean = np.asarray(cv2.blur(colours * weight[:, :, None], (size, size)), np.float32)
    mean /= (total + 1e-5)[:, :, None]
    return mean


def _fitted(image: Plane, front: Plane, back: Plane, share: Plane) -> Plane:
    """Return `front` moved so that laid over `back` it gives `image`."""
    part = share[:, :, None]
    fitted = front + part * (image - part * front - (1 - part) * back)
    return np.asarray(np.clip(fitted, 0, 255), np.float32)


def _window(alpha: Pixels, margin: int) -> tuple[slice, slice]:
    """Return rows and columns that hold all of the subject."""
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if rows.size == 0:
        return slice(None), slice(None)
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + margin),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + margin),
    )


def _odd(length: float) -> int:
    return max(3, int(length) | 1)
