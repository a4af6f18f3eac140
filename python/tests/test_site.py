"""The documentation site builds without a warning, with a picture of every effect and a place for every public name."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import streamlib
from streamlib import shaders

SITE = Path(__file__).parents[2] / "docs" / "site"


def test_the_site_builds_without_warnings_and_lacks_nothing(tmp_path: Path) -> None:
    for module in ("PIL", "mkdocs", "material", "mkdocstrings_handlers"):
        pytest.importorskip(module)
    result = subprocess.run([sys.executable, SITE / "build.py", tmp_path], capture_output=True, text=True, timeout=300)
    assert (result.returncode, result.stderr) == (0, ""), result.stdout + result.stderr
    gallery = (tmp_path / "gallery.html").read_text(encoding="utf-8")
    for name in shaders.names():
        assert f'src="gallery/{name}.jpg"' in gallery
        assert (tmp_path / "gallery" / f"{name}.jpg").stat().st_size > 1000
    reference = "".join(page.read_text(encoding="utf-8") for page in (tmp_path / "reference").glob("*.html"))
    documented = set(re.findall(r'id="streamlib\.(\w+)"', reference))
    assert set(streamlib.__all__) <= documented
