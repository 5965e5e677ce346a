"""Every layer of the table beside PyTorch's, with the same weights; and its second derivatives beside differences."""

import contextlib
import importlib.util
import inspect
import re

import numpy as np
import pytest

import autograd
import nn
from autograd.testing import check_derivatives
from tests.nn.layers import CASES, flat, tensors

torch = importlib.util.find_spec("torch") and importlib.import_module("torch")
needs_torch = pytest.mark.skipif(not torch, reason="PyTorch is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's, about its own speed
if torch:
    torch.set_num_threads(1)
    OURS, THEIRS = (autograd, nn), (torch, torch.nn)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_gradients_and_states_are_pytorchs(case, as_pytorch):
    for mode in ("train", "eval"):
        def program(library, layers, mode=mode):
            layer = getattr(case.layer(library, layers), mode)()
            results = case.results(layer, library)
            return [*results, library.rand(()).item(), list(layer.state_dict())]  # it has drawn as much, mostly nothing
        as_pytorch(program, 1e-8)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_initial_values_are_pytorchs(case, as_pytorch):
    for seed in (0, 7, 2 ** 40):
        def program(library, layers, seed=seed):
            library.manual_seed(seed)
            state = case.new(library, layers).state_dict()
            return list(state), library.cat([v.reshape(-1) for v in (*state.values(), library.rand(3))])
        as_pytorch(program, 2e-6)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_bare_arrays_are_taken_like_tensors(case):
    def outputs(given, call):
        autograd.manual_seed(0)
        return flat(case.layer(autograd, nn)(*given, **call))

    tracked = outputs(map(autograd.as_tensor, case.inputs), tensors(case.call, autograd))
    for mine, theirs in zip(outputs(case.inputs, case.call), tracked, strict=True):
        np.testing.assert_array_equal(autograd.as_tensor(mine).detach(), theirs.detach())


SAYS_MORE = re.compile("Hardshrink|Softshrink|.*Pool|MaxUnpool|Local|Multihead|Transformer|Cosine|Pairwise|.*RNNCell")
"""Layers that show more of their options than PyTorch's, or whose parts have other names."""


@pytest.mark.parametrize("case", CASES, ids=str)
def test_text_is_pytorchs(case, as_pytorch):
    ours = repr(case.new(autograd, nn))
    as_pytorch(lambda *libraries: ours if SAYS_MORE.match(case.name) else repr(case.new(*libraries)))


def test_log_probabilities_of_all_classes_are_pytorchs(as_pytorch):
    case = next(case for case in CASES if case.name.startswith("AdaptiveLog"))

    def program(library, layers):
        layer = case.layer(library, layers)
        x = library.tensor(case.inputs[0], requires_grad=True)
        out = layer.log_prob(x)
        (out * out).sum().backward()
        return out, x.grad, layer.predict(x)
    as_pytorch(program)


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


def defaults(modules):
    """For each class and function of a module, its arguments that have a default, if it tells."""
    found = {}
    for name, thing in vars(modules).items():
        with contextlib.suppress(TypeError, ValueError):
            found[name] = {p.name: p.default for p in inspect.signature(thing).parameters.values()
                           if isinstance(p.default, int | float | str | None)}
    return found


@pytest.mark.parametrize("path", ["nn", "nn.functional", "nn.init"])
def test_defaults_are_pytorchs(path, as_pytorch):
    ours = defaults(importlib.import_module(path))

    def program(library, _):
        found = defaults(importlib.import_module(f"torch.{path}")) if library is torch else ours
        return {name: {argument: found.get(name, {}).get(argument, default) for argument, default in given.items()}
                for name, given in ours.items()}
    as_pytorch(program)


@pytest.mark.parametrize("path", ["nn", "nn.functional"])
def test_defaults_are_the_same_whatever_the_number_of_axes(path):
    found = defaults(importlib.import_module(path))
    for name, given in found.items():
        for other in (re.sub(r"[123]d", d, name) for d in ("1d", "2d")):
            assert given == {**given, **{k: v for k, v in found.get(other, {}).items() if k in given}}, name
