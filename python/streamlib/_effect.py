"""Effects: functions over frames that are traced once and run on the GPU from then on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, overload

from ._expression import Parameter, Variable
from ._handlers import Handler, check_policy, name_of_function
from ._messages import VideoFrame
from ._params import Params, resolve
from ._ports import DataInput, InputPort, Ports, VideoInput, VideoOutput
from ._trace import Extent, KnownExtent, Trace, TracedTexture, TracingContext
from .errors import HandlerError, StreamlibError, TraceError

Function = Callable[..., Any]


class TracedFrame(VideoFrame):
    """The frame that a traced function is given: its times and its number are expressions."""

    __slots__ = ()

    @property
    def delta(self) -> Any:
        """Seconds since the frame before, as an expression."""
        return Variable("delta")


class Effect(Handler):
    """What :func:`video_effect` makes of a function: input ``video``, output ``video``, and an input of the type ``data``
    for each parameter."""

    def __init__(
        self, function: Function, handler_id: str | None, *, pass_params: bool, every_frame: bool, on_error: str
    ) -> None:
        super().__init__(handler_id or name_of_function(function))
        self.__doc__ = function.__doc__
        #: The function.
        self.function = function
        #: Whether it is called for each frame, beside the frames.
        self.every_frame = every_frame
        #: ``"stop"`` or ``"bypass"``: what happens when it raises.
        self.on_error = check_policy(on_error)
        self.inputs = EffectInputs(self, "input")
        self.inputs["video"] = VideoInput("video")
        self.outputs["video"] = VideoOutput("video")
        self._own = _own_parameters(function) if pass_params else []
        self._params = Params(self, self._own)
        self._lock = threading.RLock()
        self._trace: Trace | None = None
        self._is_tracing = False
        # What an `every_frame` function is told in its first call, before there are frames.
        self._guess = (1920, 1080)

    @property
    def params(self) -> Params:
        """The parameters of its shaders, and of its function with ``pass_params``: set them at any moment, from any thread."""
        return self._params

    def trace(self) -> Trace:
        """What the function does. It is called for this once, at first need.

        :raises TraceError: when it asks for what only a frame has.
        :raises CompileError: when a shader of it does not compile.
        :raises HandlerError: when it raises anything else.
        """
        with self._lock:
            if self._is_tracing:
                raise TraceError(
                    f"`{self.handler_id}.params` is not known inside its own function, which finds out what parameters "
                    "there are: give the function parameters of its own with `@video_effect(pass_params=True)`"
                )
            if self._trace is None:
                self._is_tracing = True
                try:
                    self._trace = self.record()
                finally:
                    self._is_tracing = False
            return self._trace

    def expect(self, size: tuple[int, int]) -> None:
        """Width and height that the first call of an ``every_frame`` function is told."""
        self._guess = size

    def record(self, frame: VideoFrame | None = None) -> Trace:
        """Calls the function with a frame whose picture is traced; its times and size are those of ``frame``, if any."""
        width: Any
        height: Any
        if self.every_frame:
            width, height = (frame.width, frame.height) if frame else self._guess
            width, height = KnownExtent(width), KnownExtent(height)
            time, number = (frame.timestamp, frame.frame_number) if frame else (0.0, 0)
        else:
            width, height = Extent("width"), Extent("height")
            time, number = Variable("time"), Variable("frame")  # type: ignore[assignment]  # stands for a number
        picture = TracedTexture(width, height, owner=self.handler_id, concrete=frame.data if frame else None)
        gpu = TracingContext(self.handler_id, picture)
        traced = TracedFrame(picture, time, number, width, height, frame.metadata if frame else None)
        own = {
            parameter.name: self._params[parameter.name] if self.every_frame else parameter for parameter in self._own
        }
        try:
            return gpu.finish(self.function(traced, gpu, **own))
        except StreamlibError:
            raise
        except Exception as error:
            doing = f"for frame {number}" if frame else "in its first call, which traces it"
            raise HandlerError(self.handler_id, doing, error) from error

    def setting(self, node: str, name: str) -> Any:
        """The value that a parameter starts with."""
        values = self._params._values
        if (node, name) in values:
            return values[node, name]
        trace = self.trace()
        for at, parameter, value in trace.settings():
            if (at, parameter) == (node, name):
                return resolve(value, self._params._own)
        interface = trace.steps[trace.nodes.index(node)].shader.interface
        return next(parameter.default for parameter in interface.parameters if parameter.name == name)

    def start_settings(self) -> dict[str, dict[str, Any]]:
        """Every value that is not the shader's own default, by node."""
        settings: dict[str, dict[str, Any]] = {node: {} for node in self.trace().nodes}
        for node, name, value in self.trace().settings():
            settings[node][name] = resolve(value, self._params._own)
        for (node, name), value in self._params._values.items():
            if node in settings:
                settings[node][name] = value
        return settings

    def targets(self, parameter: str) -> list[tuple[str, str]]:
        """The nodes that a parameter reaches, for a link."""
        targets = self.trace().parameters().get(parameter)
        if targets is None:
            passed = [(node, name) for node, name, value in self.trace().settings() if _is(value, parameter)]
            if not passed:
                raise TraceError(
                    f"`{self.handler_id}` computes with `{parameter}`, so nothing can be connected to it: pass it to a "
                    "shader as it is"
                )
            return passed
        return targets

    def __call__(self, frame: Any, gpu: Any, **parameters: Any) -> Any:
        """Calls the function, so that effects can be made of effects."""
        return self.function(frame, gpu, **parameters)

    def _repr_html_(self) -> str:
        from html import escape

        shaders = "".join(step.shader._repr_html_() for step in self.trace().steps)
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{escape(repr(self._params[name]))}</td></tr>" for name in dir(self._params)
        )
        return f"<b>{escape(self.handler_id)}</b><table>{rows}</table>{shaders}"


