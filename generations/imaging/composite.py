"""Put pictures together, exactly where it matters."""

import cv2
import numpy as np

from generations.imaging.pixels import Mask, Pixels, require_mask, require_rgb

FEATHER = 3
"""Pixels over which `lock` goes from the input to the output, inside the repainted side."""


def _window(width: int, height: int, target_width: int, target_height: int) -> tuple[int, int, int, int]:
    """Return (left, top, width, height) of the largest centred window with the target's proportions."""
    scale = min(width / target_width, height / target_height)
    inner_width = max(1, min(width, round(target_width * scale)))
    inner_height = max(1, min(height, round(target_height * scale)))
    return (width - inner_width) // 2, (height - inner_height) // 2, inner_width, inner_height


def cover(pixels: Pixels | Mask, width: int, height: int, *, nearest: bool = False) -> Pixels:
    """Return `pixels` cropped about its centre and scaled to (height, width), without distortion.

    nearest: no new values arise; for masks. (H, W), (H, W, 3) and (H, W, 4) are taken.
    """
    if width < 1 or height < 1:
        raise ValueError(f"cover: {width} × {height}; both sides must be at least 1")
    left, top, inner_width, inner_height = _window(pixels.shape[1], pixels.shape[0], width, height)
    inner = pixels[top : top + inner_height, left : left + inner_width]
    if (inner_width, inner_height) == (width, height):
        return inner.copy()
    smooth = cv2.INTER_AREA if inner_width > width else cv2.INTER_CUBIC
    method = cv2.INTER_NEAREST_EXACT if nearest else smooth
    if inner.ndim == 3 and inner.shape[2] == 4 and not nearest:
        return _resized_with_alpha(inner, width, height, method)
    return np.asarray(cv2.resize(inner, (width, height), interpolation=method), np.uint8)


def _resized_with_alpha(pixels: Pixels, width: int, height: int, method: int) -> Pixels:
    """Scale colours weighted by their alpha, so that what is transparent does not bleed in."""
    alpha = pixels[..., 3:].astype(np.float32) / 255
    weighted = np.concatenate((pixels[..., :3] * alpha, alpha), axis=2)
    scaled = cv2.resize(weighted, (width, height), interpolation=method)
    opacity = scaled[..., 3:]
    colours = scaled[..., :3] / np.maximum(opacity, 1 / 512)
    return np.rint(np.clip(np.concatenate((colours, opacity * 255), axis=2), 0, 255)).astype(np.uint8)


def over(foreground: Pixels, alpha: Mask, background: Pixels) -> Pixels:
    """Return `foreground` laid over `background`, both (H, W, 3): exact where alpha is 0 or 255."""
    require_rgb("foreground", foreground)
    require_rgb("background", background)
    require_mask("alpha", alpha, foreground)
    require_mask("alpha", alpha, background)
    weight = cv2.merge((alpha, alpha, alpha))
    total = np.asarray(cv2.multiply(foreground, weight, dtype=cv2.CV_16U), np.uint16)
    total += np.asarray(cv2.multiply(background, cv2.bitwise_not(weight), dtype=cv2.CV_16U), np.uint16)
    # (t + 128 + ((t + 128) >> 8)) >> 8 is t / 255 rounded, for every t up to 255².
    total += 128
    total += total >> 8
    total >>= 8
    return total.astype(np.uint8)


def lock(original: Pixels, output: Pixels, keep: Mask, *, feather: int = FEATHER) -> Pixels:
    """Return `output` with the pixels that had to stay put back from `original`.

    Both are (H, W, 3) and keep is (H, W). Where keep is 255 the result equals the original exactly; values
    between blend. Outside, the original fades over `feather` pixels, and from there on the result equals the
    output exactly.
    """
    require_rgb("original", original)
    require_rgb("output", output)
    require_mask("keep", keep, original)
    require_mask("keep", keep, output)
    weight = keep
    free = (keep < 255).astype(np.uint8)
    if feather > 0 and not free.all():
        distance = cv2.distanceTransform(free, cv2.DIST_L2, cv2.DIST_MASK_5)
        fade = np.clip(255 * (1 - distance / (feather + 1)), 0, 255).astype(np.uint8)
        weight = np.maximum(keep, fade)
    return over(original, weight, output)
