"""Adam and its relatives: steps scaled by running averages of the gradient and of its square."""
# ruff: noqa: D102 (Optimizer says what buffers, check and formula are)

import math
from typing import Any

import numpy as np

from optim.optimizer import Group, Optimizer, Params


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015), optionally AMSGrad (Reddi et al. 2018).

        m ← β₁m + (1 - β₁)g
        v ← β₂v + (1 - β₂)g²
        p ← p - lr · m̂ / (√v̂ + ε)       with m̂ = m/(1 - β₁ᵗ), v̂ = v/(1 - β₂ᵗ)

    Args:
        params: Tensors, (name, Tensor) pairs or groups; see `Optimizer`.
        lr: learning rate: about the size of a step, since m̂/√v̂ is at most about 1.
        betas: β₁ and β₂, how much of the averages is kept.
        eps: ε, keeps the step finite where gradients vanish.
        weight_decay: λ. Coupled, it is added to the gradient, and so divided by √v̂: parameters with large gradients
            hardly decay. `AdamW` decouples it.
        amsgrad: use the largest v̂ so far, so that steps can only shrink.
        maximize: climb instead of descending.
        decoupled_weight_decay: as `AdamW`.
        foreach, capturable, fused: accepted for PyTorch's sake, without effect: updates are fused always.
        differentiable: not supported; anything but False is refused.

    >>> optimizer = Adam(model.parameters(), lr=3e-4)
    >>> optimizer.zero_grad(); loss(model(x), y).backward(); optimizer.step()
    """

    def __init__(self, params: Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None, maximize: bool = False,
                 capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
                 decoupled_weight_decay: bool = False) -> None:
        super().__init__(params, locals())

    def buffers(self, group: Group) -> list[str]:
        return ["exp_avg", "exp_avg_sq"] + ["max_exp_avg_sq"] * group["amsgrad"]

    def formula(self, p: Any, g: Any, m: Any, v: Any, v_max: Any = None, *, step: int, lr: float,
                betas: tuple[float, float], eps: float) -> None:
        beta1, beta2 = betas
        m += (1 - beta1) * (g - m)
        v *= beta2
        v += (1 - beta2) * (g * g)
        if v_max is not None:
            np.maximum(v_max, v, out=v_max)
            v = v_max
        correction1, correction2 = 1 - beta1**step, math.sqrt(1 - beta2**step)
        p -= lr * correction2 / correction1 * m / (np.sqrt(v) + correction2 * eps)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019).

        p ← p - lr·λp, then Adam's step

    so that all parameters decay alike, which Adam's coupled `weight_decay` does not do. Arguments as for `Adam`.
    Usual: decay for matrices only, none for biases and normalisation:

    >>> optimizer = AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0}], lr=3e-4)
    """

    def __init__(self, params: Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False,
                 foreach: bool | None = None, capturable: bool = False, differentiable: bool = False,
                 fused: bool | None = None) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize,
                         capturable=capturable, differentiable=differentiable, fused=fused, decoupled_weight_decay=True)
