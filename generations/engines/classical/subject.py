"""The error of a picture in which there is nothing to cut out."""

LEAST, MOST = 0.005, 0.90
"""Share of the picture that a subject may take."""


class NoSubject(ValueError):
    """The subject was not found; the message says what to do."""


def check(share: float) -> None:
    """Raise NoSubject unless `share` of the picture (0 to 1) can be a subject."""
    if share < LEAST:
        raise NoSubject(
            "image: no subject found (less than 0.5 % of the picture stands out from its background). "
            "Use a picture with a clear subject on a plain background, or a PNG whose alpha is the subject."
        )
    if share > MOST:
        raise NoSubject(
            "image: no background found (the subject would fill more than 90 % of the picture). "
            "Use a picture with space around the subject, or a PNG whose alpha is the subject."
        )


def check_given(share: float) -> None:
    """Raise NoSubject where the picture's own alpha covers next to nothing."""
    if share < LEAST:
        raise NoSubject("image: its alpha leaves less than 0.5 % of the picture visible; there is no subject.")
