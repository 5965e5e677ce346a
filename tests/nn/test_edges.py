"""Every function of `nn.functional` at its edges: zeros, kinks, ties, the tiny and the huge, infinities, nan, nothing.

The functions are found, not listed; their examples are in `functions.py`.
"""

import importlib.util
import inspect
import math

import numpy as np
import pytest

import autograd
import nn
from nn import functional as F
from tests.nn.functions import CASES, EXAMPLES, FUNCTIONS, ODD, parameters
from tests.nn.layers import ACTIVATIONS, LOSSES, NORMALIZATION, OTHERS, RECURRENT, flat

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("quiet")]


@pytest.fixture
def quiet():
    with np.errstate(all="ignore"):
        yield


def has_compiled_form(function):
    module = inspect.unwrap(function).__module__.replace("functional", "compiled")
    return module.startswith("nn.") and importlib.util.find_spec(module) is not None


def compiled_too(cases):
    """Each case, and once more with compiled forms if there are any."""
    mark = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")
    more = [pytest.param(name, example, True, id=f"{name}-{example}-compiled", marks=mark) for name, example in cases
            if has_compiled_form(FUNCTIONS[name])]
    plain = [pytest.param(name, example, False, id=f"{name}-{example}") for name, example in cases]
    return pytest.mark.parametrize(("name", "example", "compiled"), plain + more)


@pytest.fixture(autouse=True)
def switched(request):
    """The compiled forms are on if the test says so."""
    call = getattr(request.node, "callspec", None)
    autograd.set_compiled(bool(call and call.params.get("compiled")))
    yield
    autograd.set_compiled(False)


def ours(name, example, arrays=None, dtype=np.float64):
    """The result, and the tensors that it is differentiable in."""
    autograd.manual_seed(0)
    return example.call(FUNCTIONS[name], autograd.tensor, arrays, dtype)


def gradients(out, leaves, g=None):
    """The gradients of the sum of a result, or for a given gradient of it."""
    if not out.requires_grad:
        return [np.zeros(tuple(leaf.shape)) for leaf in leaves]
    out.backward(autograd.ones(*out.shape, dtype=out.dtype) if g is None else autograd.tensor(g.astype(out.dtype)))
    return [np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.numpy() for leaf in leaves]


def example_arrays(example, dtype=np.float64):
    return [np.array(example.args[i], dtype) for i in example.differentiated]


def calm_rows(example, array):
    """For each element of an array, whether all inputs are finite in its row (along the first axis)."""
    calm = np.ones(array.shape, bool)
    for a in example.args:
        if isinstance(a, np.ndarray) and a.dtype.kind == "f" and a.ndim and array.ndim and len(a) == len(array):
            finite = np.isfinite(a).all(tuple(range(1, a.ndim)))
            calm &= finite.reshape(-1, *[1] * (array.ndim - 1))
    return calm if len(example.differentiated) else np.isfinite(array)


def assert_same(got, expected, rtol, atol, what):
    same = np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
    if not same.all():
        at = tuple(np.argwhere(~same)[0])
        raise AssertionError(f"{what} at {at}: {got[at]!r}, expected {expected[at]!r}; {np.sum(~same)} of {same.size}")


def test_every_function_has_an_example():
    assert set(FUNCTIONS) <= set(EXAMPLES)


# Beside PyTorch

torch = importlib.util.find_spec("torch") and importlib.import_module("torch")
THEIRS = torch.nn.functional if torch else None
needs_torch = pytest.mark.skipif(not torch, reason="PyTorch is not installed")
COMPARED = [(name, example) for name, example in CASES if hasattr(THEIRS, name)
            # PyTorch returns whatever was in memory
            and not (name == "multi_margin_loss" and not example.args[0].size)]


def theirs(name, example, dtype=np.float64):
    """PyTorch's result in float64, of inputs rounded to dtype."""
    arrays = [a.astype(np.float64) for a in example_arrays(example, dtype)]
    return example.call(getattr(THEIRS, name), torch.tensor, arrays)


