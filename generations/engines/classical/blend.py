"""Mix pictures by a share."""

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]


def mix(old: Pixels, new: Pixels, amount: float) -> Pixels:
    """Return `old` moved by `amount` (0 to 1) to `new`; exact at both ends."""
    if amount >= 1:
        return new
    if amount <= 0:
        return old
    return np.asarray(cv2.addWeighted(old, 1 - amount, new, amount, 0), np.uint8)


def shade(back: Pixels, dark: Plane) -> Pixels:
    """Return `back` with the share `dark` (0 to 1) of its light taken."""
    rows = np.flatnonzero(dark.max(axis=1) > 0.002)
    if rows.size == 0:
        return back
    window = slice(int(rows[0]), int(rows[-1]) + 1)
    result = back.copy()
    light = 1 - dark[window]
    result[window] = cv2.multiply(back[window], cv2.merge((light, light, light)), dtype=cv2.CV_8U)
    return result


def inside(old: Pixels, new: Pixels, mask: Pixels, amount: float) -> Pixels:
    """Return `old`, with `amount` of `new` where `mask` is 255; exactly `old` elsewhere."""
    result = old.copy()
    chosen = mask > 0
    if chosen.any():
        result[chosen] = mix(old[chosen], new[chosen], amount)
    return result
