"""Hypothesis strategies for what operations take: arrays, shapes, axes, indices, operands that fit each other.

They compose like any strategy (`.map`, `.flatmap`, `.filter`, `|`), and shrink to the smallest shape and the roundest
numbers: 1 first, then 0 and the other integers, then halves, quarters, sixteenths. Arrays are float64 unless
`dtype` says otherwise, since difference quotients need it.

>>> @given(strategies.broadcastable(2, low=0.5))
... def test_my_division(operands):
...     gradcheck(my_division, [Tensor(x, requires_grad=True) for x in operands])
"""

import itertools
import string
from collections.abc import Sequence
from typing import Any

import numpy as np

try:
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as hnp
except ModuleNotFoundError as error:  # pragma: no cover
    raise ModuleNotFoundError("autograd.testing draws its examples with Hypothesis; pip install 'gradcircuit[testing]'"
                              ) from error

from autograd.samples import Call, call
from autograd.tensor import Tensor
from autograd.testing.layouts import LAYOUTS

Strategy = st.SearchStrategy
MAX_DIMS, MAX_SIDE = 3, 3
DRAWN_ONE_BY_ONE = 100
"""Up to so many elements are drawn each by itself; of larger arrays most elements are equal."""


# Numbers and arrays

def numbers(low: float = -2, high: float = 2, away_from: Sequence[float] = ()) -> Strategy[float]:
    """Sixteenths from low to high, none closer than 1/8 to the kinks and poles in `away_from`; a third are integers."""
    return st.sampled_from(_with_integers(_grid(low, high, tuple(away_from))))


def _with_integers(grid: list[float]) -> list[float]:
    """Integers are where faults hide: zeros, ties, ones that do not multiply."""
    integers = [x for x in grid if x == int(x)]
    return grid + integers * (len(grid) // (2 * len(integers))) if integers else grid


def _grid(low: float, high: float, away_from: tuple[float, ...]) -> list[float]:
    grid = np.arange(np.ceil(low * 16), np.floor(high * 16) + 1) / 16
    grid = [float(x) for x in grid if all(abs(x - kink) >= 1 / 8 for kink in away_from)]
    grid.sort(key=lambda x: ((x * 16) % 16 != 0, (x * 16) % 8 != 0, (x * 16) % 4 != 0, abs(x - 1), x < 0))
    if not grid:
        raise ValueError(f"there is no sixteenth from {low} to {high} that is 1/8 away from {away_from}; widen the "
                         "domain")
    return grid


def shapes(min_dims: int = 0, max_dims: int = MAX_DIMS, min_side: int = 0, max_side: int = MAX_SIDE
           ) -> Strategy[tuple[int, ...]]:
    """Shapes; with min_side=0 some are empty."""
    def of(ndim: int, least: int) -> Strategy[tuple[int, ...]]:
        return st.tuples(*[st.integers(least, max_side)] * ndim)
    usual = st.integers(min_dims, max_dims).flatmap(lambda ndim: of(ndim, max(1, min_side)))
    if min_side or not max_dims:
        return usual
    return usual | usual | usual | st.integers(max(1, min_dims), max_dims).flatmap(lambda ndim: of(ndim, 0))


def arrays(shape: tuple[int, ...] | Strategy | None = None, low: float = -2, high: float = 2,
           away_from: Sequence[float] = (), distinct: bool = False, min_dims: int = 0, min_side: int = 0,
           dtype: Any = np.float64) -> Strategy[np.ndarray]:
    """Arrays of sixteenths between low and high.

    Args:
        shape: of this shape (or drawn from such a strategy), else of any with at least `min_dims` axes, each of at
            least `min_side` elements.
        low: the smallest value.
        high: the largest.
        away_from: kinks and poles, to which no element comes closer than 1/8.
        distinct: no two elements are equal.
        min_dims: the smallest number of axes.
        min_side: the smallest length of an axis.
        dtype: floating.
    """
    grid = _grid(low, high, tuple(away_from))
    if isinstance(shape, tuple):
        if distinct and np.prod(shape, dtype=int) > len(grid):
            raise ValueError(f"there are only {len(grid)} sixteenths between {low} and {high}, not enough for distinct "
                             f"elements of shape {shape}")
    elif shape is None:
        shape = shapes(min_dims, min_side=min_side)
    large = isinstance(shape, tuple) and np.prod(shape, dtype=int) > DRAWN_ONE_BY_ONE
    return hnp.arrays(dtype, shape, elements=st.sampled_from(grid if distinct else _with_integers(grid)),
                      unique=distinct, fill=None if large else st.nothing())


def tensors(shape: tuple[int, ...] | Strategy | None = None, requires_grad: bool = True, **domain: Any
            ) -> Strategy[Tensor]:
    """Leaf Tensors; `domain` as for `arrays`."""
    return arrays(shape, **domain).map(lambda x: Tensor(x, requires_grad=requires_grad))


def positive(**options: Any) -> Strategy[np.ndarray]:
    """Arrays of numbers from 1/4 to 3."""
    return arrays(**{"low": 0.25, "high": 3, **options})


def open_interval(low: float, high: float, **options: Any) -> Strategy[np.ndarray]:
    """Arrays of numbers that keep 1/8 away from both ends."""
    return arrays(low=low, high=high, away_from=(low, high), **options)


def masks(shape: tuple[int, ...] | Strategy | None = None) -> Strategy[np.ndarray]:
    """Arrays of booleans."""
    return hnp.arrays(np.bool_, shapes() if shape is None else shape)


def class_indices(shape: tuple[int, ...] | Strategy, classes: int) -> Strategy[np.ndarray]:
    """Arrays of int64 from 0 to classes - 1."""
    return hnp.arrays(np.int64, shape, elements=st.integers(0, classes - 1))


def probabilities(shape: tuple[int, ...], dim: int = -1) -> Strategy[np.ndarray]:
    """Arrays of positive numbers that sum to 1 along `dim`."""
    return arrays(shape, low=0.25, high=2).map(lambda x: x / x.sum(axis=dim, keepdims=True))


def layouts(values: Strategy[np.ndarray]) -> Strategy[np.ndarray]:
    """The arrays of another strategy, in every memory layout: contiguous, Fortran, strided, reversed, read-only."""
    return st.builds(lambda x, name: LAYOUTS[name](x), values, st.sampled_from(list(LAYOUTS)))


# Several arrays that fit each other: tuples of arrays

@st.composite
def broadcastable(draw: Any, count: int, **domain: Any) -> tuple[np.ndarray, ...]:
    """`count` arrays whose shapes broadcast; `domain` as for `arrays`."""
    least = draw(st.sampled_from([1, 1, 0]))  # sometimes empty
    fitting = draw(hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=MAX_DIMS, min_side=least,
                                                     max_side=MAX_SIDE))
    return tuple([draw(arrays(shape, **domain)) for shape in fitting.input_shapes])


