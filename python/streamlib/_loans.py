"""Frames that a graph lends to the program."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from ._messages import VideoFrame

if TYPE_CHECKING:
    from ._session import Session
    from ._streamlib import Frame, Texture


class Loans:
    """The frames of one reader. The core has textures for as many as may wait there, and two more; when a program keeps so
    many that none would go round, it is given copies, which cost a pass each."""

    def __init__(self, session: Session, waiting: int) -> None:
        self._session, self._limit = session, waiting + 1
        # Textures and not frames: who keeps `frame.data` has what the core lends.
        self._lent: weakref.WeakSet[Texture] = weakref.WeakSet()

    def lend(self, native: Frame) -> VideoFrame:
        """A frame of the core's, for the program to keep as long as it likes."""
        frame = self._session.frame(native)
        if len(self._lent) >= self._limit:
            return frame.clone_with_texture(self._session.gpu.copy(frame.data))
        self._lent.add(frame.texture)
        return frame
