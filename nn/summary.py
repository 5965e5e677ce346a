"""What a model is made of and what it costs: a table with one row a call of a module.

The numbers come from the recorded graph of one forward pass, so that what a module's `forward` computes outside of
layers is counted too; it stands in the module's own row.
"""

import copy
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, costs, enable_grad
from autograd.backward import reachable
from autograd.clock import clock
from autograd.tensor import Node
from nn.module import Module


@dataclass
class Row:
    """One call of a module, without the calls of modules inside it.

    Attributes:
        name: the dotted name; "" for the model.
        kind: the class.
        output_shape: of the output Tensor, a tuple of shapes for several; None if it has none.
        parameters: how many numbers its own parameters have; 0 where they were counted in an earlier row.
        flops: of the forward pass, a multiplication and an addition counting as two.
        activation_bytes: what this call keeps for the backward pass: arrays that are neither parameters nor the input.
    """

    name: str
    kind: str
    output_shape: Any
    parameters: int
    flops: int = 0
    activation_bytes: int = 0


@dataclass
class Summary:
    """The rows and their sums; printing it shows the table.

    Attributes:
        rows: in the order in which the calls began.
        parameter_bytes: memory of all parameters; an optimizer such as Adam needs twice as much again, gradients once.
    """

    rows: list[Row]
    parameter_bytes: int

    @property
    def parameters(self) -> int:
        """How many numbers all parameters of the called modules have."""
        return sum(row.parameters for row in self.rows)

    @property
    def flops(self) -> int:
        """Of one forward pass."""
        return sum(row.flops for row in self.rows)

    @property
    def activation_bytes(self) -> int:
        """Kept for the backward pass."""
        return sum(row.activation_bytes for row in self.rows)

    def __str__(self) -> str:
        lines = [("layer", "output shape", "parameters", "FLOPs", "activations")]
        for row in self.rows:
            depth = row.name.count(".") + 1 if row.name else 0
            label = "  " * depth + (f"{row.name.rpartition('.')[2]}: {row.kind}" if row.name else row.kind)
            lines.append((label, str(row.output_shape), f"{row.parameters:,}", f"{row.flops:,}",
                          costs.memory(row.activation_bytes)))
        lines.append(("total", f"parameters: {costs.memory(self.parameter_bytes)}", f"{self.parameters:,}",
                      f"{self.flops:,}", costs.memory(self.activation_bytes)))
        return costs.table(lines, left=2)


def summary(model: Module, *input: Any) -> Summary:
    """Run a copy of a model once and count what each layer has and does; the model and the random state stay untouched.

    The copy is in the model's mode; call `model.train()` first for what training keeps.

    Args:
        model: the model.
        input: what it is called with.

    >>> nn.summary(nn.Linear(3, 2), autograd.zeros(1, 3)).parameters
    8
    """
    model = copy.deepcopy(model).requires_grad_()
    names = {module: name for name, module in model.named_modules()}
    seen: set[int] = set()
    calls: list[tuple[Row, list[int]]] = []  # a row, and the numbers of the clock between which its nodes were born
    running: list[tuple[Row, list[int]]] = []

    def begin(module: Module, args: tuple) -> None:
        own = [p for _, p in module._own_parameters() if id(p) not in seen]
        seen.update(map(id, own))
        row = Row(names[module], type(module).__name__, None, sum(p.numel() for p in own))
        running.append((row, [next(clock)]))
        calls.append(running[-1])

    def end(module: Module, args: tuple, output: Any) -> None:
        row, span = running.pop()
        row.output_shape = _shapes(output)
        span.append(next(clock))

    for module in names:
        module.register_forward_pre_hook(begin)
        module.register_forward_hook(end, prepend=True)
    args = [a.detach().requires_grad_() if isinstance(a, Tensor) and a.is_floating_point() else a for a in input]
    state = copy.deepcopy(autograd.get_rng_state())
    try:
        with enable_grad():
            output = model(*args)
    finally:
        autograd.set_rng_state(state)

    nodes = reachable([t.node for t in _tensors(output) if t.node is not None])[::-1]
    counted = {_memory_of(np.asarray(t.array)) for t in [*model.parameters(), *model.buffers(), *_tensors(list(input))]}
    for node in nodes:
        around = [row for row, (start, stop) in calls if start < node.birth < stop]
        if around:
            row = around[-1]  # calls are in the order of their beginnings: the last is the innermost
            row.flops += flops(node)
            row.activation_bytes += _kept_bytes(node, counted)
    return Summary([row for row, _ in calls], sum(p.array.nbytes for p in model.parameters()))