@st.composite
def alike(draw: Any, count: int, vary: int | None = None, min_dims: int = 1, **domain: Any) -> list[np.ndarray]:
    """`count` arrays of one shape, except for the length of axis `vary`."""
    shape = list(draw(shapes(min_dims=min_dims)))
    several = []
    for _ in range(count):
        if vary is not None:
            shape[vary] = draw(st.integers(0 if shape[vary] == 0 else 1, MAX_SIDE))
        several.append(draw(arrays(tuple(shape), **domain)))
    return several


@st.composite
def matmul_operands(draw: Any, **domain: Any) -> tuple[np.ndarray, ...]:
    """Two arrays that `matmul` accepts: vectors, matrices, stacks that broadcast."""
    stacked = draw(st.sampled_from([0, 1]))
    fitting = draw(hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=stacked,
                                                     max_side=MAX_SIDE))
    return tuple([draw(arrays(shape, **domain)) for shape in fitting.input_shapes])


# Matrices

@st.composite
def well_conditioned(draw: Any, n: int | None = None) -> np.ndarray:
    """Square matrices with a dominant diagonal of either sign, so far from singular; the simplest is diagonal."""
    n = draw(st.integers(1, MAX_SIDE)) if n is None else n
    signs = draw(hnp.arrays(np.float64, n, elements=st.sampled_from([1.0, -1.0])))
    return np.diag(signs * (n + 1)) + draw(arrays((n, n), low=-0.5, high=0.5))


@st.composite
def positive_definite(draw: Any, n: int | None = None) -> np.ndarray:
    """Symmetric matrices A Aᵀ + 1."""
    n = draw(st.integers(1, MAX_SIDE)) if n is None else n
    a = draw(arrays((n, n), low=-1, high=1))
    return a @ a.T + np.eye(n)


# Axes and indices

def axis(ndim: int) -> Strategy[int]:
    """An axis, counted from the front or from the back; the last one, as -1, most often."""
    return st.sampled_from([*range(ndim), *range(-ndim, 0), -1]) if ndim else st.just(0)


def axes(ndim: int) -> Strategy[int | tuple[int, ...] | None]:
    """What a reduction takes: None, one axis or several."""
    if not ndim:
        return st.none()
    several = permutations(ndim).flatmap(lambda order: st.sampled_from([order[:n] for n in range(ndim, 0, -1)]))
    return st.none() | axis(ndim) | several | several


def permutations(n: int) -> Strategy[tuple[int, ...]]:
    """The numbers below n in some order."""
    if n > 4:
        return st.permutations(range(n)).map(tuple)
    return st.sampled_from(list(itertools.permutations(range(n))))


