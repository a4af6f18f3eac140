"""Examples in docstrings and in the README are executed."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
from pathlib import Path

import pytest

import streamlib

MODULES = [
    module.name for module in pkgutil.iter_modules(streamlib.__path__) if module.name not in ("__main__", "_streamlib")
]
README = Path(__file__).parents[1] / "README.md"


@pytest.mark.parametrize("name", ["", *MODULES])
def test_examples_in_docstrings_do_what_they_say(name: str) -> None:
    module = importlib.import_module(f"streamlib.{name}" if name else "streamlib")
    public = {name: getattr(streamlib, name) for name in streamlib.__all__}
    # A module named `math` is not the one that a module of the package has imported.
    globs = {**public, **vars(module)}
    result = doctest.testmod(module, globs=globs, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert result.failed == 0


def test_the_readme_runs_from_top_to_bottom(tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 5
    before, namespace = os.getcwd(), {"__name__": "readme"}
    os.chdir(tmp_path)
    try:
        for block in blocks:
            exec(compile(block, str(README), "exec"), namespace)
    finally:
        os.chdir(before)
    assert (tmp_path / "aged.mp4").stat().st_size > 0
