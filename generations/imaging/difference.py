"""How far apart two colours look: CIEDE2000."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from generations.imaging.pixels import Pixels

Figures = NDArray[np.float32]

_BLOCK = 1 << 15
"""Pixels at a time, so that what is worked on stays in the processor's cache."""

_FAR = np.float32(25.0**7)


def delta_e(first: Pixels, second: Pixels) -> Figures:
    """Return the CIEDE2000 differences, (N,), of two lists of sRGB colours, (N, 3) each; 1 is just seen."""
    result = np.empty(len(first), np.float32)
    for start in range(0, len(first), _BLOCK):
        part = slice(start, start + _BLOCK)
        result[part] = ciede2000(_lab(first[part]), _lab(second[part]))
    return result


def _lab(colours: Pixels) -> Figures:
    scaled = np.divide(colours, 255, dtype=np.float32)
    return np.asarray(cv2.cvtColor(scaled[None], cv2.COLOR_RGB2Lab)[0], np.float32)


def ciede2000(first: Figures, second: Figures) -> Figures:
    """Return the CIEDE2000 differences, (N,), of two lists of CIELAB colours, (N, 3) each (CIE 142-2001)."""
    lightness1, a1, b1 = first.T
    lightness2, a2, b2 = second.T
    stretch = 1.5 - 0.5 * _share((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2)
    a1, a2 = a1 * stretch, a2 * stretch
    chroma1, chroma2 = np.hypot(a1, b1), np.hypot(a2, b2)
    hue1, hue2 = np.arctan2(b1, a1), np.arctan2(b2, a2)
    turn = _turn(hue1, hue2)
    mean_hue = np.where(chroma1 * chroma2 == 0, hue1 + hue2, hue1 + turn / 2)
    d_hue = 2 * np.sqrt(chroma1 * chroma2) * np.sin(turn / 2)
    return _weighted(
        (lightness1 + lightness2) / 2,
        (chroma1 + chroma2) / 2,
        mean_hue,
        lightness2 - lightness1,
        chroma2 - chroma1,
        d_hue,
    )


def _share(chroma: Figures) -> Figures:
    square = chroma * chroma
    seventh = square * square * square * chroma
    return np.asarray(np.sqrt(seventh / (seventh + _FAR)), np.float32)


def _turn(hue1: Figures, hue2: Figures) -> Figures:
    """Return the way from one hue to the other, the short way round: −π to π."""
    turn = hue2 - hue1
    return np.where(turn > np.pi, turn - 2 * np.pi, np.where(turn < -np.pi, turn + 2 * np.pi, turn))


def _trend(hue: Figures) -> Figures:
    """Return 1 − .17 cos(h − 30°) + .24 cos 2h + .32 cos(3h + 6°) − .20 cos(4h − 63°).

    The multiples are made of one sine and one cosine: four cosines would be a third of the whole time.
    """
    cos, sin = np.cos(hue), np.sin(hue)
    cos2, sin2 = 2 * cos * cos - 1, 2 * sin * cos
    cos3, sin3 = cos * (4 * cos * cos - 3), sin * (3 - 4 * sin * sin)
    cos4, sin4 = 2 * cos2 * cos2 - 1, 2 * sin2 * cos2
    return np.asarray(
        1
        - 0.17 * _shifted(cos, sin, 30)
        + 0.24 * cos2
        + 0.32 * _shifted(cos3, sin3, -6)
        - 0.20 * _shifted(cos4, sin4, 63)
    )


def _shifted(cos: Figures, sin: Figures, degrees: float) -> Figures:
    """Return cos(x − degrees) from cos x and sin x."""
    angle = math.radians(degrees)
    return cos * math.cos(angle) + sin * math.sin(angle)


def _weighted(
    lightness: Figures, chroma: Figures, hue: Figures, d_lightness: Figures, d_chroma: Figures, d_hue: Figures
) -> Figures:
    """Return the length of the difference in units that look alike around the mean colour."""
    trend = _trend(hue)
    middle = (lightness - 50) ** 2
    light = d_lightness / (1 + 0.015 * middle / np.sqrt(20 + middle))
    coloured = d_chroma / (1 + 0.045 * chroma)
    hued = d_hue / (1 + 0.015 * chroma * trend)
    degrees = np.degrees(hue) % 360
    blue = np.radians(60) * np.exp(-(((degrees - 275) / 25) ** 2))
    rotation = -2 * _share(chroma) * np.sin(blue)
    total = light**2 + coloured**2 + hued**2 + rotation * coloured * hued
    return np.asarray(np.sqrt(np.maximum(total, 0)), np.float32)
