"""A graph of ONNX, as it is being written: two traces of one model, call by call.

What is equal in both is a constant. A number that differs must be a size that follows from the sizes of the inputs;
an array that differs and was not computed from the inputs by an operation is refused.
"""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nn.onnx.tracing import Call


class UnexplainedError(NotImplementedError):
    """Something that cannot be written as ONNX; says where in the model, and why."""


class Size(int):
    """A number that depends on the sizes of the inputs: what it is in one trace, and `other`, in the other."""

    other: int

    def __new__(cls, one: int, other: int) -> "Size":
        size = super().__new__(cls, one)
        size.other = other
        return size


class Value:
    """Something with a name in the graph, and its arrays in both traces."""

    def __init__(self, name: str, array: Any, other: Any) -> None:
        self.name, self.array, self.other = name, np.asarray(array), np.asarray(other)
        self.shape, self.ndim, self.dtype = self.array.shape, self.array.ndim, self.array.dtype

    def size(self, axis: int) -> int:
        """The length of an axis, a Size where the traces differ."""
        one, other = self.shape[axis], self.other.shape[axis]
        return one if one == other else Size(one, other)

    @property
    def sizes(self) -> list[int]:
        """The lengths of all axes."""
        return [self.size(axis) for axis in range(self.ndim)]


