"""Weight and spectral normalization, with PyTorch's names in the state_dict."""

import autograd
from autograd import Tensor, no_grad
from nn import functional as F
from nn.convolution import ConvTranspose1d, ConvTranspose2d, ConvTranspose3d
from nn.module import Module
from nn.utils.parametrize import parameter_to_compute, register_parametrization


class WeightNorm(Module):
    """w = g v / ‖v‖, the norm being that of each slice along `dim`, or of all."""

    def __init__(self, dim: int | None) -> None:
        super().__init__()
        self.dim = None if dim == -1 else dim  # PyTorch means by -1 no axis

    def norm(self, v: Tensor) -> Tensor:
        """The norm of each slice along `dim`, or of all."""
        if self.dim is None:
            return (v * v).sum().sqrt()
        others = tuple(i for i in range(v.ndim) if i != self.dim % v.ndim)
        return (v * v).sum(others, keepdim=True).sqrt() if others else v.abs()

    def forward(self, g: Tensor, v: Tensor) -> Tensor:
        return v * (g / self.norm(v))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """g and v of a weight."""
        return self.norm(weight), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Train the length g and the direction v of weights apart: w = g v / ‖v‖ (Salimans and Kingma 2016).

    In the state_dict g is `parametrizations.weight.original0` and v is `parametrizations.weight.original1`.

    Args:
        module: the layer, which is changed and returned.
        name: of its parameter.
        dim: each slice along this axis has a length of its own; None or -1: the whole has one.

    >>> layer = weight_norm(nn.Linear(20, 40))
    """
    parameter_to_compute("weight_norm", module, name)
    return register_parametrization(module, name, WeightNorm(dim), unsafe=True)


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """The axis `dim` against all others."""
    return weight.movedim(dim, 0).flatten(1)


def axis_of_outputs(module: Module) -> int:
    """Of the weight of a layer."""
    return int(isinstance(module, (ConvTranspose1d, ConvTranspose2d, ConvTranspose3d)))


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int, dim: int, eps: float) -> None:
        super().__init__()
        self.n_power_iterations, self.dim, self.eps = n_power_iterations, dim, eps
        if weight.ndim > 1:
            matrix = as_matrix(weight.detach(), dim)
            for name, size in zip(("_u", "_v"), matrix.shape, strict=True):
                vector = autograd.randn(size, dtype=weight.dtype)
                self.register_buffer(name, F.normalize(vector, dim=0, eps=eps))
            self.iterate(matrix, 15)

    def iterate(self, matrix: Tensor, count: int) -> None:
        """Power iterations: u and v approach the singular vectors of the largest singular value."""
        with no_grad():
            for _ in range(count):
                self._u = F.normalize(matrix @ self._v, dim=0, eps=self.eps)
                self._v = F.normalize(matrix.t() @ self._u, dim=0, eps=self.eps)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self.iterate(matrix.detach(), self.n_power_iterations)
        return weight / (self._u * (matrix @ self._v)).sum()

    def right_inverse(self, value: Tensor) -> Tensor:
        """The value itself, as if its largest singular value were 1."""
        return value


def spectral_norm(module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Module:
    """Divide weights by their largest singular value, σ ≈ uᵀ W v (Miyato et al. 2018).

    In training each reading of the weight goes `n_power_iterations` on in estimating u and v. In the state_dict W is
    `parametrizations.weight.original`, u and v are `parametrizations.weight.0._u` and `._v`.

    Args:
        module: the layer, which is changed and returned.
        name: of its parameter.
        n_power_iterations: at each reading in training; at least 1.
        eps: keeps norms from being 0.
        dim: the axis of the outputs: 0, for transposed convolutions 1.

    >>> layer = spectral_norm(nn.Conv2d(3, 8, 3))
    """
    if n_power_iterations < 1:
        raise ValueError(f"spectral_norm: n_power_iterations must be at least 1, not {n_power_iterations}")
    weight = parameter_to_compute("spectral_norm", module, name)
    dim = axis_of_outputs(module) if dim is None else dim
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
