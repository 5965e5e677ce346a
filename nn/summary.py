"""What a model is made of and what it costs: a table with one row a call of a module.

The numbers come from the recorded graph of one forward pass, so that what a module's `forward` computes outside of
layers is counted too; it stands in the module's own row.
"""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, costs, enable_grad
from autograd.backward import reachable
from autograd.graph import tensors_in
from autograd.sharing import memory
from autograd.tensor import Node
from autograd.watching import Watcher
from nn.module import Module
from nn.parameter import Parameter


@dataclass
class Row:
    """One call of a module, without the calls of modules inside it.

    Attributes:
        name: the dotted name; "" for the model.
        kind: the class.
        output_shape: of the output Tensor, a tuple of shapes for several; None if it has none.
        parameters: how many numbers its own parameters have; 0 where they were counted in an earlier row.
        flops: of the forward pass, a multiplication and an addition counting as two.
        multiply_adds: of products alone (matrices, convolutions, attention, recurrent layers), both counting as one.
        activation_bytes: what this call keeps for the backward pass: arrays that are neither parameters nor the input.
    """

    name: str
    kind: str
    output_shape: Any
    parameters: int = 0
    flops: int = 0
    multiply_adds: int = 0
    activation_bytes: int = 0


@dataclass(repr=False)
class Summary:
    """The rows and their sums; printing it, or ending a notebook's cell with it, shows the table.

    Attributes:
        rows: in the order in which the calls began.
        parameter_bytes: memory of all parameters; an optimizer such as Adam needs twice as much again, gradients once.
    """

    rows: list[Row]
    parameter_bytes: int

    @property
    def parameters(self) -> int:
        """How many numbers all parameters have that were used."""
        return sum(row.parameters for row in self.rows)

    @property
    def flops(self) -> int:
        """Of one forward pass."""
        return sum(row.flops for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Of one forward pass, in products."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def activation_bytes(self) -> int:
        """Kept for the backward pass."""
        return sum(row.activation_bytes for row in self.rows)

    def _cells(self) -> list[tuple[str, ...]]:
        lines: list[tuple[str, ...]] = [
            ("layer", "output shape", "parameters", "FLOPs", "multiply-adds", "activations")]
        for row in self.rows:
            depth = row.name.count(".") + 1 if row.name else 0
            label = "  " * depth + (f"{row.name.rpartition('.')[2]}: {row.kind}" if row.name else row.kind)
            lines.append((label, str(row.output_shape), *_numbers(row)))
        return [*lines, ("total", f"parameters: {costs.memory(self.parameter_bytes)}", *_numbers(self))]

    def __repr__(self) -> str:
        return costs.table(self._cells(), left=2)

    def _repr_html_(self) -> str:
        return costs.html_table(self._cells(), left=2)


def _numbers(row: Row | Summary) -> list[str]:
    return [f"{row.parameters:,}", f"{row.flops:,}", f"{row.multiply_adds:,}", costs.memory(row.activation_bytes)]


def summary(model: Module, *input: Any) -> Summary:
    """Run a copy of a model once and count what each layer has and does; the model and the random state stay untouched.

    The copy is in the model's mode; call `model.train()` first for what training keeps. Parameters of a module that is
    never called, such as the `out_proj` of MultiheadAttention, stand in the row of the call that uses them.

    Args:
        model: the model.
        input: what it is called with.

    >>> nn.summary(nn.Linear(3, 2), autograd.zeros(1, 3)).parameters
    8
    """
    model = copy.deepcopy(model).requires_grad_()
    args = [a.detach().requires_grad_() if isinstance(a, Tensor) and a.is_floating_point() else a for a in input]
    state = copy.deepcopy(autograd.get_rng_state())
    try:
        with enable_grad(), _Count(model) as count:
            output = model(*args)
    finally:
        autograd.set_rng_state(state)
    given = [*model.parameters(), *model.buffers(), *tensors_in(list(input))]
    count.what_is_left(set(reachable([t.node for t in tensors_in(output) if t.node is not None])),
                       {id(memory(t.array)) for t in given})
    return Summary(count.rows, sum(p.array.nbytes for p in model.parameters()))


class _Count(Watcher):
    """The rows, filled while the model runs."""

    def __init__(self, model: Module) -> None:
        self.names = {module: name for name, module in model.named_modules()}
        self.rows: list[Row] = []
        self.running: list[Row] = []
        self.row_of: dict[Node, Row] = {}
        self.parameters: set[Parameter] = set()  # that stand in a row

    def begins(self, kind: str, what: Any) -> Row | None:
        if what not in self.names:
            return None
        row = Row(self.names[what], type(what).__name__, None)
        self._parameters_of(row, [p for _, p in what._own_parameters()])
        self.rows.append(row)
        self.running.append(row)
        return row

    def ends(self, begun: Row | None, result: Any, args: tuple, options: dict) -> None:
        if begun is not None:
            begun.output_shape = _shapes(result)
            self.running.pop()

    def born(self, node: Node) -> None:
        if not self.running:
            return
        row = self.row_of[node] = self.running[-1]
        known = [parent if arg is None else arg for arg, parent in zip(node.args, node.parents, strict=True)]
        call = (node.operation, [getattr(x, "shape", None) for x in known],
                node.out[0].shape if node.shape is None else node.shape, node.options)
        row.flops += costs.flops(*call)
        row.multiply_adds += costs.multiply_adds(*call)

    def _parameters_of(self, row: Row, parameters: list[Parameter]) -> None:
        new = set(parameters) - self.parameters
        self.parameters |= new
        row.parameters += sum(p.numel() for p in new)

    def what_is_left(self, nodes: set[Node], memories: set[int]) -> None:
        """What is known at the end: parameters that are used without a call of their module, and what nodes keep."""
        for node, row in self.row_of.items():
            self._parameters_of(row, [p for p in node.parents if isinstance(p, Parameter)])
            if node not in nodes:
                continue
            for kept in [*(node.args or ()), *(node.out if isinstance(node.out, tuple) else [node.out])]:
                if isinstance(kept, np.ndarray) and id(memory(kept)) not in memories:
                    memories.add(id(memory(kept)))
                    row.activation_bytes += kept.nbytes


def _shapes(output: Any) -> Any:
    shapes = [t.shape for t in tensors_in(output)]
    return None if not shapes else shapes[0] if isinstance(output, Tensor) else tuple(shapes)
