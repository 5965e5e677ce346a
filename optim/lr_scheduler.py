"""Learning-rate schedules.

    scheduler = CosineAnnealingLR(optimizer, T_max=epochs)
    for epoch in range(epochs):
        train(...)                  # calls optimizer.step()
        scheduler.step()

A schedule may count epochs, as here, or updates: it only counts calls of its `step()`. Most multiply the learning rate
by a factor of time, so that several may act on one optimizer: each multiplies by its factor now over that before.
"""
# ruff: noqa: N803 (PyTorch's argument names)

import bisect
import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from autograd import Tensor
from autograd.errors import explain_constructor, is_of
from optim.optimizer import Optimizer


class LRScheduler:
    """Sets the learning rates of an optimizer's groups, when it is made and again in every `step()`.

    A schedule of one's own says what the rates are at time `self.last_epoch`, in `get_lr()`; `self.base_lrs` are those
    from before the first schedule, `self.optimizer.param_groups[i]["lr"]` those of now.

    Args:
        optimizer: whose rates to set.
        last_epoch: -1 to begin; the number of the last epoch to go on in the middle, with the optimizer's state loaded.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if is_of(cls, __name__):
            explain_constructor(cls)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        _check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(f"last_epoch={last_epoch} goes on with a schedule, but group {i} has no 'initial_lr': "
                               "load the optimizer's saved state first, or begin with last_epoch=-1")
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch: Any = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        self.step()
        self._is_initial = False

    def get_lr(self) -> list[float]:
        """The rate of each group at time `self.last_epoch`."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr()")

    def get_last_lr(self) -> list[float]:
        """The rate of each group as this schedule last set it."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Go on to the next epoch, or to the one given, and set the rates."""
        if self._step_count == 1 and not self.optimizer._stepped:
            warnings.warn("scheduler.step() was called before optimizer.step(), so the first learning rate of the "
                          "schedule is skipped; call optimizer.step() first", UserWarning, stacklevel=2)
        self._step_count += 1
        self._update_lr(epoch)

    def _update_lr(self, epoch: float | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        self._set(self.get_lr() if epoch is None else self._lr_at_once())

    def _lr_at_once(self) -> list[float]:
        return self.get_lr()

    def _set(self, rates: list[float]) -> None:
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = lr
        self._last_lr = list(rates)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer. Functions are not saved; callable objects are, by their attributes."""
        return {name: _saved(value) for name, value in vars(self).items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict()` gave. The rates themselves are part of the optimizer's state."""
        for name, value in state_dict.items():
            setattr(self, name, _loaded(getattr(self, name, None), value))

    def _each_group(self, name: str, value: Any) -> list:
        return _each_group(self.optimizer, name, value)


def _check_optimizer(optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"an optimizer belongs in the place of this {type(optimizer).__name__}; write optimizer = "
                        "optim.SGD(...) first, and give that")


def _each_group(optimizer: Optimizer, name: str, value: Any) -> list:
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * count
    if len(value) != count:
        raise ValueError(f"{name} has {len(value)} values, but the optimizer has {count} parameter groups; give one "
                         "value, or one for each group")
    return list(value)


def _saved(value: Any) -> Any:
    if isinstance(value, LRScheduler):
        return value.state_dict()
    if isinstance(value, (list, tuple)) and any(callable(v) or isinstance(v, LRScheduler) for v in value):
        return [_saved(v) for v in value]
    return dict(getattr(value, "__dict__", ())) or None if callable(value) else value


def _loaded(own: Any, value: Any) -> Any:
    if isinstance(own, LRScheduler):
        own.load_state_dict(value)
        return own
    if isinstance(own, (list, tuple)) and any(callable(v) or isinstance(v, LRScheduler) for v in own):
        return [_loaded(o, v) for o, v in zip(own, value, strict=True)]
    if callable(own):
        if value:
            vars(own).update(value)
        return own
    return value


# Schedules that multiply by a factor of time


class FactorLR(LRScheduler):
    """A schedule that multiplies the learning rate by a factor of time: the base of those that follow.

        lr ← eta_min + (lr - eta_min) · factor(t)/factor(t - 1)

    so that without other schedules lr = eta_min + (base - eta_min)·factor(t), and together with others all multiply.
    """

    eta_min = 0.0
    stepwise = False
    """Whether the factor stands still but for a few jumps. Who goes on with `last_epoch=` has loaded a rate: for a
    stepwise schedule that of this epoch, so that it jumps if the next one is a milestone; for others that of the next
    one already. Both are PyTorch's."""

    def multiplier(self, t: int) -> float:
        """The factor at time t, from 0 on."""
        raise NotImplementedError(f"{type(self).__name__} does not define multiplier()")

    def get_lr(self) -> list[float]:
        """The rate of each group at time `self.last_epoch`."""
        t, low = self.last_epoch, self.eta_min
        rates = [group["lr"] for group in self.optimizer.param_groups]
        if self._is_initial and t > 0 and not self.stepwise:
            return rates
        before, now = self.multiplier(t - 1) if t > 0 else 1.0, self.multiplier(t)
        if now == before:
            return rates
        if before == 0:  # nothing left to multiply
            return self._lr_at_once()
        return [low + (lr - low) * now / before for lr in rates]

    def _lr_at_once(self) -> list[float]:
        return [self.eta_min + (base - self.eta_min) * self.multiplier(self.last_epoch) for base in self.base_lrs]


class StepLR(FactorLR):
    """Step decay: multiply by `gamma` every `step_size` epochs."""

    stepwise = True

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """γ^⌊t/step_size⌋."""
        return self.gamma ** (t // self.step_size)


class MultiStepLR(FactorLR):
    """Multiply by `gamma` at each of the epochs `milestones`."""

    stepwise = True

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1,
                 last_epoch: int = -1) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """γ to the number of milestones reached."""
        return self.gamma ** sum(count for milestone, count in self.milestones.items() if milestone <= t)


class ConstantLR(FactorLR):
    """Multiply by `factor` until epoch `total_iters`."""

    stepwise = True

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        if not 0 <= factor <= 1:
            raise ValueError(f"factor is {factor}, but must be between 0 and 1")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """The factor, then 1."""
        return self.factor if t < self.total_iters else 1.0


class LinearLR(FactorLR):
    """A straight line from `start_factor` to `end_factor` in `total_iters` epochs.

    Warm-up: `LinearLR(optimizer, start_factor=0.01, total_iters=500)`.
    The notes' linear decay: `LinearLR(optimizer, start_factor=1, end_factor=0, total_iters=epochs)`.
    """

    def __init__(self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5,
                 last_epoch: int = -1) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"start_factor is {start_factor}, but must be above 0 and at most 1; to begin "
                             "near 0 write a small number such as 0.01")
        if not 0 <= end_factor <= 1:
            raise ValueError(f"end_factor is {end_factor}, but must be between 0 and 1")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """start + (end - start)·t/total."""
        return self.start_factor + (self.end_factor - self.start_factor) * min(t, self.total_iters) / max(
            1, self.total_iters)


