"""Every layer of the table beside PyTorch's, with the same weights; and its second derivatives beside differences.

Its numbers are held by a table of PyTorch's where that isn't installed (expected.py).
"""

import importlib.util
import inspect
import re

import numpy as np
import pytest

import autograd
import nn
from autograd.testing import check_derivatives
from tests.nn.expected import assert_expected, defaults, initial_values, of_layer, table
from tests.nn.layers import CASES, flat, tensors

torch = importlib.util.find_spec("torch") and importlib.import_module("torch")
needs_torch = pytest.mark.skipif(not torch, reason="PyTorch is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's, about its own speed
if torch:
    torch.set_num_threads(1)
    OURS, THEIRS = (autograd, nn), (torch, torch.nn)


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: str(CASES[number]))
def test_values_and_gradients_are_those_of_the_table(number):
    case = CASES[number]
    assert_expected("initial", number, initial_values(case), 1e-5)  # in float32
    for mode in ("train", "eval"):
        assert_expected(mode, number, of_layer(case, mode))


@needs_torch
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_and_gradients_are_pytorchs(case, mode):
    ours, theirs = (getattr(case.layer(*libraries), mode)() for libraries in (OURS, THEIRS))
    results = case.results(ours, autograd), case.results(theirs, torch)
    for (got, expected), tolerance in zip(zip(*results, strict=True), (1e-9, 1e-8, 1e-9), strict=True):
        for one, other in zip(got, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
            assert one.shape == other.shape
    assert autograd.rand(()).item() == torch.rand(()).item()  # both have drawn as much, mostly nothing
    assert list(ours.state_dict()) == list(theirs.state_dict())


@needs_torch
@pytest.mark.parametrize("seed", [0, 7, 2 ** 40])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_initial_values_are_pytorchs(case, seed):
    states = []
    for library, layers in (OURS, THEIRS):
        library.manual_seed(seed)
        states.append(case.new(library, layers).state_dict())
    assert list(states[0]) == list(states[1])
    for name, value in states[1].items():
        np.testing.assert_allclose(states[0][name].numpy(), value.numpy(), rtol=2e-6, atol=2e-6)
    np.testing.assert_array_equal(autograd.rand(3).numpy(), torch.rand(3).numpy())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_second_derivatives(case):
    layer = case.layer(autograd, nn)
    names = [name for name, _ in layer.named_parameters()]
    floating = [x for x, trained in zip(case.inputs, case.trained, strict=True) if trained]

    def function(*given):
        values = iter(given)
        inputs = [next(values) if trained else autograd.tensor(x)
                  for x, trained in zip(case.inputs, case.trained, strict=True)]
        for name, value in zip(names, values, strict=True):  # the parameters, as inputs
            path, _, attribute = name.rpartition(".")
            vars(layer.get_submodule(path))[attribute] = value
        return flat(layer(*inputs, **tensors(case.call, autograd)))
    check_derivatives(function, [*floating, *[p.detach().numpy() for p in layer.parameters()]], order=2)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_float32_stays_float32(case):
    layer = case.layer(autograd, nn).float()

    def single(x):
        return autograd.tensor(x.astype(np.float32) if x.dtype.kind == "f" else x)
    inputs = [single(x) for x in case.inputs]
    call = {k: single(v) if isinstance(v, np.ndarray) else v for k, v in case.call.items()}
    for out in flat(layer(*inputs, **call)):
        assert out.dtype in (np.float32, np.int64)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("case", [case for case in CASES if case.name[:5] in ("Batch", "Insta")], ids=str)
def test_statistics_follow_in_every_dtype(case, dtype):
    wide, narrow = case.layer(autograd, nn), case.layer(autograd, nn).to(getattr(autograd, dtype))
    for layer, kind in ((wide, "float64"), (narrow, dtype)):
        layer(*[autograd.tensor(x.astype(kind)) for x in case.inputs])
    for (name, got), expected in zip(narrow.named_buffers(), wide.buffers(), strict=True):
        assert got.dtype == (dtype if expected.dtype.kind == "f" else np.int64), name
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=4e-3 if dtype == "float16" else 1e-5, atol=1e-3)


MADE_OF_NUMBERS = [case for case in CASES if "dtype" in inspect.signature(getattr(nn, case.name)).parameters
                   and "_weight" not in case.options]


def test_whatever_has_parameters_is_made_in_a_dtype_and_on_a_device():
    names = {case.name for case in CASES if list(case.new(autograd, nn).parameters())}
    assert names <= {case.name for case in MADE_OF_NUMBERS}
    for name in nn.__all__:
        given = list(inspect.signature(getattr(nn, name)).parameters) if inspect.isclass(getattr(nn, name)) else []
        assert "dtype" not in given or given[given.index("dtype") - 1] == "device", name


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("case", MADE_OF_NUMBERS, ids=str)
def test_layers_are_made_in_a_dtype_and_on_the_only_device(case, dtype):
    made = case.new(autograd, nn, device="cpu", dtype=getattr(autograd, dtype))
    for name, value in made.state_dict().items():
        assert value.dtype == (np.int64 if name.endswith("num_batches_tracked") else dtype), name
    with pytest.raises(RuntimeError, match=f"{case.name}.*the device 'cpu' alone"):
        case.new(autograd, nn, device="cuda:0")


@needs_torch
@pytest.mark.parametrize("case", [case for case in CASES if case.name in ("RNN", "LSTM", "GRU")], ids=str)
def test_recurrent_layers_tell_of_their_weights_as_pytorchs(case):
    ours, theirs = (case.layer(*libraries) for libraries in (OURS, THEIRS))
    assert ours.mode == theirs.mode and isinstance(ours, nn.RNNBase)
    for got, expected in zip(ours.all_weights, theirs.all_weights, strict=True):
        for p, q in zip(got, expected, strict=True):
            np.testing.assert_allclose(p.tolist(), q.tolist(), rtol=1e-14)


@pytest.mark.parametrize("path", ["nn", "nn.functional", "nn.init"])
def test_defaults_are_pytorchs_and_the_same_whatever_the_number_of_axes(path):
    ours, theirs = defaults(path), [table()[path], *([defaults(f"torch.{path}")] if torch else [])]
    for name, found in ours.items():
        alike = [ours.get(re.sub(r"[123]d", d, name), {}) for d in ("1d", "2d")]
        for other in (*(functions.get(name, {}) for functions in theirs), *alike):
            for argument, default in other.items():
                assert found.get(argument, default) == default, (name, argument)
