"""Several pictures as one zip file, sent while it is written: a part of one picture is in memory at a time.

Pictures are taken as they lie in the storage, and none is decoded: the JPEG where one was delivered before, else the
master.
"""

import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from django.core.files.storage import default_storage

from generations import waiting
from generations.models import Output

MOST = 200
"""Pictures in one file."""

MOST_BYTES = 1024**3
"""Of pictures in one file."""

CHUNK = 256 * 1024
MISSING = "missing.txt"


class TooLarge(Exception):
    """More bytes than MOST_BYTES."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes; {MOST_BYTES} are allowed")
        self.size = size


class _Tap:
    """A file that is only written to, and gives back what was written since the last time."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """There is nothing to wait for."""

    def close(self) -> None:
        """There is nothing to close."""

    def drain(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def check(outputs: Sequence[Output]) -> None:
    """Raises TooLarge."""
    size = sum(output.jpeg_size or output.size for output in outputs)
    if size > MOST_BYTES:
        raise TooLarge(size)


def stream(outputs: Sequence[Output]) -> Iterator[bytes]:
    """Yield the zip file of outputs, whose generations are loaded. What the storage has lost is named in MISSING."""
    waiting.let_go()  # whoever takes it may be slow
    tap = _Tap()
    missing = []
    with zipfile.ZipFile(tap, "w", zipfile.ZIP_STORED) as archive:
        for output, name in zip(outputs, names(outputs), strict=True):
            try:
                yield from _write(archive, tap, output, name)
            except FileNotFoundError:
                missing.append(name)
        if missing:
            lost = "The storage has lost these pictures:\n" + "".join(f"{name}\n" for name in missing)
            archive.writestr(MISSING, lost)
    yield tap.drain()


def _write(archive: zipfile.ZipFile, tap: _Tap, output: Output, name: str) -> Iterator[bytes]:
    made = output.generation.created_at
    entry = zipfile.ZipInfo(name, date_time=(max(1980, made.year), *made.timetuple()[1:6]))
    entry.external_attr = 0o644 << 16
    with default_storage.open(output.jpeg or output.file) as file, archive.open(entry, "w") as written:
        while data := file.read(CHUNK):
            written.write(data)
            yield tap.drain()


def names(outputs: Sequence[Output]) -> Sequence[str]:
    """Return a name for each: "bg-replace-2026-05-01-1234.jpg", and with -2 and so on where several had the same."""
    stems = [_stem(output) for output in outputs]
    seen: Counter[str] = Counter()
    found = []
    for output, stem in zip(outputs, stems, strict=True):
        seen[stem] += 1
        number = f"-{seen[stem]}" if seen[stem] > 1 else ""
        found.append(f"{stem}{number}{PurePosixPath(output.jpeg or output.file).suffix}")
    return found


def _stem(output: Output) -> str:
    row = output.generation
    return f"{row.model.replace('.', '-')}-{row.created_at:%Y-%m-%d}-{output.seed}"
