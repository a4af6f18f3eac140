"""Every example is run, as a user would, for a few frames, without a camera and without a window."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
    image = pytest.importorskip("PIL.Image")
    numpy = pytest.importorskip("numpy")
    return numpy.asarray(image.open(path).convert("RGB")).astype(int)


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
        "save_frames", "--source", "generate:bars", "--output", "saved", "--frames", 20, "--size", 96, 54, folder=tmp_path
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
        "live_repl", "--source", "generate:scene", "--output", "out.mp4", "--frames", 40, "--size", 96, 54, folder=tmp_path
    )
    assert "line 4, column" in said and "lrep" in said
    assert "what ran before runs on" in said and "runs from frame" in said
    assert (tmp_path / "out.mp4").stat().st_size > 0
