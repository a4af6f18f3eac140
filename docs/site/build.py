"""Builds the documentation site: the pictures of the gallery, by the package itself, and the pages, where no warning is allowed.

    python docs/site/build.py OUT       needs the package, Pillow, and what docs/site/requirements.txt names
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from streamlib import GPUContext, StreamRuntime, Texture, VideoFrame, app_sink, shaders, video_source

SIZE = (480, 270)
#: Frames of the generated scene that stand for a picture, and for what came before it.
NOW, BEFORE = 60, 50
#: Colours for the effect that has a list of them.
PALETTE = [[0.06, 0.1, 0.18, 1], [0.2, 0.3, 0.45, 1], [0.75, 0.35, 0.25, 1], [0.95, 0.75, 0.4, 1], [0.98, 0.95, 0.85, 1]]


def pictures(gpu: GPUContext) -> dict[int, Texture]:
    """Some frames of the generated scene, as textures."""
    source, sink = video_source("generate:scene", size=SIZE), app_sink()
    runtime = StreamRuntime()
    runtime.connect(source.outputs["video"], sink.inputs["video"], delivery="every", bound=NOW + 1)
    found: dict[int, Texture] = {}
    with runtime:
        while NOW not in found:
            frame = sink.read(timeout=60)
            if frame is None:
                raise SystemExit("the generated scene does not come")
            if frame.frame_number in (BEFORE, NOW):
                found[frame.frame_number] = copied(gpu, frame)
    return found


def copied(gpu: GPUContext, frame: VideoFrame) -> Texture:
    texture = gpu.create_texture(*SIZE)
    texture.write(frame.numpy())
    return texture


def render_gallery(folder: Path) -> None:
    """What every effect makes of one picture; inputs beside it get the one before."""
    gpu = GPUContext()
    found = pictures(gpu)
    Image.fromarray(found[NOW].numpy()).convert("RGB").save(folder / "_scene.jpg", quality=88)
    for name in shaders.names():
        shader = getattr(shaders, name)
        interface = shader.interface
        inputs = {port: found[NOW if port == "input" else BEFORE] for port in interface.inputs}
        parameters = {"colors": PALETTE} if name == "palette" else {}
        result = gpu.run_shader(shader, inputs, **parameters)
        Image.fromarray(result.numpy()).convert("RGB").save(folder / f"{name}.jpg", quality=88)


def main() -> int:
    out = Path(sys.argv[1]).absolute()
    here = Path(__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        render_gallery(Path(folder))
        command = [sys.executable, "-m", "mkdocs", "-q", "build", "--strict", "-f", here / "mkdocs.yml", "-d", out]
        # The theme has news of its own to tell at each build.
        environment = {**os.environ, "STREAMLIB_GALLERY": folder, "NO_MKDOCS_2_WARNING": "1"}
        return subprocess.run(command, env=environment, cwd=here.parents[1]).returncode


if __name__ == "__main__":
    sys.exit(main())
