"""Random numbers by PyTorch's functions: the same seed gives the same numbers (docs/random_numbers.md).

Where a tensor's elements don't lie in memory in the order of its axes, they are drawn in the order in which they lie.
"""

import contextlib
import functools
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd import dtypes, rejection
from autograd.creation import check_device, shape_of
from autograd.generator import Generator, default_generator
from autograd.grad_mode import mode
from autograd.inplace import write
from autograd.tensor import Tensor
from autograd.typing import DTypeLike, Shape, TensorLike

PART = 1 << 20
"""About how many numbers of a large tensor are drawn at a time."""


def manual_seed(seed: int) -> Generator:
    """Seed the default generator, so that a program repeats itself number for number."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the default generator anywhere; returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator was started at."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default generator, for `set_rng_state`: a Tensor of uint8."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Let the default generator go on from a saved state."""
    default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(devices: Any = None, enabled: bool = True) -> Iterator[None]:
    """Let the default generator go on, after the block, as if nothing had been drawn in it.

    Args:
        devices: accepted for PyTorch's sake, without effect.
        enabled: False: do nothing.

    >>> with fork_rng():
    ...     noise = rand(3)
    """
    state = get_rng_state() if enabled else None
    try:
        yield
    finally:
        if state is not None:
            set_rng_state(state)


def numpy_generator(generator: Generator | None = None) -> np.random.Generator:
    """The NumPy Generator that draws from the words of `generator`, by default of the default one."""
    return (generator or default_generator).numpy


def _bare(value: Any) -> Any:
    return value.detach().numpy() if isinstance(value, Tensor) else value


# Where the numbers go

def as_it_lies(numbers: np.ndarray, like: Tensor) -> np.ndarray:
    """Drawn numbers in the shape of a tensor, in the order in which its elements lie in memory.

    What a convolution returns lies with the channels last, here but not in PyTorch; hence such a tensor, if it is no
    view, counts as one in the order of its axes.
    """
    array = like.array
    if array.flags.c_contiguous or array.ndim < 2:
        return numbers.reshape(array.shape)
    axes = sorted(range(array.ndim), key=lambda axis: (array.shape[axis] > 1, -abs(array.strides[axis])))
    if array.ndim > 2 and axes == [0, *range(2, array.ndim), 1] and not _is_view(like):
        return numbers.reshape(array.shape)
    return numbers.reshape([array.shape[axis] for axis in axes]).transpose(np.argsort(axes))


def _is_view(tensor: Tensor) -> bool:
    return tensor.view_of is not None


def _in_order(tensor: Tensor) -> bool:
    """Whether the elements lie in memory in the order of the axes, without gaps."""
    return tensor.array.flags.c_contiguous


def _made(numbers: np.ndarray, shape: tuple, dtype: np.dtype, requires_grad: bool) -> Tensor:
    if numbers.dtype != dtype:
        numbers = numbers.astype(dtype)
    return Tensor(numbers if len(shape) == 1 else numbers.reshape(shape), requires_grad)


def _floating(function: str, dtype: np.dtype) -> None:
    if dtype.kind != "f":
        raise TypeError(f"{function} draws floating-point numbers, and the tensor holds {dtype}; write t.float(), or "
                        "random_() for integers")


# New tensors

def rand(*size: Shape, generator: Generator | None = None, dtype: DTypeLike | None = None, device: str | None = None,
         requires_grad: bool = False) -> Tensor:
    """Numbers uniform on [0, 1)."""
    check_device(device)
    shape, dtype = shape_of(size), np.dtype(dtype) if dtype else dtypes.get_default_dtype()
    _floating("rand()", dtype)
    return _made((generator or default_generator).uniforms(math.prod(shape), dtype), shape, dtype, requires_grad)


def randn(*size: Shape, generator: Generator | None = None, dtype: DTypeLike | None = None, device: str | None = None,
          requires_grad: bool = False) -> Tensor:
    """Numbers from the standard normal distribution."""
    check_device(device)
    shape, dtype = shape_of(size), np.dtype(dtype) if dtype else dtypes.get_default_dtype()
    _floating("randn()", dtype)
    return _made((generator or default_generator).normals(math.prod(shape), dtype), shape, dtype, requires_grad)


