"""What goes wrong with a picture."""


class ImageError(ValueError):
    """The bytes are not a picture that is accepted here; the message says why and what is allowed."""
