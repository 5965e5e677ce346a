"""Adam and its relatives: steps from a running average of the gradient, scaled by one of its size."""
# ruff: noqa: D102 (Optimizer says what buffers, check and formula are)

import math
from typing import Any, ClassVar

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
    Usual: decay for matrices only, none for biases and normalization:

    >>> matrices, others = [[p for p in model.parameters() if (p.ndim > 1) == large] for large in (True, False)]
    >>> optimizer = AdamW([{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0}], lr=3e-4)
    """

    def __init__(self, params: Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False,
                 foreach: bool | None = None, capturable: bool = False, differentiable: bool = False,
                 fused: bool | None = None) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize,
                         capturable=capturable, differentiable=differentiable, fused=fused, decoupled_weight_decay=True)


class Adamax(Optimizer):
    """Adamax (Kingma and Ba 2015, section 7.1): Adam with the largest recent gradient in place of the mean square.

        m ← β₁m + (1 - β₁)g
        u ← max(β₂u, |g| + ε)
        p ← p - lr/(1 - β₁ᵗ) · m/u

    Arguments as for `Adam`.
    """

    def __init__(self, params: Params, lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, foreach: bool | None = None, *, maximize: bool = False,
                 differentiable: bool = False, capturable: bool = False) -> None:
        super().__init__(params, locals())

    def buffers(self, group: Group) -> list[str]:
        return ["exp_avg", "exp_inf"]

    def formula(self, p: Any, g: Any, m: Any, u: Any, *, step: int, lr: float, betas: tuple[float, float],
                eps: float) -> None:
        beta1, beta2 = betas
        m += (1 - beta1) * (g - m)
        u[...] = np.maximum(beta2 * u, np.abs(g) + eps)
        p -= lr / (1 - beta1**step) * m / u


class NAdam(Optimizer):
    """Adam with Nesterov's momentum (Dozat 2016).

        μₜ = β₁(1 - ½·0.96^(tψ))
        m, v as for Adam
        p ← p - lr · (μₜ₊₁ m / (1 - Πᵢ₌₁ᵗ⁺¹ μᵢ) + (1 - μₜ) g / (1 - Πᵢ₌₁ᵗ μᵢ)) / (√v̂ + ε)

    Arguments as for `Adam`, and

    Args:
        momentum_decay: ψ, how slowly momentum comes in.
        decoupled_weight_decay: decay as `AdamW` does.
    """

    numbers: ClassVar[dict[str, Any]] = {"step": 0, "mu_product": 1.0}

    def __init__(self, params: Params, lr: float = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
                 foreach: bool | None = None, maximize: bool = False, capturable: bool = False,
                 differentiable: bool = False) -> None:
        super().__init__(params, locals())

    def buffers(self, group: Group) -> list[str]:
        return ["exp_avg", "exp_avg_sq"]

    def formula(self, p: Any, g: Any, m: Any, v: Any, *, step: int, mu_product: float, lr: float,
                betas: tuple[float, float], eps: float, momentum_decay: float) -> dict[str, Any]:
        beta1, beta2 = betas
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay)) for t in (step, step + 1))
        mu_product *= mu
        m += (1 - beta1) * (g - m)
        v *= beta2
        v += (1 - beta2) * (g * g)
        ahead = mu_next / (1 - mu_product * mu_next) * m + (1 - mu) / (1 - mu_product) * g
        p -= lr * ahead / (np.sqrt(v / (1 - beta2**step)) + eps)
        return {"mu_product": mu_product}


class RAdam(Optimizer):
    """Rectified Adam (Liu et al. 2020): no scaling by √v̂ while v̂ rests on too few gradients, so no warm-up is needed.

        ρ∞ = 2/(1 - β₂) - 1
        ρₜ = ρ∞ - 2tβ₂ᵗ/(1 - β₂ᵗ)                                          the number of gradients that v̂ rests on
        rₜ = √((ρₜ-4)(ρₜ-2)ρ∞ / ((ρ∞-4)(ρ∞-2)ρₜ))
        p ← p - lr·rₜ·m̂·√(1 - β₂ᵗ)/(√v + ε)   if ρₜ > 5, else   p ← p - lr·m̂

    Arguments as for `Adam`; `decoupled_weight_decay` decays as `AdamW` does.
    """

    def __init__(self, params: Params, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
                 weight_decay: float = 0, decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
                 maximize: bool = False, capturable: bool = False, differentiable: bool = False) -> None:
        super().__init__(params, locals())

    def buffers(self, group: Group) -> list[str]:
        return ["exp_avg", "exp_avg_sq"]

    def formula(self, p: Any, g: Any, m: Any, v: Any, *, step: int, lr: float, betas: tuple[float, float],
                eps: float) -> None:
        beta1, beta2 = betas
        m += (1 - beta1) * (g - m)
        v *= beta2
        v += (1 - beta2) * (g * g)
        rate = lr / (1 - beta1**step)
        longest = 2 / (1 - beta2) - 1
        length = longest - 2 * step * beta2**step / (1 - beta2**step)
        if length > 5:
            rectification = math.sqrt((length - 4) * (length - 2) * longest
                                      / ((longest - 4) * (longest - 2) * length))
            p -= rate * rectification * math.sqrt(1 - beta2**step) * m / (np.sqrt(v) + eps)
        else:
            p -= rate * m


class Lion(Optimizer):
    """Lion (Chen et al. 2023): the sign of an average of gradients; every element moves by lr.

        p ← p - lr·sign(β₁m + (1 - β₁)g)
        m ← β₂m + (1 - β₂)g

    Weight decay is decoupled, as `AdamW`'s. Usual: a third to a tenth of AdamW's lr, and as much more decay.

    Args:
        params: Tensors, (name, Tensor) pairs or groups; see `Optimizer`.
        lr: learning rate: the size of every step.
        betas: β₁ and β₂.
        weight_decay: λ, decoupled.
        maximize: climb instead of descending.
    """

    decoupled = True

    def __init__(self, params: Params, lr: float = 1e-4, betas: tuple[float, float] = (0.9, 0.99),
                 weight_decay: float = 0, *, maximize: bool = False) -> None:
        super().__init__(params, locals())

    def buffers(self, group: Group) -> list[str]:
        return ["exp_avg"]

    def formula(self, p: Any, g: Any, m: Any, *, lr: float, betas: tuple[float, float]) -> None:
        beta1, beta2 = betas
        p -= lr * np.sign(m + (1 - beta1) * (g - m))
        m += (1 - beta2) * (g - m)
