"""Outputs on their way out: signed links that end, and JPEG made once from a lossless master."""

import time
import uuid
from urllib.parse import parse_qs, urlsplit

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.crypto import constant_time_compare, salted_hmac

from generations.imaging import decode, encode
from generations.imaging.formats import EXTENSIONS
from generations.models import Output

__all__ = ["EXTENSIONS", "Lost", "content_type", "image", "link", "output_of_link", "read", "seconds_left", "size"]


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


def size(output: Output) -> int:
    """Return the bytes of an output as it is delivered."""
    if content_type(output) == output.content_type:
        return output.size
    return output.jpeg_size or len(image(output)[0])


# --- links --------------------------------------------------------------------------------------------------


def link(output: Output) -> str:
    """Return an absolute URL that shows an output without a session for LINK_SECONDS."""
    expires = int(time.time()) + settings.LINK_SECONDS
    path = f"/outputs/{output.id}.{EXTENSIONS[content_type(output)]}"
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