class EffectInputs(Ports[InputPort[Any]]):
    """The inputs of an effect. Parameters become ports when somebody asks for them."""

    def _find(self, name: str) -> InputPort[Any] | None:
        effect = self._handler
        assert isinstance(effect, Effect)
        if name not in effect.params:
            return None
        self[name] = DataInput(name)
        return self._ports[name]

    def _more(self) -> Sequence[str]:
        effect = self._handler
        assert isinstance(effect, Effect)
        return [name for name in effect.params if name not in self._ports]


@overload
def video_effect(function: Function) -> Effect: ...
@overload
def video_effect(
    *, handler_id: str | None = None, pass_params: bool = False, every_frame: bool = False, on_error: str = "stop"
) -> Callable[[Function], Effect]: ...
def video_effect(
    function: Function | None = None,
    *,
    handler_id: str | None = None,
    pass_params: bool = False,
    every_frame: bool = False,
    on_error: str = "stop",
) -> Effect | Callable[[Function], Effect]:
    """Makes an effect of a function ``f(frame, gpu) -> frame``.

    The function is *traced*: called once, with a frame that stands for all frames. The shaders that it runs become nodes of the
    graph, and Python is not asked again. ``frame.time`` (seconds), ``frame.delta`` and ``frame.frame_number`` are expressions,
    which shaders take as parameters; asking for their numbers raises :class:`~streamlib.TraceError`.

    :param handler_id: its name; the function's own by default.
    :param pass_params: the parameters of the function behind ``gpu`` become parameters of the effect, with their defaults.
    :param every_frame: the function is called for each frame with its actual time and number, on a thread of its own beside the
        frames, which never wait for it. The parameters that it passes act on the next frame. It has to run the same shaders in
        every call. Its first call is made before there are frames, with time 0.
    :param on_error: ``"stop"``: when it raises, the runtime stops, and ``run`` or ``stop`` raises
        :class:`~streamlib.HandlerError`; ``"bypass"``: it is not called any more, the effect goes on with its last parameters, and
        the runtime's ``events`` say so.

    >>> from streamlib import shaders, video_effect
    >>> @video_effect
    ... def aged(frame, gpu):
    ...     brown = gpu.run_shader(shaders.sepia, [frame], strength=0.8)
    ...     return frame.clone_with_texture(gpu.run_shader(shaders.vignette, [brown]))
    >>> aged.params.radius = 0.5
    >>> aged.trace().nodes
    ['aged:sepia', 'aged']
    """

    def decorate(function: Function) -> Effect:
        return Effect(function, handler_id, pass_params=pass_params, every_frame=every_frame, on_error=on_error)

    return decorate if function is None else decorate(function)


#: An effect that composes what the runtime has; the same as :func:`video_effect`.
stream_effect = video_effect


def _own_parameters(function: Function) -> list[Parameter]:
    from inspect import signature

    parameters = list(signature(function).parameters.values())[2:]
    for parameter in parameters:
        if not isinstance(parameter.default, (bool, int, float)):
            raise TypeError(
                f"`pass_params` makes parameters of what follows `gpu` in `{name_of_function(function)}`: give "
                f"`{parameter.name}` a number as default"
            )
    return [Parameter(parameter.name, parameter.default) for parameter in parameters]


def _is(value: Any, parameter: str) -> bool:
    return isinstance(value, Parameter) and value.name == parameter
