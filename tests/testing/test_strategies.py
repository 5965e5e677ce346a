"""Strategies: what they draw is what they say, and it shrinks to the smallest and roundest case."""

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

import nn.functional as F
from autograd import Tensor, einsum
from autograd.testing import strategies

QUICK = settings(max_examples=50, suppress_health_check=list(HealthCheck), database=None,
                 derandomize=True)


def drawn(strategy):
    """What a strategy draws."""
    found = []
    QUICK(given(strategy)(lambda value: found.append(value)))()
    return found


def test_arrays_keep_to_their_domain():
    for x in drawn(strategies.arrays(low=-1, high=2, away_from=(0.5,), min_dims=1, min_side=2)):
        assert x.ndim >= 1
        assert min(x.shape) >= 2
        assert x.min() >= -1
        assert x.max() <= 2
        assert (np.abs(x - 0.5) >= 0.125).all()
    assert all(len(np.unique(x)) == x.size for x in drawn(strategies.arrays((2, 3), distinct=True)))
    assert {x.dtype for x in drawn(strategies.arrays(dtype=np.float32))} == {np.dtype("float32")}
    assert all(((x > 0) & (x < 1)).all() for x in drawn(strategies.open_interval(0, 1)))
    with pytest.raises(ValueError, match="not enough for distinct elements"):
        strategies.arrays((10,), low=0, high=0.25, distinct=True)


def test_shapes_of_all_kinds_occur():
    shapes = [x.shape for x in drawn(strategies.arrays())]
    assert () in shapes
    assert any(0 in shape for shape in shapes)
    assert {len(shape) for shape in shapes} == {0, 1, 2, 3, 4, 5}
    assert any(max(shape, default=0) > 8 for shape in shapes)


@pytest.mark.parametrize(("strategy", "condition", "smallest"), [
    (strategies.arrays(), lambda x: True, "array(1.)"),
    (strategies.arrays(), lambda x: x.ndim == 2, "array([[1.]])"),
    (strategies.arrays(), lambda x: (x < 0).any(), "array(-1.)"),
    (strategies.arrays(), lambda x: (x == 0).any(), "array(0.)"),
    (strategies.arrays(), lambda x: (x < 0).any() and (x > 0).any(), "array([ 1., -1.])"),
    (strategies.arrays(), lambda x: x.size > 1, "array([1., 1.])"),
    (strategies.broadcastable(2), lambda xy: xy[0].shape != xy[1].shape, "(array(1.), array([1.]))"),
    (strategies.matmul_operands(), lambda xy: True, "(array([1.]), array([1.]))"),
    (strategies.positive_definite(), lambda x: True, "array([[2.]])"),
    (strategies.permutations(3), lambda order: True, "(0, 1, 2)"),
    (strategies.axis(3), lambda dim: True, "0"),
])
def test_it_shrinks_to_the_smallest_and_roundest(strategy, condition, smallest):
    for seed in range(5):
        found = find(strategy, condition, settings=settings(QUICK, max_examples=500, derandomize=False),
                     random=random.Random(seed))
        assert repr(found) == smallest


def test_groups_fit_their_operations():
    for arrays in drawn(strategies.broadcastable(3)):
        np.broadcast_shapes(*[x.shape for x in arrays])
    for x, y in drawn(strategies.matmul_operands()):
        np.matmul(x, y)
    for args, options in drawn(strategies.einsum_calls()):
        einsum(options["equation"], *map(Tensor, args))
    for function, calls in ((F.conv1d, strategies.convolution_calls(1)), (F.conv2d, strategies.convolution_calls()),
                            (F.max_pool2d, strategies.pooling_calls()), (F.layer_norm,
                                                                         strategies.normalization_calls())):
        for args, options in drawn(calls):
            assert function(*[Tensor(a) if isinstance(a, np.ndarray) else a for a in args], **options).numel()


def test_indices_and_axes_are_valid():
    for x, index in drawn(strategies.arrays(min_dims=1).flatmap(
            lambda x: st.tuples(st.just(x), strategies.indices(x.shape)))):
        x[index]
    for axes in drawn(strategies.axes(3)):
        np.zeros((1, 2, 3)).sum(axes)
    assert all(np.take_along_axis(np.zeros((2, 3)), i, 1).size for i in drawn(strategies.positions((2, 3), 1)))


def test_matrices():
    for x in drawn(strategies.well_conditioned()):
        assert np.linalg.cond(x) < 20
    for x in drawn(strategies.positive_definite()):
        assert (np.linalg.eigvalsh(x) >= 1 - 1e-9).all()
        assert np.array_equal(x, x.T)


def test_classes_probabilities_masks_and_layouts():
    assert all(((i >= 0) & (i < 4)).all() and i.dtype == np.int64 for i in drawn(strategies.class_indices((5,), 4)))
    assert all(np.allclose(p.sum(0), 1) for p in drawn(strategies.probabilities((3, 2), dim=0)))
    assert {x.dtype for x in drawn(strategies.masks())} == {np.dtype(bool)}
    laid_out = drawn(strategies.layouts(strategies.arrays((2, 3))))
    assert {(24, 8), (8, 16), (48, 16), (-24, -8)}.issubset(x.strides for x in laid_out)
    assert not all(x.flags.writeable for x in laid_out)
    assert all(t.requires_grad for t in drawn(strategies.tensors((2,))))
