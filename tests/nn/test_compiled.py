"""The forms that numba compiles give what NumPy's give, forward and back."""

import importlib.util
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn.functional as F
from autograd.runtime import threads
from autograd.table import TABLE
from autograd.testing import Draw
from nn.functional.loss import _on_path

needs_numba = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")


@pytest.fixture
def compiled(monkeypatch):
    """Compiled forms are on, however few numbers there are, and two threads share however little there is to do."""
    for limit in ("WORTHWHILE", "SHARED", "WAKING"):
        monkeypatch.setattr(threads, limit, 1)
    monkeypatch.setattr("autograd.runtime.compiled.LEAST", 1)
    for module in ("autograd.runtime.copies", "nn.functional.padding"):
        monkeypatch.setattr(f"{module}.MANY", 1)
    before = autograd.get_num_threads()
    autograd.set_num_threads(2)
    autograd.set_compiled(True)
    yield
    autograd.set_compiled(False)
    autograd.set_num_threads(before)


def values_and_gradients(function, arrays):
    """What `function` gives of Tensors, and the gradients of a weighted sum of it."""
    tensors = [autograd.tensor(a, requires_grad=a.dtype.kind == "f") if isinstance(a, np.ndarray) else a
               for a in arrays]
    out = function(*tensors)
    outputs = list(out) if isinstance(out, tuple) else [out]
    rng = np.random.default_rng(0)
    weights = [rng.standard_normal(o.shape).astype(o.dtype) for o in outputs]
    sum(((o * w).sum() for o, w in zip(outputs, weights, strict=True)), start=autograd.zeros(())).backward()
    return [o.detach().numpy() for o in outputs] + [t.grad.numpy() for t in tensors
                                           if isinstance(t, autograd.Tensor) and t.grad is not None]


def agree(function, *arrays, errors="raise", tolerance=1e-5):
    """Both forms give the same, to the rounding of float32, in the same dtype; `errors` is how NumPy treats them."""
    with np.errstate(all=errors, under="ignore"):  # far out, what vanishes may vanish
        autograd.set_compiled(False)
        plain = values_and_gradients(function, arrays)
        autograd.set_compiled(True)
        fast = values_and_gradients(function, arrays)
    for one, other in zip(plain, fast, strict=True):
        assert other.dtype == one.dtype
        assert other.shape == one.shape
        np.testing.assert_allclose(other, one, rtol=1e-4,
                                   atol=tolerance * max(1, np.abs(one).max(initial=0, where=np.isfinite(one))))


def has_a_compiled_module(op):
    package, _, name = op.forward.__module__.rpartition(".")
    package = {"nn.functional": "nn.compiled", "autograd.operations": "autograd.compiled"}.get(package)
    takes_lists = op.name == "multi_dot" or name == "joining"  # see tests/autograd/operations/test_compiled.py
    return package and op.samples and not takes_lists and importlib.util.find_spec(f"{package}.{name}")


FAR_OUT = {"prod": {"errors": "ignore"}, "cumprod": {"errors": "ignore"}, "attention": {"tolerance": 1e-3}}
"""Of numbers around a thousand: products overflow, and gradients that cancel leave more than of numbers around one."""


@needs_numba
@pytest.mark.parametrize("op", [op for op in TABLE.values() if has_a_compiled_module(op)], ids=lambda op: op.name)
def test_operation(op, compiled):
    @settings(derandomize=True, database=None, max_examples=40)
    @given(st.composite(lambda draw: op.samples(Draw(draw)))())
    def property_(call):
        args, options = call
        single = [a.astype(np.float32) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in args]
        agree(lambda *tensors: op.call(*tensors, **options), *single, **FAR_OUT.get(op.name, {}))
    property_()


rng = np.random.default_rng(0)


def numbers(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def channels_last(array):
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, 1, -1)), -1, 1)


CONVOLUTIONS = {
    "larger than a block of windows": dict(x=(3, 8, 40, 38), w=(16, 8, 3, 3), padding=1),
    "stride": dict(x=(3, 3, 33, 30), w=(8, 3, 7, 7), stride=(2, 3), padding=(3, 2)),
    "dilation": dict(x=(2, 6, 20, 22), w=(5, 6, 3, 2), dilation=(2, 3), padding=(1, 2)),
    "groups": dict(x=(3, 12, 18, 17), w=(8, 3, 3, 3), groups=4, stride=(1, 2)),
    "grouped and dilated": dict(x=(2, 4, 15, 16), w=(6, 2, 3, 3), groups=2, dilation=2),
    "depthwise": dict(x=(2, 6, 12, 12), w=(6, 1, 3, 3), groups=6, padding=1),
    "one element": dict(x=(2, 6, 12, 12), w=(5, 6, 1, 1), stride=2),
    "no image": dict(x=(0, 3, 8, 8), w=(4, 3, 3, 3)),
    "many channels": dict(x=(2, 130, 6, 6), w=(140, 130, 3, 3), padding=1),
}


