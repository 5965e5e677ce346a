"""`draw`: a picture of a recorded graph, shown in a notebook or saved to a file."""

import contextlib
import inspect
import math
import sys
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import graphviz
import numpy as np

from autograd import Graph, Tensor, enable_grad
from autograd.errors import shown, warn
from autograd.graph import tensors_in
from autograd.lines import Lines
from viz import dot, engines, page, saving, scopes, steps, text
from viz import names as naming
from viz.circuit import Circuit
from viz.engines import Engine
from viz.failure import Forward
from viz.model import ModelReading, model_picture
from viz.picture import A4, CIRCUIT, MODEL, SHOWN, STYLES, Look, Picture
from viz.reading import Reading
from viz.svg_circuit import CircuitWriter
from viz.svg_model import ModelWriter
from viz.tikz import TikzWriter
from viz.untouched import untouched

WRITERS = {CIRCUIT: CircuitWriter, MODEL: ModelWriter}
"""Who writes the SVG of a style."""


class Drawing:
    """A picture of a graph: `save` writes it to a file, `str` gives the SVG, a notebook shows it.

    It holds texts and positions, not the graph: a backward pass afterwards changes nothing in it.

    >>> w, x = Tensor(2.0, requires_grad=True), Tensor(-1.0)
    >>> str(draw(w * x)).startswith("<svg")
    True
    """

    error: Exception | None = None
    """That of the forward pass, if it failed and the picture shows how far it came."""

    def __init__(self, picture: Picture, engine: Engine = "auto") -> None:
        self.picture, self.engine = picture, engine
        self._written_svgs: dict[int, str] = {}

    def _svg(self, picture: Picture) -> str:
        """Of the whole picture or of one in its `insides`; laid out once."""
        if id(picture) not in self._written_svgs:
            self._written_svgs[id(picture)] = WRITERS[picture.style](picture, self.engine).svg()
        return self._written_svgs[id(picture)]

    def _tex(self) -> str:
        if self.picture.style is not CIRCUIT:
            raise ValueError("TikZ is written for circuits, and this is the picture of a model: save it as .pdf, or "
                             "draw it with style='circuit'")
        return TikzWriter(self.picture, self.engine).tex()

    def __str__(self) -> str:
        return self._svg(self.picture)

    def __repr__(self) -> str:
        return f"<Drawing: {self.picture.summary}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        interactive = page.write(self.picture, self._svg)
        return {"text/html": page.in_cell(str(self), interactive, self.picture.summary), "image/svg+xml": str(self),
                "text/plain": repr(self)}

    def to_dot(self) -> graphviz.Digraph:
        """The same boxes and wires as a `graphviz.Digraph`, for Graphviz to lay out (that needs its `dot` program).

        >>> x = Tensor(2.0, requires_grad=True)
        >>> draw(x * x).to_dot().source.partition("\\n")[0]
        'digraph gradcircuit {'
        """
        return dot.digraph(self.picture)

    def save(self, path: str | Path) -> Path:
        """Write the picture to a file, in the format that its suffix says, and return the path.

        `.svg`; `.html`, a page that steps through the forward and the backward pass; `.dot`; `.tex` (TikZ) for
        circuits; `.png` and `.pdf`, which need the extra `gradcircuit[images]`.

        Raises:
            ValueError: no such format, or not of a model.
            ImportError: CairoSVG is missing, for .png and .pdf.
            OSError: the file cannot be written; one that was there is untouched.

        >>> x = Tensor(2.0, requires_grad=True)
        >>> draw(x * x).save("square.html").name
        'square.html'
        """
        return saving.save(path, {
            ".svg": lambda: f"{self}\n", ".html": lambda: page.write(self.picture, self._svg),
            ".dot": lambda: self.to_dot().source, ".tex": self._tex,
            ".png": lambda: saving.converted(str(self), "png"),
            ".pdf": lambda: saving.converted(str(self), "pdf")}, "a drawing")


