"""The subject of a picture as a mask: for the command line and for who paints a mask. Free, and no generation.

It is computed where it is asked for, in the web process as well: the largest picture takes half a second of one core,
while the queue of the engines that compute may be minutes long, and an answer from there would need a place to be
kept. One at a time in a process bounds what it takes from the pages.
"""

import threading

import cv2
import numpy as np

from accounts import limits as rates
from generations import waiting
from generations.engines.classical import replacement, subject
from generations.imaging import decode, encode
from generations.imaging.errors import ImageError
from generations.imaging.pixels import Mask

PER_MINUTE = 30
"""Masks that one person may have made in a minute."""

_turn = threading.Lock()


class NotFound(ValueError):
    """The picture is unreadable, or no subject stands out; the message says which and what to do."""


class Busy(Exception):
    """Too many masks are asked for; the message says so. after: seconds until it is worth asking again."""

    def __init__(self, message: str, after: int) -> None:
        super().__init__(message)
        self.after = after


def alpha(image: bytes, limits: decode.Limits = decode.DEFAULT) -> Mask:
    """Return where the subject is, (H, W), upright: the picture's own transparency, else what is found.

    Raises NotFound.
    """
    cv2.setNumThreads(1)  # the other cores are other requests'
    try:
        return np.asarray(replacement.separate(decode.decode(image, alpha=True, limits=limits))[1], np.uint8)
    except (ImageError, subject.NoSubject) as error:
        raise NotFound(str(error).removeprefix("image: ")) from error


def mask(image: bytes, user_id: int) -> bytes:
    """Return an 8-bit PNG that is white where the subject is. Raises NotFound and Busy."""
    decision = rates.count(f"subject:{user_id}", PER_MINUTE)
    if not decision.allowed:
        raise Busy(f"No more than {PER_MINUTE} subjects a minute are looked for.", decision.reset_seconds)
    if not _turn.acquire(blocking=False):
        raise Busy("Somebody else’s subject is being looked for.", 2)
    try:
        waiting.let_go()
        return encode.png(alpha(image, decode.API))
    finally:
        _turn.release()
