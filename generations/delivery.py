"""Outputs on their way out: signed links that end, and JPEG made once from a lossless master."""

import time
import uuid
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.crypto import constant_time_compare, salted_hmac

from config.recent import Recent
from generations.imaging import decode, encode
from generations.imaging.formats import EXTENSIONS
from generations.imaging.pixels import Pixels
from generations.models import Output

__all__ = [
    "EXTENSIONS",
    "RENDERED",
    "Lost",
    "content_type",
    "image",
    "link",
    "output_of_link",
    "read",
    "rendered",
    "seconds_left",
    "size",
]

_ENCODERS: Mapping[str, Callable[[Pixels, int | None], bytes]] = {
    "image/png": lambda pixels, _: encode.png(pixels),
    "image/jpeg": lambda pixels, quality: encode.jpeg(pixels, min(95, max(1, 92 if quality is None else quality))),
    "image/webp": lambda pixels, quality: encode.webp(pixels, max(1, 80 if quality is None else quality)),
}
RENDERED = tuple(_ENCODERS)
"""The types that an output can be had in."""

_made: Recent[tuple[uuid.UUID, str, int | None], bytes] = Recent(seconds=60.0, most=8)
"""Pictures in another type than they are kept in: who gets a link often opens it more than once."""


class Lost(FileNotFoundError):
    """A file that the database knows is not in the storage."""


def read(name: str) -> bytes:
    """Return the bytes of a stored file. Raises Lost."""
    try:
        with default_storage.open(name) as file:
            data: bytes = file.read()
    except FileNotFoundError as error:
        raise Lost(f"the file {name} is no longer kept") from error
    return data


def content_type(output: Output) -> str:
    """Return the type in which an output is delivered: JPEG, or PNG where the master has alpha."""
    is_opaque_png = output.content_type == "image/png" and not output.has_alpha
    return "image/jpeg" if is_opaque_png else output.content_type


def image(output: Output) -> tuple[bytes, str]:
    """Return an output as it is delivered, and its type. Raises Lost."""
    delivered = content_type(output)
    if output.jpeg or delivered == output.content_type:
        return read(output.jpeg or output.file), delivered
    data = encode.jpeg(decode.decode(read(output.file)))
    name = default_storage.save(f"{output.file.rsplit('.', 1)[0]}.jpg", ContentFile(data))
    output.jpeg, output.jpeg_size = name, len(data)
    if not Output.objects.filter(id=output.id, jpeg="").update(jpeg=name, jpeg_size=len(data)):
        default_storage.delete(name)  # another request made it first
    return data, delivered


def rendered(output: Output, wanted: str, quality: int | None = None) -> bytes:
    """Return an output as one of RENDERED, with nothing in it but pixels; where that type has no alpha, flattened on
    white. quality: 0 to 100, of the types that lose some; it makes even a kept file anew. Raises Lost."""
    if quality is None and wanted in (output.content_type, content_type(output)):
        return read(output.file) if wanted == output.content_type else image(output)[0]
    known = (output.id, wanted, quality)
    data = _made.get(known)
    if data is None:
        data = _ENCODERS[wanted](decode.decode(read(output.file), alpha=True), quality)
        _made.put(known, data)
    return data


def size(output: Output) -> int:
    """Return the bytes of an output as it is delivered."""
    if content_type(output) == output.content_type:
        return output.size
    return output.jpeg_size or len(image(output)[0])


# --- links --------------------------------------------------------------------------------------------------


def link(output: Output, wanted: str = "") -> str:
    """Return an absolute URL that shows an output without a session for LINK_SECONDS, as one of RENDERED or, without
    one, as it is delivered."""
    expires = int(time.time()) + settings.LINK_SECONDS
    path = f"/outputs/{output.id}.{EXTENSIONS[wanted or content_type(output)]}"
    return f"{settings.PUBLIC_URL}{path}?expires={expires}&signature={_signature(output.id, expires)}"


def output_of_link(url: str) -> Output | None:
    """Return the output that a link shows, or None where it has ended or was not made by us."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    stem = parts.path.rpartition("/")[2].partition(".")[0]
    try:
        output_id, expires = uuid.UUID(stem), int(query["expires"][0])
        is_ours = constant_time_compare(query["signature"][0], _signature(output_id, expires))
    except (ValueError, KeyError):
        return None
    if not is_ours or expires < time.time():
        return None
    return Output.objects.filter(id=output_id, generation__removed_at=None).first()


def seconds_left(url: str) -> int:
    """Return how long a link that `output_of_link` found good goes on showing its output."""
    return max(0, int(parse_qs(urlsplit(url).query)["expires"][0]) - int(time.time()))


def _signature(output_id: uuid.UUID, expires: int) -> str:
    return salted_hmac("sceneshift.output.read", f"{output_id}:{expires}", algorithm="sha256").hexdigest()
