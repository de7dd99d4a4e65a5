"""Static files as they are served: under names with a hash, and what imports them says those names."""

import re
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command


@pytest.mark.usefixtures("_collected")
def test_a_module_imports_the_very_version_it_was_written_with(settings: LazySettings) -> None:
    folder = Path(settings.STATIC_ROOT) / "js"
    imported = {
        name
        for path in folder.glob("*.????????????.js")
        for name in re.findall(r'^import .* from "\./(.+)";$', path.read_text(), re.MULTILINE)
    }
    assert any(name.startswith("mask-surface.") for name in imported)
    assert all(re.fullmatch(r"[a-z-]+\.[0-9a-f]{12}\.js", name) and (folder / name).exists() for name in imported)


@pytest.fixture
def _collected(settings: LazySettings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": "config.static_files.StaticFiles"}}
    call_command("collectstatic", interactive=False, verbosity=0)