OVERFLOWING = {"soft_margin_loss": "PyTorch's takes exp of the product"}


@needs_torch
@compiled_too(COMPARED)
def test_values_and_gradients_are_pytorchs(name, example, compiled):
    """Where PyTorch gives nan of an infinity, the limit or what is ignored may stand; it is looked at below."""
    dtype = np.float32 if compiled else np.float64
    rtol, atol = (1e-4, 2e-6) if compiled else (1e-7, 1e-7)
    (out, leaves), (expected, their_leaves) = ours(name, example, dtype=dtype), theirs(name, example, dtype)
    assert out.shape == tuple(expected.shape)
    got, wanted = out.detach().numpy(), expected.detach().numpy()
    assert got.dtype == (dtype if wanted.dtype.kind == "f" else wanted.dtype)
    free = np.isnan(wanted) & ~np.isnan(got) | (np.isinf(wanted) & (name in OVERFLOWING))
    assert_same(got, np.where(free, got, wanted.astype(got.dtype)), rtol, atol, what="value")
    if not expected.requires_grad:
        return
    expected.backward(torch.ones_like(expected))
    for position, (ours_, leaf) in enumerate(zip(gradients(out, leaves), their_leaves, strict=True)):
        wanted = np.zeros(ours_.shape) if leaf.grad is None else leaf.grad.numpy()
        if name == "ctc_loss":  # PyTorch's is by design that in the scores before log_softmax
            at = np.where(np.isnan(leaf.detach().numpy()), 0, leaf.detach().numpy())
            ours_ = ours_ - np.exp(at) * ours_.sum(-1, keepdims=True)
            wanted = np.where(np.isnan(wanted), 0, wanted)
        if name == "binary_cross_entropy" and position == 1:  # inf where the loss was cut off: not its derivative
            wanted = np.where(np.isfinite(wanted), wanted, ours_)
        free = ~calm_rows(example, np.asarray(wanted)) | np.isnan(wanted)
        assert_same(ours_, np.where(free, ours_, wanted), rtol, atol, what=f"gradient {position}")


PECULIAR = {
    "ctc_loss": "its gradient in PyTorch is by design another one",
    "binary_cross_entropy": "its gradient in PyTorch is cut off, but not the loss",
    "cosine_similarity": "PyTorch differentiates rows shorter than eps as if they weren't",
    "prelu": "its mixed derivatives at 0 are not those of its gradient",
}
SMOOTH = [(name, example) for name, example in COMPARED if name not in PECULIAR]


@needs_torch
@compiled_too(SMOOTH)
def test_second_derivatives_are_pytorchs(name, example, compiled):
    """Of Σ wᵢ outᵢ, times a vector; at kinks and zeros too."""
    if compiled:
        pytest.skip("second derivatives go through the plain composition")

    def second(out, leaves, grad, tensor, zero):
        if not out.requires_grad:
            return [zero(leaf) for leaf in leaves]
        weights = tensor(np.cos(np.arange(out.numel() if callable(out.numel) else out.size)).reshape(tuple(out.shape)))
        first = grad((out * weights).sum(), leaves, create_graph=True, allow_unused=True)
        total = [(g * tensor(np.sin(1 + np.arange(math.prod(g.shape))).reshape(tuple(g.shape)))).sum()
                 for g in first if g is not None and g.requires_grad]
        if not total:
            return [zero(leaf) for leaf in leaves]
        return [zero(leaf) if g is None else (tensor(zero(leaf)) + g).detach().numpy()
                for leaf, g in zip(leaves, grad(sum(total[1:], total[0]), leaves, allow_unused=True), strict=True)]
    results = []
    for (out, leaves), grad, tensor in ((ours(name, example), autograd.grad, autograd.tensor),
                                        (theirs(name, example), torch.autograd.grad, torch.tensor)):
        try:
            results.append(second(out, leaves, grad, tensor, lambda leaf: np.zeros(tuple(leaf.shape))))
        except RuntimeError as error:
            if "not implemented" in str(error):
                pytest.skip("PyTorch has no second derivative of it")
            raise
    for position, (got, expected) in enumerate(zip(*results, strict=True)):
        free = ~calm_rows(example, np.asarray(expected)) | np.isnan(expected)
        assert_same(got, np.where(free, got, expected), 1e-6, 1e-7, what=f"second derivative {position}")


