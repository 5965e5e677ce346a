"""Pictures of recorded graphs: `viz.draw(y)` shows every value and every gradient; and curves, images, heat maps."""

from autograd.runtime import installation  # autograd comes before anything else loads NumPy

# isort: split
from viz.animation import Animation
from viz.comparison import diff
from viz.drawing import Drawing, draw
from viz.figures.geometry import mesh, points
from viz.figures.overlay import attention, image
from viz.figures.plots import curves, heatmap, images, surface
from viz.flow import flow
from viz.training.watching import watch
from viz.worksheets import Worksheet, worksheet

__all__ = ["Animation", "Drawing", "Worksheet", "attention", "curves", "diff", "draw", "flow", "heatmap", "image",
           "images", "mesh", "points", "surface", "watch", "worksheet"]