@needs_numba
@pytest.mark.parametrize("case", CONVOLUTIONS)
@pytest.mark.parametrize("layout", [np.ascontiguousarray, channels_last])
def test_convolution(case, layout, compiled):
    options = dict(CONVOLUTIONS[case])
    x, w = layout(numbers(*options.pop("x"))), numbers(*options.pop("w"))
    agree(lambda *a: F.conv2d(*a, **options), x, w, numbers(len(w)))
    agree(lambda *a: F.conv2d(*a, **options), x, w)


@st.composite
def tiled_convolutions(draw):
    """A 3 x 3 convolution with as many channels as tiles are for; some of the numbers are none."""
    c_in, c_out, n = (draw(st.sampled_from(of)) for of in ([32, 64, 96], [32, 64, 96], [0, 1, 2, 9]))
    padding = draw(st.tuples(*[st.integers(0, 3)] * 2))
    size = [draw(st.integers(max(1, 3 - 2 * p), 13)) for p in padding]
    arrays = [draw(st.sampled_from([np.ascontiguousarray, channels_last, lambda a: a[..., ::-1]]))(numbers(*shape))
              for shape in ((n, c_in, *size), (c_out, c_in, 3, 3))]
    for a in arrays:
        if a.size and draw(st.integers(0, 3)) == 0:
            at = tuple([draw(st.integers(0, m - 1)) for m in a.shape])
            a[at] = draw(st.sampled_from([np.nan, np.inf, -np.inf, 1e-40]))
    return *arrays, numbers(c_out) if draw(st.booleans()) else None, {"padding": padding}


@needs_numba
def test_tiles_whose_sums_overflow(compiled):
    x, w = 1e38 * rng.uniform(-1, 1, (1, 64, 8, 8)), 1e-3 * rng.standard_normal((64, 64, 3, 3))
    found = F.conv2d(autograd.tensor(x.astype(np.float32)), autograd.tensor(w.astype(np.float32)))
    np.testing.assert_allclose(found.numpy() / 1e38, F.conv2d(autograd.tensor(x / 1e38), autograd.tensor(w)).numpy(),
                               rtol=1e-4, atol=1e-6)


@needs_numba
def test_tiles_are_computed_alike_by_any_number_of_threads(compiled):
    x, w = numbers(5, 64, 19, 18), numbers(96, 64, 3, 3)
    def results():
        return values_and_gradients(lambda *a: F.conv2d(*a, padding=1), [x, w])
    expected = results()
    autograd.set_num_threads(1)
    for one, other in zip(expected, results(), strict=True):
        np.testing.assert_array_equal(one, other)


@st.composite
def grouped_convolutions(draw):
    """An image in any memory order, kernels, a bias or none, and options; some of the numbers are none."""
    def pair(low, high):
        return draw(st.integers(low, high)), draw(st.integers(low, high))
    groups, kernel = draw(st.sampled_from([2, 3, 8, 19, 40])), pair(1, 5)
    c_in, c_out = draw(st.sampled_from([(1, 1), pair(1, 13)])) if groups < 10 else (1, 1)
    options = {"groups": groups, "stride": pair(1, 3), "padding": pair(0, 3),
               "dilation": draw(st.sampled_from([(1, 1), (2, 1), (1, 3)]))}
    size = [max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 12))
            for d, k, p in zip(options["dilation"], kernel, options["padding"], strict=True)]
    x = numbers(draw(st.integers(0, 3)), groups * c_in, *size)
    if x.size:
        x.reshape(-1)[draw(st.integers(0, x.size - 1))] = draw(st.sampled_from([1, np.nan, np.inf, -np.inf]))
    x = draw(st.sampled_from([np.ascontiguousarray, channels_last, lambda a: a[..., ::-1]]))(x)
    bias = numbers(groups * c_out) if draw(st.booleans()) else None
    return x, numbers(groups * c_out, c_in, *kernel), bias, options


