"""Shapes: views where PyTorch gives views, parts that share one gradient, and what cannot be said wrongly."""

import numpy as np
import pytest

import autograd
import autograd.testing
from autograd import Tensor, no_grad

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

SHAPES = [
    lambda t, x: x.reshape(4, 6), lambda t, x: x.reshape((6, -1)), lambda t, x: x.view(-1), lambda t, x: x.view(2, -1),
    lambda t, x: x.view_as(t.zeros(24)), lambda t, x: x.reshape_as(t.zeros(12, 2)),
    lambda t, x: x.expand(5, -1, -1, -1),
    lambda t, x: x.expand((2, 2, 3, 4)), lambda t, x: x[:, :1].expand_as(x), lambda t, x: x.flatten(),
    lambda t, x: x.flatten(1), lambda t, x: x.flatten(0, 1), lambda t, x: x.flatten(start_dim=-2),
    lambda t, x: x.ravel(),
    lambda t, x: x.unflatten(2, (2, 2)), lambda t, x: x.unflatten(-1, (-1, 1)), lambda t, x: x.unsqueeze(0),
    lambda t, x: x.unsqueeze(-1), lambda t, x: x[:, :1].squeeze(), lambda t, x: x[:, :1].squeeze(1),
    lambda t, x: x.squeeze(0), lambda t, x: x[:1, :1].squeeze((0, 1)), lambda t, x: x.permute(2, 0, 1),
    lambda t, x: x[0, 0].permute(0), lambda t, x: x[0, 0].permute((-1,)), lambda t, x: x[0, 0, 0].permute(()),
    lambda t, x: x.permute((-1, 0, 1)), lambda t, x: x.transpose(0, -1), lambda t, x: x.swapaxes(0, 1),
    lambda t, x: x[0].t(), lambda t, x: x[0].T, lambda t, x: x.mT, lambda t, x: x[0].H,
    lambda t, x: t.moveaxis(x, 0, -1),
    lambda t, x: x.movedim((0, 1), (-1, 0)), lambda t, x: x.movedim((0, 1), (1, 0)),
    lambda t, x: x.unfold(2, 2, 1), lambda t, x: x.unfold(1, 2, 2),
    lambda t, x: x.diagonal(), lambda t, x: x.diagonal(1, 1, 2), lambda t, x: x.diagonal(dim1=0, dim2=-1, offset=-1),
    lambda t, x: x.select(1, -1), lambda t, x: x.narrow(2, 1, 2), lambda t, x: x.narrow(2, -3, 2),
    lambda t, x: t.broadcast_to(x, (2, 2, 3, 4)), lambda t, x: x.contiguous(),
]
"""What PyTorch gives as views, and so do we."""
PARTS = [
    lambda t, x: x.split(2, 2), lambda t, x: x.split([1, 3], dim=-1), lambda t, x: t.split(x, 3, 2),
    lambda t, x: x.chunk(3, 2),
    lambda t, x: x.chunk(5, 1), lambda t, x: x.tensor_split(3, 2), lambda t, x: x.tensor_split((1, 2), 2),
    lambda t, x: x.tensor_split([3, 1], 2), lambda t, x: x.tensor_split(5, 0), lambda t, x: x.unbind(),
    lambda t, x: x.unbind(-1),
    lambda t, x: t.broadcast_tensors(x, x[0]), lambda t, x: tuple(x), lambda t, x: t.split(x[:0], 2),
    lambda t, x: t.meshgrid(x[0, 0], x[0, :, 0], indexing="ij"),
    lambda t, x: t.meshgrid([x[0, 0], x[0, :, 0]], indexing="xy"),
]
COPIES = [
    lambda t, x: x.clone(), lambda t, x: x.transpose(0, 1).contiguous(), lambda t, x: x.flip(0),
    lambda t, x: x.flip(0, 2),
    lambda t, x: x.flip((1,)), lambda t, x: t.roll(x, 1), lambda t, x: x.roll((1, -2), (0, 2)),
    lambda t, x: x.roll(5, 2),
    lambda t, x: x.rot90(), lambda t, x: x.rot90(3, (1, 2)), lambda t, x: t.rot90(x, -2, [0, 2]),
    lambda t, x: x.repeat(2, 1, 3),
    lambda t, x: x.repeat((2, 1, 1, 1)), lambda t, x: x.tile(2), lambda t, x: x.tile((2, 1, 1, 2)),
    lambda t, x: x.tile(2, 2),
    lambda t, x: x.repeat_interleave(2), lambda t, x: x.repeat_interleave(3, dim=1),
    lambda t, x: t.repeat_interleave(x, t.tensor([1, 0, 2]), dim=1), lambda t, x: x.tril(), lambda t, x: x.triu(-1),
    lambda t, x: t.tril(x, diagonal=1), lambda t, x: x[0, 0].diag(), lambda t, x: x[0, 0].diag(-1),
    lambda t, x: x[0].diag(1), lambda t, x: t.diag_embed(x), lambda t, x: t.diag_embed(x, 1, 0, 2),
    lambda t, x: t.cat([t.zeros(0), x, t.zeros(0)], 2), lambda t, x: t.cat([x, t.tensor([])]),
    lambda t, x: t.cat([t.zeros(0), t.zeros(0)]) + x.sum(),
    lambda t, x: t.cat([x, x[:, :1]], 1), lambda t, x: t.cat((x, x), dim=-1), lambda t, x: t.concat([x]),
    lambda t, x: t.stack([x, x]), lambda t, x: t.stack((x, x), -1), lambda t, x: t.hstack((x, x)),
    lambda t, x: t.hstack((x[0, 0], x[0, 1])), lambda t, x: t.vstack((x[0, 0], x[0, 1])), lambda t, x: t.vstack([x, x]),
    lambda t, x: t.kron(x[0], x[1]), lambda t, x: x.masked_fill(x > 5, -1.0), lambda t, x: x.masked_select(x > 5),
    lambda t, x: t.masked_select(x, x[0] > 3), lambda t, x: x.take(t.tensor([[0, 5], [5, 23]])),
    lambda t, x: x.index_select(1, t.tensor([2, 0, 2])), lambda t, x: x.gather(2, t.tensor([[[0, 3], [1, 1]]])),
    lambda t, x: t.take_along_dim(x, t.tensor([[[0, 3]]]), 2), lambda t, x: x.take_along_dim(t.tensor([0, 7])),
    lambda t, x: x.type(t.float64),
]