def randint(low: int = 0, high: int | tuple[int, ...] | list[int] | None = None, size: Shape = (), *,
            generator: Generator | None = None, dtype: DTypeLike | None = None, device: str | None = None,
            requires_grad: bool = False) -> Tensor:
    """Integers uniform on [low, high); randint(high, size) starts at 0.

    Raises:
        ValueError: there is no integer from low to below high, or the dtype cannot hold all of them.
    """
    check_device(device)
    if high is None or isinstance(high, (tuple, list)):
        low, high, size = 0, low, size if high is None else high
    shape, dtype = shape_of((size,)), np.dtype(dtype or dtypes.int64)
    return _made(_integers(int(low), int(high), math.prod(shape), dtype, generator), shape, dtype, requires_grad)


def _integers(low: int, high: int, count: int, dtype: np.dtype, generator: Generator | None) -> np.ndarray:
    """Integers from low to below high, of which the dtype can hold each."""
    if low >= high:
        raise ValueError(f"there is no integer from low={low} to below high={high}; the first must be less")
    least, most = _range_of(dtype)
    if low < least or high - 1 > most:
        raise ValueError(f"{dtype} holds the integers from {least} to {most}, not all from {low} to {high - 1}; "
                         "give another dtype")
    numbers = (generator or default_generator).below(high - low, count).view(np.int64)
    return numbers + np.int64(low) if low else numbers


@functools.cache
def _range_of(dtype: np.dtype) -> tuple[int, int]:
    """The least and the greatest integer up to which a dtype holds all."""
    if dtype.kind == "f":
        most = 2 ** (np.finfo(dtype).nmant + 1)
        return -most, most
    if dtype.kind == "b":
        return 0, 1
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def randperm(n: int, *, generator: Generator | None = None, dtype: DTypeLike | None = None,
             device: str | None = None) -> Tensor:
    """The integers below n in random order."""
    check_device(device)
    if n < 0:
        raise ValueError(f"randperm() orders the integers below a number that is at least 0, not {n}")
    return Tensor((generator or default_generator).permutation(n).astype(dtype or dtypes.int64, copy=False))


