"""Hypothesis strategies for what operations take: arrays, shapes, axes, indices, operands that fit each other.

They compose like any strategy (`.map`, `.flatmap`, `.filter`, `|`), and shrink to the smallest shape and the roundest
numbers: 1 first, then 0 and the other integers, then halves, quarters, sixteenths. Arrays are float64 unless `dtype`
says otherwise, since difference quotients need it.

Faults hide in circumstances: numbers above 4, more than eight rows, sorted or equal elements, zeros. Waiting for them
to come about by chance takes long, so each array is drawn in one of them on purpose (`CHARACTERS`, `shapes`), the
plain one most often: swarm testing. Each is left first when a failing example is made smaller.

>>> @given(strategies.broadcastable(2, low=0.5))
... def test_division(operands):
...     gradcheck(autograd.div, [Tensor(x, requires_grad=True) for x in operands])
"""

import functools
import itertools
import string
from collections.abc import Callable, Sequence
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
"""Of usual shapes."""
LONG = (5, 9, 12, 17, 20, 33)
"""Lengths that an axis has now and then: batches beyond 8, widths beyond 16 and 32."""
DRAWN_ONE_BY_ONE = 24
"""So many elements of an array, the last ones, are drawn each by itself; those before them follow from these."""


# Numbers and arrays

def numbers(low: float = -2, high: float = 2, away_from: Sequence[float] = ()) -> Strategy[float]:
    """Sixteenths from low to high, none closer than 1/8 to the kinks and poles in `away_from`; a third are integers."""
    return st.sampled_from(_with_integers(_grid(low, high, tuple(away_from))))


