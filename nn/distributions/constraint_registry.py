"""From all numbers to those that a constraint lets in."""

import functools
from collections.abc import Callable
from typing import Any

from nn.distributions import constraints, transforms
from nn.distributions.constraints import Constraint
from nn.distributions.transforms import Transform

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """Which `Transform` leads to which `Constraint`, by the constraint's type."""

    def __init__(self) -> None:
        self._factories: dict[type, Callable[[Any], Transform]] = {}

    def register(self, constraint: Constraint | type[Constraint],
                 factory: Callable[[Any], Transform] | None = None) -> Any:
        """Let `factory(constraint)` make the transform to constraints of this type; without it, a decorator.

        >>> mine = ConstraintRegistry()
        >>> soft = mine.register(constraints.positive, lambda constraint: SoftplusTransform())
        >>> mine(constraints.positive)
        SoftplusTransform()
        """
        if factory is None:
            return lambda factory: self.register(constraint, factory)
        kind = type(constraint) if isinstance(constraint, Constraint) else constraint
        if not (isinstance(kind, type) and issubclass(kind, Constraint)):
            raise TypeError(f"register: constraint must be a Constraint or a subclass of it, not {constraint!r}")
        self._factories[kind] = factory
        return factory

    def __call__(self, constraint: Constraint) -> Transform:
        """The transform from all numbers to a constraint; its `inv` leads back."""
        if type(constraint) not in self._factories:
            raise NotImplementedError(f"no transform leads to {constraint!r}; add one with register()")
        return self._factories[type(constraint)](constraint)


biject_to = ConstraintRegistry()
"""Bijections from all numbers to a constraint, with densities; as for Hamiltonian Monte Carlo."""
transform_to = ConstraintRegistry()
"""Maps from all numbers to a constraint, which may be many to one but treat coordinates alike; as for an optimizer."""


def _affine(loc: Any, scale: Any, first: Transform) -> Transform:
    """`first`, scaled and moved."""
    if not isinstance(loc, (int, float)) or not isinstance(scale, (int, float)) or (loc, scale) != (0, 1):
        return transforms.ComposeTransform([first, transforms.AffineTransform(loc, scale)])
    return first


def _independent(to: ConstraintRegistry, c: Any) -> Transform:
    return transforms.IndependentTransform(to(c.base_constraint), c.reinterpreted_batch_ndims)


def _cat(to: ConstraintRegistry, c: Any) -> Transform:
    return transforms.CatTransform([to(part) for part in c.cseq], c.dim, c.lengths)


def _stack(to: ConstraintRegistry, c: Any) -> Transform:
    return transforms.StackTransform([to(part) for part in c.cseq], c.dim)


for registry in (biject_to, transform_to):
    registry.register(constraints.real, lambda c: transforms.identity_transform)
    registry.register(constraints.independent, functools.partial(_independent, registry))
    for above in (constraints.greater_than, constraints.greater_than_eq):
        registry.register(above, lambda c: _affine(c.lower_bound, 1, transforms.ExpTransform()))
    registry.register(constraints.less_than, lambda c: _affine(c.upper_bound, -1, transforms.ExpTransform()))
    for between in (constraints.interval, constraints.half_open_interval):
        registry.register(between, lambda c: _affine(c.lower_bound, c.upper_bound - c.lower_bound,
                                                     transforms.SigmoidTransform()))
    registry.register(constraints.corr_cholesky, lambda c: transforms.CorrCholeskyTransform())
    registry.register(constraints.cat, functools.partial(_cat, registry))
    registry.register(constraints.stack, functools.partial(_stack, registry))
biject_to.register(constraints.simplex, lambda c: transforms.StickBreakingTransform())
transform_to.register(constraints.simplex, lambda c: transforms.SoftmaxTransform())
transform_to.register(constraints.lower_cholesky, lambda c: transforms.LowerCholeskyTransform())
for definite in (constraints.positive_definite, constraints.positive_semidefinite):
    transform_to.register(definite, lambda c: transforms.PositiveDefiniteTransform())
