"""Pruning: weights, or whole channels, that are set to zero and stay there while the others are trained.

A pruned parameter `weight` is stored as `weight_orig`, which is trained, and the buffer `weight_mask` of ones and
zeros; `weight` is their product, computed when it is read. Names and meanings are PyTorch's.
"""

import numbers
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

import autograd
from autograd import Tensor, no_grad, ones_like
from autograd.errors import ShapeError
from nn.module import Module
from nn.parameter import Parameter
from nn.utils.parametrize import compute_attribute, computed_attributes, parameter_to_compute

__all__ = ["BasePruningMethod", "CustomFromMask", "Identity", "L1Unstructured", "LnStructured", "PruningContainer",
           "RandomStructured", "RandomUnstructured", "custom_from_mask", "global_unstructured", "identity", "is_pruned",
           "l1_unstructured", "ln_structured", "random_structured", "random_unstructured", "remove"]


class BasePruningMethod:
    """Base of ways to prune: a subclass says in `compute_mask` what is left.

    Its `PRUNING_TYPE` says what of an already pruned tensor it looks at: "unstructured": the elements that are left,
    in one axis; "structured": the channels along `self.dim` that are left; "global": all.
    """

    PRUNING_TYPE: ClassVar[str] = "global"
    _tensor_name: str

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """1 for what is left of t, 0 for what is pruned.

        Args:
            t: how important each element is; by default, the tensor itself.
            default_mask: what is left so far.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method compute_mask(self, t, default_mask)")

    def apply_mask(self, module: Module) -> Tensor:
        """The pruned tensor of a module."""
        original: Tensor = getattr(module, f"{self._tensor_name}_orig")
        return original * getattr(module, f"{self._tensor_name}_mask").to(original.dtype)

    def __call__(self, module: Module, inputs: Any = None) -> Tensor:
        return self.apply_mask(module)

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """t with what is pruned set to 0; no module is changed."""
        scores = _scores(importance_scores, t)
        return t * self.compute_mask(scores.detach(), ones_like(t.detach()) if default_mask is None else default_mask)

    @classmethod
    def apply(cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None,
              **kwargs: Any) -> "BasePruningMethod":
        """Prune a parameter of a module, on top of what has been pruned of it."""
        method: BasePruningMethod = cls(*args, **kwargs)
        method._tensor_name = name
        before = computed_attributes(module).get(name)
        if isinstance(before, BasePruningMethod):
            method = PruningContainer(*(before if isinstance(before, PruningContainer) else [before]), method)
            left = getattr(module, f"{name}_mask")
        else:
            left = ones_like(parameter_to_compute("prune", module, name).detach())
        scores = _scores(importance_scores, getattr(module, name))
        mask = method.compute_mask(scores.detach(), left.detach().clone()).to(scores.dtype)
        if not isinstance(before, BasePruningMethod):
            original = vars(module)[name]
            delattr(module, name)
            module.register_parameter(f"{name}_orig", original)
        module.register_buffer(f"{name}_mask", mask)
        compute_attribute(module, name, method, renamed=False)
        return method

    def remove(self, module: Module) -> None:
        """Make the pruned tensor a plain parameter again, with the zeros it has now."""
        name = self._tensor_name
        original: Parameter = getattr(module, f"{name}_orig")
        with no_grad():
            original.data = self.apply_mask(module).detach()
        compute_attribute(module, name, None)
        delattr(module, f"{name}_orig")
        delattr(module, f"{name}_mask")
        setattr(module, name, original)


class PruningContainer(BasePruningMethod):
    """Several methods, of which each has pruned what the ones before left."""

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod) -> None:
        """Add a method; it must be of the same tensor."""
        if not isinstance(method, BasePruningMethod):
            raise TypeError(f"a PruningContainer holds BasePruningMethods, not a {type(method).__name__}")
        name = getattr(method, "_tensor_name", None)
        if self._pruning_methods and name != self._tensor_name:
            raise ValueError(f"the methods of a PruningContainer prune one tensor, {self._tensor_name!r}, not {name!r}")
        if name is not None:
            self._tensor_name = name
        self._pruning_methods = (*self._pruning_methods, method)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, index: int) -> BasePruningMethod:
        return self._pruning_methods[index]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """What the last method leaves of `default_mask`."""
        method, mask = self[-1], default_mask.detach().numpy().copy()
        index: Any
        if method.PRUNING_TYPE == "unstructured":
            index = mask == 1
        elif method.PRUNING_TYPE == "structured":
            axis = method.dim % t.ndim  # type: ignore[attr-defined]  # these have one
            left = (mask != 0).any(axis=tuple(i for i in range(t.ndim) if i != axis))
            index = (slice(None),) * axis + (left,)
        elif method.PRUNING_TYPE == "global":
            index = ...
        else:
            raise ValueError(f"{type(method).__name__}.PRUNING_TYPE must be 'unstructured', 'structured' or 'global', "
                             f"not {method.PRUNING_TYPE!r}")
        part = method.compute_mask(autograd.as_tensor(t.detach().numpy()[index]), autograd.as_tensor(mask[index]))
        mask[index] = part.detach().numpy()
        return autograd.as_tensor(mask)


def _scores(given: Tensor | None, tensor: Tensor) -> Tensor:
    if given is not None and given.shape != tensor.shape:
        raise ShapeError(f"importance_scores must have the tensor's shape {tensor.shape}, not {given.shape}")
    return tensor if given is None else given


class _OfAmount(BasePruningMethod):
    PRUNING_TYPE = "unstructured"

    def __init__(self, amount: float) -> None:
        if not isinstance(amount, numbers.Real) or isinstance(amount, bool):
            raise TypeError(f"amount must be a whole number of entries or a fraction of them, not {amount!r}")
        if amount < 0 or (not isinstance(amount, numbers.Integral) and amount > 1):
            raise ValueError(f"amount={amount} must be a whole number of at least 0, or a fraction from 0.0 to 1.0")
        self.amount: float = amount

    def _count(self, size: int) -> int:
        count = int(self.amount) if isinstance(self.amount, numbers.Integral) else round(self.amount * size)
        if count > size:
            raise ValueError(f"amount={self.amount} is more than the {size} there are to prune")
        return count

    def _without(self, rank: np.ndarray, default_mask: Tensor) -> Tensor:
        """The mask without the elements whose `rank` is lowest."""
        mask = default_mask.detach().clone()
        mask.array.reshape(-1)[np.argsort(rank.reshape(-1), kind="stable")[:self._count(rank.size)]] = 0
        return mask


class RandomUnstructured(_OfAmount):
    """Prunes elements at random.

    Args:
        amount: how many, or what fraction of them.
    """

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask with random elements set to 0."""
        return self._without(autograd.rand(*t.shape).numpy(), default_mask.contiguous())