def _with_integers(grid: list[float]) -> list[float]:
    """Integers are where faults hide: zeros, ties, ones that do not multiply."""
    integers = [x for x in grid if x == int(x)]
    return grid + integers * (len(grid) // (2 * len(integers))) if integers else grid


def _bounds(low: float | None, high: float | None) -> tuple[float, float]:
    """Where numbers usually lie: from -2 to 2, or four from the only bound that there is."""
    if low is None:
        low = -2 if high is None or high > -2 else high - 4
    return low, high if high is not None else 2 if low < 2 else low + 4


@functools.lru_cache(1000)
def _grid(low: float, high: float, away_from: tuple[float, ...], parts: int = 16) -> list[float]:
    grid = np.arange(np.ceil(low * parts), np.floor(high * parts) + 1) / parts
    grid = [float(x) for x in grid if all(abs(x - kink) >= 1 / 8 for kink in away_from)]
    grid.sort(key=lambda x: ((x * 16) % 16 != 0, (x * 16) % 8 != 0, (x * 16) % 4 != 0, abs(abs(x) - 1)))
    signs = [[x for x in grid if x >= 0], [x for x in grid if x < 0]]  # in turn, so that a sign survives in shrinking
    both = min(map(len, signs))
    grid = [x for pair in zip(*[part[:both] for part in signs], strict=True) for x in pair] + [
        x for part in signs for x in part[both:]]
    if not grid:
        raise ValueError(f"there is no sixteenth from {low} to {high} that is 1/8 away "
                         f"from {away_from}; widen the domain")
    return grid


def shapes(min_dims: int = 0, max_dims: int | None = None, min_side: int = 0, max_side: int | None = None
           ) -> Strategy[tuple[int, ...]]:
    """Shapes of up to three axes of up to three; unless that is said, now and then longer, of more axes, or square.

    With min_side=0 some are empty.
    """
    return st.sampled_from(_shapes(min_dims, max_dims, min_side, max_side))


@functools.lru_cache(1000)
def _shapes(min_dims: int, max_dims: int | None, min_side: int, max_side: int | None) -> list[tuple[int, ...]]:
    """All that are drawn, the simplest first, as often as they shall come.

    One choice is fast to draw, and Hypothesis varies what it has drawn by repeating parts of it: with few parts more
    examples differ. Of more than 127 options it prefers the first.
    """
    least, most = max(1, min_side), max(MAX_DIMS if max_dims is None else max_dims, min_dims)
    side = max(MAX_SIDE if max_side is None else max_side, least)
    found: list[tuple[int, ...]] = []

    def add(share: int, shapes: list[tuple[int, ...]]) -> None:
        fitting = [s for s in shapes if len(s) >= min_dims and min(s, default=min_side) >= min_side]
        order = np.random.default_rng(0).permutation(len(fitting)) if fitting else []
        found.extend(fitting[order[i % len(fitting)]] for i in range(share) if fitting)
    for ndim in range(min_dims, max(min(most, 3), min_dims) + 1):
        add(13, list(itertools.product(range(least, (side if ndim < 4 else max(2, least)) + 1), repeat=ndim)))
    if max_side is None and most:
        for ndim in range(max(1, min_dims), max(most, 1) + 1):
            for turn in (1, -1):
                add(6, [(*([n] * (ndim - 1)), length)[::turn] for length in LONG for n in range(least, least + 2)])
    if most > 1:
        add(8, [(*lead, n, n) for lead in ((), (), (2,), (1,), (3,)) for n in (2, 3, 4) if n <= side + 1
                and len(lead) < most - 1])
    if max_dims is None:
        add(9, [(2, 1, 3, 2), (1, 2, 2, 3), (3, 2, 1, 1), (2, 3, 2, 1), (2, 2, 2, 2), (3, 1, 2, 2)])
        add(9, [(2, 1, 1, 2, 3), (1, 2, 2, 1, 2), (3, 1, 2, 1, 1), (2, 2, 1, 2, 1), (2, 1, 2, 1, 3)])
    if not min_side:
        add(10, [s for s in [(0,), (0,), (0, 2), (3, 0), (1, 0), (0, 1), (0, 2, 3), (2, 0, 1), (1, 2, 0)]
                 if len(s) <= most])
    return sorted(found, key=lambda s: (0 in s, len(s), np.prod(s, dtype=int), s))


def _rows_equal(x: np.ndarray) -> np.ndarray:
    return np.array(np.broadcast_to(x[:1], x.shape)) if x.ndim else x


def _in_turn(x: np.ndarray, *factors: float) -> np.ndarray:
    return x * np.resize(factors, x.shape)


CHARACTERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "plain": lambda x: x,
    "sorted": lambda x: (np.sort(x, axis=None) + np.linspace(0, 1, x.size)).reshape(x.shape),
    "sorted backwards": lambda x: (np.sort(x, axis=None) + np.linspace(0, 1, x.size))[::-1].reshape(x.shape),
    "larger": lambda x: x * 4,
    "large": lambda x: x * 32,
    "very large": lambda x: x * 1024,
    "small": lambda x: x / 2048,
    "large and small": lambda x: _in_turn(x, 32, 1 / 32, 1),
    "positive": lambda x: np.where(x == 0, 1, np.abs(x)),
    "negative": lambda x: np.where(x == 0, -1, -np.abs(x)),
    "all equal": lambda x: np.full(x.shape, x.reshape(-1)[0]),
    "rows equal": _rows_equal,
    "two numbers": lambda x: np.resize(x.reshape(-1)[:2], x.shape),
    "some zeros": lambda x: _in_turn(x, 0, 1),
    "all zero": lambda x: x * 0,
}
"""What is done to an array to bring it into certain circumstances, as far as its domain allows."""
_KEEP_DISTINCT = ("sorted", "sorted backwards", "larger", "large", "very large", "small")
_TURNS = ["plain"] * 6 + [name for name in CHARACTERS if name != "plain"] + [
    "larger", "large", "very large", "small", "sorted", "sorted backwards", "negative", "all zero"]
_DISTINCT_TURNS = ["plain"] * 3 + list(_KEEP_DISTINCT)


def _filled(choices: bytes, shape: tuple[int, ...], grid: Sequence[float], distinct: bool) -> np.ndarray:
    """An element of the grid for each byte, 0 being the first; without repeating one if they are to be distinct.

    However large the array is, the bytes are as many, and the last belongs to the last element: what makes an example
    fail stays where it is while Hypothesis makes the shape smaller.
    """
    size = int(np.prod(shape, dtype=int))
    picks = np.frombuffer(choices, np.uint8)[_shuffled(len(choices), size)]
    if not distinct:
        return np.array(grid, np.float64)[picks % len(grid)].reshape(shape)
    rest = list(grid)
    return np.array([rest.pop(pick % len(rest)) for pick in picks.tolist()], np.float64).reshape(shape)


