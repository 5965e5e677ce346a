"""What the `samples` of a declaration draw from: arrays, shapes, axes and indices that shrink to small, round cases."""

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

MAX_DIMS, MAX_SIDE = 3, 3


class Draw:
    """Draws through Hypothesis, so that a failing example is made as small and as round as it can be.

    Args:
        draw: the function that `hypothesis.strategies.composite` passes, or `data.draw`.
    """

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def boolean(self) -> bool:
        """True or False."""
        return self.draw(st.booleans())

    def integer(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return self.draw(st.integers(low, high))

    def choice(self, options: Sequence) -> Any:
        """One of several; shrinks to the first."""
        return self.draw(st.sampled_from(options))

    def shape(self, min_dims: int = 0, max_dims: int = MAX_DIMS, min_side: int = 0) -> tuple[int, ...]:
        """A shape; with min_side=0 it is sometimes empty."""
        usual = hnp.array_shapes(min_dims=min_dims, max_dims=max_dims, min_side=max(1, min_side), max_side=MAX_SIDE)
        if min_side:
            return self.draw(usual)
        return self.draw(usual | usual | hnp.array_shapes(min_dims=max(1, min_dims), max_dims=max_dims, min_side=0,
                                                          max_side=MAX_SIDE))

    def array(self, shape: tuple[int, ...] | None = None, low: float = -2, high: float = 2,
              away_from: Sequence[float] = (), distinct: bool = False, min_dims: int = 0,
              min_side: int = 0) -> np.ndarray:
        """A float64 array of sixteenths between low and high.

        Args:
            shape: of this shape, else of any with at least `min_dims` axes, each of at least `min_side` elements.
            low: the smallest value.
            high: the largest.
            away_from: kinks and poles, to which no element comes closer than 1/8.
            distinct: no two elements are equal.
            min_dims: the smallest number of axes.
            min_side: the smallest length of an axis.
        """
        if shape is None:
            shape = self.shape(min_dims, min_side=min_side)
        grid = np.arange(np.ceil(low * 16), np.floor(high * 16) + 1) / 16
        grid = [float(x) for x in grid if all(abs(x - kink) >= 1 / 8 for kink in away_from)]
        grid.sort(key=lambda x: ((x * 16) % 16 != 0, (x * 16) % 8 != 0, (x * 16) % 4 != 0, abs(x - 1), x < 0))
        if distinct and np.prod(shape, dtype=int) > len(grid):
            raise ValueError(f"there are only {len(grid)} sixteenths between {low} and {high}, not enough for distinct "
                             f"elements of shape {shape}")
        return self.draw(hnp.arrays(np.float64, shape, elements=st.sampled_from(grid), unique=distinct))

    def broadcastable(self, count: int, **domain: Any) -> tuple[np.ndarray, ...]:
        """`count` arrays whose shapes broadcast; `domain` as for `array`."""
        shapes = self.draw(hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=MAX_DIMS, max_side=MAX_SIDE))
        return tuple(self.array(shape, **domain) for shape in shapes.input_shapes)

    def alike(self, count: int, vary: int | None = None, min_dims: int = 1) -> list[np.ndarray]:
        """`count` arrays of one shape, except for the length of axis `vary`."""
        shape = list(self.shape(min_dims=min_dims))
        arrays = []
        for _ in range(count):
            if vary is not None:
                shape[vary] = self.integer(0 if shape[vary] == 0 else 1, MAX_SIDE)
            arrays.append(self.array(tuple(shape)))
        return arrays

    def matmul_operands(self) -> tuple[np.ndarray, ...]:
        """Two arrays that `matmul` accepts: vectors, matrices, stacks that broadcast."""
        shapes = self.draw(hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=1,
                                                             max_side=MAX_SIDE))
        return tuple(self.array(shape) for shape in shapes.input_shapes)

    def mask(self, like: np.ndarray | None = None, shape: tuple[int, ...] | None = None) -> np.ndarray:
        """An array of booleans, of the shape of `like`."""
        return self.draw(hnp.arrays(np.bool_, like.shape if like is not None else shape))

    def dim(self, ndim: int) -> int:
        """An axis, counted from the front or from the back."""
        return self.integer(-ndim, ndim - 1) if ndim else 0

    def dims(self, ndim: int) -> int | tuple[int, ...] | None:
        """What a reduction takes: None, one axis or several."""
        if not ndim:
            return None
        several = st.permutations(range(ndim)).flatmap(
            lambda order: st.integers(1, ndim).map(lambda n: tuple(order[:n])))
        return self.draw(st.none() | st.integers(-ndim, ndim - 1) | several)

    def permutation(self, n: int) -> tuple[int, ...]:
        """The numbers below n in some order."""
        return tuple(self.draw(st.permutations(range(n))))

    def stretched(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape to which `shape` broadcasts."""
        longer = [self.integer(1, MAX_SIDE) if n == 1 else n for n in shape]
        return (*([self.integer(1, 2)] if self.boolean() else []), *longer)

    def positions(self, shape: tuple[int, ...], dim: int) -> np.ndarray:
        """Positions along axis `dim` of an array of `shape`, repeated ones included."""
        dim %= len(shape)
        size = tuple(self.integer(1, MAX_SIDE) if i == dim else n for i, n in enumerate(shape))
        return self.draw(hnp.arrays(np.int64, size, elements=st.integers(0, shape[dim] - 1)))

    def index(self, shape: tuple[int, ...]) -> tuple:
        """An index into an array of `shape`: numbers, slices, new axes, `...`, integer arrays (with repeats), masks."""
        basic = hnp.basic_indices(shape, allow_newaxis=True, max_dims=5)
        kind = self.choice(["basic", "mixed", "mask"])
        if kind == "mask" and len(shape):
            axes = self.integer(1, len(shape))
            return (self.mask(shape=shape[:axes]),)
        if kind == "mixed" and len(shape) and 0 not in shape:
            return self._mixed_index(shape)
        index = self.draw(basic)
        return index if isinstance(index, tuple) else (index,)

    def _mixed_index(self, shape: tuple[int, ...]) -> tuple:
        common = self.draw(hnp.array_shapes(min_dims=1, max_dims=2, max_side=2))
        index: list = []
        for n in shape[:self.integer(1, len(shape))]:
            part = self.choice(["array", "slice", "number", "new axis"])
            if part == "array":
                size = tuple(1 if self.boolean() else side for side in common)
                index.append(self.draw(hnp.arrays(np.int64, size, elements=st.integers(-n, n - 1))))
            elif part == "number":
                index.append(self.integer(-n, n - 1))
            else:
                if part == "new axis":
                    index.append(None)
                index.append(self.draw(st.slices(n)))
        if self.boolean():
            index.append(Ellipsis)
        return tuple(index)

    def einsum(self) -> Call:
        """Operands and the equation of a sum of products: repeated letters, `...` and summed letters included."""
        sizes = {letter: self.integer(1, MAX_SIDE) for letter in "ijk"}
        dots = self.draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=2)) if self.boolean() else None
        terms, arrays = [], []
        for _ in range(self.integer(1, 3)):
            letters = self.draw(st.text("ijk", max_size=3))
            has_dots = dots is not None and self.boolean()
            terms.append(("..." if has_dots else "") + letters)
            lead = dots if has_dots else ()
            arrays.append(self.array((*lead, *(sizes[letter] for letter in letters))))
        equation = ",".join(terms)
        if self.boolean():
            present = sorted(set(equation) & set(string.ascii_letters))
            output = self.draw(st.permutations(present)) if present else []
            output = output[:self.integer(0, len(output))]
            equation += "->" + ("..." if "..." in equation else "") + "".join(output)
        return call(*arrays, equation=equation)
