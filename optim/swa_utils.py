"""Averages over training: of parameters (stochastic weight averaging, exponential moving averages), of the predictions
of snapshots."""

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any, Literal

import numpy as np

from autograd import Tensor, increment_version, no_grad
from autograd.inplace import write
from optim.lr_scheduler import LRScheduler, _each_group
from optim.optimizer import Optimizer

Average = Callable[[Tensor, Tensor, int], Tensor]
"""(average, new, number averaged so far) → new average."""
MultiAverage = Callable[[list[Tensor], list[Tensor], int], None]
"""The same for all parameters at once: writes the new averages in place."""


def get_swa_avg_fn() -> Average:
    """The mean of all models so far (Izmailov et al. 2018): avg + (p - avg)/(n + 1)."""
    return lambda average, p, n: average + (p - average) / (n + 1)


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """An exponential moving average: decay·avg + (1 - decay)·p."""
    if not 0 <= decay <= 1:
        raise ValueError(f"the decay of an exponential moving average is {decay}, but must be between 0 and 1")
    return lambda average, p, n: average + (1 - decay) * (p - average)


def get_swa_multi_avg_fn() -> MultiAverage:
    """`get_swa_avg_fn` for all parameters at once, as PyTorch offers it."""
    return _for_all(get_swa_avg_fn())


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAverage:
    """`get_ema_avg_fn` for all parameters at once, as PyTorch offers it."""
    return _for_all(get_ema_avg_fn(decay))


def _for_all(average: Average) -> MultiAverage:
    def update(averages: list[Tensor], params: list[Tensor], n: int) -> None:
        for own, p in zip(averages, params, strict=True):
            write(own, ..., average(own, p, n).array)
    return update