class L1Unstructured(_OfAmount):
    """Prunes the elements that are smallest in size; arguments as in `RandomUnstructured`."""

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask with the smallest elements set to 0."""
        return self._without(np.abs(t.detach().numpy()), default_mask.contiguous())


class RandomStructured(_OfAmount):
    """Prunes channels at random.

    Args:
        amount: how many, or what fraction of them.
        dim: the axis of channels.
    """

    PRUNING_TYPE = "structured"

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _rank(self, t: Tensor) -> np.ndarray:
        return autograd.rand(t.shape[self.dim]).numpy()

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask with whole channels set to 0."""
        if t.ndim < 2:
            raise ShapeError(f"channels are pruned of a tensor with at least 2 axes, not of shape {t.shape}; prune "
                             "its elements: l1_unstructured()")
        if not -t.ndim <= self.dim < t.ndim:
            raise IndexError(f"dim={self.dim} is out of range for a tensor of shape {t.shape}")
        left = self._without(self._rank(t), autograd.ones(t.shape[self.dim], dtype=default_mask.dtype))
        return default_mask * left.reshape([-1 if i == self.dim % t.ndim else 1 for i in range(t.ndim)])


class LnStructured(RandomStructured):
    """Prunes the channels of smallest norm.

    Args:
        amount: how many, or what fraction of them.
        n: the norm: a number, inf, -inf, "fro" or "nuc", as of `autograd.norm`.
        dim: the axis of channels.
    """

    def __init__(self, amount: float, n: float | str, dim: int = -1) -> None:
        super().__init__(amount, dim)
        self.n = n

    def _rank(self, t: Tensor) -> np.ndarray:
        others = tuple(i for i in range(t.ndim) if i != self.dim % t.ndim)
        norms: Tensor = autograd.norm(t.detach(), p=self.n, dim=others)
        return norms.numpy()