@needs_torch
@pytest.mark.parametrize("name", FUNCTIONS)
def test_arguments_are_pytorchs(name):
    """The same names in the same order."""
    function = getattr(THEIRS, name, None)
    try:
        expected = parameters(function)
    except (TypeError, ValueError):
        pytest.skip("PyTorch has no such function, or does not tell its arguments")
    got = parameters(FUNCTIONS[name])
    got[0] = expected[0]  # which may be called `input` anyway
    assert got == [argument for argument in expected if argument != "out"]


@pytest.mark.parametrize(("name", "example"), CASES, ids=str)
def test_values_and_gradients_are_kept(name, example, as_pytorch):
    """Ours, kept for where PyTorch isn't installed: where the two differ on purpose, the test above knows."""
    out, leaves = ours(name, example)
    found = [out, *gradients(out, leaves)]
    as_pytorch(lambda *_: found)


# By themselves

@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@compiled_too(CASES)
def test_narrow_dtypes_give_the_rounded_result(name, example, compiled, dtype):
    """Nothing on the way overflows or underflows that isn't seen in the result."""
    arrays = example_arrays(example, dtype)
    narrow_out, narrow_leaves = ours(name, example, arrays, dtype)
    arrays = [a.astype(np.float64) for a in arrays]
    fixed = {i: np.array(a, dtype).astype(np.float64) for i, a in enumerate(example.args) if i in example.fixed}
    rounded = type(example)(*[fixed.get(i, a) for i, a in enumerate(example.args)], fixed=example.fixed,
                            **example.options)
    out, leaves = ours(name, rounded, arrays)
    if out.dtype.kind != "f":
        return
    assert narrow_out.dtype == dtype
    rtol, atol = (4e-3, 1e-3) if dtype is np.float16 else (2e-4, 1e-5)
    assert_same(narrow_out.detach().numpy(), out.detach().numpy().astype(dtype), rtol, atol, what="value")
    for position, (got, expected) in enumerate(zip(gradients(narrow_out, narrow_leaves), gradients(out, leaves),
                                                   strict=True)):
        expected = expected.astype(dtype)
        free = ~calm_rows(type(example)(*arrays), expected) | ~np.isfinite(expected)
        assert_same(got, np.where(free, got, expected), rtol, atol, what=f"gradient {position}")


ELEMENTWISE = [(name, example) for name, example in CASES if example.args and example.args[0] is ODD
               and all(a.size == 1 for a in example.args[1:] if isinstance(a, np.ndarray))]


@compiled_too(ELEMENTWISE)
def test_infinities_give_the_limit(name, example, compiled):
    dtype, far = (np.float32, 1e30) if compiled else (np.float64, 1e300)
    results = []
    for value in (np.inf, far):
        arrays = example_arrays(example)
        arrays[0] = np.array([value, -value])
        out, leaves = ours(name, example, arrays, dtype)
        results.append([out.detach().numpy(), gradients(out, leaves)[0]])
    (value, slope), (expected, expected_slope) = results
    expected = np.where(np.abs(expected) > 1e25, np.copysign(np.inf, expected), expected)
    np.testing.assert_array_equal(value, expected)
    np.testing.assert_allclose(slope, expected_slope, atol=1e-6)


