"""What all measures share: what a batch contributes adds up, and the measure is made of the sum."""

from typing import Any, Self

import numpy as np

from autograd import Tensor, as_tensor, get_default_dtype


class Metric:
    """Base of the measures that are gathered over batches.

    `update` takes in a batch, `compute` gives the measure of all batches so far, `reset` begins again. Calling a metric
    takes in a batch, too, and gives the measure of that one alone.

    For one of your own, write `count`, what a batch contributes, as a tuple of numbers, arrays or lists, each of which
    is added to that of the batches before; and `value`, the measure of the sums.

    >>> class MeanError(Metric):
    ...     def count(self, preds, target):
    ...         return float((preds - target).abs().sum()), target.numel()
    ...     def value(self, error, size):
    ...         return tensor(error / size)
    >>> metric = MeanError()
    >>> for batch in (zeros(3), ones(5)):
    ...     metric.update(batch, batch + 2)
    >>> metric.compute()
    tensor(2.)
    """

    _sums: tuple[Any, ...] | None = None

    def count(self, *batch: Any, **named: Any) -> tuple[Any, ...]:
        """What a batch contributes; each part adds up."""
        raise NotImplementedError(f"{type(self).__name__} needs a method count(*batch) that returns a tuple of what "
                                  "adds up")

    def value(self, *sums: Any) -> Any:
        """The measure of what has added up."""
        raise NotImplementedError(f"{type(self).__name__} needs a method value(*sums) that returns the measure")

    def update(self, *batch: Any, **named: Any) -> None:
        """Take in a batch."""
        self._add(self.count(*batch, **named))

    def _add(self, counts: tuple[Any, ...]) -> None:
        counts = tuple(part.detach() if isinstance(part, Tensor) else part for part in counts)
        before = self._sums
        self._sums = counts if before is None else tuple(a + b for a, b in zip(before, counts, strict=True))

    def compute(self) -> Any:
        """The measure of all batches since the last `reset`.

        Raises:
            RuntimeError: there was none.
        """
        if self._sums is None:
            raise RuntimeError(f"{type(self).__name__} has not seen a batch; call update(...) first")
        return self.value(*self._sums)

    def reset(self) -> Self:
        """Forget all batches."""
        self._sums = None
        return self

    def __call__(self, *batch: Any, **named: Any) -> Any:
        counts = self.count(*batch, **named)
        self._add(counts)
        return self.value(*counts)


def array_of(values: Any) -> np.ndarray:
    """The numbers of a Tensor, an array or a list."""
    return np.asarray(as_tensor(values).detach().array)


def result(value: Any) -> Tensor:
    """A measure that was computed in double precision, in the default dtype."""
    return Tensor(np.asarray(value, get_default_dtype()))


def ratio(a: Any, b: Any, otherwise: float = 0.0) -> np.ndarray:
    """a / b, and `otherwise` where b is 0."""
    a, b = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(b, np.float64))
    return np.divide(a, b, out=np.full(a.shape, float(otherwise)), where=b != 0)