@pytest.mark.parametrize("number", range(len(SHAPES + PARTS + COPIES)))
def test_like_pytorch(number):
    apply = (SHAPES + PARTS + COPIES)[number]
    values = np.arange(24.0, dtype=np.float32).reshape(2, 3, 4)
    x, y = Tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    ours, theirs = apply(autograd, x), apply(torch, y)
    several = isinstance(theirs, (tuple, list))
    assert type(ours) is tuple if several else isinstance(ours, Tensor)
    pairs = list(zip(ours, theirs, strict=True)) if several else [(ours, theirs)]
    ours_total, theirs_total = 0, 0
    for a, b in pairs:
        assert a.shape == tuple(b.shape)
        assert str(a.dtype) == str(b.dtype).removeprefix("torch.")
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())
        if number < len(SHAPES):
            assert np.shares_memory(a.array, x.array)
        if number >= len(SHAPES + PARTS):
            assert not np.shares_memory(a.array, x.array)
        weight = np.random.default_rng(a.numel()).standard_normal(a.shape).astype(np.float32)
        ours_total = ours_total + (a * Tensor(weight)).sum()
        theirs_total = theirs_total + (b * torch.tensor(weight)).sum()
    ours_total.backward()
    theirs_total.backward()
    np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-5, atol=1e-5)


def test_numpys_functions_take_tensors():
    x = Tensor(np.arange(12.0).reshape(3, 4), requires_grad=True)
    a = x.array
    for function in [
            lambda x: np.reshape(x, (2, 6)), np.ravel, lambda x: np.moveaxis(x, 0, 1), lambda x: np.swapaxes(x, 0, 1),
            np.transpose,
            lambda x: np.expand_dims(x, 1), lambda x: np.squeeze(x[:1]), lambda x: np.broadcast_to(x, (2, 3, 4)),
            np.flip,
            lambda x: np.flip(x, axis=1), lambda x: np.roll(x, 2, axis=1), lambda x: np.roll(x, shift=1), np.rot90,
            lambda x: np.tile(x, (2, 1)), lambda x: np.repeat(x, 2, axis=0), lambda x: np.tril(x, k=-1), np.triu,
            np.diag,
            lambda x: np.diagonal(x, offset=1), lambda x: np.diag(x[0], 1), lambda x: np.concatenate([x, x], axis=1),
            lambda x: np.stack([x, x], axis=-1), lambda x: np.hstack([x, x]), lambda x: np.vstack([x, x]),
            lambda x: np.split(x, 2, axis=1)[1], lambda x: np.array_split(x, 2)[0],
            lambda x: np.split(x, [1], axis=1)[1],
            lambda x: np.meshgrid(x[0], x[:, 0])[0], lambda x: np.take(x, [0, 2], axis=1), lambda x: np.take(x, [5, 0]),
            lambda x: np.take_along_axis(x, np.array([[0, 2]]), axis=1), lambda x: np.kron(x, x), lambda x: np.copy(x),
            lambda x: np.einsum(x, [0, 1], [1, 0]), lambda x: np.tensordot(x, x, axes=([0], [0])),
            lambda x: np.dot(x, x.T),
            lambda x: np.dot(x, 2.0), lambda x: np.inner(x, x), lambda x: np.outer(x[0], x), lambda x: np.vdot(x, x),
            np.trace,
            lambda x: np.cross(x[:, :3], x[:, 1:]), lambda x: np.linalg.norm(x), lambda x: np.linalg.norm(x, axis=1),
            lambda x: np.linalg.multi_dot([x, x.T, x]), lambda x: np.matmul(x, x.T),
            lambda x: np.broadcast_arrays(x, x[0])[1],
            lambda x: np.linalg.det(x[:, :3] + 9 * np.eye(3)), lambda x: np.linalg.svdvals(x)]:
        ours = function(x)
        assert isinstance(ours, Tensor)
        assert ours.requires_grad
        np.testing.assert_allclose(ours.detach().numpy(), function(a), atol=1e-9)


