"""Which line of the program recorded a node."""

import linecache
import sys
from types import FrameType
from typing import NamedTuple

from autograd import watching
from autograd.tensor import Node
from autograd.watching import Watcher

_LIBRARY = {__name__.partition(".")[0], "nn", "optim", "viz"}
_MOST = 1_000_000
"""How many lines are remembered; the oldest half is forgotten when there are more."""


class Line(NamedTuple):
    """A place in the program."""

    file: str
    number: int
    function: str

    @property
    def text(self) -> str:
        """What stands there."""
        return linecache.getline(self.file, self.number).strip()


class Lines(Watcher):
    """Notes the line of the program that each node comes from.

    Attributes:
        lines: birth of a node -> its line.
    """

    def __init__(self) -> None:
        self.lines: dict[int, Line] = {}

    def born(self, node: Node) -> None:
        """Note the innermost line that is not the library's."""
        frame = sys._getframe(1)
        while frame.f_back is not None and _is_library(frame):
            frame = frame.f_back
        if len(self.lines) >= _MOST:
            for birth in list(self.lines)[:_MOST // 2]:
                del self.lines[birth]
        self.lines[node.birth] = Line(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


def line_of(node: Node) -> Line | None:
    """The line that a node comes from, if somebody noted it and is still there."""
    return next((watcher.lines[node.birth] for watcher in watching.watchers
                 if isinstance(watcher, Lines) and node.birth in watcher.lines), None)


def _is_library(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__", "").partition(".")[0] in _LIBRARY
