"""Random numbers: PyTorch's functions on NumPy's Generator."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd import dtypes
from autograd.creation import check_device, shape_of
from autograd.tensor import Tensor
from autograd.typing import DTypeLike, Shape, TensorLike


class Generator:
    """A stream of random numbers that can be seeded, and whose state can be saved.

    >>> first = randn(2, generator=Generator().manual_seed(0))
    >>> (randn(2, generator=Generator().manual_seed(0)) == first).all()
    tensor(True)
    """

    def __init__(self, device: str | None = None) -> None:
        check_device(device)
        self.seed()

    def manual_seed(self, seed: int) -> "Generator":
        """Start the stream at `seed`."""
        self._seed = int(seed)
        self.numpy = np.random.default_rng(self._seed % 2 ** 64)
        """The NumPy Generator that everything is drawn from."""
        return self

    def seed(self) -> int:
        """Start the stream anywhere; returns the seed."""
        entropy: Any = np.random.SeedSequence().entropy
        return self.manual_seed(entropy % 2 ** 63).initial_seed()

    def initial_seed(self) -> int:
        """The seed that the stream was started at."""
        return self._seed

    def get_state(self) -> Mapping[str, Any]:
        """The state of the stream, for `set_state`."""
        return self.numpy.bit_generator.state

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from a saved state."""
        self.numpy.bit_generator.state = state


default_generator = Generator()
"""What every random function draws from unless it is given a generator of its own."""


def manual_seed(seed: int) -> Generator:
    """Seed the default generator, so that a program repeats itself number for number."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the default generator anywhere; returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator was started at."""
    return default_generator.initial_seed()


def get_rng_state() -> Mapping[str, Any]:
    """The state of the default generator, for `set_rng_state`."""
    return default_generator.get_state()


def set_rng_state(state: Mapping[str, Any]) -> None:
    """Let the default generator go on from a saved state."""
    default_generator.set_state(state)


def numpy_generator(generator: Generator | None = None) -> np.random.Generator:
    """The NumPy Generator behind `generator`, by default behind the default one."""
    return (generator or default_generator).numpy


def _bare(value: Any) -> Any:
    return value.detach().numpy() if isinstance(value, Tensor) else value


def _drawn(draw: Any, size: tuple, dtype: DTypeLike | None, requires_grad: bool,
           device: str | None) -> Tensor:
    """A Tensor of what NumPy's `draw(shape, dtype)` gives, which knows float32 and float64."""
    check_device(device)
    dtype = np.dtype(dtype or dtypes.get_default_dtype())
    values = draw(shape_of(size), np.float64 if dtype == np.float64 else np.float32)
    return Tensor(np.asarray(values, dtype), requires_grad)


def rand(*size: Shape, generator: Generator | None = None, dtype: DTypeLike | None = None, device: str | None = None,
         requires_grad: bool = False) -> Tensor:
    """Numbers uniform on [0, 1)."""
    return _drawn(numpy_generator(generator).random, size, dtype, requires_grad, device)


def randn(*size: Shape, generator: Generator | None = None, dtype: DTypeLike | None = None, device: str | None = None,
          requires_grad: bool = False) -> Tensor:
    """Numbers from the standard normal distribution."""
    return _drawn(numpy_generator(generator).standard_normal, size, dtype, requires_grad, device)


def randint(low: int = 0, high: int | tuple[int, ...] | list[int] | None = None, size: Shape = (), *,
            generator: Generator | None = None, dtype: DTypeLike | None = None, device: str | None = None,
            requires_grad: bool = False) -> Tensor:
    """Integers uniform on [low, high); randint(high, size) starts at 0."""
    check_device(device)
    if high is None or isinstance(high, (tuple, list)):
        low, high, size = 0, low, size if high is None else high
    values = numpy_generator(generator).integers(low, high, shape_of((size,)))
    return Tensor(values.astype(dtype or dtypes.int64, copy=False), requires_grad)


def randperm(n: int, *, generator: Generator | None = None, dtype: DTypeLike | None = None,
             device: str | None = None) -> Tensor:
    """The integers below n in random order."""
    check_device(device)
    return Tensor(numpy_generator(generator).permutation(n).astype(dtype or dtypes.int64, copy=False))


