"""Stochastic gradient descent, with momentum or with averaging."""
# ruff: noqa: D102 (Optimizer says what buffers, check and formula are)

from typing import Any, ClassVar

from optim.optimizer import Group, Optimizer, Params


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum (Polyak 1964) or Nesterov's (Sutskever et al. 2013).

        v ← μv + (1 - τ)g          (v ← g at first)
        p ← p - lr·v               plain momentum
        p ← p - lr·(g + μv)        Nesterov's
        p ← p - lr·g               without momentum

    Two other forms of momentum found in text books are this one with other numbers:
    the velocity form, v ← μv - lr·g; p ← p + v, takes the same steps as long as lr does not change
    (its v is -lr times the one here); the averaging form, v ← βv + (1 - β)g, is `momentum=β, dampening=β`, apart from
    the first step, where v is g here and (1 - β)g there.

    Args:
        params: Tensors, (name, Tensor) pairs or groups; see `Optimizer`.
        lr: learning rate.
        momentum: μ, the share of the velocity kept; 0.9 is usual.
        dampening: τ, the share of the gradient withheld from the velocity.
        weight_decay: λ: adds λp to the gradient, as the penalty λ/2·‖p‖² does.
        nesterov: look ahead by the velocity. Needs momentum and no dampening.
        maximize: climb instead of descending.
        foreach, fused: accepted for PyTorch's sake, without effect: updates are fused always.
        differentiable: not supported; anything but False is refused.

    >>> optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    >>> optimizer.zero_grad(); loss(model(x), y).backward(); optimizer.step()
    """

    numbers: ClassVar[dict[str, Any]] = {}

    def __init__(self, params: Params, lr: float = 1e-3, momentum: float = 0, dampening: float = 0,
                 weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False,
                 foreach: bool | None = None, differentiable: bool = False, fused: bool | None = None) -> None:
        super().__init__(params, locals())

    def check(self, group: Group) -> None:
        super().check(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("nesterov=True needs a momentum above 0 and no dampening, but momentum is "
                             f"{group['momentum']} and dampening {group['dampening']}; write momentum=0.9, dampening=0")

    def buffers(self, group: Group) -> list[str]:
        return ["momentum_buffer"] if group["momentum"] else []

    def formula(self, p: Any, g: Any, v: Any = None, *, first: bool, lr: float, momentum: float, dampening: float,
                nesterov: bool) -> None:
        if v is not None:
            if first:
                v[...] = g
            else:
                v *= momentum
                v += (1 - dampening) * g
            g = g + momentum * v if nesterov else v
        p -= lr * g


class ASGD(Optimizer):
    """Averaged stochastic gradient descent (Polyak and Juditsky 1992): `ax` is the average of the parameters.

        p  ← (1 - λη)p - ηg
        ax ← ax + μ(p - ax)
        η  ← lr/(1 + λ·lr·t)^α,   μ ← 1/max(1, t - t₀)

    Args:
        params: Tensors, (name, Tensor) pairs or groups; see `Optimizer`.
        lr: learning rate at the start.
        lambd: λ, how fast it falls; also a decay of the parameters.
        alpha: α.
        t0: t₀, the update after which averaging begins; before it `ax` is the parameter itself.
        weight_decay: coupled: adds weight_decay·p to the gradient.
        maximize: climb instead of descending.
        foreach, capturable: without effect, see `SGD`.
        differentiable: not supported.

    The averages are in `optimizer.state[p]["ax"]`.
    """

    numbers: ClassVar[dict[str, Any]] = {"step": 0, "eta": None, "mu": 1.0}

    def __init__(self, params: Params, lr: float = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
                 weight_decay: float = 0, foreach: bool | None = None, maximize: bool = False,
                 differentiable: bool = False, capturable: bool = False) -> None:
        super().__init__(params, locals())

    def buffers(self, group: Group) -> list[str]:
        return ["ax"]

    def formula(self, p: Any, g: Any, average: Any, *, step: int, eta: float | None, mu: float, lr: float, lambd: float,
                alpha: float, t0: float) -> dict[str, Any]:
        eta = lr if eta is None else eta
        p *= 1 - lambd * eta
        p -= eta * g
        if mu == 1:
            average[...] = p
        else:
            average += mu * (p - average)
        return {"eta": lr / (1 + lambd * lr * step) ** alpha, "mu": 1 / max(1, step - t0)}
