"""The stub says what the module has."""

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import LIMIT


def test_the_stub_and_the_module_agree(tmp_path):
    pytest.importorskip("mypy")
    allowed = Path(__file__).with_name("stub_allowlist.txt")
    command = [sys.executable, "-m", "mypy.stubtest", "streamlib._streamlib", "--allowlist", str(allowed)]
    # Elsewhere, so that it looks at the package that is installed and not at the sources.
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=2 * LIMIT)
    assert done.returncode == 0, done.stdout + done.stderr
