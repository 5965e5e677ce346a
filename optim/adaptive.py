"""Rules that scale each element's step by the size of its past gradients: Adagrad, RMSprop, Adadelta, Rprop."""
# ruff: noqa: D102 (Optimizer says what buffers, check and formula are)

from typing import Any

import numpy as np

from optim.optimizer import Group, Optimizer, Params


class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan and Singer 2011).

        s ← s + g²
        p ← p - lrₜ·g / (√s + ε)       with lrₜ = lr/(1 + (t-1)·lr_decay)

    The sum only grows, so steps shrink towards nothing; `RMSprop` forgets instead.

    Args:
        params: Tensors, (name, Tensor) pairs or groups; see `Optimizer`.
        lr: learning rate.
        lr_decay: how fast the learning rate falls as 1/t, besides.
        weight_decay: λ, coupled: adds λp to the gradient.
        initial_accumulator_value: s at the start.
        eps: ε, keeps the step finite where gradients vanish.
        maximize: climb instead of descending.
        foreach, fused: without effect, see `SGD`.
        differentiable: not supported.
    """

    def __init__(self, params: Params, lr: float = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
                 initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *,
                 maximize: bool = False, differentiable: bool = False, fused: bool | None = None) -> None:
        super().__init__(params, locals())

    def buffers(self, group: Group) -> list[str]:
        return ["sum"]

    def formula(self, p: Any, g: Any, s: Any, *, first: bool, step: int, lr: float, lr_decay: float, eps: float,
                initial_accumulator_value: float) -> None:
        if first:
            s[...] = initial_accumulator_value
        s += g * g
        p -= lr / (1 + (step - 1) * lr_decay) * g / (np.sqrt(s) + eps)


class RMSprop(Optimizer):
    """RMSprop (Tieleman and Hinton 2012), optionally centered (Graves 2013) and with momentum.

        s ← αs + (1 - α)g²
        a ← αa + (1 - α)g                  if centered
        d ← g / (√s + ε)                   or g / (√(s - a²) + ε) if centered
        p ← p - lr·d                       or b ← μb + d, p ← p - lr·b with momentum

    Args:
        params: Tensors, (name, Tensor) pairs or groups; see `Optimizer`.
        lr: learning rate.
        alpha: α, how much of the averages is kept.
        eps: ε, keeps the step finite where gradients vanish.
        weight_decay: λ, coupled: adds λp to the gradient.
        momentum: μ.
        centered: scale by the variance of the gradient, rather than by its mean square.
        maximize: climb instead of descending.
        foreach, capturable: without effect, see `SGD`.
        differentiable: not supported.
    """

    def __init__(self, params: Params, lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
                 weight_decay: float = 0, momentum: float = 0, centered: bool = False, capturable: bool = False,
                 foreach: bool | None = None, maximize: bool = False, differentiable: bool = False) -> None:
        super().__init__(params, locals())

    def buffers(self, group: Group) -> list[str]:
        return ["square_avg"] + ["momentum_buffer"] * (group["momentum"] > 0) + ["grad_avg"] * bool(group["centered"])

    def formula(self, p: Any, g: Any, s: Any, *others: Any, lr: float, alpha: float, eps: float, momentum: float,
                centered: bool) -> None:
        s *= alpha
        s += (1 - alpha) * (g * g)
        if centered:
            a = others[-1]
            a += (1 - alpha) * (g - a)
            s = s - a * a
        d = g / (np.sqrt(s) + eps)
        if momentum > 0:
            b = others[0]
            b *= momentum
            b += d
            d = b
        p -= lr * d


class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012): the step takes its unit from past steps, not from a learning rate.

        s ← ρs + (1 - ρ)g²
        Δ ← √(u + ε) / √(s + ε) · g
        u ← ρu + (1 - ρ)Δ²
        p ← p - lr·Δ

    Args:
        params: Tensors, (name, Tensor) pairs or groups; see `Optimizer`.
        lr: a factor on the step; 1 in the paper.
        rho: ρ, how much of the averages is kept.
        eps: ε, which also sets the size of the first steps.
        weight_decay: λ, coupled: adds λp to the gradient.
        maximize: climb instead of descending.
        foreach, capturable: without effect, see `SGD`.
        differentiable: not supported.
    """

    def __init__(self, params: Params, lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0,
                 foreach: bool | None = None, *, capturable: bool = False, maximize: bool = False,
                 differentiable: bool = False) -> None:
        super().__init__(params, locals())

    def check(self, group: Group) -> None:
        super().check(group)
        if not 0 <= group["rho"] <= 1:
            self._refuse("rho", group["rho"], "must be between 0 and 1")

    def buffers(self, group: Group) -> list[str]:
        return ["square_avg", "acc_delta"]

    def formula(self, p: Any, g: Any, s: Any, u: Any, *, lr: float, rho: float, eps: float) -> None:
        s *= rho
        s += (1 - rho) * (g * g)
        delta = np.sqrt(u + eps) / np.sqrt(s + eps) * g
        u *= rho
        u += (1 - rho) * (delta * delta)
        p -= lr * delta


class Rprop(Optimizer):
    """Resilient propagation (Riedmiller and Braun 1993): steps depend on the gradient's sign alone. For full batches.

        Δ ← clip(η⁺Δ if the sign stayed, η⁻Δ if it changed)
        g ← 0 where the sign changed
        p ← p - Δ·sign(g)

    Args:
        params: Tensors, (name, Tensor) pairs or groups; see `Optimizer`.
        lr: Δ at the start.
        etas: η⁻ and η⁺, with 0 < η⁻ < 1 < η⁺.
        step_sizes: the least and the largest Δ.
        maximize: climb instead of descending.
        foreach, capturable: without effect, see `SGD`.
        differentiable: not supported.
    """

    def __init__(self, params: Params, lr: float = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
                 step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False, foreach: bool | None = None,
                 maximize: bool = False, differentiable: bool = False) -> None:
        super().__init__(params, locals())

    def check(self, group: Group) -> None:
        super().check(group)
        if not 0 < group["etas"][0] < 1 < group["etas"][1]:
            self._refuse("etas", group["etas"], "must be (η⁻, η⁺) with 0 < η⁻ < 1 < η⁺")

    def buffers(self, group: Group) -> list[str]:
        return ["prev", "step_size"]

    def formula(self, p: Any, g: Any, previous: Any, size: Any, *, first: bool, lr: float, etas: tuple[float, float],
                step_sizes: tuple[float, float]) -> None:
        if first:
            size[...] = lr
        shrink, grow = etas
        least, largest = step_sizes
        agreement = g * previous
        changed = agreement < 0
        size *= 1 + (grow - 1) * (agreement > 0) + (shrink - 1) * changed
        size[...] = np.minimum(np.maximum(size, least), largest)
        previous[...] = g * (1 - changed)
        p -= size * np.sign(previous)
