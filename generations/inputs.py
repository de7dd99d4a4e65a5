"""Input images: from whatever a door was given to an asset of the team, safe to decode.

A source is the bytes of a file, an asset's id (the studio's "use as input"), or text: an http(s) URL, a `data:`
URI, or bare base64. URLs of our own are resolved inside, never fetched.
"""

import binascii
import contextlib
import hashlib
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import pybase64
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from config.recent import Recent
from generations import delivery, outbound, places, statements, waiting
from generations.catalogue.validation import FieldError, InvalidInput
from generations.imaging import decode
from generations.imaging.errors import ImageError
from generations.models import Asset
from generations.places import Place

SIDE_LIMIT = decode.API_SIDE
"""Pixels of the longer side of an input."""

FETCH_LEASE = 20.0
"""Seconds after which the place of a fetch whose process died is free again; a fetch ends within 15."""

recent: Recent[tuple[int, str], Asset] = Recent(seconds=10.0, most=4096)
"""Assets by team and digest: the same picture is often sent many times, as the background of every product."""


class TooManyFetches(Exception):
    """The team's other requests are fetching as many URLs as one team may at a time."""


class Unusable(Exception):
    """A source that is no usable image; the message says why."""


@dataclass(frozen=True)
class Source:
    """Encoded bytes, and the asset they are already known as, if any."""

    data: bytes
    asset: Asset | None = None

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True, slots=True)
class Seen:
    """Images that were looked at and not stored: an asset that is new is no row, and its bytes are in `contents`."""

    assets: dict[str, Asset]
    contents: Mapping[uuid.UUID, bytes]

    def read(self, asset: Asset) -> bytes:
        """Return an asset's bytes. Raises delivery.Lost."""
        return self.contents.get(asset.id) or delivery.read(asset.file)


def ingest(team_id: int, images: Mapping[str, Any]) -> dict[str, Asset]:
    """Return an asset of the team per parameter. Raises InvalidInput with every image that is unusable."""
    sources, errors = _sources(team_id, images)
    known = _recently_known(team_id, sources.values())
    return _each(images, sources, errors, lambda source: _asset(team_id, source, known))


def inspect(team_id: int, images: Mapping[str, Any]) -> Seen:
    """Return what `ingest` would, and store nothing. Raises InvalidInput."""
    sources, errors = _sources(team_id, images)
    known = _recently_known(team_id, sources.values())
    contents: dict[uuid.UUID, bytes] = {}

    def look(source: Source) -> Asset:
        asset = source.asset or known.get(source.digest)
        if asset is None:
            asset = _row(team_id, source, name="")
            contents[asset.id] = source.data
        return asset

    return Seen(_each(images, sources, errors, look), contents)


def _sources(team_id: int, images: Mapping[str, Any]) -> tuple[dict[str, Source], dict[str, Unusable]]:
    """Return the source of each parameter's image, and of those that can't be read, why."""
    sources: dict[str, Source] = {}
    errors: dict[str, Unusable] = {}
    for field, given in images.items():
        try:
            sources[field] = _read(team_id, given)
        except Unusable as error:
            errors[field] = error
    return sources, errors


def _each(
    images: Mapping[str, Any],
    sources: Mapping[str, Source],
    errors: dict[str, Unusable],
    make: Callable[[Source], Asset],
) -> dict[str, Asset]:
    """Return the asset of each source. Raises InvalidInput with the errors that there are, and those of `make`."""
    assets: dict[str, Asset] = {}
    for field, source in sources.items():
        try:
            assets[field] = make(source)
        except Unusable as error:
            errors[field] = error
    _refuse(images, errors)
    return assets


