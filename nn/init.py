"""Initial values of parameters. Every function writes into the tensor it is given, and returns it.

Random numbers come from `autograd.random`, so `autograd.manual_seed` repeats them, and they are PyTorch's.
"""

import math
from typing import Any

import numpy as np

from autograd import Generator, Tensor, default_generator, no_grad
from autograd.errors import ShapeError
from autograd.inplace import write


def _write(tensor: Tensor, values: Any) -> Tensor:
    write(tensor, ..., values)
    return tensor


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much the weights before a nonlinearity are to be larger, so that it keeps the variance.

    Args:
        nonlinearity: "linear", "conv1d", …, "sigmoid" (1), "tanh" (5/3), "relu" (√2),
            "leaky_relu" (√(2 / (1 + slope²))), "selu" (3/4).
        param: the negative slope of "leaky_relu"; default 0.01.
    """
    gains = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75,
             "leaky_relu": math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2)),
             **{f"conv{t}{d}d": 1.0 for t in ("", "_transpose") for d in (1, 2, 3)}}
    if nonlinearity not in gains:
        raise ValueError(f"no gain is known for the nonlinearity '{nonlinearity}'; known are {', '.join(gains)}")
    return gains[nonlinearity]


def fans(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out): to how many inputs an output of this weight is connected, and the other way round.

    The weight has shape (out, in, *kernel): the length of the kernel counts in both.
    """
    if tensor.ndim < 2:
        raise ShapeError("fan in and fan out need a weight with at least two axes (out, in, *kernel), this one has "
                         f"shape {tensor.shape}; for a bias use zeros_ or uniform_")
    kernel = math.prod(tensor.shape[2:])
    return tensor.shape[1] * kernel, tensor.shape[0] * kernel


def _fan(tensor: Tensor, mode: str) -> int:
    modes = dict(zip(("fan_in", "fan_out"), fans(tensor), strict=True))
    if mode not in modes:
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', not {mode!r}")
    return modes[mode]


def constant_(tensor: Tensor, val: float) -> Tensor:
    """`val` everywhere."""
    return _write(tensor, val)


def zeros_(tensor: Tensor) -> Tensor:
    """0 everywhere."""
    return _write(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """1 everywhere."""
    return _write(tensor, 1)


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform on [a, b)."""
    with no_grad():
        return tensor.uniform_(a, b, generator=generator)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with that mean and standard deviation."""
    with no_grad():
        return tensor.normal_(mean, std, generator=generator)


def trunc_normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
                  generator: Generator | None = None) -> Tensor:
    """Normal with that mean and standard deviation, drawn again where it falls outside [a, b].

    If little of the distribution lies there, what is drawn again are uniform numbers, until they lie below its density.
    """
    if not a < b or b < mean - 6 * std or a > mean + 6 * std:
        raise ValueError(f"[{a}, {b}] holds next to nothing of a normal distribution with mean "
                         f"{mean} and standard deviation {std}")
    low, high = tensor.dtype.type(a), tensor.dtype.type(b)
    share = (math.erf((b - mean) / (std * math.sqrt(2))) - math.erf((a - mean) / (std * math.sqrt(2)))) / 2
    top = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2

    def draw() -> tuple[np.ndarray, np.ndarray]:
        """A number for each element, and which are accepted."""
        values = Tensor(np.empty_like(tensor.array))
        if share > 0.3:
            values = normal_(values, mean, std, generator).array
            return values, (values >= low) & (values <= high)
        values = uniform_(values, a, b, generator).array
        level = uniform_(Tensor(np.empty_like(tensor.array)), generator=generator).array
        with np.errstate(divide="ignore"):
            return values, np.log(level) <= ((values - mean) / std) ** 2 * -0.5 - top

    values, accepted = draw()
    while not accepted.all():
        others, more = draw()
        values, accepted = np.where(accepted, values, others), accepted | more
    return _write(tensor, values)


def eye_(tensor: Tensor) -> Tensor:
    """The identity, in a matrix."""
    if tensor.ndim != 2:
        raise ShapeError(f"eye_ fills a matrix, this tensor has shape {tensor.shape}")
    return _write(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """The identity, in a convolution's weight (out, in, *kernel): 1 in the middle of the kernel where out = in."""
    if not 3 <= tensor.ndim <= 5 or tensor.shape[0] % groups:
        raise ShapeError("dirac_ fills a convolution's weight (out, in, *kernel) with out divisible by "
                         f"groups={groups}, this tensor has shape {tensor.shape}")
    values = np.zeros(tensor.shape)
    out = tensor.shape[0] // groups
    middle = tuple(n // 2 for n in tensor.shape[2:])
    for group in range(groups):
        for i in range(min(out, tensor.shape[1])):
            values[(group * out + i, i, *middle)] = 1
    return _write(tensor, values)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Uniform on ±gain √(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    bound = math.sqrt(3) * gain * math.sqrt(2 / max(sum(fans(tensor)), 1))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Normal with standard deviation gain √(2 / (fan_in + fan_out)) (Glorot & Bengio 2010)."""
    return normal_(tensor, 0, gain * math.sqrt(2 / max(sum(fans(tensor)), 1)), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    return calculate_gain(nonlinearity, a) / math.sqrt(max(_fan(tensor, mode), 1))


def kaiming_uniform_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                     generator: Generator | None = None) -> Tensor:
    """Uniform on ±gain √(3 / fan) (He et al. 2015).

    Args:
        tensor: a weight (out, in, *kernel).
        a: the negative slope of the leaky_relu that follows.
        mode: "fan_in" keeps the variance in the forward pass, "fan_out" in the backward pass.
        nonlinearity: what follows; see `calculate_gain`.
        generator: where the random numbers come from.
    """
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
                    generator: Generator | None = None) -> Tensor:
    """Normal with standard deviation gain / √fan (He et al. 2015); arguments as in `kaiming_uniform_`."""
    return normal_(tensor, 0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> Tensor:
    """Orthonormal rows or columns, whichever are fewer, times gain (Saxe et al. 2013); axes from 1 on count as one."""
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_ needs at least two axes, this tensor has shape {tensor.shape}")
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    normal = (generator or default_generator).normals(rows * columns, tensor.dtype).reshape(rows, columns)
    q, r = np.linalg.qr(normal.T if rows < columns else normal)
    q *= np.sign(np.diag(r))  # makes the distribution uniform (Mezzadri 2006)
    return _write(tensor, gain * (q.T if rows < columns else q).reshape(tensor.shape))


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None) -> Tensor:
    """Normal, with the fraction `sparsity` of each column set to 0 (Martens 2010)."""
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_ fills a matrix, this tensor has shape {tensor.shape}")
    rows, columns = tensor.shape
    normal_(tensor, 0, std, generator)
    zeros = math.ceil(sparsity * rows)
    for column in range(columns):
        write(tensor, ((generator or default_generator).permutation(rows)[:zeros], column), 0)
    return tensor
