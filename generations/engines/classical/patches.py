"""Patches of a picture as short vectors: their lowest frequencies, so that two compare in sixteen multiplications."""

import cv2
import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.float32]
Places = npt.NDArray[np.int64]

SIZE = 7
REACH = SIZE // 2
LIGHT = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (1, 2), (2, 1), (0, 3), (3, 0))
TINT = ((0, 0), (0, 1), (1, 0))
"""Frequencies (down, across) kept of lightness, and of each of the two colour differences."""
OPPONENT = (np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3.0], [2.0], [6.0]])).astype(np.float32)


def vectors(picture: Plane) -> Plane:
    """Return for each pixel of `picture` (H, W, 3) the patch around it, float32 (H, W, 16).

    The squared distance of two is about that of the whole patches (the basis is orthonormal). Beyond the frame
    the picture is mirrored.
    """
    planes = cv2.transform(picture, np.asarray(OPPONENT, np.float32))
    waves = [_wave(frequency) for frequency in range(4)]
    result = []
    for channel, frequencies in enumerate((LIGHT, TINT, TINT)):
        plane = np.ascontiguousarray(planes[:, :, channel])
        result += [cv2.sepFilter2D(plane, cv2.CV_32F, waves[across], waves[down]) for down, across in frequencies]
    return np.ascontiguousarray(np.dstack(result), np.float32)


def _wave(frequency: int) -> Plane:
    """Return a row of the orthonormal cosine transform of SIZE."""
    places = (2 * np.arange(SIZE) + 1) * np.pi / (2 * SIZE)
    return np.asarray(np.cos(frequency * places) * np.sqrt((2 if frequency else 1) / SIZE), np.float32)
