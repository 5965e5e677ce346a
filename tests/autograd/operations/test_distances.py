"""Distances are the same in blocks, and compiled."""

import importlib.util
import sys

import numpy as np
import pytest

import autograd


@pytest.fixture(params=[False, True], ids=["plain", "compiled"])
def compiled(request, monkeypatch):
    if request.param and importlib.util.find_spec("numba") is None:
        pytest.skip("numba is not installed")
    monkeypatch.setattr("autograd.runtime.compiled.LEAST", 1)
    before = autograd.is_compiled()
    autograd.set_compiled(request.param)
    yield request.param
    autograd.set_compiled(before)


@pytest.mark.parametrize("shape", [(7, 3), (2, 7, 3), (1, 3)])
def test_distances_are_the_same_in_blocks(shape, monkeypatch):
    rng = np.random.default_rng(0)
    x, y = (autograd.tensor(rng.standard_normal(shape), requires_grad=True) for _ in range(2))
    found = []
    for block in (1 << 22, 50, 1):
        monkeypatch.setattr(sys.modules["autograd.operations.distances"], "BLOCK", block)
        for p in (2.0, 1.0, float("inf")):
            out = autograd.cdist(x, y, p)
            found.append([out.detach(), *autograd.grad(out.sum(), [x, y])])
    for a, b in zip(found, [*found[3:], *found[:3]], strict=True):
        for one, other in zip(a, b, strict=True):
            np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-12)


@pytest.mark.parametrize("pairs", [1 << 15, 3000, 100])
@pytest.mark.parametrize("length", [1, 8, 19])
@pytest.mark.parametrize("case", ["apart", "near each other", "far away", "equal", "broadcast", "transposed", "tiny"])
def test_distances_of_float32_are_those_of_float64_rounded(case, length, pairs, compiled, monkeypatch):
    monkeypatch.setattr(sys.modules["autograd.operations.distances"], "PAIRS", pairs)
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 40, length)), rng.standard_normal((2, 30, length))
    if case == "near each other":
        y = x[:, :30] + 1e-4 * y
    elif case == "far away":
        x, y = x + 1000, y + 1000
    elif case == "equal":
        y = x
    elif case == "broadcast":
        y = y[0]
    elif case == "transposed":
        x, y = rng.standard_normal((length, 40, 3, 2)).T, rng.standard_normal((3, 2, 30, length)).swapaxes(0, 1)
    elif case == "tiny":
        x, y = x * 1e-22, y * 1e-22
    single = [a.astype(np.float32) for a in (x, y)]
    found = []
    for dtype in (np.float32, np.float64):
        a, b = (autograd.from_numpy(array.astype(dtype)).requires_grad_() for array in single)
        out = autograd.cdist(a, b)
        found.append([out.detach(), *autograd.grad(out, [a, b], autograd.ones_like(out))])
    np.testing.assert_allclose(found[0][0].numpy(), found[1][0].numpy(), rtol=1e-6)
    for one, other in zip(*found, strict=True):
        tolerance = {"rtol": 1e-6, "atol": 2e-5} if compiled else {"rtol": 2e-7, "atol": 1e-5}
        np.testing.assert_allclose(one.numpy(), other.numpy(), **tolerance)


def test_what_is_not_finite_stays_with_its_row(compiled):
    x, y = np.ones((40, 8), np.float32), np.zeros((30, 8), np.float32)
    x[3, 1], x[4, 2] = np.nan, np.inf
    out = autograd.cdist(autograd.tensor(x), autograd.tensor(y)).numpy()
    assert np.isnan(out[3]).all()
    assert (out[4] == np.inf).all()
    np.testing.assert_allclose(np.delete(out, [3, 4], 0), np.sqrt(8), rtol=1e-6)


def of_both_rows(x):
    """Distances of pairs from both of their rows, as `pdist` takes them for other norms."""
    first, second = np.triu_indices(len(x), 1)
    return autograd.linalg.vector_norm(x[first] - x[second], 2.0, -1)


@pytest.mark.parametrize("case", ["apart", "equal", "far away", "tiny", "infinite", "nan", "no axes"])
def test_distances_of_pairs_are_those_of_both_rows(case, compiled):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 0 if case == "no axes" else 9)).astype(np.float32)
    if case == "equal":
        x[[3, 20]] = x[7]
    elif case == "far away":
        x += 1000
    elif case == "tiny":
        x *= 1e-22
    elif case in ("infinite", "nan"):
        x[4, 2] = np.inf if case == "infinite" else np.nan
    weights = autograd.tensor(rng.standard_normal(40 * 39 // 2).astype(np.float32))
    found = []
    for distances, dtype in ((autograd.pdist, np.float32), (of_both_rows, np.float64)):
        leaf = autograd.tensor(x.astype(dtype), requires_grad=True)
        with np.errstate(invalid="raise" if case == "equal" else "ignore"):
            out = distances(leaf)
            gradient, = autograd.grad((out * weights).sum(), leaf, create_graph=True)
            second, = autograd.grad((gradient * gradient).sum(), leaf) if case == "apart" else [autograd.zeros(1)]
        found.append([out.detach(), gradient.detach(), second])
    for one, other, tolerance in zip(*found, (0, 2e-5, 2e-5), strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=tolerance)
