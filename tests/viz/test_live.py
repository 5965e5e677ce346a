"""Live pictures: each in the place of the last one, and not too often."""

import io
import sys
import types

import pytest

from viz import live
from viz.live import Display


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Handle:
    def __init__(self):
        self.shown = []

    def update(self, what):
        self.shown.append(what)


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(live.time, "perf_counter", lambda: now[0])
    return now


def test_a_terminal_writes_over_the_lines_of_before(monkeypatch, clock):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    display = Display.where_possible()
    display.show("a\nb")
    display.show("too soon")
    clock[0] += 1
    display.show("c")
    display.show("d", last=True)
    assert terminal.getvalue() == "a\nb\n\x1b[2F\x1b[Jc\n\x1b[1F\x1b[Jd\n"


def test_a_notebook_updates_one_output(monkeypatch, clock):
    handle, shown = Handle(), []
    python = types.ModuleType("IPython")
    python.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    python.display = types.SimpleNamespace(display=lambda what, display_id: shown.append(what) or handle)
    monkeypatch.setitem(sys.modules, "IPython", python)
    display = Display.where_possible()
    for what in ("a", "b", "c"):
        display.show(what)
        clock[0] += 1
    assert shown == ["a"] and handle.shown == ["b", "c"]


def test_elsewhere_nothing_is_shown(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert Display.where_possible() is None
