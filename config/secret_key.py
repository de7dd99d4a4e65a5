"""The key that signs sessions and links, kept in a file where SECRET_KEY is not set."""

import os
import secrets
import tempfile
from pathlib import Path


def kept(path: Path) -> str:
    """Return the key in `path`, made at the first call, readable by its owner only. Raises OSError.

    It is written aside and linked in whole, so that whoever else starts at the same moment finds all of it or none.
    """
    if key := _read(path):
        return key
    descriptor, name = tempfile.mkstemp(prefix="secret_key.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
            file.flush()
            os.fsync(file.fileno())
        _put(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)
    return _read(path)


def _put(made: Path, path: Path) -> None:
    try:
        os.link(made, path)
    except OSError:  # there is one by now, or an empty one, or a file system without links
        if not _read(path):
            made.replace(path)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        return ""