@functools.lru_cache(1000)
def _shuffled(count: int, size: int) -> np.ndarray:
    """`size` of the numbers below `count`: all of them in order at the end, again and again in other orders before."""
    turns = -(-size // count)
    orders = np.random.default_rng(0).permuted(np.tile(np.arange(count), (turns, 1)), axis=1)
    orders[-1:] = np.arange(count)
    return orders.reshape(-1)[orders.size - size:]


def arrays(shape: tuple[int | None, ...] | Strategy | None = None, low: float | None = None, high: float | None = None,
           away_from: Sequence[float] = (), distinct: bool = False, min_dims: int = 0, min_side: int = 0,
           dtype: Any = np.float64) -> Strategy[np.ndarray]:
    """Arrays of sixteenths between low and high, in all kinds of circumstances: see `CHARACTERS`.

    Args:
        shape: of this shape (or drawn from such a strategy), else of any with at least `min_dims` axes, each of at
            least `min_side` elements. None in the place of a length: any.
        low: the smallest value; without it mostly -2, and now and then far below.
        high: the largest; without it mostly 2, and now and then far above.
        away_from: kinks and poles, to which no element comes closer than 1/8.
        distinct: no two elements are equal.
        min_dims: the smallest number of axes.
        min_side: the smallest length of an axis.
        dtype: floating.
    """
    away_from = tuple(away_from)
    bounds = _bounds(low, high)
    grid = _grid(*bounds, away_from)
    if isinstance(shape, tuple) and None not in shape:
        if distinct and np.prod(shape, dtype=int) > len(grid) and None not in (low, high):
            raise ValueError(f"there are only {len(grid)} sixteenths between {low} and {high}, not enough for distinct "
                             f"elements of shape {shape}")
    elif isinstance(shape, tuple):
        shape = st.tuples(*[lengths(min_side) if n is None else st.just(n) for n in shape])
    elif shape is None:
        shape = _shapes(min_dims, None, min_side, None)
    turns = [name for name in (_DISTINCT_TURNS if distinct else _TURNS)
             if low is None or high is None or name not in ("larger", "large", "very large")]
    return _arrays(shape, low, high, away_from, distinct, dtype, turns)


_BYTES = st.binary(min_size=DRAWN_ONE_BY_ONE, max_size=DRAWN_ONE_BY_ONE)


@st.composite
def _arrays(draw: Any, shape: Any, low: float | None, high: float | None, away_from: tuple[float, ...], distinct: bool,
            dtype: Any, turns: list[str]) -> np.ndarray:
    shapes = shape if isinstance(shape, list) else [shape if isinstance(shape, tuple) else draw(shape)]
    shape = shapes[0] if len(shapes) == 1 else draw(st.sampled_from(shapes))
    name = turns[draw(st.integers(0, len(turns) - 1))]
    grid, parts = _grid(*_bounds(low, high), away_from), 16
    size = int(np.prod(shape, dtype=int))
    while distinct and size > len(grid) // 2 and parts < 2 ** 16:
        parts *= 4
        grid = _grid(*_bounds(low, high), away_from, parts)
    grid = grid if distinct else _with_integers(grid)
    x = _filled(draw(_BYTES), shape, grid, distinct)
    if name == "plain" or not x.size:
        return x.astype(dtype)
    with np.errstate(over="ignore"):
        y = CHARACTERS[name](x)
    allowed = np.isfinite(y)
    for bound, beyond in ((low, np.less), (high, np.greater)):
        if bound is not None:
            allowed &= ~beyond(y, bound)
    for point in away_from:
        allowed &= np.abs(y - point) >= 1 / 8
    if "sorted" in name and not allowed.all():
        y, allowed = np.sort(x, axis=None)[::-1 if "backwards" in name else 1].reshape(shape), True
    return (np.where(allowed, y, x) if not distinct or np.all(allowed) else x).astype(dtype)


@functools.lru_cache(100)
def lengths(least: int = 1) -> Strategy[int]:
    """The length of an axis: up to three, now and then up to 33; none if `least` is 0."""
    return st.sampled_from([*([max(1, least), max(2, least), max(3, least)] * 3), *LONG, *([0] if not least else [])])


def tensors(shape: tuple[int, ...] | Strategy | None = None, requires_grad: bool = True, **domain: Any
            ) -> Strategy[Tensor]:
    """Leaf Tensors; `domain` as for `arrays`."""
    return arrays(shape, **domain).map(lambda x: Tensor(x, requires_grad=requires_grad))


def positive(**options: Any) -> Strategy[np.ndarray]:
    """Arrays of numbers from 1/4 on."""
    return arrays(**{"low": 0.25, **options})


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
    return st.sampled_from(list(LAYOUTS)).flatmap(lambda name: values.map(LAYOUTS[name]))


# Several arrays that fit each other: tuples of arrays

EQUAL = [False] * 11 + [True]
"""How often arguments that may be equal are."""


@st.composite
def broadcastable(draw: Any, count: int, **domain: Any) -> tuple[np.ndarray, ...]:
    """`count` arrays whose shapes broadcast, now and then equal; `domain` as for `arrays`."""
    whole = draw(shapes())
    if draw(st.sampled_from(EQUAL)):
        x = draw(arrays(whole, **domain))
        return tuple([np.array(x) for _ in range(count)])
    found = []
    for _ in range(count):
        kept = draw(st.sampled_from([*range(len(whole) + 1), len(whole), len(whole)]))
        ones = draw(st.sampled_from([0, 0, 1, 2, 4, 7] if 0 in whole else [0, 0, 0, 0, 1, 2, 4, 7]))
        shape = [1 if ones >> i & 1 else n for i, n in enumerate(whole)][len(whole) - kept:]
        found.append(draw(arrays(tuple(shape), **domain)))
    return tuple(found)


@st.composite
def alike(draw: Any, count: int, vary: int | None = None, min_dims: int = 1, **domain: Any) -> list[np.ndarray]:
    """`count` arrays of one shape, except for the length of axis `vary`; now and then equal."""
    shape = list(draw(shapes(min_dims=min_dims)))
    if draw(st.sampled_from(EQUAL)):
        x = draw(arrays(tuple(shape), **domain))
        return [np.array(x) for _ in range(count)]
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
    side = draw(st.sampled_from([MAX_SIDE] * 4 + [12, 20]))
    fitting = draw(hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=stacked, max_side=side))
    return tuple([draw(arrays(shape, **domain)) for shape in fitting.input_shapes])


