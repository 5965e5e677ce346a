"""Weight and spectral normalization and orthogonal weights, with PyTorch's names in the state_dict."""

import math

import numpy as np

import autograd
from autograd import Tensor, no_grad
from autograd.errors import ShapeError
from autograd.linalg import solve
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


def _exponential(a: Tensor) -> Tensor:
    """The matrix exponential: a Padé approximation of a / 2^s, squared s times (Higham 2005)."""
    order, size = 8, float(np.abs(a.array).sum(axis=-2).max(initial=0))
    squarings = max(0, math.ceil(math.log2(size / 0.5))) if 0 < size < math.inf else 0
    a = a * 0.5 ** squarings
    power = above = below = autograd.eye(a.shape[-1], dtype=a.dtype)
    factor = 1.0
    for k in range(1, order + 1):
        factor *= (order - k + 1) / (k * (2 * order - k + 1))
        power = a @ power
        above, below = above + power * factor, below + power * (factor * (-1) ** k)
    result: Tensor = solve(below, above)
    for _ in range(squarings):
        result = result @ result
    return result


def _reflected(x: Tensor) -> Tensor:
    """The product of the Householder reflections whose vectors stand below the diagonal of x: its first columns."""
    n, k = x.shape[-2:]
    vectors = x.tril(-1) + autograd.eye(n, k, dtype=x.dtype)
    tau = 2 / (vectors * vectors).sum(-2)
    q = autograd.eye(n, k, dtype=x.dtype)
    for i in reversed(range(k)):
        v = vectors[..., :, i:i + 1]
        q = q - tau[..., i, None, None] * v * (v.mT @ q)
    return q * x.detach().diagonal(dim1=-2, dim2=-1).trunc().unsqueeze(-2)


class _Orthogonal(Module):
    base: Tensor

    def __init__(self, shape: tuple[int, ...], orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.shape, self.orthogonal_map, self.use_trivialization = shape, orthogonal_map, use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.shape[-2] < x.shape[-1]
        x = x.mT if wide else x
        n, k = x.shape[-2:]
        if self.orthogonal_map == "householder":
            q = _reflected(x)
        else:
            lower = x.tril()
            if n != k:
                lower = autograd.cat([lower, autograd.zeros(*x.shape[:-1], n - k, dtype=x.dtype)], -1)
            a = lower - lower.mT
            if self.orthogonal_map == "cayley":
                one = autograd.eye(n, dtype=a.dtype)
                q = solve(one - a * 0.5, one + a * 0.5)
            else:
                q = _exponential(a)
            q = q[..., :k]
        if self.use_trivialization:
            q = self.base @ q
        return q.mT if wide else q

    def right_inverse(self, value: Tensor) -> Tensor:
        """The original of an orthogonal matrix near to a value."""
        if value.shape != self.shape:
            raise ShapeError(f"the orthogonal weight has shape {self.shape}; a value of shape {value.shape} cannot be "
                             "assigned to it")
        wide = value.shape[-2] < value.shape[-1]
        q = (value.mT if wide else value).detach().numpy()
        n, k = q.shape[-2:]
        if not self.use_trivialization:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(f"the original of a value is not known for orthogonal_map="
                                          f"{self.orthogonal_map!r} with use_trivialization=False")
            h, tau = np.linalg.qr(q, mode="raw")
            x = np.swapaxes(h, -1, -2).copy()
            diagonal = np.einsum("...ii->...i", x[..., :k, :])
            diagonal[...] = np.sign(diagonal) * np.where(tau == 0, -1, 1)
            return autograd.as_tensor(x.swapaxes(-1, -2) if wide else x)
        if n != k:
            q = np.concatenate([q, autograd.randn(*q.shape[:-1], n - k, dtype=q.dtype).numpy()], -1)
        near = 10 * n * np.finfo(q.dtype).eps
        if n != k or not np.allclose(q.swapaxes(-1, -2) @ q, np.eye(n), rtol=1e-5, atol=near):
            q, r = np.linalg.qr(q)
            q = q * np.sign(np.einsum("...ii->...i", r))[..., None, :]
        self.base = autograd.tensor(q)
        one = np.eye(value.shape[-2], value.shape[-1], dtype=q.dtype)
        return autograd.as_tensor(np.broadcast_to(-one, value.shape).copy())


def orthogonal(module: Module, name: str = "weight", orthogonal_map: str | None = None, *,
               use_trivialization: bool = True) -> Module:
    """Keep a weight orthogonal: QᵀQ = 1, or QQᵀ = 1 if it has more columns than rows, for matrices (..., m, n).

    The weight is B f(X), X being trained. f is the exponential or the Cayley transform (1 - A/2)⁻¹ (1 + A/2) of the
    skew matrix A = tril(X) - tril(X)ᵀ, or the product of the Householder reflections below the diagonal of X. B is the
    weight at first, made orthogonal by a QR decomposition if it isn't (dynamic trivializations, Lezcano-Casado 2019).
    In the state_dict X is `parametrizations.weight.original`, B is `parametrizations.weight.0.base`.

    Args:
        module: the layer, which is changed and returned.
        name: of its parameter.
        orthogonal_map: f: "matrix_exp", "cayley" or "householder"; default "matrix_exp" for square matrices,
            "householder" for others.
        use_trivialization: whether there is a B.

    >>> weight = orthogonal(nn.Linear(3, 5)).weight
    >>> autograd.allclose(weight.T @ weight, autograd.eye(3), atol=1e-5)
    True
    """
    weight = parameter_to_compute("orthogonal", module, name)
    if weight.ndim < 2:
        raise ShapeError(f"orthogonal: {type(module).__name__}.{name} must be a matrix, or several, not of shape "
                         f"{weight.shape}")
    if orthogonal_map is None:
        orthogonal_map = "matrix_exp" if weight.shape[-2] == weight.shape[-1] else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(f"orthogonal: orthogonal_map must be 'matrix_exp', 'cayley' or 'householder', not "
                         f"{orthogonal_map!r}")
    return register_parametrization(module, name, _Orthogonal(weight.shape, orthogonal_map, use_trivialization),
                                    unsafe=True)
