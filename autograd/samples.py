"""Example arguments that many declarations share: functions of a `Draw`, which the property tests pass in.

A declaration says with `samples=` on what its operation is to be tried. `draw` chooses arrays, shapes, axes and options
(see `autograd.testing`); the result is a call: positional arguments and options.

    samples=lambda draw: call(draw.array(away_from=(0,)), dim=draw.choice([None, 0, -1]))
"""

from typing import Any

import numpy as np

Call = tuple[tuple, dict]


def call(*args: Any, **options: Any) -> Call:
    """Arguments and options of one call."""
    return args, options


def numbers(draw: Any) -> Call:
    """One array of any shape."""
    return call(draw.array())


def nonzero(draw: Any) -> Call:
    """One array that keeps away from zero, for functions with a kink or a pole there."""
    return call(draw.array(away_from=(0,)))


def positive(draw: Any) -> Call:
    """One array of positive numbers."""
    return call(draw.array(low=0.25, high=3))


def inside_one(draw: Any) -> Call:
    """One array of numbers between -1 and 1."""
    return call(draw.array(low=-0.75, high=0.75))


def pair(draw: Any) -> Call:
    """Two arrays that broadcast."""
    return call(*draw.broadcastable(2))


def distinct_pair(draw: Any) -> Call:
    """Two arrays that broadcast, with few equal elements."""
    x, y = draw.broadcastable(2)
    return call(x, np.asarray(y + 0.0625))  # without axes, y + 0.0625 is no array


def reduction(draw: Any) -> Call:
    """One array and the axes to reduce."""
    x = draw.array()
    return call(x, dim=draw.dims(x.ndim), keepdim=draw.boolean())


def along_one(draw: Any) -> Call:
    """One array and one of its axes."""
    x = draw.array(min_dims=1)
    return call(x, dim=draw.dim(x.ndim))
