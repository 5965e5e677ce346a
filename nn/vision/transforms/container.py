"""Transforms of transforms: in a row, some of them, in random order."""

from collections.abc import Callable, Sequence
from typing import Any

import autograd
from nn.vision.transforms.transform import Transform, probability, sample_of


class _Several(Transform):
    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        super().__init__()
        if callable(transforms) or not len(transforms):
            raise ValueError(f"transforms is a list of at least one transform, not {transforms!r}")
        self.transforms = transforms

    def _in_turn(self, which: Sequence[Callable[..., Any]], inputs: tuple) -> Any:
        sample = sample_of(inputs)
        for transform in which:
            sample = transform(*sample) if len(inputs) > 1 else transform(sample)
        return sample

    def extra_repr(self) -> str:
        return "\n".join(str(transform) for transform in self.transforms)


class Compose(_Several):
    """One after the other; they may be any functions.

    >>> prepare = Compose([Resize(8), ToDtype(autograd.float32, scale=True)])
    >>> prepare(zeros(3, 16, 24, dtype="uint8")).shape
    (3, 8, 12)
    """

    def forward(self, *inputs: Any) -> Any:
        return self._in_turn(self.transforms, inputs)


class RandomApply(_Several):
    """All of them with probability p, else none."""

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: float = 0.5) -> None:
        super().__init__(transforms)
        self.p = probability(p)

    def forward(self, *inputs: Any) -> Any:
        return self._in_turn(self.transforms if autograd.rand(1).item() < self.p else [], inputs)


class RandomChoice(_Several):
    """One of them, with the probabilities p, which are scaled to add up to 1; default equal ones."""

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        p = [1.0] * len(transforms) if p is None else p
        if len(p) != len(transforms):
            raise ValueError(f"p must have a number for each of the {len(transforms)} transforms, not {len(p)}")
        self.p = [one / sum(p) for one in p]

    def forward(self, *inputs: Any) -> Any:
        which = int(autograd.multinomial(autograd.tensor(self.p), 1).item())
        return self._in_turn([self.transforms[which]], inputs)


class RandomOrder(_Several):
    """All of them, in random order."""

    def forward(self, *inputs: Any) -> Any:
        order = autograd.randperm(len(self.transforms)).tolist()
        return self._in_turn([self.transforms[which] for which in order], inputs)
