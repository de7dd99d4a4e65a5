"""A test left out for want of a tool fails on CI, and nowhere else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = {
    "test_mark.py": 'import pytest\n@pytest.mark.skipif(True, reason="needs chromium")\ndef test_a(): pass\n',
    "test_call.py": 'import pytest\ndef test_b(): pytest.skip("needs node")\n',
    "test_file.py": 'import pytest\npytest.skip("needs node", allow_module_level=True)\n',
    "test_other.py": 'import pytest\ndef test_c(): pytest.skip("PostgreSQL only")\n',
}


@pytest.mark.parametrize(("ci", "failed"), [("1", {"test_mark.py", "test_call.py", "test_file.py"}), ("", set())])
def test_a_missing_tool(tmp_path: Path, ci: str, failed: set[str]) -> None:
    seen = set()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
        finished = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "tests.skips", "-p", "no:django", "-c", os.devnull, name],
            cwd=tmp_path,
            env={**os.environ, "CI": ci, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        if "was skipped on CI: needs" in finished.stdout:
            seen.add(name)
            assert finished.returncode in {1, 2}
    assert seen == failed