def load(team_id: int, images: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the encoded bytes of each source, fetched but not stored, for a door that has to look at them before it
    submits them. Raises InvalidInput, TooManyFetches."""
    loaded: dict[str, bytes] = {}
    errors: dict[str, Unusable] = {}
    for field, given in images.items():
        try:
            source = _read(team_id, given)
            loaded[field] = delivery.read(source.asset.file) if source.asset else source.data
        except Unusable as error:
            errors[field] = error
    _refuse(images, errors)
    return loaded


def _refuse(images: Mapping[str, Any], errors: Mapping[str, Unusable]) -> None:
    """Raise InvalidInput with every image that is unusable, if any is."""
    listed = [(field, _shown(given), errors[field]) for field, given in images.items() if field in errors]
    if listed:
        raise InvalidInput(tuple(FieldError(field, shown, f"{field}: {error}") for field, shown, error in listed))


def store(team_id: int, given: Any, *, uploaded: bool = False) -> Asset:
    """Return the team's asset with the content of a source, made now if it is new. Raises Unusable.

    uploaded: its URL may be used as an input for UPLOAD_SECONDS from now on.
    """
    source = _read(team_id, given)
    asset = _asset(team_id, source, _known(team_id, [source]))
    if uploaded:
        asset.uploaded_at = timezone.now()
        asset.save(update_fields=["uploaded_at"])
    return asset


def _known(team_id: int, sources: Iterable[Source]) -> dict[str, Asset]:
    """Return the assets that have the sources' contents, by digest."""
    digests = {source.digest for source in sources if not source.asset}
    return statements.current().known_assets(team_id, digests) if digests else {}


def _recently_known(team_id: int, sources: Iterable[Source]) -> dict[str, Asset]:
    """Return what `_known` does; pictures that this process found a moment ago are not looked for again."""
    named = [source for source in sources if not source.asset]
    known = {each.digest: asset for each in named if (asset := recent.get((team_id, each.digest)))}
    found = _known(team_id, [each for each in named if each.digest not in known])
    for digest, asset in found.items():
        recent.put((team_id, digest), asset)
    return {**known, **found}


def _asset(team_id: int, source: Source, known: dict[str, Asset]) -> Asset:
    """Return the source's asset, made and added to `known` if it is new. Raises Unusable."""
    if source.asset:
        return source.asset
    if source.digest not in known:
        known[source.digest] = _create(team_id, source)
    return known[source.digest]


def _create(team_id: int, source: Source) -> Asset:
    row = _row(team_id, source, name=f"assets/{team_id}/{source.digest[:2]}/{source.digest}")
    # Never a file that is there already: it may be half written, by somebody who is at it or who died over it.
    row.file = default_storage.save(row.file, ContentFile(source.data))
    Asset.objects.bulk_create([row], ignore_conflicts=True)  # somebody may have stored the same at the same time
    kept = Asset.objects.get(team_id=team_id, sha256=source.digest)
    if kept.file != row.file:
        default_storage.delete(row.file)
    return kept


def _row(team_id: int, source: Source, *, name: str) -> Asset:
    """Return an asset that is not saved, after decoding all of the image once. Raises Unusable."""
    probe = _checked(source.data)
    return Asset(
        team_id=team_id,
        sha256=source.digest,
        file=name,
        content_type=probe.content_type,
        width=probe.width,
        height=probe.height,
        size=len(source.data),
        has_alpha=probe.has_alpha,
    )


def _checked(data: bytes) -> decode.Probe:
    """Return what is known of the image, after decoding all of it once. Raises Unusable."""
    try:
        probe = decode.probe(data)
        if max(probe.width, probe.height) > SIDE_LIMIT:
            raise Unusable(
                f"the image is {probe.width} × {probe.height} pixels; the longer side may have {SIDE_LIMIT} at most"
            )
        decode.decode(data, alpha=True)
    except ImageError as error:
        raise Unusable(str(error)) from error
    return probe


# --- where the bytes come from ------------------------------------------------------------------------------


def _read(team_id: int, given: Any) -> Source:
    if isinstance(given, uuid.UUID):
        return _from_asset(Asset.objects.filter(team_id=team_id, id=given).first())
    if isinstance(given, bytes | bytearray | memoryview):
        return Source(bytes(given))
    if isinstance(given, str):
        text = given.strip()
        for prefix, reader in _READERS.items():
            if text[: len(prefix)].lower() == prefix:
                return reader(team_id, text)
        return Source(decode_base64(text))
    return Source(given.read())


def _from_asset(asset: Asset | None) -> Source:
    if asset is None:
        raise Unusable("no such upload; it may have expired, upload it again")
    return Source(b"", asset)


def decode_base64(text: str | bytes | memoryview) -> bytes:
    """Return the bytes of standard base64. Raises Unusable."""
    try:
        return pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        shown = _shown(text if isinstance(text, str) else "")
        raise Unusable(f"{shown!r} is neither an http(s) URL, nor a data: URI, nor valid base64") from error


def _from_data_uri(_: int, text: str) -> Source:
    head, comma, body = text.partition(",")
    if not comma or not head.lower().endswith(";base64"):
        raise Unusable(f"{_shown(head)!r} is not a base64 data: URI; data:image/png;base64,… is")
    try:
        return Source(decode_base64(body))
    except Unusable as error:
        raise Unusable(f"{_shown(text)!r}: what follows the comma of the data: URI is not valid base64") from error


def _from_url(team_id: int, url: str) -> Source:
    own = _own_object(team_id, url)
    if own:
        return own
    with _fetch_place(team_id):
        waiting.let_go()
        try:
            return Source(outbound.fetch(url, allow=settings.OUTBOUND_ALLOW).data)
        except outbound.OutboundError as error:
            raise Unusable(f"{_shown(url)} cannot be fetched: {error}") from error


def _own_object(team_id: int, url: str) -> Source | None:
    """Resolve a URL that we gave out ourselves: an upload of this team, or a signed output link."""
    base = settings.PUBLIC_URL + "/"
    if not url.startswith(base):
        return None
    kind, _, rest = url[len(base) :].removeprefix("v1/").partition("/")
    if kind == "files":
        return _from_asset(_uploaded(team_id, rest))
    if kind == "outputs":
        output = delivery.output_of_link(url)
        if output is None:
            raise Unusable("the link to this output has expired; ask for the result again")
        return Source(delivery.read(output.file))
    return None


def _uploaded(team_id: int, text: str) -> Asset | None:
    """Return what was uploaded under an address of the Segmind dialect's, which names an asset, or of the jobs API's,
    which names an upload."""
    since = timezone.now() - timedelta(seconds=settings.UPLOAD_SECONDS)
    named = _uuids(text)
    asset = Asset.objects.filter(team_id=team_id, uploaded_at__gte=since, id__in=named).first()
    return (
        asset
        or Asset.objects.filter(uploads__team_id=team_id, uploads__created_at__gte=since, uploads__id__in=named).first()
    )


_READERS: dict[str, Callable[[int, str], Source]] = {
    "data:": _from_data_uri,
    "http://": _from_url,
    "https://": _from_url,
}


def _uuids(text: str) -> list[uuid.UUID]:
    """Return the id that a path ends in, if it is one."""
    try:
        return [uuid.UUID(text.partition("?")[0])]
    except ValueError:
        return []


def _shown(given: Any) -> str:
    """Return a source as an error may show it: short, and without a signed query."""
    if not isinstance(given, str):
        return f"<{type(given).__name__}>"
    text = given.partition("?")[0]
    return text if len(text) <= 80 else text[:60] + "…"


# --- how many at a time -------------------------------------------------------------------------------------

PATIENCE = 5.0
"""Seconds that a request waits for a place before it is told to come again."""


@contextlib.contextmanager
def _fetch_place(team_id: int) -> Iterator[None]:
    """Hold one of the team's TEAM_FETCHES_IN_FLIGHT places. Raises TooManyFetches after PATIENCE seconds."""
    give_up = time.monotonic() + PATIENCE
    while (place := _take_place(team_id)) is None:
        if time.monotonic() > give_up:
            raise TooManyFetches
        waiting.let_go()
        time.sleep(0.1)
    try:
        yield
    finally:
        place.give_back()


def _take_place(team_id: int) -> Place | None:
    names = (f"fetch:{team_id}:{number}" for number in range(settings.TEAM_FETCHES_IN_FLIGHT))
    return next((place for name in names if (place := places.take(name, FETCH_LEASE))), None)
