"""Something that is shown again and again in the same place: below a notebook's cell, or in a terminal."""

import shutil
import sys
import time
from typing import Any, Self

INTERVAL, SHARE = 0.5, 0.02
"""Seconds between two pictures, at least; and which part of the time showing may take."""


class Display:
    """Whatever has a text and, for notebooks, a picture."""

    def __init__(self) -> None:
        self.handle: Any = None
        self.lines = 0
        self.next = 0.0

    @classmethod
    def where_possible(cls) -> Self | None:
        """A display in a notebook or a terminal; elsewhere None, as where output goes to a file."""
        return cls() if _notebook() or sys.stderr.isatty() else None

    def show(self, what: Any, last: bool = False, lines: str | None = None) -> None:
        """Show it in the place of what was shown before, unless that was only just now; the last one in any case.

        Args:
            what: has a picture for notebooks.
            last: nothing will follow.
            lines: what a terminal shows; by default its `str`.
        """
        start = time.perf_counter()
        if start < self.next and not last:
            return
        if _notebook():
            self._in_notebook(what)
        else:
            self._in_terminal(str(what) if lines is None else lines)
        now = time.perf_counter()
        self.next = now + max(INTERVAL, (now - start) / SHARE)

    def _in_notebook(self, what: Any) -> None:
        if self.handle is None:
            self.handle = sys.modules["IPython"].display.display(what, display_id=True)
        else:
            self.handle.update(what)

    def _in_terminal(self, text: str) -> None:
        columns, rows = shutil.get_terminal_size()
        lines = [line[:columns - 1] for line in text.splitlines()[:rows - 1]]
        up = f"\x1b[{self.lines}F\x1b[J" if self.lines else ""
        sys.stderr.write(up + "\n".join(lines) + "\n")
        sys.stderr.flush()
        self.lines = len(lines)


_last: tuple[Any, Display | None] = None, None
"""What is shown by the cell that runs: the number of the cell, and where."""


def show_again(what: Any, lines: str) -> None:
    """Show it in the place of what this cell, or this program, has shown before."""
    global _last
    cell = sys.modules["IPython"].get_ipython().execution_count if _notebook() else 0
    if _last[0] != cell or _last[1] is None:
        _last = cell, Display.where_possible()
    if _last[1] is not None:
        _last[1].show(what, lines=lines)


def _notebook() -> bool:
    """Whether a kernel of Jupyter runs this program."""
    python = sys.modules.get("IPython")
    shell = python.get_ipython() if python is not None else None
    return getattr(shell, "kernel", None) is not None
