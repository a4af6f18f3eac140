"""What the tests of the pure-Python half share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streamlib import Effect, StreamRuntime, app_sink, video_source

#: Small, so that software Vulkan is quick.
SIZE = (64, 36)

#: Red, green and blue are 0.5, with alpha 1.
GREY = "float4 main(float2 uv : TEXCOORD) : SV_Target { return float4(0.5, 0.5, 0.5, 1); }"


@pytest.fixture
def nodes_of() -> Callable[[Effect], dict[str, Any]]:
    """The nodes that an effect becomes, between a source of 64 x 36 pixels and the program."""

    def nodes(effect: Effect) -> dict[str, Any]:
        source, sink = video_source("generate:bars", handler_id="source", size=SIZE), app_sink(handler_id="sink")
        runtime = StreamRuntime()
        runtime.connect(source.outputs["video"], effect.inputs["video"])
        runtime.connect(effect.outputs["video"], sink.inputs["video"])
        return runtime.graph.json["nodes"]

    return nodes
