"""How large a picture may be, checked from its header before anything is decoded."""

from dataclasses import dataclass

API_SIDE = 2048
"""The longer side that the API accepts, in pixels."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is accepted.

    bytes: of the file. pixels: width × height. frames: of an animation, of which the first is used. side: the
    longer side in pixels, None for no limit beside `pixels`.
    """

    bytes: int = 25 * 1024 * 1024
    pixels: int = 4096 * 4096
    frames: int = 100
    side: int | None = None


DEFAULT = Limits()
API = Limits(side=API_SIDE)
