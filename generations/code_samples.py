"""The code on the documentation's pages: files in templates/docs/code, which the suite runs as they stand.

They are written for a site at SITE; a page shows them for this one.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

FOLDER = Path(settings.BASE_DIR) / "templates" / "docs" / "code"
SITE = "https://sceneshift.example"
LANGUAGES: Mapping[str, tuple[str, str]] = {
    ".sh": ("curl", "curl"),
    ".py": ("python", "Python"),
    ".mjs": ("node", "Node"),
}
"""A file's ending → the language, and its name as a tab shows it."""

BEFORE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "from-segmind": ((f"{SITE}/v1", "https://api.segmind.com/v1"), ("SCENESHIFT_API_KEY", "SEGMIND_API_KEY")),
    "from-replicate": ((SITE, "https://api.replicate.com"), ("SCENESHIFT_API_KEY", "REPLICATE_API_TOKEN")),
    "from-openai": ((f"{SITE}/v1", "https://api.openai.com/v1"), ("SCENESHIFT_API_KEY", "OPENAI_API_KEY")),
}
"""Name → what stood in its code before: base URL and key, and nothing else."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of code, and whether it is not what it was before."""

    text: str
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A file in one language. before: the same with another service's base URL and key, where there is one."""

    language: str
    name: str
    code: str
    before: str = ""

    @property
    def lines(self) -> list[Line]:
        return _marked(self.code, self.before or self.code)

    @property
    def lines_before(self) -> list[Line]:
        return _marked(self.before, self.code)


def blocks(name: str) -> list[Block]:
    """Return the code of a name in every language that it is written in, for this site."""
    return [_block(path) for path in files(name)]


@functools.cache
def files(name: str) -> tuple[Path, ...]:
    """Return the files of a name, in the order of the languages."""
    found = tuple(FOLDER / f"{name}{ending}" for ending in LANGUAGES if (FOLDER / f"{name}{ending}").exists())
    assert found, f"templates/docs/code has no {name}"
    return found


def _block(path: Path) -> Block:
    language, name = LANGUAGES[path.suffix]
    text = _read(path)
    before = text
    for now, then in BEFORE.get(path.stem, ()):
        before = before.replace(now, then)
    return Block(language, name, for_site(text, settings.PUBLIC_URL), before if before != text else "")


@functools.cache
def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def for_site(code: str, base_url: str) -> str:
    """Return code with the address of a site in it."""
    return code.replace(SITE, base_url)


def _marked(code: str, other: str) -> list[Line]:
    return [Line(line, line != its) for line, its in zip(code.splitlines(), other.splitlines(), strict=True)]