# Matrices

@st.composite
def well_conditioned(draw: Any, n: int | None = None) -> np.ndarray:
    """Square matrices with a dominant diagonal of either sign, so far from singular; the simplest is diagonal."""
    n = draw(st.sampled_from([1, 2, 3, 1, 2, 3, 1, 2, 3, 6])) if n is None else n
    signs = draw(hnp.arrays(np.float64, n, elements=st.sampled_from([1.0, -1.0])))
    return np.diag(signs * (n + 1)) + draw(arrays((n, n), low=-0.5, high=0.5))


@st.composite
def positive_definite(draw: Any, n: int | None = None) -> np.ndarray:
    """Symmetric matrices A Aᵀ + 1."""
    n = draw(st.sampled_from([1, 2, 3, 1, 2, 3, 1, 2, 3, 6])) if n is None else n
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
    batch, channels, filters = (n * draw(st.sampled_from([1, 2, 1, 2, 1, 2, 1, 2, 5, 9])) for n in (1, groups, groups))
    return call(draw(arrays((batch, channels, *size))), draw(arrays((filters, channels // groups, *[kernel] * ndim))),
                draw(arrays((filters,))), stride=stride, padding=padding, dilation=dilation, groups=groups)


@st.composite
def pooling_calls(draw: Any, ndim: int = 2, distinct: bool = True) -> Call:
    """input (N, C, L…) with kernel_size, stride and padding; distinct elements, so that a maximum has no ties."""
    kernel = draw(st.integers(1, 3))
    stride, padding = draw(st.integers(1, 2)), draw(st.integers(0, kernel // 2))
    size = tuple(draw(st.integers(max(1, kernel - 2 * padding), kernel + 1)) for _ in range(ndim))
    x = draw(arrays((draw(st.sampled_from([1, 2, 1, 2, 1, 2, 9])), 1, *size), distinct=distinct))
    return call(x, kernel_size=kernel, stride=stride, padding=padding)


@st.composite
def normalization_calls(draw: Any) -> Call:
    """input (…, *normalized_shape) with the shape, a weight and a bias: what `layer_norm` takes."""
    normalized = draw(hnp.array_shapes(min_dims=1, max_dims=2, min_side=2, max_side=MAX_SIDE))
    lead = draw(st.sampled_from([None] * 6 + [(9,), (17,)])) or draw(
        hnp.array_shapes(min_dims=0, max_dims=2, max_side=2))
    x = draw(arrays((*lead, *normalized), distinct=True))
    return call(x, normalized, draw(arrays(normalized)), draw(arrays(normalized)))
