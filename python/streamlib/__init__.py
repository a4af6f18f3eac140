"""GPU-native video: effects in HLSL, composed in Python, run in Rust.

>>> import streamlib
>>> @streamlib.video_effect
... def pulse(frame, gpu):
...     strength = 0.5 + 0.5 * streamlib.math.sin(frame.time * 2)
...     return frame.clone_with_texture(gpu.run_shader(streamlib.shaders.vignette, [frame], strength=strength))
>>> pulse.params.strength
'0.5 + 0.5 * sin(time * 2)'

A function under :func:`video_effect` is called once. What it does runs on the GPU from then on, without Python.
"""

from . import clocks, errors, events, gpu, math, ml, shaders
from ._device import default_runtime
from ._effect import Effect, stream_effect, video_effect
from ._expression import Expression
from ._handlers import Handler, StreamHandler
from ._messages import DataMessage, VideoFrame
from ._params import Params
from ._ports import DataInput, DataOutput, VideoInput, VideoOutput
from ._processors import Processor, stream_processor
from ._runtime import GraphView, Stream, StreamRuntime
from ._shader import Shader
from ._sinks import AppSink, Sink, app_sink, display_sink, file_sink, surface_sink
from ._sources import AppSource, Source, app_source, camera_source, surface_source, video_source
from ._streamlib import Diagnostic, Interface, Parameter, Runtime, Texture, interpreter_entries
from ._streamlib import __version__ as _version
from .clocks import SoftwareClock, TimedTick
from .errors import (
    ClosedError,
    CompileError,
    DeviceError,
    EffectChanged,
    ForkedError,
    GraphError,
    HandlerError,
    StreamlibError,
    TraceError,
)
from .events import Event, EventBus
from .gpu import GPUContext

__version__ = _version()

__all__ = [
    "AppSink",
    "AppSource",
    "ClosedError",
    "CompileError",
    "DataInput",
    "DataMessage",
    "DataOutput",
    "DeviceError",
    "Diagnostic",
    "Effect",
    "EffectChanged",
    "Event",
    "EventBus",
    "Expression",
    "ForkedError",
    "GPUContext",
    "GraphError",
    "GraphView",
    "Handler",
    "HandlerError",
    "Interface",
    "Parameter",
    "Params",
    "Processor",
    "Runtime",
    "Shader",
    "Sink",
    "SoftwareClock",
    "Source",
    "Stream",
    "StreamHandler",
    "StreamRuntime",
    "StreamlibError",
    "Texture",
    "TimedTick",
    "TraceError",
    "VideoFrame",
    "VideoInput",
    "VideoOutput",
    "app_sink",
    "app_source",
    "camera_source",
    "clocks",
    "default_runtime",
    "display_sink",
    "errors",
    "events",
    "file_sink",
    "gpu",
    "interpreter_entries",
    "math",
    "ml",
    "shaders",
    "stream_effect",
    "stream_processor",
    "surface_sink",
    "surface_source",
    "video_effect",
    "video_source",
]

_AUDIO = {
    "AudioInput",
    "AudioOutput",
    "AudioBuffer",
    "audio_source",
    "audio_effect",
    "audio_sink_speaker",
    "audio_sink_file",
}


def __getattr__(name: str) -> object:
    if name in _AUDIO:
        raise AttributeError(f"streamlib.{name}: there is no audio yet; video files keep the sound that they have")
    raise AttributeError(f"module 'streamlib' has no attribute {name!r}")
