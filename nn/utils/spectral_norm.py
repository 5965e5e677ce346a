"""Spectral normalization with the parameters named as PyTorch's older function did, for its checkpoints.

The mathematics is that of `nn.utils.parametrizations`, which new models should use.
"""

from autograd import Tensor, no_grad, randn
from nn import functional as F
from nn.module import Module
from nn.parameter import Parameter
from nn.utils.parametrizations import as_matrix, axis_of_outputs
from nn.utils.parametrize import compute_attribute, parameter_to_compute, remove_computed


class _SpectralNorm:
    def __init__(self, name: str, n_power_iterations: int, eps: float, dim: int) -> None:
        self.original, self.u, self.v = f"{name}_orig", f"{name}_u", f"{name}_v"
        self.n_power_iterations, self.eps, self.dim = n_power_iterations, eps, dim

    def normalized(self, vector: Tensor) -> Tensor:
        """A vector of length 1."""
        return F.normalize(vector, dim=0, eps=self.eps)

    def divided(self, module: Module) -> Tensor:
        """W / (uᵀ W v)."""
        weight = getattr(module, self.original)
        return weight / (getattr(module, self.u) * (as_matrix(weight, self.dim) @ getattr(module, self.v))).sum()

    def __call__(self, module: Module) -> Tensor:
        if module.training:
            with no_grad():
                matrix = as_matrix(getattr(module, self.original).detach(), self.dim)
                for _ in range(self.n_power_iterations):  # v first; the newer function begins with u
                    setattr(module, self.v, self.normalized(matrix.t() @ getattr(module, self.u)))
                    setattr(module, self.u, self.normalized(matrix @ getattr(module, self.v)))
        return self.divided(module)

    def remove(self, module: Module) -> Tensor:
        """Take the parameter and the buffers away; returns the last weight."""
        weight = self.divided(module)
        for name in (self.original, self.u, self.v):
            delattr(module, name)
        return weight


def spectral_norm(module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Module:
    """Divide weights by their largest singular value, σ ≈ uᵀ W v (Miyato et al. 2018).

    In the state_dict W is `weight_orig`, u and v are `weight_u` and `weight_v`, as in PyTorch's older
    `torch.nn.utils.spectral_norm`; new models should use `nn.utils.parametrizations.spectral_norm`.

    Args:
        module: the layer, which is changed and returned.
        name: of its parameter.
        n_power_iterations: at each reading of the weight in training; at least 1.
        eps: keeps norms from being 0.
        dim: the axis of the outputs: 0, for transposed convolutions 1.
    """
    if n_power_iterations < 1:
        raise ValueError(f"spectral_norm: n_power_iterations must be at least 1, not {n_power_iterations}")
    weight = parameter_to_compute("spectral_norm", module, name)
    compute = _SpectralNorm(name, n_power_iterations, eps, axis_of_outputs(module) if dim is None else dim)
    delattr(module, name)
    setattr(module, compute.original, Parameter(weight.detach().clone()))
    for vector, size in zip((compute.u, compute.v), as_matrix(weight.detach(), compute.dim).shape, strict=True):
        module.register_buffer(vector, compute.normalized(randn(size, dtype=weight.dtype)))
    return compute_attribute(module, name, compute)


def remove_spectral_norm(module: Module, name: str = "weight") -> Module:
    """Make the attribute a plain parameter again, with the value it has now."""
    return remove_computed("spectral_norm", _SpectralNorm, module, name)
