"""Cross-validation: each part of the data validates what the others have trained."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import autograd
from autograd import Generator, Tensor
from nn.data.dataset import Subset


class KFold:
    """Folds of equal size, of which one after the other is for validation.

    Args:
        n_splits: how many.
        shuffle: draw the examples in random order first.
        generator: of that order.

    >>> for train, validation in KFold(3).split(range(6)):
    ...     print(train.tolist(), validation.tolist())
    [2, 3, 4, 5] [0, 1]
    [0, 1, 4, 5] [2, 3]
    [0, 1, 2, 3] [4, 5]
    """

    def __init__(self, n_splits: int = 5, shuffle: bool = False, generator: Generator | None = None) -> None:
        if n_splits < 2:
            raise ValueError(f"n_splits must be at least 2, not {n_splits}")
        self.n_splits, self.shuffle, self.generator = n_splits, shuffle, generator

    def split(self, data: Any) -> Iterator[tuple[Tensor, Tensor]]:
        """The numbers of the examples for training, and of those for validation, of each fold."""
        count = len(data)
        if count < self.n_splits:
            raise ValueError(f"{count} examples can't be split into {self.n_splits} folds")
        order = autograd.randperm(count, generator=self.generator).numpy() if self.shuffle else np.arange(count)
        for fold in np.array_split(order, self.n_splits):
            validates = np.zeros(count, np.bool_)
            validates[fold] = True
            yield Tensor(np.nonzero(~validates)[0]), Tensor(np.nonzero(validates)[0])


def cross_validate(score: Callable[[Any, Any], Any], *data: Any, cv: int | KFold = 5) -> Tensor:
    """The score of each fold, (folds,): what `score(train, validation)` returns.

    Args:
        score: trains on the first part and tells how good that is on the second. Each is a tuple if there are several
            data.
        data: Tensors or arrays of one length, or a data set.
        cv: how many folds, or how to make them.

    >>> x, y = randn(20, 3), randn(20)
    >>> def fit_and_score(train, validation):
    ...     weights = autograd.linalg.lstsq(train[0], train[1][:, None]).solution
    ...     return ((validation[0] @ weights)[:, 0] - validation[1]).square().mean()
    >>> cross_validate(fit_and_score, x, y, cv=4).shape
    (4,)
    """
    lengths = {len(part) for part in data}
    if len(lengths) != 1:
        raise ValueError(f"the data must have one length, not {sorted(lengths)}" if data else "there is no data")

    def part(which: Tensor) -> Any:
        parts = tuple(x[which.numpy()] if isinstance(x, (Tensor, np.ndarray)) else Subset(x, which.tolist())
                      for x in data)
        return parts if len(parts) > 1 else parts[0]
    folds = cv if isinstance(cv, KFold) else KFold(cv)
    scores = [float(score(part(train), part(validation))) for train, validation in folds.split(data[0])]
    return autograd.tensor(scores)