def rand_like(input: Tensor, *, dtype: DTypeLike | None = None, generator: Generator | None = None,
              device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Numbers uniform on [0, 1), in the shape and dtype of another tensor."""
    return rand(input.shape, generator=generator, dtype=dtype or input.dtype, device=device,
               requires_grad=requires_grad)


def randn_like(input: Tensor, *, dtype: DTypeLike | None = None, generator: Generator | None = None,
               device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Numbers from the standard normal distribution, in the shape and dtype of another tensor."""
    return randn(input.shape, generator=generator, dtype=dtype or input.dtype, device=device,
                requires_grad=requires_grad)


def randint_like(input: Tensor, low: int = 0, high: int | None = None, *, dtype: DTypeLike | None = None,
                 generator: Generator | None = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Integers uniform on [low, high), in the shape and dtype of another tensor; (input, high) starts at 0."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, input.shape, generator=generator, dtype=dtype or input.dtype, device=device,
                   requires_grad=requires_grad)


def normal(mean: TensorLike = 0.0, std: TensorLike = 1.0, size: Shape | None = None, *,
           generator: Generator | None = None, dtype: DTypeLike | None = None, device: str | None = None,
           requires_grad: bool = False) -> Tensor:
    """Numbers from normal distributions; mean and standard deviation are numbers or tensors, which broadcast.

    Raises:
        ValueError: a standard deviation is negative.
    """
    mean, std = _bare(mean), _bare(std)
    if np.any(np.less(std, 0)):
        raise ValueError(f"normal() needs a standard deviation of at least 0, not {np.min(std)}")
    found = [a.dtype for a in (mean, std) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    dtype = dtype or (np.result_type(*found) if found else dtypes.get_default_dtype())
    shape = np.broadcast_shapes(np.shape(mean), np.shape(std)) if size is None else shape_of((size,))
    noise = randn(shape, generator=generator, dtype=dtype, device=device).array
    return Tensor(np.asarray(mean + std * noise, dtype), requires_grad)


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """1 with the probability that `input` (or p, for all elements) says, otherwise 0; of input's shape and dtype.

    Raises:
        ValueError: a probability is not between 0 and 1.
    """
    probability = _bare(input if p is None else p)
    if not np.all((np.asarray(probability) >= 0) & (np.asarray(probability) <= 1)):
        raise ValueError(f"bernoulli() needs probabilities between 0 and 1, these lie between {np.min(probability)} "
                         f"and {np.max(probability)}; for logits write bernoulli(logits.sigmoid())")
    return Tensor((numpy_generator(generator).random(input.shape) < probability).astype(input.dtype))


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *,
                generator: Generator | None = None) -> Tensor:
    """Positions drawn with probabilities in proportion to the weights in each row of `input` (a vector or a matrix).

    Without replacement no position is drawn twice. The result has shape (num_samples,) or (rows, num_samples).

    Raises:
        RuntimeError: the weights are negative, not finite or all 0 in a row, or there are too few that are not 0.
    """
    weights = np.asarray(_bare(input), np.float64)
    if weights.ndim not in (1, 2) or not np.isfinite(weights).all() or (weights < 0).any():
        raise RuntimeError("multinomial() needs a vector or a matrix of weights, finite and at least 0; these have "
                           f"shape {weights.shape} and lie between {weights.min(initial=np.inf)} and "
                           f"{weights.max(initial=-np.inf)}")
    possible = (weights > 0).sum(-1).min(initial=weights.shape[-1])
    if possible < (1 if replacement else num_samples):
        raise RuntimeError(f"multinomial() cannot draw num_samples={num_samples} positions "
                           f"{'' if replacement else 'without replacement '}from a row with {possible} weights above 0")
    rng = numpy_generator(generator)
    if replacement:
        bounds = np.cumsum(weights, -1)
        levels = rng.random((*weights.shape[:-1], num_samples)) * bounds[..., -1:]
        if weights.ndim == 1:
            return Tensor(np.searchsorted(bounds, levels, side="right"))
        return Tensor(np.stack([np.searchsorted(b, u, side="right") for b, u in zip(bounds, levels, strict=True)]))
    # The first of clocks that ring at rates `weights`: Efraimidis and Spirakis, "Weighted random sampling" (2006).
    with np.errstate(divide="ignore"):
        times = rng.standard_exponential(weights.shape) / weights
    return Tensor(np.argsort(times, -1)[..., :num_samples])


# In place

def _normal_(self: Tensor, mean: float = 0, std: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Every element from a normal distribution."""
    return self.copy_(normal(mean, std, self.shape, generator=generator, dtype=self.dtype))


def _uniform_(self: Tensor, from_: float = 0, to: float = 1, *, generator: Generator | None = None,
              **kwargs: float) -> Tensor:
    """Every element uniform on [from, to)."""
    low = kwargs.pop("from", from_)
    return self.copy_(rand(self.shape, generator=generator, dtype=self.dtype) * (to - low) + low)


def _bernoulli_(self: Tensor, p: TensorLike = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Every element 1 with probability p (a number, or a tensor that broadcasts), otherwise 0."""
    probabilities = np.broadcast_to(_bare(p), self.shape)
    return self.copy_(bernoulli(Tensor(np.asarray(probabilities, np.float64)), generator=generator))


def _exponential_(self: Tensor, lambd: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Every element from the exponential distribution of rate lambd."""
    return self.copy_(Tensor(numpy_generator(generator).standard_exponential(self.shape) / lambd))


def _random_(self: Tensor, from_: int = 0, to: int | None = None, *, generator: Generator | None = None) -> Tensor:
    """Every element an integer, uniform on [from, to); random_(to) starts at 0."""
    low, high = (0, from_) if to is None else (from_, to)
    return self.copy_(randint(low, high, self.shape, generator=generator))


Tensor.normal_, Tensor.uniform_, Tensor.bernoulli_ = _normal_, _uniform_, _bernoulli_  # type: ignore[assignment]
Tensor.exponential_, Tensor.random_ = _exponential_, _random_  # type: ignore[assignment]  # as the stub: the same tensor
Tensor.multinomial, Tensor.bernoulli = multinomial, bernoulli  # type: ignore[assignment]  # self is called input