def without_coincidences(name, example):
    """Examples in which what does not matter is not there, rather than canceled or multiplied by 0."""
    arrays = example_arrays(example)
    same = any(a.shape == b.shape and np.array_equal(a, b) for i, a in enumerate(arrays) for b in arrays[:i])
    return not same and 0 < sum(a.size for a in arrays) <= 60 and name != "binary_cross_entropy" and (
        example.options.get("p") not in (0, 1) or not name.startswith(("pairwise", "triplet"))) and (
        name != "normalize" or np.isfinite(example.options.get("p", 2)))


SMALL = [case for case in CASES if without_coincidences(*case)]


def ordinary(example, limit):
    """The arrays of an example with ordinary numbers in the place of odd ones."""
    rng = np.random.default_rng(0)
    return [np.where((np.abs(a) > 1e-3) & (np.abs(a) < limit), a, rng.uniform(0.1, 2, a.shape))
            for a in example_arrays(example)]


def elements(arrays, count=12):
    """Some positions: (number of an array, index)."""
    found = [(k, index) for k, a in enumerate(arrays) for index in np.ndindex(a.shape)]
    return found[::max(1, len(found) // count)]


def changed(arrays, k, index, value):
    copies = [a.copy() for a in arrays]
    copies[k][index] = value
    return copies


def in_domain(name, k, value):
    """Whether a function takes this value in array k."""
    return value > 0 if (name, k) == ("gaussian_nll_loss", 2) else True


@compiled_too(SMALL)
def test_nan_reaches_what_depends_on_it_and_nothing_else(name, example, compiled):
    dtype, arrays = (np.float32, ordinary(example, 4)) if compiled else (np.float64, ordinary(example, 7))

    def value(given):
        return ours(name, example, given, dtype)[0].detach().numpy()
    before, rng = value(arrays), np.random.default_rng(1)
    if not np.isfinite(before).all():
        pytest.skip("an infinite loss hides the others")

    def dependents(k, index):
        tried = [arrays[k][index] + 0.37, -3 * arrays[k][index] + 5, 100, -100, 0, *rng.uniform(-5, 5, 12)]
        return np.any([value(changed(arrays, k, index, v)) != before for v in tried if in_domain(name, k, v)], axis=0)
    reached = {(k, index): dependents(k, index) for k, index in elements(arrays)}
    for (k, index), depends in reached.items():
        out, leaves = ours(name, example, changed(arrays, k, index, np.nan), dtype)
        spoiled = np.isnan(out.detach().numpy())
        if name != "kl_div":  # it keeps a nan for which the target is 0, as PyTorch does
            assert (spoiled == depends).all(), f"nan at {index} of array {k}"
        after = gradients(out, leaves, np.where(spoiled, 0.0, 1.0))
        plain = gradients(*ours(name, example, arrays, dtype), np.where(spoiled, 0.0, 1.0))
        for (j, other), theirs_ in reached.items():
            if not (theirs_ & spoiled).any() and name != "prelu":  # its branch is not known
                np.testing.assert_allclose(after[j][other], plain[j][other], rtol=1e-4, atol=1e-5)


@compiled_too(SMALL)
def test_a_branch_not_taken_gets_exactly_zero(name, example, compiled):
    """Whatever arrives: where the result does not change with an element, its gradient is 0."""
    dtype, arrays = np.float32 if compiled else np.float64, ordinary(example, 7)

    def value(given):
        return ours(name, example, given, np.float64)[0].detach().numpy()  # float32 may not show a small change
    before = value(arrays)
    flat = {}
    for k, index in elements(arrays):
        steps = [v for v in arrays[k][index] + np.array([-0.3, -1e-2, 1e-2, 0.3]) if in_domain(name, k, v)]
        flat[k, index] = np.all([value(changed(arrays, k, index, v)) == before for v in steps], axis=0)
    for at in np.ndindex(before.shape):
        if not np.isfinite(before[at]) or not any(f[at] for f in flat.values()):
            continue
        for g in (np.inf, -np.inf, np.nan):
            arriving = np.zeros(before.shape)
            arriving[at] = g
            out, leaves = ours(name, example, arrays, dtype)
            found = gradients(out, leaves, arriving)
            for (k, index), f in flat.items():
                if f[at]:
                    assert found[k][index] == 0, f"element {index} of array {k}, for {g} at {at}: {found[k][index]}"


# In place

INPLACE = [name for name, function in FUNCTIONS.items() if "inplace" in parameters(function)]


@pytest.mark.parametrize("name", INPLACE)
def test_inplace_is_in_place(name):
    for example in EXAMPLES[name]:
        random = "training" in parameters(FUNCTIONS[name])
        options = {**example.options, "training": True} if random else example.options
        args = [a for a in example.args if not isinstance(a, bool)]

        def call(x, args=args, options=options, **more):
            autograd.manual_seed(0)
            return FUNCTIONS[name](x, *args[1:], **options, **more)
        array = np.array(args[0])
        expected = call(autograd.tensor(array)).numpy()
        x = autograd.tensor(array)
        assert call(x, inplace=True) is x
        np.testing.assert_array_equal(x.numpy(), expected)

        if np.array_equal(expected, array, equal_nan=True):
            continue
        leaf = autograd.tensor(array, requires_grad=True)
        y = leaf * 1
        assert call(y, inplace=True) is y
        other = autograd.tensor(array, requires_grad=True)
        np.testing.assert_array_equal(gradients(y, [leaf])[0], gradients(call(other * 1), [other])[0])
        with pytest.raises(RuntimeError, match="leaf"):
            call(leaf, inplace=True)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name.endswith("_")])
