"""Early stopping: the weights of the best validation score, and when to give up waiting for better ones."""

import math

from nn.module import Module


class EarlyStopping:
    """Remembers the model at its best score (Prechelt, "Early stopping, but when?", 1998).

    Args:
        model: whose state is remembered.
        patience: how many scores in a row may be no better.
        min_delta: by how much a score must be better to count.
        mode: "min": less is better, as with a loss; "max": as with accuracy.

    Attributes:
        best: the best score so far; None before the first.

    >>> stopping = EarlyStopping(model, patience=5)
    >>> for epoch in range(1000):
    ...     if stopping.step(loss(model(x), y)):  # after an epoch of training, the loss on other data
    ...         break
    >>> stopping.restore()
    """

    def __init__(self, model: Module, patience: int = 10, min_delta: float = 0.0, mode: str = "min") -> None:
        if mode not in ("min", "max") or patience < 1 or min_delta < 0:
            raise ValueError("EarlyStopping needs mode 'min' or 'max', patience of at least 1 and min_delta of at "
                             f"least 0, not {mode!r}, {patience} and {min_delta}")
        self.model, self.patience, self.min_delta = model, patience, min_delta
        self.best: float | None = None
        self._sign, self._waited = (1 if mode == "min" else -1), 0
        self._state: dict = {}

    def step(self, score: float) -> bool:
        """Take the score of the model as it is; whether to stop. NaN is never better."""
        score = float(score)
        best = math.inf if self.best is None else self._sign * self.best
        if self._sign * score < best - (self.min_delta if self.best is not None else 0):
            self.best, self._waited = score, 0
            self._state = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        else:
            self._waited += 1
        return self._waited >= self.patience

    def restore(self) -> None:
        """Bring the model back to its best score; an error before the first."""
        if self.best is None:
            raise RuntimeError("EarlyStopping.restore: no score has been given yet; call step(score) first")
        self.model.load_state_dict(self._state)
