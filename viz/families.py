"""What family an operation belongs to, for its color, and the settings that stand in its box: 3 × 3, stride 2."""

from collections.abc import Iterable

import numpy as np

from autograd import Node

_OF_MODULE = {
    "convolution": "convolution", "fold": "convolution", "linear": "matrix product", "products": "matrix product",
    "linalg": "matrix product", "systems": "matrix product", "matrix_functions": "matrix product",
    "attention": "attention", "recurrent": "recurrent", "embedding": "embedding", "normalization": "normalization",
    "pooling": "pooling", "upsampling": "pooling", "geometry": "pooling", "loss": "loss",
    "reductions": "reduction", "norms": "reduction", "softmax": "reduction", "quantiles": "reduction",
    "counting": "reduction", "scans": "reduction", "ordering": "reduction",
    "shaping": "shape", "joining": "shape", "indexing": "shape", "scattering": "shape", "conversion": "shape",
    "padding": "shape"}
"""Where an operation is declared -> its family; everything else works element by element."""


def family(node: Node) -> str:
    """The family of an operation, by the file that declares it."""
    if node.operation.view:
        return "shape"
    return _OF_MODULE.get(getattr(node.operation.forward, "__module__", "").rpartition(".")[2], "elementwise")


def common_family(nodes: Iterable[Node]) -> str:
    """That of all operations which compute something; empty if they differ."""
    found = {family(node) for node in nodes if node.shape is not None} - {"shape"}
    return found.pop() if len(found) == 1 else ""


def settings(node: Node) -> str:
    """The settings of an operation that are not the usual ones, and the sizes that its name leaves open."""
    options, parts = node.options, []
    kernel = options.get("kernel")
    if "stride" in options and kernel is None and len(node.args) > 1:
        kernel = _shape(node, 1)[2:]  # of a convolution's weight
    if kernel is not None:
        parts.append(" × ".join(map(str, np.ravel(kernel))))
    for name, usual in (("stride", 1), ("padding", 0), ("dilation", 1), ("groups", 1)):
        value = options.get(name)
        flat = [] if value is None else np.ravel(value).tolist()
        if flat and all(isinstance(n, int) for n in flat) and set(flat) != {usual}:
            parts.append(f"{name} {flat[0] if len(set(flat)) == 1 else ' × '.join(map(str, flat))}")
    if node.name == "attention" and len(shape := _shape(node, 0)) == 4:
        parts.append(f"{shape[1]} heads")
    for name in ("dim", "dims", "p"):
        value = options.get(name)
        if isinstance(value, (int, float, tuple)):
            parts.append(f"{name} {value}")
    return ", ".join(parts)


def _shape(node: Node, i: int) -> tuple[int, ...]:
    parent = node.parents[i]
    return (np.shape(node.args[i]) if parent is None else parent.shape) or ()
