"""What holds for every function that looks at windows: pooling, convolution, resizing, padding, sampling, attention.

The first property is that each output, and each gradient, depends on its own window and on nothing else. A number is
replaced by one that is none, anywhere; what changes must be what changes when the number is replaced by another number.
"""

import importlib
import importlib.util
import inspect
import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd
import nn
from nn import functional as F
from tests.nn.windows import CASES, IMAGE, SEQUENCE, VOLUME

pytestmark = [pytest.mark.filterwarnings("ignore::RuntimeWarning"), pytest.mark.filterwarnings("ignore::UserWarning")]
MODULES = [importlib.import_module(f"nn.functional.{name}")  # attributes of nn.functional may be functions
           for name in ("attention", "convolution", "fold", "grid_sample", "padding", "pixelshuffle", "pooling",
                        "upsampling")]


def test_every_function_is_among_the_cases():
    """One that is added must be, too."""
    public = {name for module in MODULES for name, function in vars(module).items()
              if inspect.isfunction(function) and function.__module__ == module.__name__
              and getattr(F, name, None) is function}
    assert public - {"multi_head_attention_forward"} == {case.name for case in CASES}  # made of one and of products


def results(case, arrays, g=None, create_graph=False):
    """The output and the gradients, with ones coming in where nothing is given."""
    tensors = [autograd.tensor(a, requires_grad=True) for a in arrays]
    out = case(*tensors)
    g = np.ones(out.shape) if g is None else g
    gradients = autograd.grad(out, tensors, autograd.tensor(g.astype(out.dtype)), create_graph=create_graph)
    return [t.detach().numpy() for t in (out, *gradients)]


def changes(before, after, tolerance):
    return [~np.isclose(a, b, rtol=tolerance, atol=tolerance) for a, b in zip(before, after, strict=True)]


def check_reach(case, dtype, values, create_graph=False, count=9):
    rng = np.random.default_rng(2)
    arrays = [a.astype(dtype) for a in case.arrays]
    given = [*arrays, rng.standard_normal(results(case, arrays)[0].shape).astype(dtype)]
    tolerance = 1e-4 if dtype == np.float32 else 1e-9

    def run(changed):
        return results(case, changed[:-1], changed[-1], create_graph)
    before = run(given)
    for number, array in enumerate(given):
        for flat in rng.permutation(array.size)[:count]:
            at = np.unravel_index(flat, array.shape)

            def with_value(value, number=number, at=at):
                changed = [a.copy() for a in given]
                changed[number][at] = value
                return changed
            depends = [np.zeros(a.shape, bool) for a in before]
            for step in case.steps:
                after = run(with_value(array[at] + step))
                depends = [was | (a != b) for was, a, b in zip(depends, before, after, strict=True)]
            for value in values:
                reached = changes(before, run(with_value(value)), tolerance)
                for what, depending, spoilt in zip(["output", *map(str, range(9))], depends, reached, strict=False):
                    where = f"{value} at {at} of {[*map(str, range(len(arrays))), 'g'][number]}, seen in {what}"
                    assert not (depending & ~spoilt).any(), f"hidden: {where}"
                    if not case.zeros:
                        assert not (spoilt & ~depending).any(), f"spread: {where}"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_bad_number_reaches_what_depends_on_it_and_nothing_else(case):
    check_reach(case, np.float64, (np.nan, np.inf) if len(case.steps) == 1 else (np.nan,))


@pytest.mark.parametrize("case", [case for case in CASES if "attention" in case.name or "conv2d" in case.name], ids=str)
def test_so_it_does_where_gradients_are_recorded(case):
    check_reach(case, np.float64, (np.nan,), create_graph=True, count=4)


@pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")
@pytest.mark.parametrize("case", [case for case in CASES if "attention" in case.name or "conv" in case.name], ids=str)
def test_so_it_does_in_compiled_form(case):
    autograd.set_compiled(True)
    try:
        check_reach(case, np.float32, (np.nan,), count=4)
    finally:
        autograd.set_compiled(False)


@pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")
@pytest.mark.parametrize("case", [case for case in CASES if "attention" in case.name or "conv" in case.name], ids=str)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_both_forms_agree_on_what_is_not_finite(case, value):
    rng = np.random.default_rng(4)
    arrays = [a.astype(np.float32) for a in case.arrays]
    given = [*arrays, rng.standard_normal(results(case, arrays)[0].shape).astype(np.float32)]
    for array in given:
        at = np.unravel_index(rng.integers(array.size), array.shape)
        before, array[at] = array[at], value
        plain = results(case, given[:-1], given[-1])
        autograd.set_compiled(True)
        try:
            fast = results(case, given[:-1], given[-1])
        finally:
            autograd.set_compiled(False)
            array[at] = before
        for one, other in zip(plain, fast, strict=True):
            np.testing.assert_array_equal(np.isfinite(one), np.isfinite(other))
            np.testing.assert_allclose(other[np.isfinite(other)], one[np.isfinite(one)], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_and_gradients_are_pytorchs(case, as_pytorch):
    as_pytorch(lambda library, layers: case.results(*((autograd, F) if case.alone else (library, layers.functional))),
               1e-8)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_recorded_gradients_are_the_same(case):
    """Infinite ones, too."""
    g = np.random.default_rng(3).standard_normal(results(case, case.arrays)[0].shape)
    for value in (1.0, np.inf, np.nan):
        g.reshape(-1)[-1:] = value
        for one, other in zip(results(case, case.arrays, g), results(case, case.arrays, g, True), strict=True):
            if len(case.steps) > 1:  # infinities that cancel in one formula are NaN in the other
                one, other = (np.where(np.isfinite(a), a, np.nan) for a in (one, other))
            np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_result_has_memory_of_its_own(case):
    tensors = [autograd.tensor(a) for a in case.arrays]
    out = case(*tensors)
    assert not any(np.shares_memory(out.numpy(), t.numpy()) for t in tensors)


@pytest.mark.parametrize("case", [case for case in CASES if case.batch], ids=str)
def test_a_batch_may_be_empty_or_left_out(case):
    first, *others = case.arrays
    whole, *gradients = results(case, case.arrays)
    empty, d_first, *d_others = results(case, [first[:0], *others])
    assert empty.shape == (0, *whole.shape[1:])
    assert d_first.shape == (0, *first.shape[1:])
    for gradient, other in zip(d_others, others, strict=True):
        np.testing.assert_array_equal(gradient, np.zeros_like(other))
    for i, image in enumerate(first):
        one, d_image, *_ = results(case, [image, *others])
        np.testing.assert_allclose(one, whole[i], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(d_image, gradients[0][i], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_float16_is_float32_rounded(case):
    """Sums are taken in a wider type: that of a long window neither stops growing nor overflows on the way."""
    arrays = [(a + 40).astype(np.float16) for a in case.arrays]
    g = np.full(results(case, arrays)[0].shape, 3.0)
    narrow, wide = results(case, arrays, g), results(case, [a.astype(np.float32) for a in arrays], g)
    for half, single in zip(narrow, wide, strict=True):
        assert half.dtype == np.float16
        coarse = any(name in case.name for name in ("attention", "lp_pool", "affine_grid"))  # several operations
        np.testing.assert_allclose(half, single, rtol=0.02 if coarse else 0.0015, atol=0.5 if coarse else 1e-4)


def test_means_of_many_float16_are_right():
    x = autograd.full((1, 1, 64, 64), 300.0, dtype=autograd.float16)
    assert F.avg_pool2d(x, 64).item() == F.adaptive_avg_pool2d(x, 1).item() == 300
    assert (F.interpolate(x, size=3, mode="area").numpy() == 300).all()
    ones = autograd.ones(1, 1, 1, 64, 64, dtype=autograd.float16).reshape(1, 4096, 1, 1)
    assert F.conv2d(ones, autograd.ones(1, 4096, 1, 1, dtype=autograd.float16)).item() == 4096


# Where the maximum stands

MAXIMA = [("max_pool1d", SEQUENCE, (3, 2, 1)), ("max_pool2d", IMAGE, (3, 2, 1)), ("max_pool2d", IMAGE, ((2, 3), 1)),
          ("max_pool3d", VOLUME, (2, 1, 1)), ("adaptive_max_pool1d", SEQUENCE, (3,)),
          ("adaptive_max_pool2d", IMAGE, ((4, 2),)), ("adaptive_max_pool3d", VOLUME, ((2, 3, 3),)),
          ("max_pool1d", (1, 2, 90), (40, 25, 20)), ("max_pool1d", (1, 2, 90), (40,)), ("max_pool2d", IMAGE, ((6, 5),)),
          ("max_pool2d", (1, 2, 7, 12), ((6, 7), 2, 3)), ("max_pool3d", (1, 2, 4, 5, 4), ((3, 3, 4), 1, 1))]


@pytest.mark.parametrize(("name", "shape", "args"), MAXIMA)
def test_maxima_of_ties_infinities_and_nan_are_pytorchs(name, shape, args, as_pytorch):
    """Values, indices and gradients: the first of equal ones, the last of several NaN, never the padding."""
    for seed in range(20):
        x = np.random.default_rng(seed).choice([0, 1, 1, -np.inf, np.inf, np.nan], shape,
                                               p=[0.2, 0.2, 0.2, 0.3, 0.05, 0.05])

        def program(library, layers, x=x):
            t = library.tensor(x, requires_grad=True)
            values, indices = getattr(layers.functional, name)(t, *args, return_indices=True)
            g = np.random.default_rng(0).choice([1, 2, np.inf], tuple(values.shape))
            values.backward(library.tensor(g))
            return values, indices, t.grad
        as_pytorch(program, 0)


@pytest.mark.parametrize(("name", "shape", "args"), MAXIMA)
@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_did_not_win_gets_zero_whatever_comes_in(name, shape, args, value):
    x = autograd.tensor(np.random.default_rng(0).standard_normal(shape), requires_grad=True)
    out, indices = getattr(F, name)(x, *args, return_indices=True)
    out.backward(autograd.tensor(np.full(out.shape, value)))
    won = np.zeros((*shape[:2], np.prod(shape[2:])), bool)
    np.put_along_axis(won, indices.numpy().reshape(*shape[:2], -1), True, 2)
    np.testing.assert_array_equal(x.grad.numpy(), np.where(won.reshape(shape), value, 0))


# Resizing is PyTorch's

MODES = {1: ["nearest", "nearest-exact", "linear", "area"],
         2: ["nearest", "nearest-exact", "bilinear", "bicubic", "area", "antialiased bilinear", "antialiased bicubic",
             "antialiased lanczos"],
         3: ["nearest", "nearest-exact", "trilinear", "area"]}


@st.composite
def resizings(draw):
    ndim = draw(st.integers(1, 3))
    size = draw(st.lists(st.integers(1, 9), min_size=ndim, max_size=ndim))
    words = draw(st.sampled_from(MODES[ndim])).split()
    options = {"mode": words[-1]}
    if len(words) > 1:
        options["antialias"] = True
    if words[-1] in ("linear", "bilinear", "trilinear", "bicubic"):
        options["align_corners"] = draw(st.sampled_from([None, True, False]))
    if draw(st.booleans()):
        options["size"] = out = draw(st.lists(st.integers(1, 12), min_size=ndim, max_size=ndim))
    else:
        factor = st.one_of(st.sampled_from([0.3, 0.5, 1, 1.2, 1.7, 2, 3]), st.floats(0.3, 2.5))
        options["scale_factor"] = factors = draw(st.lists(factor, min_size=ndim, max_size=ndim))
        options["recompute_scale_factor"] = draw(st.sampled_from([None, True, False]))
        out = [int(n * f) for n, f in zip(size, factors, strict=True)]
        assume(min(out) > 0)
        # PyTorch takes some positions from the sizes and some from the factor, depending on the layout in memory
        assume(options["recompute_scale_factor"] or words[-1] != "nearest"
               or all(m not in (n, 2 * n) or f == m / n for n, m, f in zip(size, out, factors, strict=True)))
    if len(words) > 1:  # the gradient of an axis that keeps its length is not that of its values; one column is wrong
        assume(out[-1] > 1 and all(n != m for n, m in zip(size, out, strict=True)))
    return size, options


@settings(max_examples=150, derandomize=True, database=None)
@given(resizings(), st.sampled_from(["float32", "float64"]))
def test_resizing_is_pytorchs(call, dtype):
    torch = pytest.importorskip("torch")
    size, options = call
    x = np.random.default_rng(0).standard_normal((2, 3, *size)).astype(dtype)
    found = []
    for package, functions in ((autograd, F), (torch, torch.nn.functional)):
        t = package.tensor(x, requires_grad=True)
        out = functions.interpolate(t, **options)
        out.backward(package.tensor(np.cos(np.arange(np.prod(out.shape))).reshape(tuple(out.shape)).astype(dtype)))
        found.append([out.detach().numpy(), t.grad.numpy()])
    tolerance = 1e-4 if dtype == "float32" else 1e-9
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic", "area"])
@pytest.mark.parametrize("size", [(12, 11), (3, 4), (5, 13), (1, 2), (40, 9)])
@pytest.mark.parametrize("align_corners", [True, False])
def test_a_nan_reaches_the_taps_that_it_reaches_in_pytorch(mode, size, align_corners, as_pytorch):
    """Those of weight 0, too; in float32, and with the channels last in memory."""
    options = {"align_corners": align_corners} if mode in ("bilinear", "bicubic") else {}
    x = np.zeros((1, 12, 7, 8), np.float32)
    for channel, at in enumerate(itertools.product((0, 1, 4, 6), (0, 2, 7))):
        x[0, channel, at[0], at[1]] = np.nan
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    for array in (x, last):
        def program(library, layers, array=array):
            given = library.from_numpy(array if library is autograd else x)
            return layers.functional.interpolate(given, size, mode=mode, **options).isnan()
        as_pytorch(program)


def test_one_infinite_pixel_stays_where_it_is():
    x = autograd.zeros(1, 1, 4, 4)
    x[0, 0, 0, 0] = -np.inf
    out = F.interpolate(x, scale_factor=2).numpy()[0, 0]
    assert (out[:2, :2] == -np.inf).all()
    assert (out == -np.inf).sum() == 4
    assert (out == 0).sum() == 60


# What is masked is not looked at

@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_ignored_keys_of_a_layer_may_be_anything(need_weights, value):
    autograd.manual_seed(0)
    layer = nn.MultiheadAttention(6, 2, batch_first=True)
    q, padding = autograd.rand(2, 3, 6), np.array([[False, False, True, False], [False, True, True, False]])
    found = []
    for filler in (0.0, value):
        kv = np.random.default_rng(0).standard_normal((2, 4, 6)).astype(np.float32)
        kv[padding] = filler
        query, keys = q.clone().requires_grad_(), autograd.tensor(kv, requires_grad=True)
        out, _ = layer(query, keys, keys, key_padding_mask=padding, need_weights=need_weights)
        out.sum().backward()
        found.append([out.detach().numpy(), query.grad.numpy(), keys.grad.numpy()])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6)


def test_ignored_keys_of_additive_attention_may_be_anything():
    layer = nn.AdditiveAttention(3, 4, 5)
    mask = np.array([[[True, False, True]]])
    found = []
    for filler in (0.0, np.nan):
        arrays = [np.ones((1, 2, 3), np.float32), np.ones((1, 3, 4), np.float32), np.ones((1, 3, 2), np.float32)]
        arrays[1][0, 1] = arrays[2][0, 1] = filler
        tensors = [autograd.tensor(a, requires_grad=True) for a in arrays]
        out, weights = layer(*tensors, mask)
        out.sum().backward()
        found.append([out.detach().numpy(), weights.detach().numpy(), *[t.grad.numpy() for t in tensors]])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6)


def test_who_may_look_at_nothing_is_pytorchs(as_pytorch):
    arrays, mask = [np.random.default_rng(i).standard_normal((2, 4, 3)) for i in range(3)], np.ones((4, 4), bool)
    mask[1] = False

    def program(library, layers):
        tensors = [library.tensor(a, requires_grad=True) for a in arrays]
        out = layers.functional.scaled_dot_product_attention(*tensors, attn_mask=library.tensor(mask))
        out.sum().backward()
        return [out, *[t.grad for t in tensors]]
    as_pytorch(program)


# What does not fit

@pytest.mark.parametrize(("call", "parts"), [
    (lambda: F.max_pool2d(autograd.ones(2, 3, 0, 4), 2), ["(2, 3, 0, 4)", "at least 1"]),
    (lambda: F.adaptive_avg_pool2d(autograd.ones(2, 3, 4, 0), 2), ["(2, 3, 4, 0)"]),
    (lambda: F.conv1d(autograd.ones(2, 3, 0), autograd.ones(1, 3, 1), padding=1), ["(2, 3, 0)"]),
    (lambda: F.interpolate(autograd.ones(2, 3, 0), 4), ["(0,)", "(4,)"]),
    (lambda: F.interpolate(autograd.ones(2, 3, 4), 0), ["(4,)", "(0,)"]),
    (lambda: F.interpolate(autograd.ones(2, 3, 4), 8, recompute_scale_factor=True), ["recompute_scale_factor"]),
    (lambda: F.interpolate(autograd.ones(2, 3, 4), 8, antialias=True), ["antialias", "nearest"]),
    (lambda: F.interpolate(autograd.ones(2, 3, 4, 4), 8, mode="lanczos"), ["antialias", "lanczos"]),
    (lambda: F.interpolate(autograd.ones(2, 3, 4).long(), 8, mode="linear"), ["int64", "float()"]),
    (lambda: F.interpolate(autograd.ones(2, 3, 4), 2.5), ["size", "whole", "2.5"]),
    (lambda: F.avg_pool2d(autograd.ones(1, 1, 4, 4), 2, divisor_override=0), ["divisor_override"]),
    (lambda: F.avg_pool2d(autograd.ones(1, 1, 4, 4), 2, stride=0), ["stride", "at least 1"]),
    (lambda: F.max_pool2d(autograd.ones(1, 1, 4, 4), 2, padding=-1), ["padding", "at least 0"]),
    (lambda: F.max_pool1d(autograd.ones(1, 1, 4), 2, dilation=0), ["dilation", "at least 1"]),
    (lambda: F.conv2d(autograd.ones(1, 1, 4, 4), autograd.ones(1, 1, 2, 2), padding=-1), ["padding", "at least 0"]),
    (lambda: F.conv2d(autograd.ones(1, 1, 4, 4), autograd.ones(1, 1, 2, 2), stride=0), ["stride", "at least 1"]),
    (lambda: F.conv_transpose1d(autograd.ones(1, 1, 4), autograd.ones(1, 1, 2), output_padding=-1), ["at least 0"]),
    (lambda: F.unfold(autograd.ones(1, 1, 2, 2), 3), ["(3, 3)", "(2, 2)"]),
    (lambda: F.unfold(autograd.ones(4, 4), 2), ["(N, C, H, W)", "(4, 4)"]),
    (lambda: F.fold(autograd.ones(1, 5, 4), 3, 2), ["C · 4", "(1, 5, 4)"]),
    (lambda: F.pixel_shuffle(autograd.ones(4, 4), 2), ["(*, C, H, W)", "(4, 4)"]),
    (lambda: F.pixel_unshuffle(autograd.ones(1, 4, 4), 0), ["downscale_factor", "0"]),
    (lambda: F.pad(autograd.ones(1, 1, 3), (-2, -2)), ["(-2, -2)", "(1, 1, 3)"]),
    (lambda: F.pad(autograd.ones(1, 1, 3), (4, 0), "circular"), ["3", "(4, 0)"]),
    (lambda: F.pad(autograd.ones(1, 1, 0), (1, 0), "replicate"), ["(1, 1, 0)", "replicate"]),
    (lambda: F.lp_pool1d(autograd.ones(1, 1, 4), np.inf, 2), ["max_pool1d", "inf"]),
])
def test_what_does_not_fit_is_refused(call, parts):
    with pytest.raises((ValueError, TypeError)) as info:
        call()
    for part in parts:
        assert part in str(info.value)
