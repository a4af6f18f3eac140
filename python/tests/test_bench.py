"""The benchmark of the package, quickly: that it looks at pixels, that every program answers, and that the page says what it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benches" / "python"


@pytest.fixture(autouse=True)
def modules(monkeypatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))


def test_a_quick_run_writes_figures_and_a_page(tmp_path) -> None:
    pytest.importorskip("numpy")
    chosen = ["--cases", "import,graph-free,setting,chain", "--quick", "--rounds", "1", "--out", str(tmp_path)]
    done = subprocess.run([sys.executable, FOLDER / "bench.py", *chosen], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    results = json.loads(next(tmp_path.glob("python-*.json")).read_text(encoding="utf-8"))
    assert list(results["cases"]) == ["import", "graph-free", "setting", "chain-numpy"]
    rows = {name for case in results["cases"].values() for name in case["rows"]}
    ours = {"streamlib: import", "Rust: a frame, mean", "Python: a frame, mean", "streamlib: effect.params", "streamlib at once"}
    assert ours <= rows
    page = next(tmp_path.glob("python-*.md")).read_text(encoding="utf-8")
    assert "not for publication" in page and "## Setting a parameter" in page
    assert "| mapped view of a 4K frame below 1 ms | not measured | |" in page


def test_wrong_pixels_are_not_timed() -> None:
    import reference
    from worker import Wrong

    picture = reference.pictures(64, 32, 1)[0]
    wanted = reference.chain(picture)
    pixels = (wanted * 255).round()
    reference.check(pixels, wanted, "the right ones")
    pixels[3, 5, 1] = (pixels[3, 5, 1] + 128) % 256
    with pytest.raises(Wrong, match="codes off"):
        reference.check(pixels, wanted, "one wrong value")
    with pytest.raises(Wrong, match="not the pixels"):
        reference.check_same(picture, picture[:, ::-1], "mirrored")


def test_rows_are_divided_by_the_unit_of_their_own_figure() -> None:
    import bench
    import cases

    case = cases.Case("c", "C", "p.py", [], ("A: p50", "A: p99.9"), "about")
    rounds = [{"A: p50": [10, 20, 30], "A: p99.9": [100], "B: p50": [40], "B: p99.9": [110]} for _ in range(2)]
    rows = bench.summed(case, [*rounds, {"B: p50": [1000]}])
    assert rows["B: p50"]["ratio"] == [2, 2, 2]
    assert rows["B: p99.9"]["ratio"] == [pytest.approx(1.1)] * 3
    assert bench.summed(case, [{"B: p50": [1]}])["B: p50"]["ratio"] is None


def test_a_target_that_was_not_measured_is_not_met() -> None:
    import targets

    for target in targets.TARGETS:
        text, is_met = targets.judged(target, {"cases": {}})
        assert text.startswith("not measured") and is_met is None
