"""What the comparison of layers leaves open: unpooling undoes pooling, random windows, what is refused."""

import importlib.util
import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd
import nn
from nn import functional as F


def tensor(*shape):
    return autograd.tensor(np.random.default_rng(0).standard_normal(shape), requires_grad=True)


@pytest.mark.parametrize(("ndim", "kernel", "stride", "padding", "size"), [
    (1, 2, None, 0, (7,)), (1, 3, 2, 1, (8,)), (2, (2, 3), (2, 1), (1, 0), (6, 5)), (3, 2, 2, 0, (4, 5, 3))])
def test_unpooling_leaves_the_maxima_where_they_were_and_zeros_elsewhere(ndim, kernel, stride, padding, size):
    x = tensor(2, 3, *size)
    pool, unpool = getattr(F, f"max_pool{ndim}d"), getattr(F, f"max_unpool{ndim}d")
    values, indices = pool(x, kernel, stride, padding, return_indices=True)
    back = unpool(values, indices, kernel, stride, padding, output_size=x.shape)
    kept = back.detach().numpy() != 0
    assert set(back.detach().numpy()[kept]) == set(values.detach().numpy().ravel())
    np.testing.assert_array_equal(back.detach().numpy()[kept], x.detach().numpy()[kept])
    back.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), kept)  # an element that won twice is written once


def test_the_size_of_the_output_is_pytorchs(as_pytorch):
    values, indices = F.max_pool2d(tensor(1, 1, 7, 8), 3, 2, return_indices=True)

    def program(library, layers):
        given = [library.tensor(t.detach().numpy()) * 0 for t in (values, indices)]
        return [tuple(layers.MaxUnpool2d(3, stride=2)(*given, output_size=size).shape)
                for size in (None, (7, 8), (8, 7), (1, 1, 6, 8))]
    as_pytorch(program)


def test_max_pooling_sends_the_gradient_to_the_first_of_equal_elements():
    x = autograd.zeros(1, 1, 2, 4, requires_grad=True)
    values, indices = F.max_pool2d(x, 2, return_indices=True)
    values.sum().backward()
    assert x.grad.tolist() == [[[[1, 0, 1, 0], [0, 0, 0, 0]]]]
    assert indices.tolist() == [[[[0, 2]]]]


@pytest.mark.parametrize("pool", ["max_pool1d", "avg_pool1d"])
@pytest.mark.parametrize("ceil_mode", [False, True])
@pytest.mark.parametrize("padding", [0, 1])
def test_the_last_window_begins_where_pytorchs_does(pool, padding, ceil_mode, as_pytorch):
    for n, kernel, stride in itertools.product(range(2, 8), (2, 3), (1, 2, 3, 4)):
        if n + 2 * padding >= kernel:
            options = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
            x = np.arange(1.0, n + 1).reshape(1, 1, n)
            as_pytorch(lambda library, layers, given=(x, kernel, options): getattr(layers.functional, pool)(
                library.tensor(given[0]), given[1], **given[2]))


def test_windows_at_random_distances_cover_the_input_and_differ():
    autograd.manual_seed(0)
    x = autograd.arange(24.0).reshape(1, 1, 24, 1).expand(1, 200, 24, 1)
    out = F.fractional_max_pool2d(x, (2, 1), output_size=(16, 1)).numpy()[0, :, :, 0]
    assert (out[:, -1] == 23).all()  # the last window ends at the end
    steps = np.diff(out, axis=1)
    assert set(np.unique(steps)) == {1, 2}
    assert len(np.unique(out, axis=0)) > 1