def draw(*what: Any, names: Mapping[str, Tensor | np.ndarray] | None = None, model: naming.Module | None = None,
         style: Literal["circuit", "model"] | None = None, depth: int | None = None,
         opened: Collection[str] | Callable[[str], bool] = (), show: Collection[str] | None = None,
         shapes: bool = True, constants: bool = False, direction: Literal["down", "right"] = "down",
         ratio: float | None = None, limit: int = 1000, engine: Engine = "auto",
         overlay: Callable[[Picture, Reading], None] | None = None) -> Drawing:
    """Draw the graph behind some outputs: every value in it and every gradient.

    Nothing has to be prepared before the forward pass. Draw before `backward()`, which releases the graph, or call
    `backward(retain_graph=True)`; the gradients shown are those of the sum of the outputs, computed for the picture.
    Drawing changes nothing: no `.grad`, no running statistics, no random state, and hooks are not run.

    Args:
        what: Tensors that require gradients; or a Module (or a function) and its arguments, to be called here.
        names: name -> Tensor. Tensors that are not in it are called by the path in their Module, or as the variables
            of the caller that hold them.
        model: the Module whose parameters are drawn. By default those among the caller's variables.
        style: "circuit" shows every number, "model" shows shapes and statistics, grouped by module. By default small
            tensors without a Module make a circuit.
        depth: for models, how many levels of modules to open. By default as many as leave at most 60 boxes.
        opened: for models, which modules to open besides: their names, or patterns such as "layer3.*"; or a function
            that is asked for each path.
        show: for models, what stands in the boxes: "shape"; "value" and "gradient", their statistics; "parameters",
            as boxes; and the costs "count" (of parameters), "flops", "bytes" (of results), "time" (of the forward
            pass). By default the first four, or shapes alone if those don't fit a page.
        shapes: for models, draw operations that only bring a value into another shape, as reshape does.
        constants: for models, also draw constants without a name.
        direction: for models, read them "down" or to the "right".
        ratio: width / height of the page that the picture should fit, by default that of A4; what is too long for it
            is wrapped into ribbons side by side. 0 for one ribbon, however long.
        limit: the greatest number of boxes.
        engine: who orders the boxes side by side: "layered" is built in; "graphviz" crosses fewer wires in large
            graphs, by "pygraphviz" or the program "dot". "auto" takes Graphviz for large graphs, if it is there.
        overlay: what changes the picture before it is shown, knowing the graph; see `flow` and `diff`.

    Raises:
        ImportError: the engine asked for is not installed.
        Exception: what the Module or function raises before anything is computed. If it fails later, the drawing shows
            how far it came, with what failed and its shapes in red; a warning says so.
        RuntimeError: nothing was recorded, the graph has been released, or what it was computed from has been changed.
        ValueError: there would be more boxes than `limit`; an option has none of its values.

    >>> w, b = Tensor(2.0, requires_grad=True), Tensor(1.0, requires_grad=True)
    >>> draw(w * b + b)
    <Drawing: Circuit of 2 gates and 2 inputs>
    """
    engines.command(engine)
    if style not in (None, *STYLES):
        raise ValueError(f"style must be {' or '.join(map(repr, STYLES))}, not {style!r}")
    look = _look(show, direction, ratio)
    if not what:
        raise TypeError("draw() needs what to draw: draw(y), or draw(model, x)")
    scope = naming.Variables(_caller())
    with contextlib.ExitStack() as looking:
        graph, failure = _recorded(what, scope, looking)
        looking.callback(graph.forget)
        if hasattr(what[0], "named_modules"):
            model = what[0]
        modules = {"": model} if model is not None else naming.modules_in(scope, graph)
        found = naming.find(names, scope, modules)
        _refuse_changes(graph, found)
        chosen = STYLES[style] if style else MODEL if modules or not _all_small(graph) else CIRCUIT
        chosen, paths = MODEL if failure else chosen, naming.paths(modules)
        calls = [*scopes.calls(graph.nodes, paths), *(failure.open_calls(paths) if failure else ())]
        tree = scopes.tree(graph.nodes, calls if chosen is MODEL else [])
        is_opened = scopes.chosen(opened)
        depth = scopes.readable_depth(tree, is_opened) if depth is None else depth
        visible = scopes.visible(tree, depth, is_opened)
        if visible > limit:
            raise ValueError(f"this graph has {len(graph.nodes):,} operations and would be drawn as {visible:,} boxes; "
                             f"more than {limit:,} cannot be read. Draw a part of it (an intermediate result computed "
                             "from detached tensors), or give the Module it belongs to, draw(y, model=model), so that "
                             "modules are drawn as one box")
        looking.enter_context(np.errstate(all="ignore"))  # NaN and infinity are shown, and have been warned of
        graph.recall()
        if failure is None:
            graph.backward()
        reading: Reading
        if chosen is CIRCUIT:
            reading = Reading(graph, found)
            circuit = Circuit(reading)
            picture = circuit.picture
            picture.look = Look(downward=False, ratio=1 / A4 if ratio is None else ratio)
            picture.steps = steps.of_circuit(circuit)
        else:
            reading = ModelReading(graph, found, set(naming.owners(modules)), constants, modules, shapes, look,
                                   failed=failure is not None)
            picture = model_picture(reading, tree, depth, is_opened, failure.drawn(paths) if failure else None)
        if overlay and failure is None:
            overlay(picture, reading)
    drawing = Drawing(picture, engine)
    if failure:
        drawing.error = failure.error
        warn(f"the forward pass {failure.summary(paths)}; the drawing shows how far it came, and drawing.error is the "
             f"{type(failure.error).__name__}: {failure.error}")
    return drawing


