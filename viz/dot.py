"""A Picture as a `graphviz.Digraph`."""

import graphviz

from viz import text
from viz.picture import Box, Picture


def digraph(picture: Picture) -> graphviz.Digraph:
    """Boxes as nodes n0, n1, …; in circuits the numbers stand on the edges."""
    direction, font = {"rankdir": "TB" if picture.downward else "LR"}, {"fontname": "Helvetica"}
    graph: graphviz.Digraph = graphviz.Digraph("gradcircuit", graph_attr=direction, node_attr=font, edge_attr=font)
    for i, box in enumerate(picture.boxes):
        graph.node(f"n{i}", _label(box, picture.style.on_wires), shape=box.kind.shape)
    for wire in picture.wires:
        source, label = picture.boxes[wire.source], ""
        if picture.style.on_wires and source.value:
            label = f"{source.value}\n{source.gradient}"
            if wire.contribution:
                label += f"\n(of which {wire.contribution})"
        graph.edge(f"n{wire.source}", f"n{wire.target}", label=_quoted(label))
    return graph


def _label(box: Box, on_wires: bool) -> str:
    lines = [box.label, *([box.name] if box.name else [])]
    if not on_wires:
        lines += [*box.lines, *(line for line in (box.value, box.gradient, box.alarm) if line)]
    return _quoted("\n".join(text.clean(line) for line in lines))


def _quoted(label: str) -> str:
    """A label that DOT shows as it is: its own line breaks, no escapes, no HTML."""
    quoted: str = graphviz.nohtml(str(graphviz.escape(label.replace("\n", "\0"))).replace("\0", "\\n"))
    return quoted