@pytest.mark.parametrize(("call", "parts"), [
    (lambda: F.max_unpool2d(autograd.ones(1, 1, 2, 2), np.full((1, 1, 2, 2), 16), 2), ["16", "(4, 4)", "16 elements"]),
    (lambda: F.max_unpool2d(autograd.ones(1, 1, 2, 2), np.full((1, 1, 2, 2), -1), 2), ["-1", "(4, 4)"]),
    (lambda: F.max_unpool2d(autograd.ones(1, 1, 2, 2), np.zeros((1, 1, 2, 3), int), 2),
     ["(1, 1, 2, 2)", "(1, 1, 2, 3)"]),
    (lambda: F.max_unpool1d(autograd.ones(1, 1, 2), np.zeros((1, 1, 2)), 2), ["integers", "float64"]),
    (lambda: nn.MaxUnpool2d(2)(autograd.ones(1, 1, 2, 2), np.zeros((1, 1, 2, 2), int), output_size=(4, 6)),
     ["(3 to 5) x (3 to 5)", "(4, 6)", "MaxUnpool2d(kernel_size=2"]),
    (lambda: nn.MaxUnpool3d(2)(autograd.ones(2, 2), np.zeros((2, 2), int)), ["(N, C, D, H, W)", "(2, 2)"]),
    (lambda: nn.FractionalMaxPool2d(2), ["FractionalMaxPool2d", "output_size", "output_ratio"]),
    (lambda: nn.FractionalMaxPool2d(2, output_size=3, output_ratio=0.5), ["FractionalMaxPool2d", "either"]),
    (lambda: nn.FractionalMaxPool2d(2, output_ratio=1.5)(autograd.ones(1, 1, 4, 4)), ["between 0 and 1", "1.5"]),
    (lambda: F.fractional_max_pool2d(autograd.ones(1, 1, 4, 4), 2, 4), ["(4, 4)", "(2, 2)"]),
    (lambda: F.fractional_max_pool2d(autograd.ones(2, 1, 4, 4), 2, 2, _random_samples=autograd.ones(2, 1, 3)),
     ["(2, 1, 2)", "(2, 1, 3)"]),
])
def test_what_does_not_fit_is_refused(call, parts):
    with pytest.raises(ValueError, match=r"pool|Pool") as info:
        call()
    message = "\n".join([str(info.value), *getattr(info.value, "__notes__", [])])
    for part in parts:
        assert part in message


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_maxima_with_their_places_under_pytorchs_names(ndim):
    x, size = autograd.randn(2, 3, *(6, 5, 4)[:ndim]), (3, 2, 2)[:ndim]
    for name, args in (("max", (2, 1)), ("adaptive_max", (size,)), ("fractional_max", (2, size))):
        if name[0] == "f" and ndim == 1:
            continue
        function = getattr(F, f"{name}_pool{ndim}d")
        autograd.manual_seed(0)
        expected = function(x, *args, return_indices=True)
        autograd.manual_seed(0)
        for got, wanted in zip(getattr(F, f"{name}_pool{ndim}d_with_indices")(x, *args), expected, strict=True):
            assert got.tolist() == wanted.tolist()


def test_convolution_with_the_steps_first(as_pytorch):
    arrays = [np.sin(np.arange(float(np.prod(shape)))).reshape(shape) for shape in ((7, 2, 3), (3, 3, 4), (4,))]

    def program(library, layers):
        leaves = [library.tensor(a).requires_grad_() for a in arrays]
        out = layers.functional.conv_tbc(*leaves, 1)
        (out * out).sum().backward()
        return [out, *[leaf.grad for leaf in leaves]]
    as_pytorch(program)
    with pytest.raises(ValueError, match=r"\(T, B, C_in\)"):
        F.conv_tbc(autograd.ones(2, 2), autograd.ones(1, 2, 2), None)


def test_the_gradient_of_a_maximum_lies_in_memory_as_the_image_does():
    x = autograd.tensor(np.random.default_rng(0).standard_normal((2, 6, 8, 8)).astype(np.float32), requires_grad=True)
    image, strides = x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2), []
    image.register_hook(lambda g: strides.append(g.numpy().strides))
    F.max_pool2d(image, 3, 2, 1).sum().backward()
    assert strides == [image.detach().numpy().strides]