def _caller() -> FrameType:
    """Who called this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == __package__:
        frame = frame.f_back
    return frame


def _recorded(what: tuple, scope: dict[str, Any],
              looking: contextlib.ExitStack) -> tuple[Graph, Forward | None]:
    """The Graph of some outputs, or of a call, whose arguments join the scope; and the forward pass, if it failed.

    What is entered into `looking` undoes at its end whatever this and all that follows would change.
    """
    called = naming.all_modules(scope, what[0])
    if isinstance(what[0], Tensor):
        with untouched(called, weights=False):  # a checkpointed part is computed again, with the weights as they are
            graph = Graph(*what)
        looking.enter_context(untouched([]))
        return graph, None
    function, *arguments = what
    if not callable(function):
        raise TypeError("draw() takes Tensors, or a Module or function and its arguments, not a "
                        f"{type(function).__name__}")
    looking.enter_context(untouched(called))
    looking.enter_context(Lines())
    scope.update(_argument_names(getattr(function, "forward", function), arguments))
    forward = Forward(t for _, t in naming.variables(scope))
    try:
        with enable_grad(), forward:
            result = function(*arguments)
    except Exception as error:
        if forward.failed is None or (forward.failed[1] is function and not forward.arrays):  # it did not even begin
            raise
        forward.error = error
        return Graph(*forward.ends_of_the_graph()), forward
    outputs = tensors_in(result)
    if not outputs:
        raise TypeError(f"{getattr(function, '__name__', type(function).__name__)} returned {shown(result)}, in which "
                        "there is no Tensor to draw; it must return what it computes")
    return Graph(*([t for t in outputs if t.requires_grad] or outputs)), None


def _refuse_changes(graph: Graph, names: naming.Names) -> None:
    """Refuse a graph whose values of now are not those of its gradients.

    Raises:
        RuntimeError: naming what was changed.
    """
    for node, i in graph.changed():
        leaf = node.parents[i]
        what = leaf if isinstance(leaf, Tensor) else node.args[i]
        name = names.get(id(what), "")
        raise RuntimeError(
            f"{name or 'a tensor'} (shape {what.shape}, {what.dtype}), which `{node.name}` reads, was changed in place "
            "after the forward pass, for example by an optimizer step, so a picture would show its value of now beside "
            "the gradients of then. Draw before the change (a Drawing holds texts, so nothing changes in it later), or "
            "compute the output again")


def _look(show: Collection[str] | None, direction: str, ratio: float | None) -> Look:
    if direction not in ("down", "right"):
        raise ValueError(f"direction must be 'down' or 'right', not {direction!r}")
    if isinstance(show, str):
        show = (show,)
    if show is not None and (unknown := [name for name in show if name not in SHOWN]):
        raise ValueError(f"show must be some of {', '.join(map(repr, SHOWN))}, not {unknown[0]!r}")
    if ratio is None:
        ratio = A4 if direction == "down" else 1 / A4
    if not ratio >= 0:
        raise ValueError(f"ratio is the width of a page divided by its height (0 for one ribbon), not {ratio!r}")
    return Look(direction == "down", None if show is None else tuple(show), ratio)


def _all_small(graph: Graph) -> bool:
    return all(node.shape is None or math.prod(node.shape) <= text.SMALL for node in graph.nodes) and all(
        leaf.array.size <= text.SMALL for leaf in graph.leaves)


def _argument_names(function: Any, arguments: list[Any]) -> dict[str, Any]:
    try:
        return dict(inspect.signature(function).bind(*arguments).arguments)
    except (TypeError, ValueError):
        return {}