def rand_like(input: Tensor, *, dtype: DTypeLike | None = None, generator: Generator | None = None,
              device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Numbers uniform on [0, 1), in the shape and dtype of another tensor."""
    check_device(device)
    dtype = np.dtype(dtype or input.dtype)
    _floating("rand_like()", dtype)
    numbers = (generator or default_generator).uniforms(input.numel(), dtype)
    return Tensor(as_it_lies(numbers, input), requires_grad)


def randn_like(input: Tensor, *, dtype: DTypeLike | None = None, generator: Generator | None = None,
               device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Numbers from the standard normal distribution, in the shape and dtype of another tensor."""
    check_device(device)
    dtype = np.dtype(dtype or input.dtype)
    _floating("randn_like()", dtype)
    laid = as_it_lies(np.empty(input.numel(), np.bool_), input)
    numbers = (generator or default_generator).normals(input.numel(), dtype, not laid.flags.c_contiguous)
    return Tensor(as_it_lies(numbers, input).astype(dtype, copy=False), requires_grad)


def randint_like(input: Tensor, low: int = 0, high: int | None = None, *, dtype: DTypeLike | None = None,
                 generator: Generator | None = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Integers uniform on [low, high), in the shape and dtype of another tensor; (input, high) starts at 0."""
    check_device(device)
    low, high = (0, low) if high is None else (low, high)
    dtype = np.dtype(dtype or input.dtype)
    numbers = _integers(int(low), int(high), input.numel(), dtype, generator)
    return Tensor(as_it_lies(numbers, input).astype(dtype), requires_grad)


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
    if p is not None:
        return Tensor(as_it_lies(_chances(p, input.numel(), generator), input).astype(input.dtype))
    probability = np.ascontiguousarray(_bare(input))
    return Tensor(_chances(probability.reshape(-1), input.numel(), generator).reshape(input.shape).astype(input.dtype))


def _chances(p: Any, count: int, generator: Generator | None) -> np.ndarray:
    """Booleans that are true with probability p: a number, or an array, whose dtype says how finely is drawn."""
    number = not isinstance(p, np.ndarray)
    if not (0 <= p <= 1 if number else np.all((p >= 0) & (p <= 1))):
        raise ValueError(f"bernoulli() needs probabilities between 0 and 1, these lie between {np.min(p)} "
                         f"and {np.max(p)}; for logits write bernoulli(logits.sigmoid())")
    generator = generator or default_generator
    if number:
        return generator.chances(p, count)
    return generator.uniforms(count, dtypes.float64 if p.dtype == np.float64 else dtypes.float32) < p


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *,
                generator: Generator | None = None) -> Tensor:
    """Positions drawn with probabilities in proportion to the weights in each row of `input` (a vector or a matrix).

    Without replacement no position is drawn twice. The result has shape (num_samples,) or (rows, num_samples).

    Raises:
        RuntimeError: the weights are negative, not finite or all 0 in a row, or there are too few that are not 0.
    """
    weights = np.asarray(_bare(input))
    weights = weights if weights.dtype.kind == "f" else weights.astype(dtypes.get_default_dtype())
    if weights.ndim not in (1, 2) or not np.isfinite(weights).all() or (weights < 0).any():
        raise RuntimeError("multinomial() needs a vector or a matrix of weights, finite and at least 0; these have "
                           f"shape {weights.shape} and lie between {weights.min(initial=np.inf)} and "
                           f"{weights.max(initial=-np.inf)}")
    possible = (weights > 0).sum(-1).min(initial=weights.shape[-1])
    if possible < (1 if replacement else num_samples):
        raise RuntimeError(f"multinomial() cannot draw num_samples={num_samples} positions "
                           f"{'' if replacement else 'without replacement '}from a row with {possible} weights above 0")
    generator = generator or default_generator
    if replacement and num_samples != 1:
        bounds = np.cumsum(weights, -1, dtype=weights.dtype)
        bounds /= bounds[..., -1:]
        bounds[..., -1] = 1
        rows = bounds.astype(np.float64).reshape(-1, weights.shape[-1])
        levels = generator.uniforms(len(rows) * num_samples).reshape(len(rows), num_samples)
        found = [np.searchsorted(row, level) for row, level in zip(rows, levels, strict=True)]
        return Tensor(np.reshape(found, (*weights.shape[:-1], num_samples)).astype(np.int64, copy=False))
    # The first of clocks that ring at rates `weights`: Efraimidis and Spirakis, "Weighted random sampling" (2006).
    times = generator.exponentials(weights.size).astype(weights.dtype).reshape(weights.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        order = np.divide(weights, times)
    if num_samples == 1:
        return Tensor(np.argmax(order, -1)[..., None])
    return Tensor(np.argsort(-order, -1, kind="stable")[..., :num_samples])


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Counts from Poisson distributions whose rates are the elements of `input`; of its shape and dtype.

    Raises:
        ValueError: a rate is negative.
    """
    rate = np.ascontiguousarray(_bare(input), np.float64).reshape(np.shape(_bare(input)))
    if (rate < 0).any():
        raise ValueError(f"poisson() needs rates of at least 0, not {rate.min()}")
    return Tensor(np.asarray(rejection.poisson(rate, generator or default_generator), _bare(input).dtype))


def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """How many of `count` trials succeed, each with probability `prob`; the tensors broadcast and have one dtype.

    Raises:
        ValueError: a count is negative, or a probability not between 0 and 1.
    """
    trials, chances = np.broadcast_arrays(_bare(count), _bare(prob))
    if (trials < 0).any() or (chances < 0).any() or (chances > 1).any():
        raise ValueError("binomial() needs counts of at least 0 and probabilities between 0 and 1, not "
                         f"{trials.min()} to {trials.max()} and {chances.min()} to {chances.max()}")
    numbers = rejection.binomial(trials.astype(np.float64), chances.astype(np.float64), generator or default_generator)
    return Tensor(np.asarray(numbers, np.result_type(_bare(count), _bare(prob))))


def standard_gamma(concentration: np.ndarray, generator: Generator | None = None) -> np.ndarray:
    """Numbers from gamma distributions of rate 1, for an array of concentrations; above 0 in its dtype, too."""
    numbers = rejection.gamma(np.asarray(concentration, np.float64), generator or default_generator)
    dtype = concentration.dtype
    return np.maximum(np.asarray(numbers, dtype), np.finfo(dtype).tiny)


def dirichlet(concentration: np.ndarray, generator: Generator | None = None) -> np.ndarray:
    """Probabilities from Dirichlet distributions, for an array of concentrations along its last axis.

    They lie between 0 and 1, both excluded, also where that takes rounding.
    """
    dtype = concentration.dtype
    numbers = rejection.gamma(np.asarray(concentration, np.float64), generator or default_generator)
    numbers = np.maximum(numbers, np.finfo(np.float64).tiny)
    return np.clip((numbers / numbers.sum(-1, keepdims=True)).astype(dtype), np.finfo(dtype).tiny,
                   np.nextafter(dtype.type(1), dtype.type(0)))


# In place

def _normal_(self: Tensor, mean: float = 0, std: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Every element from a normal distribution.

    Raises:
        ValueError: the standard deviation is negative.
    """
    _floating("normal_()", self.dtype)
    if std < 0:
        raise ValueError(f"normal_() needs a standard deviation of at least 0, not {std}")

    def draw(count: int) -> np.ndarray:
        numbers = (generator or default_generator).normals(count, self.dtype, not _in_order(self))
        if (mean, std) != (0, 1):
            numbers *= std
            numbers += mean
        return numbers

    return _fill(self, draw)


def _fill(tensor: Tensor, draw: Callable[[int], np.ndarray]) -> Tensor:
    """Put what `draw(count)` gives into a tensor: into a large one by parts, so that it is not in memory twice."""
    count = tensor.numel()
    if count <= PART or not _in_order(tensor) or (tensor.tracked and mode.enabled):
        return _put(tensor, draw(count))
    each = -(-PART // (count // len(tensor))) + 15 & -16  # normal numbers come by sixteen
    starts = [*range(0, max(len(tensor) - each, 1), each)]
    for first, end in itertools.pairwise([*starts, len(tensor)]):
        size = end - first, *tensor.shape[1:]
        write(tensor, slice(first, end), draw(math.prod(size)).reshape(size))
    return tensor


def _put(tensor: Tensor, numbers: np.ndarray) -> Tensor:
    numbers = as_it_lies(numbers, tensor)
    if tensor.tracked and mode.enabled:
        return tensor.copy_(Tensor(numbers))
    write(tensor, ..., numbers)
    return tensor


def _uniform_(self: Tensor, from_: float = 0, to: float = 1, *, generator: Generator | None = None,
              **kwargs: float) -> Tensor:
    """Every element uniform on [from, to).

    Raises:
        ValueError: from is greater than to.
    """
    _floating("uniform_()", self.dtype)
    low = kwargs.pop("from", from_)
    if kwargs:
        raise TypeError(f"uniform_() takes from, to and generator, not {', '.join(kwargs)}")
    if not low <= to:
        raise ValueError(f"uniform_() draws from [from, to); {low} is greater than {to}")
    return _fill(self, lambda count: uniform_between(low, to, count, self.dtype, generator))


def uniform_between(low: float, high: float, count: int, dtype: np.dtype, generator: Generator | None) -> np.ndarray:
    """Numbers uniform on [low, high): low where rounding would give high."""
    single = dtypes.float64 if dtype == np.float64 else dtypes.float32
    numbers = (generator or default_generator).uniforms(count, single)
    if (low, high) != (0, 1):
        low, high = single.type(low), single.type(high)
        numbers = (numbers.astype(np.float64) * np.float64(high - low) + low).astype(single, copy=False)  # rounded once
    numbers = numbers.astype(dtype, copy=False)
    top = dtype.type(high)
    if numbers.size and numbers.max() >= top:
        numbers[numbers >= top] = low
    return numbers


def _bernoulli_(self: Tensor, p: TensorLike = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Every element 1 with probability p (a number, or a tensor that broadcasts), otherwise 0."""
    if not isinstance(p, (Tensor, np.ndarray)):
        return _put(self, _chances(p, self.numel(), generator))
    laid = as_it_lies(np.arange(self.numel()), self).argsort(axis=None) if not _in_order(self) else slice(None)
    return _put(self, _chances(np.broadcast_to(_bare(p), self.shape).reshape(-1)[laid], self.numel(), generator))


def _exponential_(self: Tensor, lambd: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Every element from the exponential distribution of rate lambd.

    Raises:
        ValueError: the rate is not positive.
    """
    _floating("exponential_()", self.dtype)
    if not lambd > 0:
        raise ValueError(f"exponential_() needs a rate above 0, not {lambd}")
    return _put(self, (generator or default_generator).exponentials(self.numel()) / lambd)


def _geometric_(self: Tensor, p: float, *, generator: Generator | None = None) -> Tensor:
    """Every element the number of trials up to the first success, which has probability p.

    Raises:
        ValueError: the probability is not between 0 and 1, both excluded.
    """
    if not 0 < p < 1:
        raise ValueError(f"geometric_() needs a probability above 0 and below 1, not {p}")
    with np.errstate(divide="ignore"):
        numbers = np.log((generator or default_generator).uniforms(self.numel()))
    return _put(self, np.ceil(numbers / math.log1p(-p)))


def _cauchy_(self: Tensor, median: float = 0, sigma: float = 1, *, generator: Generator | None = None) -> Tensor:
    """Every element from the Cauchy distribution with that median and half-width sigma.

    Raises:
        ValueError: sigma is not positive.
    """
    _floating("cauchy_()", self.dtype)
    if not sigma > 0:
        raise ValueError(f"cauchy_() needs a sigma above 0, not {sigma}")
    uniform = (generator or default_generator).uniforms(self.numel())
    return _put(self, median + sigma * np.tan(math.pi * (uniform - 0.5)))


def _log_normal_(self: Tensor, mean: float = 1, std: float = 2, *, generator: Generator | None = None) -> Tensor:
    """Every element the exponential of a number from a normal distribution with that mean and standard deviation.

    Raises:
        ValueError: the standard deviation is not positive.
    """
    _floating("log_normal_()", self.dtype)
    if not std > 0:
        raise ValueError(f"log_normal_() needs a standard deviation above 0, not {std}")
    normal = (generator or default_generator).normals(self.numel(), dtypes.float64, one_by_one=True)
    return _put(self, np.exp(normal * std + mean))


def _random_(self: Tensor, *limits: int | None, generator: Generator | None = None, **named: int | None) -> Tensor:
    """Every element an integer: random_(from, to) from `from` to below `to`; random_(to) starts at 0.

    random_() ends with the greatest number up to which the dtype holds all integers, as does random_(from, None).

    Raises:
        ValueError: from is not less than to, or the dtype cannot hold all of the integers.
    """
    generator = generator or default_generator
    most = _range_of(self.dtype)[1]
    if not limits and not named:
        long = most >= 2 ** 32
        numbers = generator.long_words(self.numel()) if long else generator.words(self.numel())
        return _put(self, (numbers % np.uint64(most + 1)).view(np.int64))
    low, high = (0, *limits)[-2:] if limits else (0, None)
    low, high = named.pop("from", low) or 0, named.pop("to", high)
    if named:
        raise TypeError(f"random_() takes from, to and generator, not {', '.join(named)}")
    if (low, high) == (-2 ** 63, None):
        return _put(self, generator.long_words(self.numel()).view(np.int64))
    return _put(self, _integers(int(low), most + 1 if high is None else int(high), self.numel(), self.dtype, generator))


Tensor.normal_, Tensor.uniform_, Tensor.bernoulli_ = _normal_, _uniform_, _bernoulli_  # type: ignore[assignment]
Tensor.exponential_, Tensor.random_ = _exponential_, _random_  # type: ignore[assignment]  # as the stub: the same tensor
Tensor.geometric_, Tensor.cauchy_ = _geometric_, _cauchy_  # type: ignore[assignment]
Tensor.log_normal_ = _log_normal_  # type: ignore[assignment]
Tensor.multinomial, Tensor.bernoulli = multinomial, bernoulli  # type: ignore[assignment]  # self is called input
