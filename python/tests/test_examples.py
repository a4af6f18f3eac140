"""Every example is run, as a user would, for a few frames, without a camera and without a window."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from streamlib import StreamRuntime, app_sink, video_source

pytest.importorskip("numpy")

EXAMPLES = Path(__file__).parents[2] / "examples" / "python"


def run(name: str, *arguments: object, folder: Path) -> str:
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *map(str, arguments)]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def shown(name: str, folder: Path, frames: int = 12, source: str = "generate:scene") -> list[Path]:
    """Runs an example that shows something; the pictures that it showed."""
    size = ("--size", 96, 54)
    run(name, "--source", source, "--output", "out-%04d.png", "--frames", frames, *size, folder=folder)
    return sorted(folder.glob("out-*.png"))


def pixels(path: Path):
    """Red, green and blue of a picture, read by the runtime itself."""
    source, sink = video_source(path, handler_id="picture"), app_sink()
    runtime = StreamRuntime()
    runtime.connect(source.outputs["video"], sink.inputs["video"])
    with runtime:
        # A source that is slow to start has black in its place; no picture here is black.
        for _ in range(600):
            frame = sink.read(timeout=1)
            if frame is not None and frame.numpy()[..., :3].any():
                return frame.numpy()[..., :3].astype(int)
    raise AssertionError(f"{path} did not come")


def test_every_example_is_tested() -> None:
    names = {path.stem for path in EXAMPLES.glob("*.py")} - {"arguments"}
    tested = {name.removeprefix("test_").removesuffix("_runs") for name in globals() if name.endswith("_runs")}
    assert names == tested


def test_camera_to_display_runs(tmp_path: Path) -> None:
    pictures = shown("camera_to_display", tmp_path)
    assert len(pictures) == 12
    assert pixels(pictures[0]).std() > 5


def test_bouncing_ball_runs(tmp_path: Path) -> None:
    pictures = shown("bouncing_ball", tmp_path, frames=30, source="generate:bars")
    plain = [pixels(path) for path in pictures]
    # The ball moves, and what is shown is mostly the camera.
    changed = [(abs(later - plain[0]) > 20).any(axis=2).mean() for later in plain[-5:]]
    assert 0.001 < max(changed) < 0.2


def test_gradient_runs(tmp_path: Path) -> None:
    pictures = shown("gradient", tmp_path)
    first = pixels(pictures[0])
    assert first.shape == (54, 96, 3)
    assert (abs(first[..., 0] - 25.5) <= 1).all(), "red is 0.1 everywhere"
    assert first[..., 1].max() > 220 and first[..., 2].max() > 220


def test_save_frames_runs(tmp_path: Path) -> None:
    said = run(
        "save_frames",
        "--source",
        "generate:bars",
        "--output",
        "saved",
        "--frames",
        20,
        "--size",
        96,
        54,
        folder=tmp_path,
    )
    pictures = sorted((tmp_path / "saved").glob("*.png"))
    assert pictures and f"{pictures[0].name}: 96 x 54" in said
    assert pixels(pictures[0]).shape == (54, 96, 3)


def test_detector_runs(tmp_path: Path) -> None:
    pictures = shown("detector", tmp_path, frames=40)
    assert len(pictures) == 40, "frames did not wait for the detector"
    green = [(abs(pixels(path) - (51, 255, 102)).max(axis=2) < 40).sum() for path in pictures]
    assert green[0] == 0 and max(green) > 20, "a box is drawn when the detector has found something"


def test_reaction_diffusion_runs(tmp_path: Path) -> None:
    pictures = [pixels(path) for path in shown("reaction_diffusion", tmp_path, frames=20)]
    assert abs(pictures[-1] - pictures[2]).mean() > 1, "it grows"


def test_live_repl_runs(tmp_path: Path) -> None:
    said = run(
        "live_repl",
        "--source",
        "generate:scene",
        "--output",
        "out.mp4",
        "--frames",
        40,
        "--size",
        96,
        54,
        folder=tmp_path,
    )
    assert "line 4, column" in said and "lrep" in said
    assert "what ran before runs on" in said and "runs from frame" in said
    assert (tmp_path / "out.mp4").stat().st_size > 0


def test_the_notebook_runs_and_shows_what_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = json.loads((EXAMPLES / "notebook.ipynb").read_text(encoding="utf-8"))["cells"]
    namespace: dict[str, object] = {}
    values, shown = [], {}
    monkeypatch.chdir(tmp_path)
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [], "a notebook is kept without its outputs"
            # A notebook keeps every value that it has shown.
            values.append(last_value("".join(cell["source"]), namespace))
            shown[len(values)] = show(values[-1])
    assert [kind for kind, _ in shown.values()] == ["", "svg", "png", "html", "png", "png", "png", ""]
    assert "<svg" in shown[2][1] and "Sobel" in shown[4][1]
    assert all(data.startswith(b"\x89PNG") for kind, data in shown.values() if kind == "png")
    assert values[-1] == []


def show(value: object) -> tuple[str, Any]:
    """As a notebook shows it: how, and what."""
    for kind in ("svg", "png", "html"):
        if hasattr(value, f"_repr_{kind}_"):
            return kind, getattr(value, f"_repr_{kind}_")()
    return "", None


def last_value(code: str, namespace: dict[str, object]) -> object:
    """Runs a cell; the value of its last line, as a notebook shows it."""
    lines = ast.parse(code).body
    last = lines.pop() if isinstance(lines[-1], ast.Expr) else None
    exec(compile(ast.Module(lines, []), "cell", "exec"), namespace)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), namespace) if last is not None else None