class Writer:
    """Nodes and initializers; calling it adds a node and gives the name of its output (or names, of several).

    >>> name = write("Relu", x)  # doctest: +SKIP
    """

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.initializers: dict[str, np.ndarray] = {}
        self.inputs: list[Value] = []
        self.one: dict[int, Value] = {}
        self.other: dict[int, Value] = {}
        """The values by the `id` of their arrays, in both traces."""
        self.call = self.call_again = Call("", (), {}, (), "")
        """The call that is being written, in both traces."""
        self._constants: dict[tuple, str] = {}
        self._count = itertools.count()
        self._kept: list[Any] = []

    # Names

    def know(self, value: Value, one: Any, other: Any) -> None:
        """From now on these arrays are this value."""
        self.one[id(one)], self.other[id(other)] = value, value
        self._kept.append((one, other))

    def __call__(self, operator: str, *inputs: Any, outputs: int | Sequence[bool] = 1, **attributes: Any) -> Any:
        """Add a node. `outputs`: how many; or, for each, whether it is wanted at all."""
        from onnx import helper
        for name, value in attributes.items():
            if any(isinstance(part, Size) for part in (value if isinstance(value, (list, tuple)) else (value,))):
                raise self.refused(f"the attribute {name} of ONNX's {operator} would depend on the size of the inputs")
        number = next(self._count)
        stem = f"{self.call.module}/{operator}_{number}".lstrip("/")
        wanted = [True] * outputs if isinstance(outputs, int) else outputs
        names = [(f"{stem}.{i}" if i else stem) if each else "" for i, each in enumerate(wanted)]
        given = [self.named(x) for x in inputs]
        while given and not given[-1]:  # onnxruntime has crashed on one that is named ""
            given.pop()
        node = helper.make_node(operator, given, names, name=stem,
                                **{k: v for k, v in attributes.items() if v is not None})
        self.nodes.append(node)
        return names[0] if len(names) == 1 else names

    def named(self, x: Any) -> str:
        """The name of a value, of a constant array, or of nothing."""
        if x is None or isinstance(x, str):
            return x or ""
        return x.name if isinstance(x, Value) else self.constant(x)

    def constant(self, array: Any, dtype: Any = None) -> str:
        """The name of an initializer."""
        array = np.asarray(array, dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = name = f"constant_{len(self._constants)}"
            self.initializers[name] = array
        return self._constants[key]

    def refused(self, why: str) -> UnexplainedError:
        """The error that says where in the model something cannot be written."""
        call = self.call
        where = f"the module {call.module!r}" if call.module else "the model"
        return UnexplainedError(f"the operation {call.name!r} in {where} can't be written as ONNX: {why}")

    # Two traces as one

    def both(self, one: Any, other: Any) -> Any:
        """An argument or option of both traces: a Value, a constant, or made of numbers, which may be a Size."""
        if isinstance(one, (np.ndarray, np.generic)):
            return self.array(one, other)
        if isinstance(one, (tuple, list)):
            if len(one) != len(other):
                raise self.refused(f"{one} has another length, {other}, for inputs of another size")
            return type(one)([self.both(a, b) for a, b in zip(one, other, strict=True)])
        if isinstance(one, slice):
            return slice(*[self.both(getattr(one, part), getattr(other, part)) for part in ("start", "stop", "step")])
        if type(one) is int and type(other) is int and one != other:
            return Size(one, other)
        if one is other or one == other or (getattr(one, "__dict__", None) and _same(vars(one), vars(other))):
            return one
        raise self.refused(f"{one!r} is {other!r} for other inputs: it depends on their values or sizes in a way that "
                           "the operations don't show")

    def array(self, one: Any, other: Any) -> Any:
        """The value that these arrays are; equal ones that nothing has computed are a constant."""
        value, theirs = self.one.get(id(one)), self.other.get(id(other))
        if value is not None and value is theirs:
            return value
        if value is None and theirs is None:
            if _same(one, other):
                return np.asarray(one)
            made = self._made(np.asarray(one), np.asarray(other))
            if made is not None:
                return Value(made, one, other)
        raise self.refused(
            f"it is given an array of shape {np.shape(one)} that changes with the inputs, though no operation on "
            "Tensors has made it of them: a value read with .item() or .numpy(), a random number, or a write in place. "
            "Written as a constant it would be wrong for other inputs")

    def _made(self, one: np.ndarray, other: np.ndarray) -> str | None:
        """An array that only the sizes of the inputs decide: the same all along an axis, or counting."""
        if one.dtype != other.dtype or one.ndim != other.ndim:
            return None
        lengths = list(zip(one.shape, other.shape, strict=True))
        part = tuple([slice(None) if n == m else slice(0, 1) for n, m in lengths])
        if one.shape != other.shape and all(n == m or (n and m) for n, m in lengths) and all(
                np.array_equal(array, np.broadcast_to(one[part], array.shape)) for array in (one, other)):
            return self("Expand", self.constant(one[part]), self.shape(Value("", one, other).sizes))
        if one.ndim == 1 and one.shape != other.shape and _counts(one) and _counts(other):
            numbers = self("Range", self.constant(np.int64(0)), self.number(Size(len(one), len(other))),
                           self.constant(np.int64(1)))
            return self("Cast", numbers, to=code(one.dtype))
        if not one.ndim and one.dtype != bool and all(np.isfinite(a) and a == int(a) for a in (one, other)):
            return self("Cast", self.number(Size(int(one), int(other))), to=code(one.dtype))
        return None

    def argument(self, one: Any, other: Any) -> Any:
        """The same of an argument, whose numbers are arrays of the dtype of those that they meet."""
        if isinstance(one, (bool, int, float)) and isinstance(other, (bool, int, float)):
            met = [a.dtype for a in (*self.call.args, *self.call.results) if isinstance(a, (np.ndarray, np.generic))]
            kinds = "f" if isinstance(one, float) else "fiu" if type(one) is int else "fiub"
            dtype = next((d for d in met if d.kind in kinds), None)
            one, other = np.asarray(one, dtype), np.asarray(other, dtype)
        return self.both(one, other)

    # Sizes

    def number(self, size: int) -> str:
        """A size as an integer without axes."""
        return self("Squeeze", self._size(size), self.constant([0])) if isinstance(size, Size) else self.constant(
            np.int64(size))

    def shape(self, sizes: Sequence[int]) -> str:
        """Sizes as a vector of integers, computed where they depend on the inputs."""
        if not any(isinstance(n, Size) for n in sizes):
            return self.constant(np.array(sizes, np.int64).reshape(-1))
        return self("Concat", *[self._size(n) for n in sizes], axis=0)

    def _size(self, size: int) -> str:
        """A size as a vector of one element: that of an axis of the arguments or inputs, or a simple function of it."""
        if not isinstance(size, Size):
            return self.constant([int(size)])
        axes: dict[tuple[int, int], tuple[Value, int]] = {}
        for value in (*[v for a in self.call.args if (v := self.one.get(id(a)))], *self.inputs):
            for axis, n in enumerate(value.sizes):
                if isinstance(n, Size):
                    axes.setdefault((int(n), n.other), (value, axis))
        one, other = int(size), size.other

        def length(pair: tuple[int, int]) -> str:
            value, axis = axes[pair]
            return self("Shape", value, start=axis, end=axis + 1)

        if (one, other) in axes:
            return length((one, other))
        for a, b in axes:  # so many times
            if one % a == 0 and other % b == 0 and one // a == other // b:
                return self("Mul", length((a, b)), self.constant([one // a]))
        for (a, b), (c, d) in itertools.combinations_with_replacement(axes, 2):
            if one % (a * c) == 0 and other % (b * d) == 0 and one // (a * c) == other // (b * d):
                product = self("Mul", length((a, b)), length((c, d)))
                return self("Mul", product, self.constant([one // (a * c)]))
        for a, b in axes:  # so many more or less
            if one - a == other - b:
                return self("Add", length((a, b)), self.constant([one - a]))
        for a, b in axes:
            for k in range(2, 65):
                if one - a // k == other - b // k:
                    part = self("Div", length((a, b)), self.constant([k]))
                    return self("Add", part, self.constant([one - a // k]))
        for a, b in axes:
            for k in range(2, 65):
                if one - a * k == other - b * k:
                    part = self("Mul", length((a, b)), self.constant([k]))
                    return self("Add", part, self.constant([one - a * k]))
        raise self.refused(f"the size {one} is {other} for other inputs, and none of their axes explains it")

    # What many operations need

    def cast(self, x: Any, dtype: Any) -> Any:
        """x in a dtype."""
        if isinstance(x, np.ndarray):
            return x.astype(dtype)
        return x if isinstance(x, Value) and x.dtype == dtype else self("Cast", x, to=code(dtype))

    def alike(self, *values: Any) -> list[Any]:
        """Arguments in the dtype in which NumPy lets them meet."""
        dtype = np.result_type(*[v.dtype for v in values])
        return [self.cast(v, dtype) for v in values]

    @property
    def result(self) -> Value:
        """The (first) result of the call, without a name."""
        return Value("", self.call.results[0], self.call_again.results[0])

    @property
    def dtype(self) -> np.dtype:
        """Of the (first) result."""
        return self.result.dtype


def code(dtype: Any) -> int:
    """ONNX's number of a dtype."""
    from onnx import helper
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))


def _counts(array: np.ndarray) -> bool:
    return array.dtype.kind in "iuf" and bool((array == np.arange(len(array))).all())


def _same(one: Any, other: Any) -> bool:
    """Equal, NaN and the sign of zero included."""
    if isinstance(one, Mapping):
        return isinstance(other, Mapping) and one.keys() == other.keys() and all(
            _same(one[key], other[key]) for key in one)
    if isinstance(one, (tuple, list)):
        return isinstance(other, (tuple, list)) and len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, (np.ndarray, np.generic)):
        a, b = np.asarray(one), np.asarray(other)
        return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return type(one) is type(other) and bool(one == other)