class ExponentialLR(FactorLR):
    """Multiply by `gamma` every epoch: the notes' α₀·e^(-kt) with γ = e^(-k)."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """γᵗ."""
        return self.gamma**t


class PolynomialLR(FactorLR):
    """(1 - t/total_iters)^power, then 0."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """(1 - t/total)^power."""
        return (1 - min(t, self.total_iters) / max(1, self.total_iters)) ** self.power


class CosineAnnealingLR(FactorLR):
    """Half a wave of the cosine from the base rate to `eta_min` in `T_max` epochs (Loshchilov and Hutter 2017)."""

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """(1 + cos(πt/T_max))/2."""
        return (1 + math.cos(math.pi * t / self.T_max)) / 2


class InverseTimeLR(FactorLR):
    """The notes' 1/t decay: α₀/(1 + kt)."""

    def __init__(self, optimizer: Optimizer, k: float, last_epoch: int = -1) -> None:
        if not k >= 0:
            raise ValueError(f"k is {k}, but must be 0 or more")
        self.k = k
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """1/(1 + kt)."""
        return 1 / (1 + self.k * t)


class InverseSquareRootLR(FactorLR):
    """The notes' α₀/√t; with `warmup` w, linear to α₀ in w epochs and then α₀·√(w/t) (Vaswani et al. 2017)."""

    def __init__(self, optimizer: Optimizer, warmup: int = 1, last_epoch: int = -1) -> None:
        if warmup < 1:
            raise ValueError(f"warmup is {warmup}, but must be 1 or more")
        self.warmup = warmup
        super().__init__(optimizer, last_epoch)

    def multiplier(self, t: int) -> float:
        """min(s/w, √(w/s)) with s = t + 1."""
        return min((t + 1) / self.warmup, math.sqrt(self.warmup / (t + 1)))


