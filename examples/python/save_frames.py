"""Saves a picture of the camera every half second, beside the frames."""

from pathlib import Path

from arguments import arguments, source_of

from streamlib import StreamRuntime, camera_source, stream_processor

options = arguments(__doc__)
folder = Path(options.output or "frames")


@camera_source
def camera():
    """The first camera."""


@stream_processor(inputs=["video"])
def saver(tick, inputs, outputs):
    """Writes a PNG file when half a second has passed since the last."""
    frame = inputs["video"].read_latest()
    if frame is None or frame.timestamp < getattr(saver, "next", 0.0):
        return
    saver.next = frame.timestamp + 0.5
    path = folder / f"frame-{frame.frame_number:05}.png"
    path.write_bytes(frame.data.png())
    print(f"{path}: {frame.width} x {frame.height}, {frame.timestamp:.2f} s")


if __name__ == "__main__":
    folder.mkdir(parents=True, exist_ok=True)
    runtime = StreamRuntime()
    runtime.connect(source_of(options, camera).outputs["video"], saver.inputs["video"])
    runtime.run_blocking(frames=options.frames)
