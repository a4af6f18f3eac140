"""An effect that is written, broken and corrected while it runs.

`python -i live_repl.py` leaves you at the prompt with the graph running: try `write("…")`, `look.params.strength = 0.2`,
`runtime.stats`.
"""

import sys
import time

from arguments import arguments, sink_of, source_of

from streamlib import CompileError, StreamRuntime, camera_source, display_sink, video_effect

options = arguments(__doc__)

FIRST = """float strength = 0.8;
float4 main(float2 uv : TEXCOORD) : SV_Target {
    float4 c = tex2D(input, uv);
    return float4(lerp(c.rgb, 1 - c.rgb, strength), c.a);
}
"""


@camera_source
def camera():
    """The first camera."""


@video_effect
def look(frame, gpu):
    """What is written here is replaced soon."""
    return frame.clone_with_texture(gpu.run_shader(FIRST, frame))


@display_sink(title="Live")
def display():
    """A window."""


def write(hlsl: str) -> bool:
    """Puts another shader in its place; says what is wrong with it when it does not compile."""
    try:
        applied = runtime.replace(look, hlsl)
    except CompileError as error:
        for found in error.diagnostics:
            print(
                f"line {found.line}, column {found.column}: {found.message}"
                + (f" ({found.suggestion})" if found.suggestion else "")
            )
        print("what ran before runs on")
        return False
    print(f"runs from frame {applied.first_frame} on, after {applied.total_ms:.0f} ms")
    return True


source, sink = source_of(options, camera), sink_of(options, display)
runtime = StreamRuntime()
runtime.connect(source.outputs["video"], look.inputs["video"])
runtime.connect(look.outputs["video"], sink.inputs["video"])

if __name__ == "__main__":
    runtime.start(frames=options.frames)
    broken = FIRST.replace("lerp", "lrep")
    print("# broken")
    write(broken)
    print("# corrected, and changed")
    write(broken.replace("lrep", "lerp").replace("1 - c.rgb", "c.bgr"))
    look.params.strength = 1.0
    if not sys.flags.interactive:
        try:
            runtime.wait()
        except KeyboardInterrupt:
            time.sleep(0)  # Ctrl-C is how it ends
        runtime.stop()
