"""Gradients brought to a norm or a range, and weights to a norm."""

import math
from collections.abc import Iterable

import numpy as np

import autograd
from autograd import Tensor
from autograd.inplace import write


def _list(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [p.grad for p in _list(parameters) if p.grad is not None]


def get_total_norm(tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False,
                   foreach: bool | None = None) -> Tensor:
    """The p-norm of all elements of all tensors together; p may be math.inf. `foreach` is for PyTorch's sake."""
    arrays = [t.detach().numpy() for t in _list(tensors)]
    if not arrays:
        return autograd.tensor(0.0)
    if norm_type == math.inf:
        norm = max(float(np.abs(a).max(initial=0)) for a in arrays)
    else:
        norm = sum(float((np.abs(a, dtype=np.float64) ** norm_type).sum()) for a in arrays) ** (1 / norm_type)
    if error_if_nonfinite and not math.isfinite(norm):
        raise RuntimeError(f"the total norm of order {norm_type} is {norm}; look for the tensor with a NaN or "
                           "infinity, or pass error_if_nonfinite=False to go on")
    return autograd.tensor(norm, dtype=arrays[0].dtype)


def clip_grad_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0,
                    error_if_nonfinite: bool = False, foreach: bool | None = None) -> Tensor:
    """Scale all gradients to a total norm of at most `max_norm`; returns the norm before (Pascanu et al. 2013)."""
    gradients = _gradients(parameters)
    norm = get_total_norm(gradients, norm_type, error_if_nonfinite)
    _shrink(gradients, max_norm, norm)
    return norm


def clip_grad_norm(parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0,
                   error_if_nonfinite: bool = False, foreach: bool | None = None) -> Tensor:
    """`clip_grad_norm_` under its older name."""
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite)


def clip_grads_with_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor,
                          foreach: bool | None = None) -> None:
    """Scale all gradients as if their total norm were `total_norm`, to at most `max_norm`."""
    _shrink(_gradients(parameters), max_norm, total_norm)


def _shrink(gradients: list[Tensor], max_norm: float, norm: Tensor) -> None:
    factor = float(max_norm) / (norm.item() + 1e-6)
    if not factor >= 1:  # a norm that is no number makes the gradients none
        for g in gradients:
            write(g, ..., g.array * g.dtype.type(factor))


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None) -> None:
    """Bring every element of every gradient between -clip_value and clip_value."""
    for g in _gradients(parameters):
        write(g, ..., np.clip(g.array, -clip_value, clip_value))


def max_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float) -> None:
    """Shrink each row of each weight (its axes from 1 on) to a norm of at most `max_norm` (Srivastava et al. 2014)."""
    for p in _list(parameters):
        if p.ndim > 1:
            norms = np.sqrt((p.array * p.array).sum(tuple(range(1, p.ndim)), keepdims=True))
            write(p, ..., p.array * np.minimum(1, max_norm / np.maximum(norms, 1e-12)).astype(p.dtype))
