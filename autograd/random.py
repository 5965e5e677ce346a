"""Random numbers: PyTorch's functions on NumPy's Generator."""

from typing import Any

import numpy as np

from autograd import dtypes
from autograd.creation import shape_of
from autograd.tensor import Tensor


class Generator:
    """A stream of random numbers that can be seeded, and whose state can be saved.

    >>> g = Generator().manual_seed(0); randn(2, generator=g)
    """

    def __init__(self) -> None:
        self.numpy = np.random.default_rng()
        """The NumPy Generator that everything is drawn from."""

    def manual_seed(self, seed: int) -> "Generator":
        """Start the stream at `seed`."""
        self.numpy = np.random.default_rng(seed)
        return self

    def get_state(self) -> dict:
        """The state of the stream, for `set_state`."""
        return self.numpy.bit_generator.state

    def set_state(self, state: dict) -> None:
        """Go on from a saved state."""
        self.numpy.bit_generator.state = state


default_generator = Generator()
"""What every random function draws from unless it is given a generator of its own."""


def manual_seed(seed: int) -> Generator:
    """Seed the default generator, so that a program repeats itself number for number."""
    return default_generator.manual_seed(seed)


def numpy_generator(generator: Generator | None = None) -> np.random.Generator:
    """The NumPy Generator behind `generator`, by default behind the default one."""
    return (generator or default_generator).numpy


def _floating(values: np.ndarray, dtype: Any, requires_grad: bool) -> Tensor:
    return Tensor(np.asarray(values, dtype or dtypes.get_default_dtype()), requires_grad)


def rand(*size: Any, generator: Generator | None = None, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Numbers uniform on [0, 1)."""
    return _floating(numpy_generator(generator).random(shape_of(size), np.float32), dtype, requires_grad)


def randn(*size: Any, generator: Generator | None = None, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Numbers from the standard normal distribution."""
    dtype = np.dtype(dtype or dtypes.get_default_dtype())
    draw = np.float64 if dtype == np.float64 else np.float32
    return _floating(numpy_generator(generator).standard_normal(shape_of(size), draw), dtype, requires_grad)


def randint(low: int, high: int | None = None, size: Any = (), *, generator: Generator | None = None,
            dtype: Any = None) -> Tensor:
    """Integers uniform on [low, high); randint(high, size) starts at 0."""
    if high is None or not isinstance(high, int):
        low, high, size = 0, low, high if high is not None else size
    return Tensor(numpy_generator(generator).integers(low, high, shape_of((size,)), dtype or np.int64))


def randperm(n: int, *, generator: Generator | None = None) -> Tensor:
    """The integers below n in random order."""
    return Tensor(numpy_generator(generator).permutation(n))
