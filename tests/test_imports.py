"""Who may import whom: the table of rules, read against every import in the source."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("accounts", "config", "generations")
WEB = ("django", "rest_framework", "allauth", "celery", "kombu")
LEDGER_VERBS = frozenset({"grant", "adjust", "hold", "settle", "release"})


@dataclass(frozen=True, slots=True)
class Rule:
    """What the modules of `who` may import.

    who: module prefixes; empty stands for every module. but: modules that the rule leaves alone. ours: of our own
    modules, only these (None: any). never: modules that are out of bounds. libraries: False allows the standard
    library alone. verbs: functions of accounts.ledger that are out of bounds.
    """

    why: str
    who: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    ours: tuple[str, ...] | None = None
    never: tuple[str, ...] = ()
    libraries: bool = True
    verbs: frozenset[str] = frozenset()


RULES = (
    Rule(
        "the catalogue is pure declarations",
        who=("generations.catalogue",),
        ours=("generations.catalogue",),
        libraries=False,
    ),
    Rule(
        "imaging knows arrays and bytes",
        who=("generations.imaging",),
        ours=("generations.imaging",),
        never=WEB,
    ),
    Rule(
        "an engine gets plain values: no rows, no settings",
        who=("generations.engines",),
        ours=("generations.engines", "generations.imaging", "generations.catalogue", "generations.outbound"),
        never=WEB,
    ),
    Rule(
        "accounts know nothing of images",
        who=("accounts",),
        never=("generations",),
    ),
    Rule(
        "rows lie under the verbs that move them",
        who=("generations.models",),
        ours=("generations.models", "accounts.models"),
    ),
    Rule(
        "accounts' rows lie under accounts' verbs",
        who=("accounts.models",),
        ours=("accounts.models",),
    ),
    Rule(
        "a door translates: it neither runs an engine nor moves credits",
        who=("generations.api", "generations.views"),
        never=("generations.engines",),
        verbs=LEDGER_VERBS,
    ),
    Rule(
        "nobody calls a door but the URL configuration",
        but=("generations.api", "accounts.api", "generations.urls", "accounts.urls", "config.urls"),
        never=("generations.api", "accounts.api"),
    ),
    Rule(
        # Pages may use pages: their decorators are in accounts.views.session.
        "nobody calls a page but a page and the URL configuration",
        but=(
            "generations.views",
            "accounts.views",
            "generations.urls",
            "generations.docs_urls",
            "accounts.urls",
            "config.urls",
        ),
        never=("generations.views", "accounts.views"),
    ),
    Rule(
        "one module fetches, under guard",
        but=("generations.outbound",),
        never=("requests", "urllib.request", "httpx", "urllib3"),
    ),
)


@dataclass(frozen=True, slots=True)
class Import:
    """One import: `module`, and the name taken from it ("" for a whole module)."""

    module: str
    name: str
    line: int

    @property
    def full(self) -> str:
        return f"{self.module}.{self.name}" if self.name else self.module


def is_under(module: str, prefixes: tuple[str, ...]) -> bool:
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)


def imports(tree: ast.AST) -> Iterator[Import]:
    """Yield every import, those inside functions and for type checkers included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, "", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (Import("." * node.level + (node.module or ""), alias.name, node.lineno) for alias in node.names)


def is_ours(found: Import) -> bool:
    return is_under(found.module, ROOMS)


def breaks(rule: Rule, found: Import) -> bool:
    if is_under(found.full, rule.never):
        return True
    if is_ours(found):
        return rule.ours is not None and not is_under(found.full, rule.ours)
    return not rule.libraries and found.module.partition(".")[0] not in sys.stdlib_module_names


def ledger_verbs(tree: ast.AST, verbs: frozenset[str]) -> Iterator[Import]:
    """Yield the uses of the ledger's verbs: imported by name, or reached through the module under any name."""
    local = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for alias in node.names:
            full = f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
            if full == "accounts.ledger":
                local.add(alias.asname or full if isinstance(node, ast.Import) else alias.asname or alias.name)
            if full in {f"accounts.ledger.{verb}" for verb in verbs}:
                yield Import("accounts.ledger", alias.name, node.lineno)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in verbs and ast.unparse(node.value) in local:
            yield Import("accounts.ledger", node.attr, node.lineno)