@st.composite
def maxima(draw):
    """Images, a function that takes the maxima of their windows and the places, and what it is called with."""
    ndim = draw(st.integers(1, 3))

    def each(low, high):
        return tuple([draw(st.integers(low, n)) for n in (high if isinstance(high, list) else [high] * ndim)])
    kernel, dilation = each(1, (80, 9, 5)[ndim - 1]), each(1, 2)
    padding = each(0, [k // 2 for k in kernel])
    size = [max(1, d * (k - 1) + 1 - 2 * p) + more
            for d, k, p, more in zip(dilation, kernel, padding, each(0, 7), strict=True)]
    kind = draw(st.sampled_from(["max", "adaptive_max", *["fractional_max"] * (ndim > 1)]))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    shape = (draw(st.integers(0, 2)), draw(st.sampled_from([1, 3, 16, 21])), *size)
    x = rng.standard_normal(shape)
    if draw(st.booleans()):
        x = rng.choice([0, -0.0, 1, 1, -2, -np.inf, np.inf, np.nan], shape)
    if draw(st.integers(0, 4)) == 0:
        x[:, draw(st.integers(0, 1)):] = -np.inf
    if draw(st.booleans()):
        x = np.moveaxis(np.moveaxis(x, 1, -1).copy(), -1, 1)
    if kind == "max":
        # PyTorch writes behind the image where a window has none of it
        assume(all(d == 1 or n > d for n, d in zip(size, dilation, strict=True)))
        args, options = (kernel, each(1, 4), padding, dilation, draw(st.booleans())), {}
    elif kind == "adaptive_max":
        args, options = (each(1, [n + 2 for n in size]),), {}
    else:
        assume(len(x) and min(size) > 1)  # PyTorch refuses others
        kernel = tuple([min(k, n - 1) for k, n in zip(kernel, size, strict=True)])
        args = kernel, each(1, [n - k for n, k in zip(size, kernel, strict=True)])
        options = {"_random_samples": rng.random((*x.shape[:2], ndim))}
    return x, f"{kind}_pool{ndim}d", args, options


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_maxima_of_any_windows_are_pytorchs(dtype, compiled):
    torch = pytest.importorskip("torch")
    if compiled:
        pytest.importorskip("numba")

    @settings(max_examples=150, derandomize=True, database=None)
    @given(maxima())
    def property_(drawn):
        x, name, args, options = drawn
        assume(dtype != "float16" or name[:3] != "fra")  # which PyTorch hasn't
        found, x = [], x.astype(dtype)
        for library, functions in ((torch, torch.nn.functional), (autograd, F)):
            # with channels last PyTorch names place 0 of windows of minus infinity of float16
            t = library.from_numpy(x.copy(order="K" if library is autograd else "C")).requires_grad_()
            given_options = {key: library.from_numpy(value.astype(dtype)) for key, value in options.items()}
            values, places = getattr(functions, name)(t, *args, return_indices=True, **given_options)
            g = 1 + np.arange(values.numel()).reshape(tuple(values.shape)) % 7
            values.backward(library.from_numpy(g.astype(dtype)))
            found.append([values.detach().numpy(), places.numpy(), t.grad.numpy()])
        for theirs, ours in zip(*found, strict=True):
            assert ours.dtype == theirs.dtype
            np.testing.assert_array_equal(ours, theirs)
    autograd.set_compiled(compiled)
    try:
        property_()
    finally:
        autograd.set_compiled(False)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_a_window_that_lies_in_the_padding_has_no_maximum(ndim):
    x = autograd.ones(2, 3, *[1] * ndim, requires_grad=True)
    values, places = getattr(F, f"max_pool{ndim}d")(x, 2, 1, 1, 2, return_indices=True)  # at -1 and at 1
    values.sum().backward()
    assert (values.numpy(force=True) == -np.inf).all()
    assert (places.numpy() == -1).all()
    assert (x.grad.numpy() == 0).all()


def test_unpooling_of_one_image_and_of_places_that_change_afterwards():
    x = tensor(3, 5, 6)
    values, places = F.max_pool2d(x, 3, 1, return_indices=True)
    one = F.max_unpool2d(values, places, 3, 1)
    np.testing.assert_array_equal(one.numpy(force=True),
                                  F.max_unpool2d(values[None], places[None], 3, 1)[0].numpy(force=True))
    expected = autograd.grad((one * one).sum(), values)[0].tolist()
    again = F.max_unpool2d(values, places, 3, 1)
    places.zero_()
    assert autograd.grad((again * again).sum(), values)[0].tolist() == expected


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("order", itertools.permutations(range(4)), ids=str)
def test_images_and_indices_may_lie_anyhow(order, compiled):
    """As what is computed of other arrays does, with the batch or the rows innermost."""
    if compiled and importlib.util.find_spec("numba") is None:
        pytest.skip("numba is not installed")
    array = np.random.default_rng(0).standard_normal((6, 4, 14, 12)).astype(np.float32)

    def laid_out(a):
        return a.transpose(order).copy().transpose(np.argsort(order))

    def program(lay):
        x = autograd.from_numpy(lay(array)).requires_grad_()
        results = [F.max_pool2d(x, kernel, stride) for kernel, stride in ((2, 2), (3, 1), (7, 3), ((14, 12), None))]
        results.append(F.adaptive_max_pool2d(x, (3, 5)))
        values, indices = F.max_pool2d(x, 2, return_indices=True)
        results.append(F.max_unpool2d(values, autograd.from_numpy(lay(indices.numpy())), 2))
        gradients = [autograd.grad((out * out).sum(), x)[0] for out in results]
        return [t.detach().numpy() for t in (*results, *gradients)]

    autograd.set_compiled(compiled)
    expected, found = program(np.ascontiguousarray), program(laid_out)
    autograd.set_compiled(False)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