def test_functions_with_an_underscore_are_in_place(name):
    example = EXAMPLES[name][0]
    x = autograd.tensor(ODD)
    assert FUNCTIONS[name](x, *example.args[1:]) is x
    np.testing.assert_array_equal(x.numpy(), FUNCTIONS[name[:-1]](autograd.tensor(ODD), *example.args[1:]).numpy())


@pytest.mark.parametrize("layer", [
    layer for layer in vars(nn).values()
    if isinstance(layer, type) and "inplace" in inspect.signature(layer).parameters])
def test_layers_are_in_place_if_asked(layer):
    given = {"threshold": 0.5, "value": 2.0} if layer is nn.Threshold else {}
    x = autograd.tensor(np.linspace(-3, 3, 24).reshape((2, 3, 4) if "1d" in layer.__name__ else
                                                       (1, 2, 3, 2, 2) if "3d" in layer.__name__ else (2, 3, 2, 2)))
    made = layer(**given, inplace=True)
    assert "inplace=True" in repr(made)
    assert "inplace=True" not in repr(layer(**given))
    autograd.manual_seed(0)
    expected = layer(**given)(x.clone()).numpy()
    autograd.manual_seed(0)
    assert made(x) is x
    np.testing.assert_array_equal(x.numpy(), expected)


@needs_torch
def test_layers_that_take_inplace_are_pytorchs():
    for name, layer in vars(nn).items():
        theirs_ = getattr(torch.nn, name, None)
        if isinstance(layer, type) and isinstance(theirs_, type) and layer.__module__ == "nn.activation":
            assert ("inplace" in inspect.signature(layer).parameters) == (
                "inplace" in inspect.signature(theirs_).parameters), name


# Nothing

@pytest.mark.parametrize("kind", [nn.BatchNorm1d, nn.InstanceNorm1d])
def test_an_empty_batch_moves_no_statistics(kind):
    layer = kind(3, track_running_stats=True)
    assert layer(autograd.zeros(0, 3, 4)).shape == (0, 3, 4)
    assert layer.running_mean.tolist() == [0, 0, 0] and layer.running_var.tolist() == [1, 1, 1]