@pytest.mark.parametrize("change", [lambda x: x.unsqueeze_(0), lambda x: x.squeeze_(), lambda x: x.transpose_(0, 1),
                                    lambda x: x.unsqueeze_(-1)])
@pytest.mark.parametrize("recording", [True, False])
def test_a_shape_changes_in_place(change, recording):
    values = np.arange(3.0, dtype=np.float32).reshape(3, 1)
    x, y = Tensor(values, requires_grad=recording), torch.tensor(values, requires_grad=recording)
    ours, theirs = (x * 2, y * 2) if recording else (x, y)
    assert change(ours) is ours
    assert ours.shape == tuple(change(theirs).shape)
    if recording:
        (ours * ours).sum().backward()
        assert x.grad.tolist() == (8 * values).tolist()
        result = x * 2
        with no_grad(), pytest.raises(RuntimeError, match="without underscore"):
            change(result)


@pytest.mark.parametrize("shape", [(), (3,), (3, 2), (1, 1)])
@pytest.mark.parametrize("name", ["t_", "squeeze_", "unsqueeze_", "transpose_", "swapaxes_", "swapdims_"])
def test_a_leafs_shape_does_not_change_while_recording(name, shape):
    given = {"t_": (), "squeeze_": (), "unsqueeze_": (0,)}.get(name, (0, -1))
    with pytest.raises(RuntimeError, match="leaf"):
        getattr(autograd.ones(shape, requires_grad=True), name)(*given)


def test_a_view_shares_memory_or_is_refused():
    x = autograd.arange(6.0).reshape(2, 3)
    with pytest.raises(RuntimeError, match=r"view\(\) .*write x.reshape"):
        x.T.view(-1)
    assert x.T.reshape(-1).tolist() == [0, 3, 1, 4, 2, 5]
    for make in (lambda x: x.index_select(1, autograd.tensor([2, 2])), lambda x: x[:, [1, 0]], lambda x: x.T + 1,
                 lambda x: x.kthvalue(1, 1)[0], lambda x: x.repeat_interleave(autograd.tensor([0, 1, 2]), 1)):
        y = make(autograd.ones(2, 3, requires_grad=True))
        y.view(-1).zero_()
        assert not y.any()
        y.view_as(autograd.ones(1, *y.shape)).add_(1)
        assert y.all()


@pytest.mark.parametrize(("wrong", "says"), [
    (lambda x: x.reshape(5), r"reshape\(float32\[2, 3\], shape=5\)"),
    (lambda x: x.unflatten(1, (2, 2)), "length of axis 1"),
    (lambda x: x.unsqueeze(4), "dim=4 is out of range.*-3 to 2"),
    (lambda x: x.unsqueeze(0).t(), r"3 axes.*x\.mT"),
    (lambda x: x.unfold(0, 3, 1), "windows of size 3"),
    (lambda x: autograd.meshgrid(x[0], indexing="yx"), "'yx'"),
    (lambda x: x.flip((0, 0)), "twice"),
])
def test_errors_say_what_does_not_fit(wrong, says):
    with pytest.raises((RuntimeError, ValueError, IndexError), match=says):
        wrong(autograd.zeros(2, 3))


def test_strided_views_read_and_write_the_memory():
    x = autograd.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True)
    windows = x.as_strided((2, 2, 2), (3, 1, 1))
    assert windows.tolist() == [[[1, 2], [2, 3]], [[4, 5], [5, 6]]]
    windows.sum().backward()
    assert x.grad.tolist() == [[1, 2, 1], [1, 2, 1]]
    autograd.testing.gradcheck(lambda x: x.as_strided((2, 2), (1, 3), 1), (x.detach().double().requires_grad_(),))
    square = autograd.zeros(3, 3)
    square.as_strided((3,), (4,)).fill_(7.0)
    recorded = square * x.sum()
    recorded.as_strided((3,), (4,)).zero_()
    assert square.diagonal().tolist() == [7, 7, 7] and not recorded.any()
    with pytest.raises(ValueError, match="reaches past the 6 elements"):
        x.as_strided((7,), (1,))
    with pytest.raises(ValueError, match="no single meaning"):
        x.T.as_strided((2,), (1,))
