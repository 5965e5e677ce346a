"""Networks as scikit-learn's estimators: in pipelines, in searches over parameters, saved and cloned.

The habits are those of skorch: `module`, `criterion`, `optimizer`, and `module__hidden=32` for what these are made
with.
"""

import copy
from collections.abc import Callable
from typing import Any, Self

import numpy as np

import autograd
import nn
import optim
from autograd import Tensor

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.preprocessing import LabelEncoder
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ImportError as error:
    raise ImportError("gradcircuit.estimators needs scikit-learn 1.6 or later: pip install 'gradcircuit[estimators]'"
                      ) from error

_validate: Any = validate_data  # its type says less than it does
_PARTS = ("module", "criterion", "optimizer")


def two_layers(in_features: int, out_features: int, hidden: int = 64) -> nn.Module:
    """The network of an estimator that was given none."""
    return nn.Sequential(nn.Linear(in_features, hidden), nn.ReLU(), nn.Linear(hidden, out_features))


class _Net(BaseEstimator):
    """What both kinds share: parameters, training, early stopping."""

    _default_criterion: Callable[..., nn.Module]

    def __init__(self, module: Any = None, *, criterion: Any = None, optimizer: Any = None, lr: float = 0.01,
                 max_epochs: int = 100, batch_size: int = 128, early_stopping: int | None = None,
                 validation_fraction: float = 0.1, callbacks: Any = None, random_state: Any = None, verbose: int = 0,
                 **parts: Any) -> None:
        self.module, self.criterion, self.optimizer, self.lr = module, criterion, optimizer, lr
        self.max_epochs, self.batch_size, self.early_stopping = max_epochs, batch_size, early_stopping
        self.validation_fraction, self.callbacks = validation_fraction, callbacks
        self.random_state, self.verbose = random_state, verbose
        self.__dict__.update(parts)  # scikit-learn's rule: nothing is checked before fit

    def _parts(self) -> dict[str, Any]:
        own = super()._get_param_names()
        return {name: value for name, value in vars(self).items() if name not in own and name.strip("_") == name}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name, with those of the parts."""
        return super().get_params(deep=False) | self._parts()

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name."""
        own = {name: value for name, value in params.items() if "__" not in name}
        self.__dict__.update({name: value for name, value in params.items() if "__" in name})
        super().set_params(**own)
        return self

    def _check_parts(self) -> None:
        wrong = [name for name in self._parts() if name.partition("__")[0] not in _PARTS or "__" not in name]
        if wrong:
            raise TypeError(f"{type(self).__name__} has no parameter {wrong[0]!r}; what the module, the criterion or "
                            f"the optimizer is made with begins with their name, as in module__{wrong[0]}")

    def _made(self, part: str, default: Any, *args: Any, **kwargs: Any) -> Any:
        """A part: an instance as it is, otherwise made with its own parameters."""
        given = getattr(self, part)
        kwargs |= {name.removeprefix(f"{part}__"): value for name, value in self._parts().items()
                   if name.startswith(f"{part}__")}
        if isinstance(given, nn.Module):
            return copy.deepcopy(given)
        return (default if given is None else given)(*args, **kwargs)

    # Training

    def _begin(self, x: np.ndarray, outputs: int) -> None:
        self._check_parts()
        sizes = (x.shape[1], outputs) if self.module is None else ()
        self.module_ = self._made("module", two_layers, *sizes).to(x.dtype)
        self.criterion_ = self._made("criterion", self._default_criterion, reduction="none")
        self.optimizer_ = self._made("optimizer", optim.Adam, self.module_.parameters(), lr=self.lr)
        self.history_: list[dict[str, float]] = []

    def _train(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray, epochs: int) -> None:
        order = np.arange(len(x))
        held_out = np.zeros(0, np.int64)
        if self.early_stopping is not None and len(x) > 1:
            order = autograd.randperm(len(x)).numpy()
            count = min(max(1, round(self.validation_fraction * len(x))), len(x) - 1)
            order, held_out = order[count:], order[:count]
        best, patience, state = np.inf, self.early_stopping, None
        for _ in range(epochs):
            self.module_.train()
            entry = {"epoch": len(self.history_) + 1.0, "train_loss": self._epoch(x[order], y[order], weight[order])}
            if len(held_out):
                with autograd.no_grad():
                    entry["valid_loss"] = self._loss(x[held_out], y[held_out], weight[held_out]).item()
            self.history_.append(entry)
            if self.verbose:
                print(", ".join(f"{name} {value:.4g}" for name, value in entry.items()))
            for callback in self.callbacks or ():
                callback(self)
            if len(held_out):
                if entry["valid_loss"] < best:
                    best, patience = entry["valid_loss"], self.early_stopping
                    state = copy.deepcopy(self.module_.state_dict())
                elif (patience := patience - 1) <= 0:  # type: ignore[operator]
                    break
        if state is not None:
            self.module_.load_state_dict(state)
        self.module_.eval()

    def _epoch(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
        total, order = 0.0, autograd.randperm(len(x)).numpy()
        for start in range(0, len(x), self.batch_size):
            batch = order[start:start + self.batch_size]
            if not weight[batch].any():
                continue
            self.optimizer_.zero_grad()
            loss = self._loss(x[batch], y[batch], weight[batch])
            loss.backward()
            self.optimizer_.step()
            total += loss.item() * float(weight[batch].sum())
        return total / max(float(weight.sum()), 1e-300)

    def _loss(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Tensor:
        each = self.criterion_(self.module_(autograd.tensor(x)), autograd.tensor(y))
        each = each if each.ndim == 1 else each.reshape(len(x), -1).mean(1)
        return (each * autograd.tensor(weight)).sum() / float(weight.sum())

    def _outputs(self, x: np.ndarray) -> np.ndarray:
        with autograd.no_grad():
            return np.asarray(self.module_(autograd.tensor(x)).numpy())

    def _checked(self, x: Any) -> np.ndarray:
        check_is_fitted(self, "module_")
        return np.asarray(_validate(self, x, reset=False, dtype=[np.float64, np.float32]))

    def _fit(self, x: np.ndarray, y: np.ndarray, sample_weight: Any, epochs: int, outputs: int | None) -> Self:
        weight = _check_sample_weight(sample_weight, x, dtype=x.dtype)
        if not weight.any():
            raise ValueError("all of sample_weight are 0, so that there is nothing to learn from; leave it out")
        with autograd.random.fork_rng(enabled=self.random_state is not None):
            if self.random_state is not None:
                autograd.manual_seed(int(check_random_state(self.random_state).randint(2 ** 31)))
            if outputs is not None:
                self._begin(x, outputs)
            self._train(x, y, weight, epochs)
        return self


class NetClassifier(ClassifierMixin, _Net):
    """A network that gives a score for each class, as a classifier of scikit-learn.

    Args:
        module: a Module, a class of one or a function that makes it; by default two layers that fit the data.
        criterion: a class of losses with `reduction`; by default `nn.CrossEntropyLoss`.
        optimizer: a class of optimizers; by default `optim.Adam`.
        lr: its learning rate.
        max_epochs: passes over the data.
        batch_size: examples in a step.
        early_stopping: after how many epochs without a better loss on held-out data to stop, with the best weights;
            None: never.
        validation_fraction: how much is held out for that.
        callbacks: functions of the estimator, called after each epoch; `history_[-1]` has what it gave.
        random_state: a seed, for weights and orders that repeat; None: autograd's own stream goes on.
        verbose: print a line each epoch.
        parts: `module__NAME`, `criterion__NAME`, `optimizer__NAME`: what these are made with.

    Attributes:
        module_: the trained Module.
        classes_: the labels, in the order of the scores.
        history_: for each epoch its number, train_loss and valid_loss.

    >>> from sklearn.datasets import load_iris
    >>> x, y = load_iris(return_X_y=True)
    >>> NetClassifier(random_state=0).fit(x, y).score(x, y) > 0.9
    True
    """

    _default_criterion = nn.CrossEntropyLoss
    classes_: Any
    _encoder: Any

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803 - scikit-learn's
        """Train anew on X (examples, features) and labels y."""
        x, y = _validate(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        self._encoder = LabelEncoder().fit(y)
        self.classes_ = self._encoder.classes_
        if len(self.classes_) < 2:
            raise ValueError(f"there is one class, {self.classes_[0]!r}, and a classifier tells several apart")
        return self._fit(x, self._encoder.transform(y), sample_weight, self.max_epochs, len(self.classes_))

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:  # noqa: N803
        """One more epoch; the first call needs all `classes`, unless y has them."""
        first = not hasattr(self, "module_")
        x, y = _validate(self, X, y, reset=first, dtype=[np.float64, np.float32])
        check_classification_targets(y)
        if first:
            self._encoder = LabelEncoder().fit(y if classes is None else classes)
            self.classes_ = self._encoder.classes_
        return self._fit(x, self._encoder.transform(y), sample_weight, 1, len(self.classes_) if first else None)

    def predict_proba(self, X: Any) -> np.ndarray:  # noqa: N803
        """Probabilities (examples, classes): the softmax of the scores."""
        return np.asarray(Tensor(self._outputs(self._checked(X))).softmax(-1).numpy())

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """The most probable labels."""
        best = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[best])


class NetRegressor(RegressorMixin, _Net):
    """A network that gives numbers, as a regressor of scikit-learn; arguments and attributes as of `NetClassifier`.

    By default its criterion is `nn.MSELoss`. Targets may have several columns.

    >>> x = np.linspace(-1, 1, 200)[:, None]
    >>> NetRegressor(random_state=0).fit(x, np.sin(3 * x[:, 0])).score(x, np.sin(3 * x[:, 0])) > 0.9
    True
    """

    _default_criterion = nn.MSELoss

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _targets(self, y: np.ndarray, dtype: np.dtype) -> np.ndarray:
        return y.astype(dtype).reshape(len(y), -1)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """Train anew on X (examples, features) and targets y (examples,) or (examples, outputs)."""
        x, y = _validate(self, X, y, dtype=[np.float64, np.float32], multi_output=True, y_numeric=True)
        self._flat = y.ndim == 1
        y = self._targets(y, x.dtype)
        return self._fit(x, y, sample_weight, self.max_epochs, y.shape[1])

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: N803
        """One more epoch."""
        first = not hasattr(self, "module_")
        x, y = _validate(self, X, y, reset=first, dtype=[np.float64, np.float32], multi_output=True, y_numeric=True)
        self._flat = y.ndim == 1
        y = self._targets(y, x.dtype)
        return self._fit(x, y, sample_weight, 1, y.shape[1] if first else None)

    def predict(self, X: Any) -> np.ndarray:  # noqa: N803
        """The numbers for each example."""
        outputs = self._outputs(self._checked(X))
        return outputs[:, 0] if self._flat else outputs
