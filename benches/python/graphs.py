"""The graph that Python and Rust both run, and its form as a file."""

import json

from streamlib import StreamRuntime, file_sink, shaders, video_effect, video_source

#: The effects of it.
STEPS = ("contrast", "sepia", "vignette")


@video_effect
def graded(frame, gpu):
    picture = frame
    for name in STEPS:
        picture = gpu.run_shader(getattr(shaders, name), picture)
    return frame.clone_with_texture(picture)


def runtime(size, fps, sink=None, plain=None):
    """A generated source, the effects, and a sink that counts frames; `plain` is one for what goes into the effects."""
    source, sink = video_source("generate:bars", handler_id="bars", size=size), sink or file_sink("null:", handler_id="out")
    made = StreamRuntime(fps=fps)
    if plain is not None:
        made.connect(source.outputs["video"], plain.inputs["video"])
    made.connect(source.outputs["video"], graded.inputs["video"])
    made.connect(graded.outputs["video"], sink.inputs["video"])
    return made


def toml(graph):
    """A graph as the file that the `streamlib` command reads."""
    lines = []
    for name, node in graph["nodes"].items():
        lines.append(f"[nodes.{json.dumps(name)}]")
        lines += [f"{key} = {_value(value)}" for key, value in node.items()]
    return "\n".join(lines) + "\n"


def _value(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_value(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    # Strings and numbers of JSON are those of TOML.
    return json.dumps(value, ensure_ascii=False)
