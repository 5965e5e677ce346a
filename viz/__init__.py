"""Pictures of recorded graphs: `viz.draw(y)` shows every value and every gradient."""

from viz.drawing import Drawing, draw

__all__ = ["Drawing", "draw"]