def flops(node: Node) -> int:
    """How many floating-point operations the forward pass of a recorded operation takes; see `autograd.costs.flops`."""
    out = node.shape if node.shape is not None else node.out[0].shape
    return costs.flops(node.operation, [_shape(node, i) for i in range(len(node.parents))], out, node.options)


def _shape(node: Node, i: int) -> tuple[int, ...] | None:
    known = node.args[i] if node.args[i] is not None else node.parents[i]
    return getattr(known, "shape", None)


def _with_bias(product: int, shapes: list, out: tuple) -> int:
    return product + (math.prod(out) if len(shapes) > 2 and shapes[2] is not None else 0)


def _sequence(shapes: list, out: tuple, options: dict) -> int:
    steps = math.prod(shapes[0][:2])  # x (T, B, *) meets the matrices of input and state at each step
    return sum(2 * steps * math.prod(s) for s in shapes[1:] if s is not None and len(s) == 2 and s != shapes[1])


def _windows(shapes: list, out: tuple, options: dict) -> int:
    return math.prod(out) * math.prod(options["kernel"])


def _taps(shapes: list, out: tuple, options: dict) -> int:
    """A multiplication and an addition for each tap, axis by axis; counted in the order of the axes."""
    count, shape = 0, list(shapes[0])
    for axis, taps in enumerate(options["taps"], 2):
        if taps is not None:
            shape[axis] = taps.shape[0]
            count += 2 * len(taps.rows) * math.prod(shape) // max(shape[axis], 1)
    return count


costs.FLOPS.update({
    "linear": lambda shapes, out, _: _with_bias(2 * math.prod(out) * shapes[0][-1], shapes, out),
    "convolution": lambda shapes, out, _: _with_bias(2 * math.prod(out) * math.prod(shapes[1][1:]), shapes, out),
    "transposed_convolution": lambda shapes, out, _: 2 * math.prod(shapes[0]) * math.prod(shapes[1][1:]),
    # x (N, C_in, *), y (N, C_out, *) -> weight (C_out, C_in / groups, *)
    "convolution_weight": lambda shapes, out, _: 2 * math.prod(shapes[1]) * math.prod(out[1:]),
    # q (…, L, E), k (…, S, E), v (…, S, Ev): the two products
    "attention": lambda shapes, out, _: 2 * math.prod(out[:-1]) * shapes[1][-2] * (shapes[0][-1] + out[-1]),
    "rnn_sequence": _sequence, "lstm_sequence": _sequence, "gru_sequence": _sequence,
    "max_pool": _windows, "resample": _taps,
    **dict.fromkeys(("lookup", "pick", "put", "zero_pad", "columns", "to_pixels", "to_channels"), costs.no_flops)})


def _memory_of(array: np.ndarray) -> int:
    """What owns an array's memory: views share it."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.__array_interface__["data"][0]


def _kept_bytes(node: Node, counted: set[int]) -> int:
    """Bytes of the arrays that a node keeps and that nothing before it kept."""
    total = 0
    for kept in [*(node.args or ()), *(node.out if isinstance(node.out, tuple) else [node.out])]:
        if isinstance(kept, np.ndarray) and kept.nbytes:
            owner = _memory_of(kept)
            if owner not in counted:
                counted.add(owner)
                total += kept.nbytes
    return total


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [t for part in value for t in _tensors(part)] if isinstance(value, (tuple, list)) else []


def _shapes(output: Any) -> Any:
    shapes = [t.shape for t in _tensors(output)]
    return None if not shapes else shapes[0] if isinstance(output, Tensor) else tuple(shapes)