@needs_torch
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("case", [*ACTIVATIONS, *NORMALIZATION, *OTHERS, *LOSSES, *RECURRENT], ids=str)
def test_an_empty_batch_is_what_it_is_in_pytorch(case, mode):
    axis = 1 if case in RECURRENT and case.name in ("RNN", "LSTM", "GRU") and not case.options.get("batch_first") else 0
    if case.inputs[0].ndim <= axis + 1 and case in RECURRENT:
        pytest.skip("it has no batch")
    count = case.inputs[0].shape[axis]

    def none_of(a):
        at = 1 if case in RECURRENT and a is not case.inputs[0] and case.name in ("RNN", "LSTM", "GRU") else axis
        return a[(slice(None),) * at + (slice(0),)] if a.ndim > at and a.shape[at] == count else a
    results = []
    for library, layers in ((autograd, nn), (torch, torch.nn)):
        layer, tensor = getattr(case.layer(library, layers), mode)(), library.tensor
        inputs = [tensor(none_of(x)).requires_grad_() if trained else tensor(none_of(x))
                  for x, trained in zip(case.inputs, case.trained, strict=True)]
        try:
            outputs = flat(layer(*inputs))
            total = sum((out.sum() for out in outputs if out.requires_grad), start=0)
            if getattr(total, "requires_grad", False):
                total.backward()
        except (ValueError, RuntimeError, IndexError) as error:
            results.append(type(error))
            continue
        state = [value.detach().numpy() for value in layer.state_dict().values()]
        found = [p.grad for p in (*inputs, *layer.parameters())]
        results.append([*[out.detach().numpy() for out in outputs], *state,
                        *[None if g is None else g.numpy() for g in found]])
    got, expected = results
    if isinstance(expected, type):  # PyTorch cannot; that it can here is no fault
        return
    assert not isinstance(got, type), got
    for a, b in zip(got, expected, strict=True):
        if a is None or b is None:
            assert (0 if a is None else np.abs(a).sum()) == (0 if b is None else np.abs(np.nan_to_num(b)).sum())
        elif case.name not in ("MultiMarginLoss", "MultiLabelMarginLoss"):  # PyTorch returns whatever was in memory
            np.testing.assert_allclose(a, b, rtol=1e-9)
            assert a.shape == b.shape


# What the walks do not say

def test_softplus_minds_its_threshold():
    x = autograd.tensor([-2.0, 1.0, 3.0], requires_grad=True)
    assert F.softplus(x, beta=2, threshold=-100).tolist() == [-2, 1, 3]
    F.softplus(x, beta=2, threshold=-100).sum().backward()
    assert x.grad.tolist() == [1, 1, 1]


def test_the_loss_of_nothing_is_nan_and_destroys_no_weights():
    scores = autograd.tensor([[1.0, 2.0], [np.nan, 0.0]], requires_grad=True)
    for loss in (F.cross_entropy, F.nll_loss):
        result = loss(scores, autograd.tensor([-100, -100]))
        assert math.isnan(result.item())
        result.backward()
        assert scores.grad.tolist() == [[0, 0], [0, 0]]


@pytest.mark.parametrize("loss", [
    name for name, function in FUNCTIONS.items() if "size_average" in parameters(function)])
def test_the_older_form_of_reductions(loss):
    example = next(e for e in EXAMPLES[loss] if all(np.isfinite(a).all() for a in e.args if isinstance(a, np.ndarray)))
    tensors = [autograd.tensor(a) if isinstance(a, np.ndarray) else a for a in example.args]
    options = {key: autograd.tensor(v) if isinstance(v, np.ndarray) else v for key, v in example.options.items()
               if key != "reduction"}
    for size_average, reduce, reduction in ((None, False, "none"), (False, None, "sum"), (True, True, "mean"),
                                            (False, False, "none")):
        with pytest.warns(UserWarning, match=f"reduction='{reduction}'"):
            got = FUNCTIONS[loss](*tensors, **options, size_average=size_average, reduce=reduce)
        np.testing.assert_array_equal(got.numpy(), FUNCTIONS[loss](*tensors, **options, reduction=reduction).numpy())
    with pytest.raises(TypeError, match="reduction='sum'"):
        FUNCTIONS[loss](*tensors, **options, size_average="sum")