@needs_numba
@pytest.mark.parametrize(("convolutions", "examples"), [(tiled_convolutions, 150), (grouped_convolutions, 200)])
def test_any_convolution(convolutions, examples, compiled):
    @settings(derandomize=True, database=None, max_examples=examples)
    @given(convolutions())
    def property_(drawn):
        x, w, bias, options = drawn
        agree(lambda x, w, bias: F.conv2d(x, w, bias, **options), x, w, bias, errors="ignore")
    property_()


@st.composite
def poolings(draw):
    """Images in any memory order, with equal numbers and such as are none, and options."""
    ndim = draw(st.integers(1, 3))

    def each(low, high):
        return tuple([draw(st.integers(low, high)) for _ in range(ndim)])
    kernel = each(1, (40, 8, 5)[ndim - 1])
    options = {"kernel_size": kernel, "stride": each(1, 4),
               "dilation": draw(st.sampled_from([(1,) * ndim, each(1, 3)])),
               "padding": tuple([draw(st.integers(0, k // 2)) for k in kernel]), "ceil_mode": draw(st.booleans())}
    size = [max(1, d * (k - 1) + 1 - 2 * p) + draw(st.integers(0, 12 // ndim))
            for d, k, p in zip(options["dilation"], kernel, options["padding"], strict=True)]
    x = np.rint(numbers(draw(st.integers(0, 3)), draw(st.sampled_from([1, 3, 8, 19])), *size) * 2) / 2
    x[rng.random(x.shape) < 0.1] = draw(st.sampled_from([0, np.nan, -np.inf]))
    arranged = draw(st.sampled_from([np.ascontiguousarray, channels_last, lambda a: a[..., ::-1]]))
    return arranged(x), options, each(1, 6)


@needs_numba
def test_max_pool(compiled):
    @settings(derandomize=True, database=None, max_examples=150)
    @given(poolings())
    def property_(drawn):
        x, options, counts = drawn
        for name, given_options in (("max_pool", options), ("adaptive_max_pool", {"output_size": counts})):
            pool = getattr(F, f"{name}{x.ndim - 2}d")
            agree(lambda x, o=given_options, pool=pool: pool(x, **o, return_indices=True), x, errors="ignore")
            orders = []
            for mode in (False, True):
                autograd.set_compiled(mode)
                orders.append(channels_first_and_last(pool(autograd.from_numpy(x), **given_options).numpy()))
            assert orders[0] == orders[1]
    property_()


def channels_first_and_last(x):
    """Whether an array lies in memory in the one order, and in the other."""
    return x.flags.c_contiguous, np.moveaxis(x, 1, -1).flags.c_contiguous


@needs_numba
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_grid_sample(mode, padding_mode, compiled):
    """Far outside, at no position and where many read one pixel, too."""
    grid = rng.uniform(-1.5, 1.5, (2, 9, 8, 2)).astype(np.float32)
    grid[0, 0, :3, 0], grid[1, 2] = (np.nan, np.inf, -np.inf), 0.3
    x = numbers(2, 19, 6, 7)
    x[0, 3, 2, 1] = np.inf
    agree(lambda *a: F.grid_sample(*a, mode, padding_mode, align_corners=False), x, grid, errors="ignore")
    finite = np.nan_to_num(x, posinf=1), np.clip(np.nan_to_num(grid), -2, 2)
    agree(lambda *a: F.grid_sample(*a, mode, padding_mode, align_corners=False).sum(), *finite)
    if mode != "bicubic":
        volume, places = numbers(2, 3, 4, 5, 6), rng.uniform(-1.5, 1.5, (2, 3, 4, 5, 3)).astype(np.float32)
        agree(lambda *a: F.grid_sample(*a, mode, padding_mode, align_corners=True), volume, places)


@needs_numba
@pytest.mark.parametrize("shape", [(3, 8, 16), (2, 19, 7, 5), (1, 40, 33), (2, 1, 9), (2, 9, 1, 1), (0, 8, 8)])
def test_memory_order(shape, compiled):
    from nn.functional.geometry import channels_last, contiguous_channels_last
    x = numbers(*shape)
    out = contiguous_channels_last(x)
    assert out.flags.c_contiguous
    np.testing.assert_array_equal(out, channels_last(x))


@needs_numba
@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("stride", [1, 2])
def test_convolution_of_sequences(stride, groups, compiled):
    x, options = numbers(3, 6, 41), {"stride": stride, "groups": groups}
    agree(lambda *a: F.conv1d(*a, padding=2, **options), x, numbers(6, 6 // groups, 5), numbers(6))
    agree(lambda *a: F.conv_transpose1d(*a, padding=1, **options), x, numbers(6, 5, 4))


@needs_numba
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_transposed_convolution(stride, compiled):
    agree(lambda *a: F.conv_transpose2d(*a, stride=stride, padding=1), numbers(3, 6, 11, 12), numbers(6, 5, 4, 3))


@needs_numba
@pytest.mark.parametrize("shape", [(300, 7), (3, 5, 20, 21), (2, 3, 4, 5, 6)])
def test_normalization(shape, compiled):
    """A mean of 100 is rounded by 1e-5, which is more in rows of few numbers that happen to be near each other."""
    x = numbers(*shape) * 3 + 100
    agree(lambda *a: F.batch_norm(a[0], None, None, *a[1:], training=True), x, numbers(shape[1]), numbers(shape[1]))
    agree(lambda *a: F.batch_norm(*a, None, None, training=True), x)
    agree(lambda *a: F.layer_norm(a[0], shape[-1:], *a[1:]), x, numbers(shape[-1]), numbers(shape[-1]), tolerance=1e-4)
    agree(lambda *a: F.layer_norm(*a, shape[-1:]), x, tolerance=1e-4)


@needs_numba
@pytest.mark.parametrize("lead", [(), (3,), (2, 3), (2, 1, 3)])
@pytest.mark.parametrize("kind", ["all", "causal", "window", "floating mask", "one mask each", "dropped", "no keys"])
def test_attention(lead, kind, compiled):
    """With more queries than are looked at together."""
    queries, keys = 70, 0 if kind == "no keys" else 75
    arrays = numbers(*lead, queries, 6), numbers(*lead, keys, 6), numbers(*lead, keys, 5)
    i, j = np.arange(queries)[:, None], np.arange(keys)
    mask = {"causal": j <= i, "window": (abs(i - j) < 4) & (i > 2), "floating mask": numbers(queries, keys),
            "one mask each": rng.random((*lead, queries, keys)) < 0.8}.get(kind)

    def attention(*tensors):
        autograd.manual_seed(0)
        return F.scaled_dot_product_attention(*tensors, attn_mask=mask, dropout_p=0.3 if kind == "dropped" else 0.0)
    agree(attention, *arrays)


@needs_numba
def test_attention_of_parts_of_an_array(compiled):
    """Queries, keys and values as slices of one projection, as in a Transformer."""
    def attention(projected):
        q, k, v = (projected[:, :, n].transpose(1, 2) for n in range(3))
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    agree(attention, numbers(2, 40, 3, 4, 8))


@needs_numba
@pytest.mark.parametrize("lengths", [None, np.array([3, 9, 1, 5, 9])])
@pytest.mark.parametrize("hidden", [7, 64])
def test_lstm(lengths, hidden, compiled):
    from nn.functional.recurrent import lstm_sequence
    weights = [numbers(4 * hidden, 6), numbers(4 * hidden, hidden), numbers(4 * hidden), numbers(4 * hidden)]
    agree(lambda *a: lstm_sequence(*a, lengths=lengths), numbers(9, 5, 6), numbers(5, hidden), numbers(5, hidden),
          *[w / 8 for w in weights])


@needs_numba
@pytest.mark.parametrize("count", [1, 3])
def test_arguments_that_lie_anywhere_in_memory(count, compiled):
    """Rows with gaps, columns as rows, reversed, repeated."""
    from nn.functional.recurrent import lstm_sequence
    hidden = 4
    views = [numbers(6, count, 5).transpose(2, 1, 0), numbers(count, 2 * hidden)[:, ::2],
             numbers(hidden, count).T[::-1],
             numbers(6, 4 * hidden).T, numbers(hidden, 8 * hidden).T[::2],
             np.broadcast_to(numbers(1), 4 * hidden), numbers(4 * hidden)[::-1]]

    def lstm(*tensors):
        return lstm_sequence(*tensors, lengths=None)
    for arguments in ([*views], [*views[:5], None, None]):
        autograd.set_compiled(False)
        tensors = [a if a is None else autograd.from_numpy(a) for a in arguments]
        plain = [out.numpy() for out in lstm(*tensors)]
        autograd.set_compiled(True)
        for one, other in zip(plain, lstm(*tensors), strict=True):
            np.testing.assert_allclose(other.numpy(), one, rtol=1e-4, atol=1e-5)

    q, k, v = (numbers(2, 3, 7, 4, 5).transpose(axes) for axes in ((0, 1, 4, 3, 2), (0, 1, 4, 2, 3), (1, 0, 4, 3, 2)))
    kernels = numbers(3, 2, 5, 2).transpose(1, 2, 3, 0)
    k, v = k.swapaxes(-1, -2), np.broadcast_to(v[:1, :1], q.shape)
    for function in (lambda: F.scaled_dot_product_attention(*map(autograd.from_numpy, (q, k, v)), is_causal=True),
                     lambda: F.gelu(autograd.from_numpy(q)), lambda: F.gelu(autograd.from_numpy(v)),
                     lambda: F.layer_norm(autograd.from_numpy(q), q.shape[-1:]),
                     lambda: F.batch_norm(autograd.from_numpy(v[0]), None, None, training=True),
                     lambda: F.conv2d(autograd.from_numpy(q[0]), autograd.from_numpy(kernels))):
        autograd.set_compiled(False)
        plain = function().numpy()
        autograd.set_compiled(True)
        np.testing.assert_allclose(function().numpy(), plain, rtol=1e-4, atol=1e-5)


@needs_numba
@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu(approximate, compiled):
    """Over all of float32's range; in the memory order of images too."""
    x = np.concatenate([np.linspace(-20, 20, 10_001), [1e-30, -1e-30, 3e38, -3e38, 100, -100]]).astype(np.float32)
    with np.errstate(over="ignore"):
        autograd.set_compiled(False)
        precise = values_and_gradients(lambda a: F.gelu(a, approximate), [x[:10_001].astype(np.float64)])
        autograd.set_compiled(True)
        fast = values_and_gradients(lambda a: F.gelu(a, approximate), [x[:10_001]])
        for one, other in zip(precise, fast, strict=True):
            np.testing.assert_allclose(other, one, rtol=2e-6, atol=2e-6)
        out, slope = values_and_gradients(lambda a: F.gelu(a, approximate), [x[10_001:]])
    np.testing.assert_array_equal(out[2:], [np.float32(3e38), 0, 100, 0])
    assert np.isfinite(slope).all()
    agree(lambda a: F.gelu(a, approximate), channels_last(numbers(2, 3, 5, 4)))


@needs_numba
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_a_number_is_not_hidden(value, compiled):
    x = numbers(4, 3, 8, 8)
    x[1, 1, 2, 2] = value
    with np.errstate(invalid="ignore"):
        for function in (F.gelu, lambda a: F.gelu(a, "tanh"), lambda a: F.layer_norm(a, (8,)),
                         lambda a: F.batch_norm(a, None, None, training=True),
                         lambda a: F.conv2d(a, autograd.ones(2, 3, 3, 3)),
                         lambda a: F.scaled_dot_product_attention(a, a, a)):
            out = function(autograd.tensor(x)).numpy()
            assert not np.isfinite(out[1]).all()
            assert np.isfinite(out[0]).all() or function(autograd.tensor(x)).shape == x.shape  # batch norm mixes them


@needs_numba
def test_float64_and_second_derivatives_take_the_plain_forms(compiled):
    x, w = rng.standard_normal((2, 3, 6, 6)), rng.standard_normal((4, 3, 3, 3))
    fast = F.conv2d(autograd.tensor(x), autograd.tensor(w)).numpy()
    autograd.set_compiled(False)
    np.testing.assert_array_equal(fast, F.conv2d(autograd.tensor(x), autograd.tensor(w)).numpy())
    results = []
    for mode in (False, True):
        autograd.set_compiled(mode)
        a = autograd.tensor(x.astype(np.float32), requires_grad=True)
        g, = autograd.grad(F.gelu(a).sum(), a, create_graph=True)
        results.append(autograd.grad((g * g).sum(), a)[0].numpy())
    np.testing.assert_allclose(*results, rtol=1e-4, atol=1e-5)


@needs_numba
def test_the_switch_may_be_turned_between_forward_and_backward(compiled):
    from nn.functional.recurrent import lstm_sequence
    qkv, x = [numbers(2, 150, 6) for _ in range(3)], numbers(3, 4, 9, 9)
    lstm = [numbers(7, 5, 6), numbers(5, 8), numbers(5, 8), *[numbers(32, n) / 8 for n in (6, 8)], None, None]
    for function, arrays in [
            (lambda *a: F.scaled_dot_product_attention(*a, is_causal=True), qkv),
            (lambda *a: lstm_sequence(*a, lengths=None).output, lstm),
            (lambda *a: F.gelu(F.batch_norm(F.conv2d(*a), None, None, training=True)), [x, numbers(5, 4, 3, 3)])]:
        results = []
        for forward, back in ((False, False), (True, False), (False, True)):
            autograd.set_compiled(forward)
            tensors = [a if a is None else autograd.tensor(a, requires_grad=True) for a in arrays]
            out = function(*tensors)
            autograd.set_compiled(back)
            (out * out).sum().backward()
            results.append([t.grad.numpy() for t in tensors if t is not None])
        for gradients in results[1:]:
            for one, other in zip(results[0], gradients, strict=True):
                np.testing.assert_allclose(other, one, rtol=1e-3, atol=1e-4 * np.abs(one).max())


@needs_numba
def test_two_threads_may_compute_at_once(compiled):
    x, w = autograd.tensor(numbers(4, 3, 16, 16)), autograd.tensor(numbers(8, 3, 3, 3))
    expected, found = F.conv2d(x, w).numpy(), []
    threads = [threading.Thread(target=lambda: found.extend(F.conv2d(x, w).numpy() for _ in range(20)))
               for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 80
    for out in found:
        np.testing.assert_array_equal(out, expected)


@needs_numba
def test_compiling_ahead(compiled, monkeypatch, capsys):
    ahead = importlib.import_module("nn.compiled.__main__")
    names = [name for name, _ in ahead.steps()]
    assert {"Conv2d", "LayerNorm", "GELU", "MSELoss"} <= {*names}
    some = [(name, step) for name, step in ahead.steps() if name in ("LayerNorm", "SiLU")]
    monkeypatch.setattr(ahead, "steps", lambda: some)
    ahead.main()
    assert capsys.readouterr().out.startswith("2 kinds of layers")


@needs_numba
def test_ahead_each_gradient_is_computed_alone_and_both_at_once():
    """They are different loops."""
    products = [step().node for name, step in importlib.import_module("nn.compiled.__main__").steps() if name == "mul"]
    wanted = {tuple([parent is not None for parent in node.parents]) for node in products
              if all(a is None or np.ndim(a) for a in node.args)}  # not by a number
    assert wanted == {(True, True), (True, False), (False, True)}


def test_without_numba_there_are_none(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"set_compiled\(True\) needs numba.*pip install 'gradcircuit\[fast\]'"):
        autograd.set_compiled(True)
    assert not autograd.is_compiled()
    autograd.set_compiled(False)


@needs_numba
def test_a_gradient_that_is_one_number_keeps_its_shape(compiled):
    x = autograd.tensor(np.ones((16, 64, 28, 28), np.float32), requires_grad=True)
    out = F.dropout2d(x)
    out.sum().backward()
    assert (x.grad.numpy() == out.detach().numpy()).all()


@needs_numba
@pytest.mark.parametrize("odd", [0, -np.inf, np.nan])
def test_alignments(odd, compiled):
    """Of examples of any lengths, some of which have no alignment, or something odd on the way."""
    for _ in range(30):
        steps, count, labels = rng.integers(1, 40), rng.integers(1, 9), rng.integers(0, 20)
        skip = np.zeros((count, 2 * labels + 1), bool)
        skip[:, 3::2] = rng.random((count, max(labels - 1, 0))) < 0.8
        lengths = rng.integers(0, steps + 1, count), rng.integers(0, labels + 1, count)
        emissions = numbers(steps, count, skip.shape[1]) * rng.choice(np.float32([1, 50]))
        emissions[rng.random(emissions.shape) < 0.002] += odd
        both = []
        for mode in (False, True):
            autograd.set_compiled(mode)
            both.append(TABLE["_alignments"].forward(
                emissions, skip=skip, on_path=_on_path(steps, skip, *lengths), input_lengths=lengths[0],
                target_lengths=lengths[1]))
        for plain, fast in zip(*both, strict=True):
            assert (fast.dtype, fast.shape) == (plain.dtype, plain.shape)
            np.testing.assert_allclose(fast, plain, rtol=1e-4, atol=1e-4)
