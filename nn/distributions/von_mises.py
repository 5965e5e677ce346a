"""Von Mises' distribution, of angles."""

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

import autograd
from autograd import Tensor, no_grad, operation
from autograd.samples import call
from autograd.typing import TensorLike
from nn.distributions import constraints
from nn.distributions.constraints import Constraint
from nn.distributions.distribution import Distribution

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


def _moments(kappa: Any, count: int) -> list[np.ndarray]:
    """∫ (1 − cos θ)ᵏ exp(−κ (1 − cos θ)) dθ over half a circle, for k below count (DLMF 10.32.1).

    Where the exponential is less than the rounding of 1, nothing is summed; elsewhere Gauss and Legendre's quadrature
    of a smooth function has all digits.
    """
    kappa = np.abs(np.asarray(kappa, np.float64))
    end = 2 * np.arcsin(np.sqrt(np.minimum(20 / np.maximum(kappa, 20), 1)))
    sums = [np.zeros(kappa.shape) for _ in range(count)]
    for node, weight in zip(0.5 * (_NODES + 1), 0.5 * _WEIGHTS, strict=True):
        fall = 2 * np.sin(0.5 * end * node) ** 2
        mass = weight * end * np.exp(-kappa * fall)
        for k in range(count):
            sums[k] = sums[k] + mass * fall ** k
    return sums


def _log_bessel(kappa: Any) -> np.ndarray:
    """log I₀."""
    return (np.abs(kappa) + np.log(_moments(kappa, 1)[0] / math.pi)).astype(kappa.dtype)


def _spread(kappa: Any) -> np.ndarray:
    """1 − I₁ / I₀ for κ > 0, the mean of 1 − cos θ."""
    whole, first = _moments(kappa, 2)
    return (first / whole).astype(kappa.dtype)


def _concentrations(draw: Any) -> Any:
    return call(draw.array(low=0.25, high=4))


spread = operation(
    _spread, vjps=lambda g, out, kappa: g * ((1 - out) / kappa - 2 * out + out * out), names="_spread", methods="",
    samples=_concentrations, doc="1 − I₁(κ) / I₀(κ), the circular variance of VonMises.")
log_bessel = operation(_log_bessel, vjps=lambda g, out, kappa: g * (1 - spread(kappa)), names="_log_bessel", methods="",
                       samples=_concentrations, doc="log I₀(κ), with the modified Bessel function.")


class VonMises(Distribution):
    """Angles, with a density in proportion to exp(concentration · cos(x − loc)) on the circle.

    Args:
        loc: the mean direction, in radians.
        concentration: how narrow; both broadcast.
        validate_args: refuse what lies outside a domain; None means as `set_default_validate_args` says.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    loc: Tensor
    concentration: Tensor

    def __init__(self, loc: TensorLike, concentration: TensorLike, validate_args: bool | None = None) -> None:
        super().__init__(self._take(loc=loc, concentration=concentration), (), validate_args)

    @property
    def mean(self) -> Tensor:
        """The mean direction."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The circular variance, 1 − I₁ / I₀ of the concentration."""
        return spread(self.concentration)

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Angles in [−π, π), by rejection.

        (Best and Fisher, "Efficient simulation of the von Mises distribution", 1979.)
        """
        shape = self._shape(sample_shape)
        with no_grad():
            loc, kappa = self.loc.double().array, np.asarray(self.concentration.double().array)
            tau = 1 + np.sqrt(1 + 4 * kappa ** 2)
            rho = (tau - np.sqrt(2 * tau)) / (2 * kappa)
            with np.errstate(divide="ignore"):
                proposal = np.where(kappa < 1e-5, 1 / kappa + kappa, (1 + rho ** 2) / (2 * rho))
            angle, done = np.zeros(shape), np.zeros(shape, bool)
            while not done.all():
                one, two, three = autograd.rand(3, *shape, dtype=autograd.float64).numpy()
                z = np.cos(math.pi * one)
                cosine = (1 + proposal * z) / (proposal + z)
                c = kappa * (proposal - cosine)
                with np.errstate(divide="ignore"):
                    accept = (c * (2 - c) - two > 0) | (np.log(c / two) + 1 - c >= 0)
                angle = np.where(accept, np.sign(three - 0.5) * np.arccos(np.clip(cosine, -1, 1)), angle)
                done |= accept
            return Tensor(((angle + math.pi + loc) % (2 * math.pi) - math.pi).astype(self._dtype))

    def log_prob(self, value: TensorLike) -> Tensor:
        """concentration · cos(x − loc) − log 2π I₀(concentration)."""
        kappa = self.concentration
        return kappa * (self._value(value) - self.loc).cos() - math.log(2 * math.pi) - log_bessel(kappa)
