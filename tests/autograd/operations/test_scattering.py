"""Values that meet at one place, and parts replaced: beside PyTorch, both derivatives, ties and zeros, too."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd
from autograd.testing import check_derivatives

SHAPES = [(4,), (2, 3), ()]


@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int16])
@given(data=st.data())
def test_scatter_reduce(reduce, include_self, dtype, data):
    torch = pytest.importorskip("torch")
    shape = data.draw(st.sampled_from(SHAPES))
    values = hnp.arrays(dtype, shape, elements=st.sampled_from([1, 2, -3, 0, 4]))
    x, src = data.draw(values), data.draw(values)
    dim = data.draw(st.integers(0, max(0, len(shape) - 1)))
    index = data.draw(hnp.arrays(np.int64, shape, elements=st.integers(0, (shape[dim] if shape else 1) - 1)))
    found = []
    for m in (autograd, torch):
        leaves = [m.tensor(a, requires_grad=np.dtype(dtype).kind == "f") for a in (x, src)]
        out = m.scatter_reduce(leaves[0], dim, m.tensor(index), leaves[1], reduce, include_self=include_self)
        if out.requires_grad and (include_self or reduce not in ("amax", "amin")):  # PyTorch counts what is left out
            (out * m.tensor(np.arange(1.0, out.numel() + 1).reshape(shape).astype(dtype))).sum().backward()
        found.append([out.detach().numpy(), *[leaf.grad.numpy() for leaf in leaves if leaf.grad is not None]])
        target = m.tensor(x)
        target.scatter_reduce_(dim, m.tensor(index), m.tensor(src), reduce, include_self=include_self)
        np.testing.assert_array_equal(target.numpy(), out.detach().numpy())
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
        assert a.dtype == b.dtype


@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int16, np.int32])
def test_integers_keep_their_dtype(reduce, dtype):
    if reduce in ("sum", "mean", "prod") and dtype is np.bool_:
        pytest.skip("it is of numbers")
    x, at = autograd.tensor(np.array([1, 1, 0], dtype)), autograd.tensor([0, 1])
    assert x.scatter_reduce(0, at, x[:2], reduce).dtype == dtype
    if reduce != "sum":
        assert x.index_reduce(0, at, x[:2], reduce).dtype == dtype


@pytest.mark.parametrize("reduce", ["sum", "prod", "mean", "amax", "amin"])
def test_what_is_scattered_into_may_lie_anyhow(reduce):
    """As what is computed of a transposed tensor does."""
    x, index = np.arange(6.0).reshape(2, 3), autograd.tensor([[0, 1, 2], [0, 0, 1]])
    src, expected = autograd.tensor(7 - 2 * x), None
    for layout in (np.ascontiguousarray, np.asfortranarray, lambda x: np.flip(np.flip(x).copy())):
        target = autograd.from_numpy(layout(x.copy()))
        found = [target.scatter_reduce(1, index, src, reduce), target.scatter_reduce_(1, index, src, reduce)]
        expected = expected or found
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())


@pytest.mark.parametrize("reduce", ["prod", "mean", "amax", "amin"])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_index_reduce(reduce, dim):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    x, source, index = rng.standard_normal((3, 4)), rng.standard_normal((2, 4) if dim == 0 else (3, 2)), [1, 1]
    for include_self in (True, False):
        ours, theirs = (m.tensor(x).index_reduce(dim, m.tensor(index), m.tensor(source), reduce,
                                                 include_self=include_self).numpy() for m in (autograd, torch))
        np.testing.assert_allclose(ours, theirs)


@pytest.mark.parametrize(("reduce", "include_self"), itertools.product(["prod", "amax", "amin", "mean"], [True, False]))
def test_second_derivatives_with_zeros_among_the_factors(reduce, include_self):
    index = autograd.tensor([0, 0, 2, 0])
    check_derivatives(lambda x, src: autograd.scatter_reduce(x, 0, index, src, reduce, include_self=include_self),
                      [np.array([1.5, -2.0, 0.5]), np.array([0.0, 3.0, 1.25, -1.0])])


CALLS = {
    "index_put": lambda m, x: x.index_put((m.tensor([0, 1]), m.tensor([2, 0])), m.tensor([5.0, 6.0])),
    "index_put, added": lambda m, x: x.index_put((m.tensor([0, 0]),), m.tensor([1.0, 2.0, 3.0]), accumulate=True),
    "index_put, mask": lambda m, x: x.index_put((x > 3,), m.tensor(0.5)),
    "put": lambda m, x: x.put(m.tensor([0, 5]), m.tensor([7.0, 8.0])),
    "put, added": lambda m, x: x.put(m.tensor([1, 1]), m.tensor([7.0, 8.0]), True),
    "masked_scatter": lambda m, x: x.masked_scatter(x > 2, m.tensor([9.0, 8.0, 7.0, 6.0])),
    "masked_scatter, wider": lambda m, x: x.masked_scatter(m.tensor([True, False, True]), m.arange(6.0)),
    "select_scatter": lambda m, x: x.select_scatter(m.tensor([7.0, 8.0]), 1, -1),
    "slice_scatter": lambda m, x: x.slice_scatter(m.tensor([[7.0], [8.0]]), 1, 2),
    "slice_scatter, steps": lambda m, x: x.slice_scatter(m.ones(2, 2), 1, 0, None, 2),
    "diagonal_scatter": lambda m, x: x.diagonal_scatter(m.tensor([7.0, 8.0]), 1),
    "fill_diagonal_": lambda m, x: x.clone().fill_diagonal_(9.0),
    "fill_diagonal_, wrap": lambda m, x: x.clone().T.contiguous().fill_diagonal_(9.0, wrap=True),
    "fill_diagonal_, tall": lambda m, x: m.zeros(7, 3).fill_diagonal_(9.0, wrap=True),
    "fill_diagonal_, cube": lambda m, x: m.zeros(3, 3, 3).fill_diagonal_(9.0),
    "block_diag": lambda m, x: m.block_diag(x, m.tensor([1.0, 2.0]), m.tensor(3.0)),
    "block_diag, of integers, too": lambda m, x: m.block_diag(m.tensor([[4, 5], [6, 7]]), x, m.zeros(0, 2), x[0]),
    "block_diag, of integers": lambda m, x: m.block_diag(m.tensor([True, False]), m.tensor([3, 4])),
    "combinations": lambda m, x: m.combinations(x[0], 2), "cartesian_prod": lambda m, x: m.cartesian_prod(x[0], x[1]),
    "column_stack": lambda m, x: m.column_stack((x, x[:, 0])), "dstack": lambda m, x: m.dstack((x, x)),
    "atleast_3d": lambda m, x: m.atleast_3d(x), "atleast_2d": lambda m, x: m.atleast_2d(x[0], x)[0],
    "hsplit": lambda m, x: m.hsplit(x, 3)[1], "vsplit": lambda m, x: m.vsplit(x, [1])[0],
    "fliplr": lambda m, x: m.fliplr(x), "flipud": lambda m, x: m.flipud(x), "diagflat": lambda m, x: m.diagflat(x, 1),
    "cdist": lambda m, x: m.cdist(x, x + 1.0), "cdist, p = 1": lambda m, x: m.cdist(x, x + 1.0, 1.0),
    "cdist, p = inf": lambda m, x: m.cdist(x, x + 1.0, float("inf")),
    "pdist": lambda m, x: (m if m is autograd else m.nn.functional).pdist(x),
    "addmv": lambda m, x: m.addmv(x[:, 0], x, x[0], beta=0.5, alpha=2.0),
    "addr": lambda m, x: m.addr(x, x[:, 0], x[0], beta=0.5), "addbmm": lambda m, x: m.addbmm(x @ x.T, m.stack([x, x]),
                                                                                            m.stack([x.T, x.T])),
    "copysign": lambda m, x: m.copysign(x, -x), "ldexp": lambda m, x: m.ldexp(x, m.tensor([1.0, 2.0, -1.0])),
    "float_power": lambda m, x: m.float_power(x, 2), "rsub": lambda m, x: m.rsub(x, 2.0, alpha=3),
    "frexp": lambda m, x: m.frexp(x).mantissa, "gcd": lambda m, x: m.gcd(m.tensor([12, -8]), m.tensor([8, 6])),
    "lcm": lambda m, x: m.lcm(m.tensor([12, 8]), m.tensor([8, 6])),
    "heaviside": lambda m, x: m.heaviside(x.detach() - 2, x.detach()),
    "nextafter": lambda m, x: m.nextafter(x, x + 1), "cumulative_trapezoid": lambda m, x: m.cumulative_trapezoid(x),
    "tril_indices": lambda m, x: m.tril_indices(3, 4, -1), "triu_indices": lambda m, x: m.triu_indices(4, 2, 1),
    "hann_window": lambda m, x: m.hann_window(5), "hamming_window": lambda m, x: m.hamming_window(6, periodic=False),
    "blackman_window": lambda m, x: m.blackman_window(1), "bartlett_window": lambda m, x: m.bartlett_window(7),
    "kaiser_window": lambda m, x: m.kaiser_window(6, True, 5.0), "asarray": lambda m, x: m.asarray([1, 2.5]),
    "scalar_tensor": lambda m, x: m.scalar_tensor(3), "frombuffer": lambda m, x: m.frombuffer(
        bytearray(b"\x01\x00\x02\x00"), dtype=m.int16),
    "vdot": lambda m, x: m.vdot(x[0], x[1]), "ger": lambda m, x: m.ger(x[0], x[1]),
    "split_with_sizes": lambda m, x: m.split_with_sizes(x, [1, 2], 1)[1], "row_stack": lambda m, x: m.row_stack([x, x]),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_as_in_pytorch(name):
    torch = pytest.importorskip("torch")
    x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.5]], np.float32)
    found = []
    for m in (autograd, torch):
        leaf = m.tensor(x, requires_grad=True)
        with m.no_grad() if "_, " in name or name.endswith("_") else m.enable_grad():
            call = CALLS[name](m, leaf if m.is_grad_enabled() else leaf.detach())
        if call.requires_grad:
            call.sum().backward()
        found.append((call.detach().numpy(), None if leaf.grad is None else leaf.grad.numpy()))
    (ours, gradient), (theirs, expected) = found
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    if expected is not None and gradient is not None:
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("call", "message"), [
    (lambda x: x.scatter_reduce(0, autograd.tensor([[0]]), x, "median"), "none of 'sum'"),
    (lambda x: x.scatter_reduce(0, autograd.tensor([0]), x, "sum"), "as many axes"),
    (lambda x: x.masked_scatter(x > 0, autograd.ones(1)), "too few"),
    (lambda x: x.masked_scatter(x, x), "must be boolean"),
    (lambda x: x.put(autograd.tensor([0, 1]), autograd.ones(3)), "as many"),
    (lambda x: x.select_scatter(autograd.ones(5), 0, 0), "they must be equal"),
    (lambda x: x[0].fill_diagonal_(1.0), "diagonal is that of a matrix"),
    (lambda x: autograd.cdist(x, autograd.ones(2, 5)), "vectors of one length"),
    (lambda x: autograd.cartesian_prod(x), "vectors"), (lambda x: x.index_reduce(0, autograd.tensor([0]), x, "sum"),
                                                        "to add write index_add")])
def test_what_does_not_fit_says_why(call, message):
    with pytest.raises((ValueError, RuntimeError, IndexError), match=message):
        call(autograd.ones(2, 3))
