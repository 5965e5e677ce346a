"""Rules that look at a parameter as a matrix: Adafactor and Muon."""
# ruff: noqa: D102 (Optimizer says what buffers, check and formula are)

import math
from typing import Any, ClassVar

import numpy as np

from optim.optimizer import Group, Optimizer, Params


class Adafactor(Optimizer):
    """Adafactor (Shazeer and Stern 2018): of a matrix's mean squares only those of rows and columns are kept.

        β̂ = 1 - t^β₂decay,  ρ = min(lr, 1/√t),  α = max(ε₂, RMS(p))·ρ
        r ← β̂r + (1 - β̂)·mean of g² along rows,   c ← … along columns
        v̂ = r·c / mean(r)
        u = g/√v̂
        p ← p - α·u / max(1, RMS(u)/d)

    For vectors v ← β̂v + (1 - β̂)g² is kept whole. Weight decay is decoupled.

    Args:
        params: Tensors, (name, Tensor) pairs or groups; see `Optimizer`.
        lr: the largest relative step.
        beta2_decay: how fast the averages slow down, 0 or less.
        eps: ε₁, the least √v̂ (None: the dtype's rounding unit), and ε₂, the least RMS(p).
        d: steps of a larger RMS are shortened to it.
        weight_decay: λ, decoupled.
        maximize: climb instead of descending.
        foreach: without effect, see `SGD`.
    """

    elementwise = False

    def __init__(self, params: Params, lr: float = 1e-2, beta2_decay: float = -0.8,
                 eps: tuple[float | None, float] = (None, 1e-3), d: float = 1.0, weight_decay: float = 0.0, *,
                 foreach: bool | None = None, maximize: bool = False) -> None:
        super().__init__(params, locals())

    def check(self, group: Group) -> None:
        super().check(group)
        if not group["beta2_decay"] <= 0:
            self._refuse("beta2_decay", group["beta2_decay"], "must be 0 or less: it is an exponent of t")
        if not group["d"] >= 1:
            self._refuse("d", group["d"], "must be 1 or more")
        if any(eps is not None and not eps >= 0 for eps in group["eps"]):
            self._refuse("eps", group["eps"], "both must be 0 or more (the first may be None)")

    def buffers(self, group: Group) -> list[str]:
        return ["row_var", "col_var", "variance"]

    def new_buffer(self, name: str, p: np.ndarray) -> np.ndarray | None:
        if (name == "variance") == (p.ndim > 1):
            return None
        shape = {"row_var": (*p.shape[:-1], 1), "col_var": (*p.shape[:-2], 1, *p.shape[-1:]), "variance": p.shape}[name]
        return np.zeros(shape, p.dtype)

    def formula(self, p: Any, g: Any, r: Any, c: Any, v: Any, *, step: int, lr: float, beta2_decay: float,
                eps: tuple[float | None, float], d: float, weight_decay: float) -> None:
        eps1 = float(np.finfo(p.dtype).eps) if eps[0] is None else eps[0]
        weight = step**beta2_decay
        alpha = max(eps[1], _rms(p)) * min(lr, 1 / math.sqrt(step))
        p *= 1 - lr * weight_decay
        if v is None:
            r += weight * ((g * g).mean(-1, keepdims=True) - r)
            c += weight * ((g * g).mean(-2, keepdims=True) - c)
            v = r @ c / np.maximum(r.mean(-2, keepdims=True), eps1)
        else:
            v += weight * (g * g - v)
        u = g / np.sqrt(np.maximum(v, eps1 * eps1))
        p -= alpha / max(1.0, _rms(u) / d) * u


def _rms(x: np.ndarray) -> float:
    return float(np.linalg.norm(x)) / math.sqrt(x.size) if x.size else 0.0


class Muon(Optimizer):
    """Muon (Jordan et al. 2024): momentum, made orthogonal. For the weight matrices of hidden layers only.

        m ← μm + (1 - μ)g
        u = μm + (1 - μ)g   with Nesterov, else m
        p ← p - lr'·UVᵀ,    where u = USVᵀ, by Newton-Schulz iterations: X ← aX + (bA + cA²)X with A = XXᵀ
        lr' = lr·√max(1, rows/columns)            "original"
        lr' = 0.2·lr·√max(rows, columns)          "match_rms_adamw" (Liu et al. 2025)

    The iteration runs in the parameter's dtype; PyTorch's runs in bfloat16, and agrees to about two digits. Weight
    decay is decoupled.

    Args:
        params: matrices, or groups of them; biases, norms, embeddings and the last layer belong to `AdamW`.
        lr: learning rate.
        weight_decay: λ, decoupled.
        momentum: μ.
        nesterov: look ahead by the momentum.
        ns_coefficients: a, b and c.
        eps: the least norm that u is divided by.
        ns_steps: number of iterations.
        adjust_lr_fn: "original" (also None) or "match_rms_adamw".

    Raises:
        ValueError: a parameter that is no matrix.
    """

    elementwise = False
    decoupled = True
    numbers: ClassVar[dict[str, Any]] = {}

    def __init__(self, params: Params, lr: float = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95,
                 nesterov: bool = True, ns_coefficients: tuple[float, float, float] = (3.4445, -4.7750, 2.0315),
                 eps: float = 1e-7, ns_steps: int = 5, adjust_lr_fn: str | None = None) -> None:
        super().__init__(params, locals())

    def check(self, group: Group) -> None:
        super().check(group)
        for p in group["params"]:
            if p.ndim != 2:
                raise ValueError(f"Muon updates matrices, but a parameter has shape {p.shape}; give it to AdamW, "
                                 "and to Muon only [p for p in model.parameters() if p.ndim == 2]")
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            self._refuse("adjust_lr_fn", group["adjust_lr_fn"], "must be 'original' or 'match_rms_adamw'")

    def buffers(self, group: Group) -> list[str]:
        return ["momentum_buffer"]

    def formula(self, p: Any, g: Any, m: Any, *, lr: float, momentum: float, nesterov: bool,
                ns_coefficients: tuple[float, float, float], eps: float, ns_steps: int,
                adjust_lr_fn: str | None) -> None:
        m += (1 - momentum) * (g - m)
        u = g + momentum * (m - g) if nesterov else m
        rows, columns = p.shape
        factor = 0.2 * math.sqrt(max(rows, columns)) if adjust_lr_fn == "match_rms_adamw" else math.sqrt(
            max(1, rows / columns))
        p -= lr * factor * orthogonalized(u, ns_coefficients, ns_steps, eps)


def orthogonalized(u: np.ndarray, coefficients: tuple[float, float, float], steps: int, eps: float) -> np.ndarray:
    """About UVᵀ of a matrix u = USVᵀ: its singular values are brought near 1 (0.7 to 1.2 with Muon's coefficients)."""
    a, b, c = coefficients
    x = u.T if u.shape[0] > u.shape[1] else u
    x = x / max(float(np.linalg.norm(x)), eps)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T if u.shape[0] > u.shape[1] else x
