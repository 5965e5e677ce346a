"""What all transforms share: a sample of anything is looked through, and what belongs to a picture changes with it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import autograd
from autograd import Tensor
from nn.module import Module
from nn.vision.transforms.functional.conversion import get_dimensions, get_size, is_image, is_pil, is_pure_tensor
from nn.vision.tv_tensors import BoundingBoxes, Image, KeyPoints, Mask


class Transform(Module):
    """Base of the transforms, also of your own.

    A transform takes a picture, or a sample: pictures, boxes, masks and anything else in tuples, lists and dicts. What
    is random is drawn once for the sample, by `make_params`, and `transform` changes each part with it. Tensors and
    arrays that don't say what they are (`nn.vision.tv_tensors`) count as a picture if there is no other one in the
    sample, and then only the first of them does; whatever else is in the sample stays as it is.

    Random numbers are those of the default generator, so `autograd.manual_seed` repeats them; they are torchvision's.
    In a DataLoader's workers they follow from the loader's generator.

    >>> class Darken(Transform):
    ...     def make_params(self, flat_inputs):
    ...         return {"factor": autograd.rand(1).item()}
    ...     def transform(self, inpt, params):
    ...         return inpt * params["factor"]
    >>> image, label = Darken()(ones(3, 4, 4), 7)
    """

    images_only = False
    """Whether boxes, points and masks are left alone."""

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Refuse a sample that the transform isn't for; of all its parts."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What is drawn for a sample, given those of its parts that will be transformed."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One part of a sample, transformed."""
        raise NotImplementedError(f"{type(self).__name__} needs a method transform(inpt, params)")

    def forward(self, *inputs: Any) -> Any:
        """The sample, transformed; several arguments are a tuple."""
        sample = sample_of(inputs)
        parts = list(leaves(sample))
        self.check_inputs(parts)
        chosen = self.chosen(parts)
        params = self.make_params([part for part, changes in zip(parts, chosen, strict=True) if changes])
        return rebuilt(sample, iter([self.transform(part, params) if changes else part
                                     for part, changes in zip(parts, chosen, strict=True)]))

    def takes(self, inpt: Any) -> bool:
        """Whether a part of a sample is of a kind that is transformed."""
        return is_image(inpt) or (not self.images_only and isinstance(inpt, (BoundingBoxes, KeyPoints, Mask)))

    def chosen(self, parts: list[Any]) -> list[bool]:
        """Which parts of a sample are transformed."""
        pure = not any(isinstance(part, Image) or is_pil(part) for part in parts)
        chosen = []
        for part in parts:
            takes = self.takes(part) and (pure or not is_pure_tensor(part))
            chosen.append(takes)
            pure = pure and not (takes and is_pure_tensor(part))
        return chosen

    def extra_repr(self) -> str:
        """The options."""
        return ", ".join(f"{name}={value}" for name, value in vars(self).items() if name[0] != "_"
                         and name != "training" and isinstance(value, (bool, int, float, str, tuple, list)))


class RandomApplied(Transform):
    """Base of the transforms that do something with probability p, else nothing.

    Args:
        p: the probability.
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = probability(p)

    def forward(self, *inputs: Any) -> Any:
        """The sample, transformed with probability p."""
        sample = sample_of(inputs)
        self.check_inputs(list(leaves(sample)))
        return super().forward(*inputs) if autograd.rand(1).item() < self.p else sample


def probability(p: float) -> float:
    """A probability, checked."""
    if not 0 <= p <= 1:
        raise ValueError(f"p is a probability, between 0 and 1, not {p}")
    return p


def uniform(low: float, high: float) -> float:
    """A number drawn evenly from [low, high)."""
    return autograd.empty(1).uniform_(low, high).item()


def below(bound: int) -> int:
    """A whole number drawn from 0 to below `bound`."""
    return int(autograd.randint(0, bound, (1,)).item())


# Samples

def sample_of(inputs: Sequence[Any]) -> Any:
    """What a transform is called with: its argument, or several as a tuple."""
    return inputs if len(inputs) > 1 else inputs[0]


def leaves(sample: Any) -> Iterator[Any]:
    """The parts of a sample, from the first to the last."""
    if isinstance(sample, Mapping):
        sample = sample.values()
    elif not isinstance(sample, (tuple, list)):
        yield sample
        return
    for part in sample:
        yield from leaves(part)


def rebuilt(sample: Any, parts: Iterator[Any]) -> Any:
    """A sample of the same form made of other parts."""
    if isinstance(sample, Mapping):
        return type(sample)({key: rebuilt(value, parts) for key, value in sample.items()})  # type: ignore[call-arg]
    if isinstance(sample, tuple) and hasattr(sample, "_fields"):
        return type(sample)(*[rebuilt(part, parts) for part in sample])
    if isinstance(sample, (tuple, list)):
        return type(sample)([rebuilt(part, parts) for part in sample])
    return next(parts)


def query_size(parts: list[Any]) -> tuple[int, int]:
    """(height, width), the same of all parts."""
    sizes = {tuple(get_size(part)) for part in parts
             if is_image(part) or isinstance(part, (BoundingBoxes, KeyPoints, Mask))}
    return _only(sizes, "sizes")  # type: ignore[return-value]


def query_chw(parts: list[Any]) -> tuple[int, int, int]:
    """(channels, height, width), the same of all pictures."""
    return _only({tuple(get_dimensions(part)) for part in parts if is_image(part)}, "shapes")  # type: ignore[return-value]


def _only(found: set[tuple[int, ...]], what: str) -> tuple[int, ...]:
    if len(found) != 1:
        raise ValueError(f"all parts of a sample must be of one picture, these have the {what} {sorted(found)}"
                         if found else "there is no picture in the sample")
    return found.pop()


def labels_of(sample: Any) -> Tensor:
    """The labels in a sample: the second part, or what is called so in it, or in the sample."""
    part: Any = sample[1] if isinstance(sample, (tuple, list)) and len(sample) > 1 else sample
    if is_pure_tensor(part):
        return part
    if isinstance(part, Mapping):
        names = [name for name in part if str(name).lower() == "labels"] + [
            name for name in part if "label" in str(name).lower()]
        if names:
            return part[names[0]]
    raise ValueError("there are no labels in the sample: they are the second part, or called 'labels' in a dict; else "
                     "give labels_getter, a function of the sample")
