"""What the `samples` of a declaration draw from: the strategies, drawn at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from autograd.samples import Call
from autograd.testing import strategies


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

    def shape(self, min_dims: int = 0, max_dims: int | None = None, min_side: int = 0) -> tuple[int, ...]:
        """A shape; with min_side=0 it is sometimes empty."""
        return self.draw(strategies.shapes(min_dims, max_dims, min_side))

    def array(self, shape: tuple[int, ...] | None = None, low: float | None = None,
              high: float | None = None, away_from: Sequence[float] = (), distinct: bool = False, min_dims: int = 0,
              min_side: int = 0) -> np.ndarray:
        """See `strategies.arrays`."""
        return self.draw(strategies.arrays(None if shape is None else tuple(shape), low, high, away_from, distinct,
                                           min_dims, min_side))

    def broadcastable(self, count: int, **domain: Any) -> tuple[np.ndarray, ...]:
        """See `strategies.broadcastable`."""
        return self.draw(strategies.broadcastable(count, **domain))

    def alike(self, count: int, vary: int | None = None, min_dims: int = 1) -> list[np.ndarray]:
        """See `strategies.alike`."""
        return self.draw(strategies.alike(count, vary, min_dims))

    def matmul_operands(self) -> tuple[np.ndarray, ...]:
        """See `strategies.matmul_operands`."""
        return self.draw(strategies.matmul_operands())

    def mask(self, like: np.ndarray | None = None, shape: tuple[int, ...] | None = None) -> np.ndarray:
        """An array of booleans, of the shape of `like`."""
        return self.draw(strategies.masks(like.shape if like is not None else shape))

    def dim(self, ndim: int) -> int:
        """See `strategies.axis`."""
        return self.draw(strategies.axis(ndim))

    def dims(self, ndim: int) -> int | tuple[int, ...] | None:
        """See `strategies.axes`."""
        return self.draw(strategies.axes(ndim))

    def permutation(self, n: int) -> tuple[int, ...]:
        """See `strategies.permutations`."""
        return self.draw(strategies.permutations(n))

    def stretched(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """See `strategies.stretched`."""
        return self.draw(strategies.stretched(shape))

    def positions(self, shape: tuple[int, ...], dim: int) -> np.ndarray:
        """See `strategies.positions`."""
        return self.draw(strategies.positions(shape, dim))

    def index(self, shape: tuple[int, ...]) -> tuple:
        """See `strategies.indices`."""
        return self.draw(strategies.indices(shape))

    def einsum(self) -> Call:
        """See `strategies.einsum_calls`."""
        return self.draw(strategies.einsum_calls())