@st.composite
def stretched(draw: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape to which `shape` broadcasts."""
    longer = [draw(st.integers(1, MAX_SIDE)) if n == 1 else n for n in shape]
    return (*([draw(st.integers(1, 2))] if draw(st.booleans()) else []), *longer)


@st.composite
def positions(draw: Any, shape: tuple[int, ...], dim: int) -> np.ndarray:
    """Positions along axis `dim` of an array of `shape`, repeated ones included: what `gather` takes."""
    dim %= len(shape)
    size = tuple(draw(st.integers(1, MAX_SIDE)) if i == dim else n for i, n in enumerate(shape))
    return draw(hnp.arrays(np.int64, size, elements=st.integers(0, shape[dim] - 1)))


@st.composite
def indices(draw: Any, shape: tuple[int, ...]) -> tuple:
    """An index into an array of `shape`: numbers, slices, new axes, `...`, integer arrays (with repeats), masks."""
    kind = draw(st.sampled_from(["basic", "mixed", "mask", "mixed"]))
    if kind == "mask" and shape:
        return (draw(masks(shape[:draw(st.integers(1, len(shape)))])),)
    if kind == "mixed" and shape and 0 not in shape:
        return draw(_mixed_index(shape))
    index = draw(hnp.basic_indices(shape, allow_newaxis=True, max_dims=5))
    return index if isinstance(index, tuple) else (index,)


@st.composite
def _mixed_index(draw: Any, shape: tuple[int, ...]) -> tuple:
    common = draw(hnp.array_shapes(min_dims=1, max_dims=2, max_side=3))
    index: list = []
    for n in shape[:draw(st.integers(1, len(shape)))]:
        part = draw(st.sampled_from(["array", "slice", "number", "array", "new axis"]))
        if part == "array":
            size = tuple(draw(st.sampled_from([side, side, 1])) for side in common)
            index.append(draw(hnp.arrays(np.int64, size, elements=st.integers(-n, n - 1))))
        elif part == "number":
            index.append(draw(st.integers(-n, n - 1)))
        else:
            if part == "new axis":
                index.append(None)
            index.append(draw(st.slices(n)))
    if draw(st.booleans()):
        index.append(Ellipsis)
    return tuple(index)


# Whole calls: arguments and options, as `autograd.samples.call` gives them

@st.composite
def einsum_calls(draw: Any) -> Call:
    """Operands and the equation of a sum of products: repeated letters, `...` and summed letters included."""
    sizes = {letter: draw(st.integers(1, MAX_SIDE)) for letter in "ijk"}
    dots = draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=2)) if draw(st.booleans()) else None
    terms, operands = [], []
    for _ in range(draw(st.integers(1, 3))):
        letters = draw(st.text("ijk", max_size=3))
        has_dots = dots is not None and draw(st.booleans())
        terms.append(("..." if has_dots else "") + letters)
        lead = dots if has_dots else ()
        operands.append(draw(arrays((*lead, *(sizes[letter] for letter in letters)))))
    equation = ",".join(terms)
    if draw(st.booleans()):
        present = sorted(set(equation) & set(string.ascii_letters))
        output = draw(st.permutations(present)) if present else []
        output = output[:draw(st.integers(0, len(output)))]
        equation += "->" + ("..." if "..." in equation else "") + "".join(output)
    return call(*operands, equation=equation)


@st.composite
def convolution_calls(draw: Any, ndim: int = 2) -> Call:
    """input (N, C, L…), weight (F, C / groups, K…) and bias (F,), with stride, padding, dilation and groups."""
    groups, kernel, stride, dilation = (draw(st.integers(1, 2)) for _ in range(4))
    padding = draw(st.integers(0, 1))
    least = max(1, dilation * (kernel - 1) + 1 - 2 * padding)
    size = tuple(draw(st.integers(least, least + 2)) for _ in range(ndim))
    batch, channels, filters = (n * draw(st.integers(1, 2)) for n in (1, groups, groups))
    return call(draw(arrays((batch, channels, *size))), draw(arrays((filters, channels // groups, *[kernel] * ndim))),
                draw(arrays((filters,))), stride=stride, padding=padding, dilation=dilation, groups=groups)


@st.composite
def pooling_calls(draw: Any, ndim: int = 2, distinct: bool = True) -> Call:
    """input (N, C, L…) with kernel_size, stride and padding; distinct elements, so that a maximum has no ties."""
    kernel = draw(st.integers(1, 3))
    stride, padding = draw(st.integers(1, 2)), draw(st.integers(0, kernel // 2))
    size = tuple(draw(st.integers(max(1, kernel - 2 * padding), kernel + 1)) for _ in range(ndim))
    x = draw(arrays((draw(st.integers(1, 2)), 1, *size), distinct=distinct))
    return call(x, kernel_size=kernel, stride=stride, padding=padding)


@st.composite
def normalization_calls(draw: Any) -> Call:
    """input (…, *normalized_shape) with the shape, a weight and a bias: what `layer_norm` takes."""
    normalized = draw(hnp.array_shapes(min_dims=1, max_dims=2, min_side=2, max_side=MAX_SIDE))
    lead = draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=2))
    x = draw(arrays((*lead, *normalized), distinct=True))
    return call(x, normalized, draw(arrays(normalized)), draw(arrays(normalized)))