class AveragedModel:
    """A copy of a model whose parameters are an average over training; called like the model itself.

    >>> averaged = AveragedModel(model, avg_fn=get_ema_avg_fn(0.999))
    >>> optimizer.step(); averaged.update_parameters(model)      # after every update, or epoch
    >>> update_bn(nn.data.DataLoader(x), averaged)         # if the model normalizes batches
    >>> prediction = averaged(x)

    Args:
        model: anything with `parameters()` and `buffers()`, such as an nn.Module; it is copied.
        device: accepted for PyTorch's sake, without effect.
        avg_fn: how to average; the mean of all if None.
        multi_avg_fn: how to average all parameters at once, instead of `avg_fn`.
        use_buffers: average the buffers, too (means and variances of batch normalization); else the newest are copied.
    """

    def __init__(self, model: Any, device: str | None = None, avg_fn: Average | None = None,
                 multi_avg_fn: MultiAverage | None = None, use_buffers: bool = False) -> None:
        if avg_fn and multi_avg_fn:
            raise ValueError("AveragedModel was given avg_fn and multi_avg_fn, which both say how; give one of them")
        self.module = copy.deepcopy(model)
        self.n_averaged = 0
        self.multi_avg_fn = multi_avg_fn or _for_all(avg_fn or get_swa_avg_fn())
        self.use_buffers = use_buffers

    def parameters(self) -> Iterable[Tensor]:
        """The averages."""
        return self.module.parameters()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: D102
        return self.module(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:  # parameters(), train(), eval(), …: the copy's
        if name == "module":
            raise AttributeError(name)
        return getattr(self.module, name)

    def update_parameters(self, model: Any) -> None:
        """Take the model's parameters as they are now into the average."""
        own, new = list(self.module.parameters()), list(model.parameters())
        own_buffers, new_buffers = list(self.module.buffers()), list(model.buffers())
        if self.use_buffers:
            own, new, own_buffers, new_buffers = own + own_buffers, new + new_buffers, [], []
        if self.n_averaged == 0:
            own_buffers, new_buffers, own, new = own_buffers + own, new_buffers + new, [], []
        with no_grad():
            self.multi_avg_fn([p.detach() for p in own], [p.detach() for p in new], self.n_averaged)
            for ours, theirs in zip(own_buffers, new_buffers, strict=True):
                write(ours, ..., theirs.array)
        increment_version(own)
        self.n_averaged += 1

    def state_dict(self) -> dict[str, Any]:
        """The averages under "module.…" and their number, "n_averaged", as PyTorch has it."""
        return {"n_averaged": Tensor(np.array(self.n_averaged)),
                **{f"module.{name}": value for name, value in self.module.state_dict().items()}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from what `state_dict()` gave."""
        if "n_averaged" not in state_dict:
            raise KeyError("this is no state of an AveragedModel: it has no 'n_averaged', but "
                           f"{', '.join(list(state_dict)[:5])}; to begin with a model's state load that into the model")
        self.n_averaged = int(state_dict["n_averaged"])
        self.module.load_state_dict({name.removeprefix("module."): value for name, value in state_dict.items()
                                     if name != "n_averaged"})


class SnapshotEnsemble:
    """Copies of a model from one training, which predict together: "Snapshot Ensembles: Train 1, Get M for Free" (Huang
    et al. 2017).

    The learning rate falls from its full value to 0 along a cosine, again and again; a copy is taken at the end of each
    cycle, at a minimum, and the full rate that follows leads to another one.

    Args:
        size: how many of the latest snapshots are kept; None: all.
        average: what of a model's output is averaged. The paper averages class probabilities, so it must be
            `lambda scores: scores.softmax(-1)` for a model that gives scores; None: the output itself.

    Attributes:
        models: the copies, oldest first, in evaluation mode.

    >>> schedule = optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=5)
    >>> ensemble = SnapshotEnsemble(average=lambda scores: scores.softmax(-1))
    >>> for epoch in range(10):
    ...     schedule.step()          # after an epoch of training
    ...     if schedule.T_cur == 0:  # a cycle is over
    ...         ensemble.take(model)
    >>> probabilities = ensemble(x)  # the mean of two models
    """

    def __init__(self, size: int | None = None, average: Callable[[Any], Tensor] | None = None) -> None:
        if size is not None and size < 1:
            raise ValueError(f"SnapshotEnsemble: size is {size}, but at least 1 snapshot must be kept; None keeps all")
        self.size, self.average = size, average
        self.models: list[Any] = []

    def take(self, model: Any) -> None:
        """Keep a copy of the model as it is now."""
        snapshot = copy.deepcopy(model)
        if hasattr(snapshot, "eval"):
            snapshot.eval()
        self.models = [*self.models, snapshot][-(self.size or 0):]

    def __call__(self, *args: Any, **kwargs: Any) -> Tensor:
        """The mean of the snapshots' predictions."""
        if not self.models:
            raise RuntimeError("SnapshotEnsemble: there is no snapshot yet; call take(model) at the end of each cycle")
        outputs = [model(*args, **kwargs) for model in self.models]
        total: Any = sum(self.average(out) if self.average else out for out in outputs)
        return total / len(outputs)


def update_bn(loader: Iterable[Any], model: Any, device: str | None = None) -> None:
    """Compute the means and variances of batch normalization anew, in one pass over `loader` (of inputs, or tuples).

    An average of parameters has never seen data, so what it normalizes by must be measured before it is used.
    """
    layers = [m for m in model.modules() if hasattr(m, "reset_running_stats") and hasattr(m, "momentum")]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    training = model.training
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain mean over all batches
    model.train()
    with no_grad():
        for batch in loader:
            model(batch[0] if isinstance(batch, (list, tuple)) else batch)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    model.train(training)


class SWALR(LRScheduler):
    """Go over to the constant rate `swa_lr` in `anneal_epochs` epochs, and stay there.

    Args:
        optimizer: whose rates to set.
        swa_lr: the rate at the end, or one for each group.
        anneal_epochs: how long it takes.
        anneal_strategy: "cos" or "linear".
        last_epoch: see `LRScheduler`.
    """

    def __init__(self, optimizer: Optimizer, swa_lr: float | list[float], anneal_epochs: int = 10,
                 anneal_strategy: Literal["cos", "linear"] = "cos", last_epoch: int = -1) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy is {anneal_strategy!r}, but must be 'cos' or 'linear'")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs is {anneal_epochs!r}, but must be a whole number, 0 or more")
        for group, lr in zip(optimizer.param_groups, _each_group(optimizer, "swa_lr", swa_lr), strict=True):
            group["swa_lr"] = lr
        self.anneal_epochs, self.anneal_strategy = anneal_epochs, anneal_strategy
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return t if self.anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[float]:
        """The rate of each group: what is left of the way to `swa_lr` shrinks as the share gone grows."""
        step = max(1, self._step_count - 1) if self.anneal_epochs == 0 else self._step_count - 1
        before, now = self._share(step - 1), self._share(step)
        left = 0.0 if before == 1 else (1 - now) / (1 - before)
        return [group["swa_lr"] + (group["lr"] - group["swa_lr"]) * left for group in self.optimizer.param_groups]


__all__ = ["SWALR", "AveragedModel", "SnapshotEnsemble", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn",
           "get_swa_multi_avg_fn", "update_bn"]