# Schedules from functions


class LambdaLR(LRScheduler):
    """The base rate times `lr_lambda(epoch)`; one function, or a list of one for each group."""

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
                 last_epoch: int = -1) -> None:
        self.lr_lambdas = _each_group(optimizer, "lr_lambda", lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group at time `self.last_epoch`."""
        return [base * f(self.last_epoch) for f, base in zip(self.lr_lambdas, self.base_lrs, strict=True)]


class MultiplicativeLR(LambdaLR):
    """Multiply by `lr_lambda(epoch)` every epoch."""

    def get_lr(self) -> list[float]:
        """The rate of each group at time `self.last_epoch`."""
        return [group["lr"] * (1 if self._is_initial else f(self.last_epoch))
                for f, group in zip(self.lr_lambdas, self.optimizer.param_groups, strict=True)]


# Schedules that go up and down


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosines from the base rate to `eta_min`, again and again (SGDR, Loshchilov and Hutter 2017).

    The first takes `T_0` epochs, each later one `T_mult` times as many. `step(epoch)` also takes fractions, such as
    epoch + batch/batches.
    """

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0,
                 last_epoch: int = -1) -> None:
        for name, value in (("T_0", T_0), ("T_mult", T_mult)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} is {value!r}, but must be a whole number ≥ 1")
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        self.T_i, self.T_cur = T_0, last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The rate of each group at time `self.last_epoch`."""
        self.T_i, self.T_cur = self.T_0, self.last_epoch
        if self.T_mult == 1:
            self.T_cur %= self.T_0
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult
        return [self.eta_min + (base - self.eta_min) * (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
                for base in self.base_lrs]

    def _update_lr(self, epoch: float | None = None) -> None:
        if epoch is not None and epoch < 0:
            raise ValueError(f"CosineAnnealingWarmRestarts.step(): epoch is {epoch}, but must be 0 or more")
        super()._update_lr(epoch)
        self.last_epoch = math.floor(self.last_epoch)


class _WithMomentum(LRScheduler):
    """A schedule that moves momentum (or Adam's β₁) against the learning rate."""

    cycle_momentum: bool

    def _begin_momentum(self, optimizer: Optimizer, base_momentum: Any, max_momentum: Any, last_epoch: int) -> None:
        if not self.cycle_momentum:
            return
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ValueError("cycle_momentum=True needs an optimizer with momentum or betas, which "
                             f"{type(optimizer).__name__} has not; write cycle_momentum=False")
        self.use_beta1 = "betas" in optimizer.defaults
        self.base_momentums = _each_group(optimizer, "base_momentum", base_momentum)
        self.max_momentums = _each_group(optimizer, "max_momentum", max_momentum)
        if last_epoch == -1:
            momenta = zip(optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True)
            for group, base, largest in momenta:
                group["base_momentum"], group["max_momentum"] = base, largest
                self._set_momentum(group, largest)

    def _set_momentum(self, group: dict[str, Any], momentum: float) -> None:
        if self.use_beta1:
            group["betas"] = (momentum, *group["betas"][1:])
        else:
            group["momentum"] = momentum


class CyclicLR(_WithMomentum):
    """Triangles between `base_lr` and `max_lr` (Smith 2017).

    Args:
        optimizer: whose rates to set.
        base_lr: the lowest rate, or one for each group.
        max_lr: the highest rate, or one for each group.
        step_size_up: epochs of the way up.
        step_size_down: epochs of the way down; as many if None.
        mode: "triangular", "triangular2" (each triangle half as high) or "exp_range" (height γᵗ).
        gamma: γ of "exp_range".
        scale_fn: the height as a function of the number of the cycle, or of t, in place of `mode`.
        scale_mode: which of both: "cycle" or "iterations".
        cycle_momentum: move momentum from `max_momentum` to `base_momentum` and back against the rate.
        base_momentum: the lowest momentum.
        max_momentum: the highest.
        last_epoch: see `LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, base_lr: float | list[float], max_lr: float | list[float],
                 step_size_up: int = 2000, step_size_down: int | None = None,
                 mode: Literal["triangular", "triangular2", "exp_range"] = "triangular", gamma: float = 1.0,
                 scale_fn: Callable[[float], float] | None = None,
                 scale_mode: Literal["cycle", "iterations"] = "cycle", cycle_momentum: bool = True,
                 base_momentum: float | list[float] = 0.8, max_momentum: float | list[float] = 0.9,
                 last_epoch: int = -1) -> None:
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ValueError(f"mode is {mode!r}, but must be 'triangular', 'triangular2' or 'exp_range'")
        base_lrs = _each_group(optimizer, "base_lr", base_lr)
        if last_epoch == -1:
            for group, lr in zip(optimizer.param_groups, base_lrs, strict=True):
                group["lr"] = lr
        self.max_lrs = _each_group(optimizer, "max_lr", max_lr)
        self.total_size = float(step_size_up + (step_size_up if step_size_down is None else step_size_down))
        self.step_ratio = step_size_up / self.total_size
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        self.scale_mode = scale_mode if scale_fn else "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        self._begin_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs
        if last_epoch == -1:
            self._set(self.get_lr())

    def _scale(self, x: float) -> float:
        if self._scale_fn_custom:
            return self._scale_fn_custom(x)
        return {"triangular": 1.0, "triangular2": 0.5 ** (x - 1), "exp_range": self.gamma**x}[self.mode]

    def get_lr(self) -> list[float]:
        """The rate of each group at time `self.last_epoch`; sets the momentum, too."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1 + self.last_epoch / self.total_size - cycle
        height = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        height *= self._scale(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, base, largest in zip(self.optimizer.param_groups, self.base_momentums, self.max_momentums,
                                            strict=True):
                self._set_momentum(group, largest - (largest - base) * height)
        return [base + (largest - base) * height for base, largest in zip(self.base_lrs, self.max_lrs, strict=True)]


_PHASE = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")


class OneCycleLR(_WithMomentum):
    """Up from max_lr/div_factor to `max_lr`, then down to far below (Smith and Topin 2018). Counts updates.

    Args:
        optimizer: whose rates to set.
        max_lr: the highest rate, or one for each group.
        total_steps: the number of updates; or
        epochs, steps_per_epoch: two numbers whose product it is.
        pct_start: the share of the way up.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: move momentum from `max_momentum` to `base_momentum` and back against the rate.
        base_momentum: the lowest momentum.
        max_momentum: the highest.
        div_factor: how far below `max_lr` it begins.
        final_div_factor: how far below its beginning it ends.
        three_phase: down to the beginning as fast as up, and only then to the end.
        last_epoch: see `LRScheduler`.

    Raises:
        ValueError: by `step()`, after `total_steps` updates.
    """

    def __init__(self, optimizer: Optimizer, max_lr: float | list[float], total_steps: int | None = None,
                 epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
                 anneal_strategy: Literal["cos", "linear"] = "cos", cycle_momentum: bool = True,
                 base_momentum: float | list[float] = 0.85, max_momentum: float | list[float] = 0.95,
                 div_factor: float = 25.0, final_div_factor: float = 1e4, three_phase: bool = False,
                 last_epoch: int = -1) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError(f"it needs total_steps, or epochs and steps_per_epoch, not epochs={epochs} and "
                                 f"steps_per_epoch={steps_per_epoch}")
            total_steps = epochs * steps_per_epoch
        if not isinstance(total_steps, int) or total_steps < 1:
            raise ValueError(f"the number of steps is {total_steps!r}, but must be a whole number ≥ 1")
        if not 0 <= pct_start <= 1:
            raise ValueError(f"pct_start is {pct_start}, but must be between 0 and 1")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy is {anneal_strategy!r}, but must be 'cos' or 'linear'")
        self.total_steps, self._anneal_func_type, self.cycle_momentum = total_steps, anneal_strategy, cycle_momentum
        top, end = pct_start * total_steps - 1, total_steps - 1
        phases = [(top, "initial_lr", "max_lr", "max_momentum", "base_momentum")]
        if three_phase:
            phases += [(2 * top, "max_lr", "initial_lr", "base_momentum", "max_momentum"),
                       (end, "initial_lr", "min_lr", "max_momentum", "max_momentum")]
        else:
            phases += [(end, "max_lr", "min_lr", "base_momentum", "max_momentum")]
        self._schedule_phases: list[dict[str, Any]] = [dict(zip(_PHASE, phase, strict=True)) for phase in phases]
        if last_epoch == -1:
            for group, largest in zip(optimizer.param_groups, _each_group(optimizer, "max_lr", max_lr), strict=True):
                group["initial_lr"], group["max_lr"] = largest / div_factor, largest
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self._begin_momentum(optimizer, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def _between(self, start: float, end: float, share: float) -> float:
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2 * (math.cos(math.pi * share) + 1)
        return start + (end - start) * share

    def get_lr(self) -> list[float]:
        """The rate of each group at time `self.last_epoch`; sets the momentum, too."""
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(f"OneCycleLR was made for {self.total_steps} steps, and this is step {t}; give the right "
                             "total_steps, and call step() once an update")
        ends = [phase["end_step"] for phase in self._schedule_phases]
        i = min(bisect.bisect_left(ends, t), len(ends) - 1)
        start = ends[i - 1] if i else 0
        end, lr_from, lr_to, momentum_from, momentum_to = (self._schedule_phases[i][name] for name in _PHASE)
        share = (t - start) / (end - start)
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                self._set_momentum(group, self._between(group[momentum_from], group[momentum_to], share))
        return [self._between(group[lr_from], group[lr_to], share) for group in self.optimizer.param_groups]


# Schedules that look at the loss, and schedules of schedules


class ReduceLROnPlateau(LRScheduler):
    """Multiply by `factor` when a measure has not improved for more than `patience` epochs: `step(loss)`.

    Args:
        optimizer: whose rates to set.
        mode: "min" if less is better, "max" if more is.
        factor: below 1.
        patience: epochs without improvement that are let pass.
        threshold: what counts as an improvement,
        threshold_mode: relative to the best ("rel") or in the measure's units ("abs").
        cooldown: epochs after a reduction that are not counted.
        min_lr: the lowest rate, or one for each group.
        eps: reductions of less than this are left out.
    """

    def __init__(self, optimizer: Optimizer, mode: Literal["min", "max"] = "min", factor: float = 0.1,
                 patience: int = 10, threshold: float = 1e-4, threshold_mode: Literal["rel", "abs"] = "rel",
                 cooldown: int = 0, min_lr: float | list[float] = 0, eps: float = 1e-8) -> None:
        _check_optimizer(optimizer)
        if not factor < 1:
            raise ValueError(f"factor is {factor}, but must be below 1 to reduce anything")
        if mode not in ("min", "max"):
            raise ValueError(f"mode is {mode!r}, but must be 'min' or 'max'")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold_mode is {threshold_mode!r}, but must be 'rel' or 'abs'")
        self.optimizer, self.mode, self.factor, self.patience, self.eps = optimizer, mode, factor, patience, eps
        self.threshold, self.threshold_mode, self.cooldown = threshold, threshold_mode, cooldown
        self.min_lrs = _each_group(optimizer, "min_lr", min_lr)
        self.best = math.inf if mode == "min" else -math.inf
        self.cooldown_counter = self.num_bad_epochs = self.last_epoch = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    def is_better(self, a: float, best: float) -> bool:
        """Whether `a` is an improvement on `best` by more than the threshold."""
        sign = 1 if self.mode == "max" else -1
        margin = sign * self.threshold
        return sign * a > sign * (best * (1 + margin) if self.threshold_mode == "rel" else best + margin)

    def step(self, metrics: Tensor | float, epoch: int | None = None) -> None:  # type: ignore[override]
        """Look at the measure of this epoch, and reduce the rates if it is time to."""
        current = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.is_better(current, self.best):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        rates = [group["lr"] for group in self.optimizer.param_groups]
        if self.num_bad_epochs > self.patience:
            lowest = [max(lr * self.factor, least) for lr, least in zip(rates, self.min_lrs, strict=True)]
            rates = [new if lr - new > self.eps else lr for lr, new in zip(rates, lowest, strict=True)]
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._set(rates)


def _check_together(optimizer: Optimizer, schedulers: Sequence[LRScheduler]) -> None:
    if not schedulers:
        raise ValueError("there are no schedulers; give at least one")
    for i, scheduler in enumerate(schedulers):
        if isinstance(scheduler, ReduceLROnPlateau):
            raise ValueError(f"scheduler {i} is a ReduceLROnPlateau, whose step() needs the loss; step it by itself")
        if scheduler.optimizer is not optimizer:
            raise ValueError(f"scheduler {i} ({type(scheduler).__name__}) is of another optimizer; make all "
                             "of them for the same one")


class ChainedScheduler(LRScheduler):
    """Several schedules at once: each makes its step in turn, so that their factors multiply."""

    def __init__(self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None) -> None:
        of: Any = optimizer or (schedulers[0].optimizer if schedulers else None)
        _check_together(of, schedulers)
        self.optimizer, self._schedulers = of, list(schedulers)
        self._last_lr = [group["lr"] for group in of.param_groups]

    def step(self) -> None:  # type: ignore[override]
        """Let every schedule make its step."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]


class SequentialLR(LRScheduler):
    """One schedule after another: `milestones` are the epochs at which the next begins.

    >>> warmup = LinearLR(optimizer, start_factor=0.01, total_iters=500)
    >>> scheduler = SequentialLR(optimizer, [warmup, CosineAnnealingLR(optimizer, T_max=9_500)], milestones=[500])
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: list[int],
                 last_epoch: int = -1) -> None:
        _check_together(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(f"{len(schedulers)} schedulers and {len(milestones)} milestones do not fit; a "
                             f"milestone lies between two schedulers, so give {len(schedulers) - 1}")
        self.optimizer, self._schedulers, self._milestones = optimizer, list(schedulers), list(milestones)
        self.last_epoch = last_epoch + 1
        for group in optimizer.param_groups:  # the schedulers have set the rates as they were made: begin anew
            group["lr"] = group["initial_lr"]
        for scheduler in self._schedulers:
            _undo(scheduler)
        self._schedulers[bisect.bisect_right(self._milestones, 0)]._initial_step()
        self._last_lr = self._schedulers[0].get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        """Go on to the next epoch."""
        self.last_epoch += 1
        i = bisect.bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


def _undo(scheduler: LRScheduler) -> None:
    for part in getattr(scheduler, "_schedulers", ()):
        _undo(part)
    if not hasattr(scheduler, "_schedulers"):
        scheduler.last_epoch -= 1