def violations(module: str, source: str) -> list[str]:
    """Return "module:line imports X: why not" for each import that breaks a rule."""
    tree = ast.parse(source)
    found = list(imports(tree))
    broken = [(one, "imports are absolute") for one in found if one.module.startswith(".")]
    for rule in RULES:
        if is_under(module, rule.but) or (rule.who and not is_under(module, rule.who)):
            continue
        broken += [(one, rule.why) for one in found if breaks(rule, one)]
        broken += [(one, rule.why) for one in ledger_verbs(tree, rule.verbs)]
    return [f"{module}:{one.line} imports {one.full}: {why}" for one, why in broken]


def modules() -> dict[str, Path]:
    """Return every module of the three rooms but migrations, which Django writes."""
    paths = (path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py")))
    named = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}
    return {name.removesuffix(".__init__"): path for name, path in named.items() if ".migrations" not in name}


def test_every_module_keeps_the_rules() -> None:
    found = [line for name, path in modules().items() for line in violations(name, path.read_text())]
    assert not found, "\n" + "\n".join(found)


def test_the_rooms_are_really_read() -> None:
    names = modules()
    assert {"generations.catalogue", "generations.catalogue.parsing", "config.settings", "accounts"} <= set(names)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("generations.catalogue.forms", "from django import forms"),
        ("generations.catalogue.forms", "import numpy as np"),
        ("generations.catalogue", "from generations.models import Generation"),
        ("generations.imaging.decode", "from django.conf import settings"),
        ("generations.imaging.decode", "from generations.engines import base"),
        ("generations.engines.segmind", "from generations import models"),
        ("generations.engines.segmind", "def run():\n    from generations.models.attempt import Attempt"),
        ("generations.engines.segmind", "from django.conf import settings"),
        ("generations.engines.segmind", "import requests"),
        ("accounts.keys", "from generations import catalogue"),
        ("accounts.keys", "from . import models"),
        ("accounts.models.key", "from accounts import ledger"),
        ("generations.models.asset", "from generations import submission"),
        ("generations.api.segmind", "from generations.engines import base"),
        ("generations.api.segmind", "from accounts.ledger import settle"),
        ("generations.api.segmind", "from accounts import ledger as books\nbooks.hold(1, 2)"),
        ("generations.views.studio", "import accounts.ledger\naccounts.ledger.grant(1, 2)"),
        ("generations.submission", "from generations.api import segmind"),
        ("generations.tasks", "from generations import views"),
        ("generations.views.studio", "from generations.api import segmind"),
        ("generations.api.segmind", "from accounts.views import session"),
        ("config.celery", "import generations.views.gallery"),
        ("generations.inputs", "import requests"),
        ("generations.inputs", "from urllib.request import urlopen"),
        ("generations.inputs", "from urllib import request"),
    ],
)
def test_a_broken_rule_is_seen(module: str, source: str) -> None:
    assert violations(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("generations.catalogue.forms", "import json\nfrom generations.catalogue import wording"),
        ("generations.imaging.decode", "import cv2\nfrom generations.imaging import limits"),
        (
            "generations.engines.segmind",
            "from generations import catalogue, outbound\nfrom generations.imaging import x",
        ),
        ("generations.outbound", "import requests"),
        ("generations.models.asset", "from django.db import models\nfrom accounts.models import Team"),
        (
            "generations.api.segmind",
            "from generations import submission\nfrom accounts import ledger\nledger.balance(1)",
        ),
        ("generations.api.segmind", "from accounts.ledger import InsufficientCredits"),
        ("generations.views.studio", "from accounts.views import session"),
        ("generations.api.portal", "from accounts import session"),
        ("generations.submission", "from accounts import ledger\nledger.hold(1, 2)"),
        ("config.urls", "from generations.api import segmind\nfrom generations.views import studio"),
        ("generations.inputs", "from config import requests\nfrom urllib.parse import urlsplit"),
        ("generations.inputs", "from generations.viewsets import x"),
    ],
)
def test_what_is_allowed_passes(module: str, source: str) -> None:
    assert violations(module, source) == []
