"""`draw`: a picture of a recorded graph, shown in a notebook or saved to a file."""

import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from autograd import Graph, Tensor
from viz import names as naming
from viz import svg
from viz.circuit import Circuit
from viz.picture import Picture


class Drawing:
    """A picture of a graph: `save` writes it to a file, `str` gives the SVG, a notebook shows it.

    It holds texts and positions, not the graph: a backward pass afterwards changes nothing in it.
    """

    def __init__(self, picture: Picture) -> None:
        self.picture = picture

    @cached_property
    def _svg(self) -> str:
        return svg.write(self.picture)

    def __str__(self) -> str:
        return self._svg

    def __repr__(self) -> str:
        return f"<Drawing: {self.picture.summary}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": f'<div style="overflow-x:auto">{self}</div>', "image/svg+xml": str(self),
                "text/plain": repr(self)}

    def save(self, path: str | Path) -> Path:
        """Write the picture to a file, in the format that its suffix says, and return the path.

        Raises:
            ValueError: no such format.
        """
        path = Path(path)
        writers = {".svg": lambda: str(self) + "\n"}
        if path.suffix.lower() not in writers:
            raise ValueError(f"{path.name!r}: a drawing can be saved as {', '.join(writers)}, not as {path.suffix!r}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(writers[path.suffix.lower()](), encoding="utf-8")
        return path


def draw(*outputs: Tensor, names: Mapping[str, Tensor | np.ndarray] | None = None) -> Drawing:
    """Draw the graph behind some outputs: every value in it and every gradient.

    Nothing has to be prepared before the forward pass. Draw before `backward()`, which releases the graph, or call
    `backward(retain_graph=True)`; the gradients shown are those of the sum of the outputs, computed for the picture,
    and no `.grad` is touched.

    Args:
        outputs: Tensors that require gradients.
        names: name -> Tensor. Tensors that are not in it are called as the variables of the caller that hold them.

    Raises:
        RuntimeError: nothing was recorded, or the graph has been released.

    >>> w, x = Tensor(2.0, requires_grad=True), Tensor(-1.0)
    >>> draw(w * x).save("product.svg")
    PosixPath('product.svg')
    """
    frame = sys._getframe(1)
    scope = {**frame.f_globals, **frame.f_locals} if frame.f_globals is not frame.f_locals else dict(frame.f_globals)
    graph = Graph(*outputs)
    graph.forward()
    graph.backward()
    found = naming.find(names, scope, naming.modules_in(scope, graph.leaves))
    return Drawing(Circuit(graph, found).picture)