class Identity(BasePruningMethod):
    """Prunes nothing, but stores the parameter as pruned ones are."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask as it is."""
        return default_mask


class CustomFromMask(BasePruningMethod):
    """Prunes where a given mask is 0."""

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The product of both masks."""
        mask = autograd.as_tensor(self.mask)
        if mask.shape != default_mask.shape:
            raise ShapeError(f"the mask must have the tensor's shape {default_mask.shape}, not {mask.shape}")
        return default_mask * mask.to(default_mask.dtype)


def identity(module: Module, name: str) -> Module:
    """Store a parameter as pruned ones are, with nothing pruned; returns the module, as the others do."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """Prune elements of a parameter at random.

    Args:
        module: the layer, which is changed and returned.
        name: of its parameter.
        amount: how many (a whole number), or what fraction of those that are left.
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Module, name: str, amount: float, importance_scores: Tensor | None = None) -> Module:
    """Prune the elements of a parameter that are smallest in size, or least important.

    Args:
        module: the layer, which is changed and returned.
        name: of its parameter.
        amount: how many (a whole number), or what fraction of those that are left.
        importance_scores: of the parameter's shape, whose sizes are compared instead.

    >>> layer = l1_unstructured(nn.Linear(4, 4), "weight", amount=0.25)
    >>> int((layer.weight == 0).sum()), [name for name, _ in layer.named_parameters()]
    (4, ['bias', 'weight_orig'])
    """
    L1Unstructured.apply(module, name, amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """Prune channels of a parameter at random.

    Args:
        module: the layer, which is changed and returned.
        name: of its parameter.
        amount: how many channels (a whole number), or what fraction of those that are left.
        dim: the axis of channels.
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(module: Module, name: str, amount: float, n: float | str, dim: int,
                  importance_scores: Tensor | None = None) -> Module:
    """Prune the channels of a parameter of smallest norm.

    Args:
        module: the layer, which is changed and returned.
        name: of its parameter.
        amount: how many channels (a whole number), or what fraction of those that are left.
        n: the norm: a number, inf, -inf, "fro" or "nuc".
        dim: the axis of channels.
        importance_scores: of the parameter's shape, whose norms are compared instead.
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prune a parameter where a mask is 0."""
    CustomFromMask.apply(module, name, mask)
    return module


def global_unstructured(parameters: Iterable[tuple[Module, str]], pruning_method: type[BasePruningMethod],
                        importance_scores: Mapping[tuple[Module, str], Tensor] | None = None, **kwargs: Any) -> None:
    """Prune the elements of several parameters that a method would prune of them all together.

    Args:
        parameters: pairs of a module and the name of its parameter.
        pruning_method: a class of this module whose PRUNING_TYPE is "unstructured".
        importance_scores: (module, name) -> a Tensor, what is compared instead.
        kwargs: what the class is made with, such as `amount`.
    """
    pairs = list(parameters)
    scores = [_scores((importance_scores or {}).get(pair), getattr(*pair)).detach().numpy() for pair in pairs]
    left = [vars(module).get(f"{name}_mask", ones_like(getattr(module, name).detach())).numpy()
            for module, name in pairs]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(f"pruning_method must compare elements (PRUNING_TYPE 'unstructured'); that of "
                        f"{pruning_method.__name__} is {method.PRUNING_TYPE!r}")
    flat = [autograd.as_tensor(np.concatenate([a.reshape(-1) for a in arrays])) for arrays in (scores, left)]
    mask, start = PruningContainer(method).compute_mask(*flat), 0
    for (module, name), array in zip(pairs, scores, strict=True):
        custom_from_mask(module, name, mask[start:start + array.size].reshape(array.shape))
        start += array.size


def remove(module: Module, name: str) -> Module:
    """Make a pruned parameter a plain one again, with the zeros it has now."""
    method = computed_attributes(module).get(name)
    if not isinstance(method, BasePruningMethod):
        raise ValueError(f"{type(module).__name__}.{name} is not pruned, so there is no pruning to remove")
    method.remove(module)
    return module


def is_pruned(module: Module) -> bool:
    """Whether a parameter of a module, or of one below it, is pruned."""
    return any(isinstance(compute, BasePruningMethod)
               for below in module.modules() for compute in computed_attributes(below).values())
