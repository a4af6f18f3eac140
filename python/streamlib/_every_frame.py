"""Effects that are called for each frame: beside the frames, which run with the parameters of the call before meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._effect import Effect
from ._graph import SEEN
from ._params import resolve
from ._session import Session, Worker
from ._trace import Trace
from .errors import EffectChanged

if TYPE_CHECKING:
    from ._streamlib import Frame, ProcessorEnd

# So long it sleeps before it looks whether everything ends, in seconds.
_SLICE = 0.1


class EveryFrame(Worker):
    """Calls an effect's function with the newest frame, and sets the parameters that it passed, all in one frame."""

    def __init__(self, session: Session, effect: Effect, end: ProcessorEnd) -> None:
        super().__init__(session, effect, f"streamlib {effect.handler_id}")
        self._effect = effect
        self._end: ProcessorEnd | None = end
        self._last: dict[tuple[str, str], Any] = {}

    def serve(self) -> None:
        end = self._end
        while end is not None and not self.session.is_over():
            frame = end.take(SEEN)
            if frame is not None:
                self._called(frame)  # type: ignore[arg-type]  # the port takes frames
            elif end.closed:
                return
            else:
                end.wait(_SLICE)

    def release(self) -> None:
        self._end = None

    def _called(self, native: Frame) -> None:
        effect = self._effect
        trace = effect.record(self.session.frame(native))
        planned = effect.trace()
        if trace.shape() != planned.shape():
            raise EffectChanged(_difference(effect.handler_id, planned, trace))
        own = effect.params._own
        passed = {(node, name): resolve(value, own) for node, name, value in trace.settings()}
        changed = [(*target, value) for target, value in passed.items() if self._last.get(target) != value]
        if changed:
            self.session.live.set_all(changed)
            self._last = passed


def _difference(owner: str, planned: Trace, found: Trace) -> str:
    advice = (
        "the shaders of an effect are compiled into the graph before it runs, so every call has to do the same; only "
        "the values of parameters may differ. Let a parameter decide (0 or 1), or connect two effects"
    )
    for number, (before, now) in enumerate(zip(planned.steps, found.steps), 1):
        if before.shape() != now.shape():
            what = f"`{now.shader.name}`, and it was `{before.shader.name}`"
            if now.shader == before.shader:
                what = f"`{now.shader.name}` with other textures, sizes or names of parameters"
            return f"`{owner}`: operation {number} ran {what} in the first call; {advice}"
    counts = f"{len(found.steps)} shader(s), and {len(planned.steps)} in the first call"
    return f"`{owner}` ran {counts}, or returned another texture; {advice}"
