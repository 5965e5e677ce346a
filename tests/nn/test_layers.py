"""Every layer of the table beside PyTorch's, with the same weights; and its second derivatives beside differences."""

import inspect
import re

import numpy as np
import pytest

import autograd
import nn
from autograd.testing import check_derivatives
from tests.nn.layers import CASES

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # PyTorch's, about its own speed


def ours_and_theirs(case):
    """The layer and PyTorch's, in float64, with PyTorch's random weights in both."""
    torch.manual_seed(0)
    options = {k: autograd.tensor(v) if isinstance(v, np.ndarray) else v for k, v in case.options.items()}
    theirs_options = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in case.options.items()}
    ours = getattr(nn, case.name)(*case.args, **options).double()
    theirs = getattr(torch.nn, case.name)(*case.args, **theirs_options).double()
    with torch.no_grad():
        for p in theirs.parameters():
            p.copy_(torch.randn(p.shape, dtype=torch.float64) * 0.5)
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    return ours, theirs


def flat(result):
    """The tensors in nested tuples."""
    if isinstance(result, tuple):
        return [tensor for part in result for tensor in flat(part)]
    return [] if result is None else [result]


def run(layer, tensor, case):
    """Outputs, and the gradients of inputs and parameters, as arrays."""
    inputs = [tensor(x).requires_grad_() if trained else tensor(x)
              for x, trained in zip(case.inputs, case.trained, strict=True)]
    outputs = flat(layer(*inputs, **{k: tensor(v) if isinstance(v, np.ndarray) else v for k, v in case.call.items()}))
    weighted = [(out * tensor(np.cos(np.arange(np.prod(out.shape, dtype=int))).reshape(tuple(out.shape)))).sum()
                for out in outputs if out.requires_grad]
    sum(weighted[1:], weighted[0]).backward()
    leaves = [*inputs, *layer.parameters()]
    return [out.detach().numpy() for out in outputs], [None if t.grad is None else t.grad.numpy() for t in leaves]


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_and_gradients_are_pytorchs(case, mode):
    ours, theirs = (getattr(layer, mode)() for layer in ours_and_theirs(case))
    autograd.manual_seed(0)
    torch.manual_seed(0)
    outputs, gradients = run(ours, autograd.tensor, case)
    expected_outputs, expected_gradients = run(theirs, torch.tensor, case)
    for got, expected in zip(outputs, expected_outputs, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)
        assert got.shape == expected.shape
    assert autograd.rand(()).item() == torch.rand(()).item()  # both have drawn as much, mostly nothing
    for got, expected in zip(gradients, expected_gradients, strict=True):
        zero = 0.0 if expected is None or got is None else expected
        np.testing.assert_allclose(zero if got is None else got, zero if expected is None else expected,
                                   rtol=1e-8, atol=1e-8)
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    for name, value in ours.state_dict().items():  # running statistics have followed
        np.testing.assert_allclose(value.numpy(), state[name].numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", [0, 7, 2 ** 40])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_initial_values_are_pytorchs(case, seed):
    states = []
    for library, layers in ((autograd, nn), (torch, torch.nn)):
        library.manual_seed(seed)
        options = {k: library.tensor(v) if isinstance(v, np.ndarray) else v for k, v in case.options.items()}
        states.append(getattr(layers, case.name)(*case.args, **options).state_dict())
    for name, value in states[1].items():
        np.testing.assert_allclose(states[0][name].numpy(), value.numpy(), rtol=2e-6, atol=2e-6)
    np.testing.assert_array_equal(autograd.rand(3).numpy(), torch.rand(3).numpy())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_second_derivatives(case):
    layer, _ = ours_and_theirs(case)
    names = [name for name, _ in layer.named_parameters()]
    floating = [x for x, trained in zip(case.inputs, case.trained, strict=True) if trained]

    def function(*tensors):
        values = iter(tensors)
        inputs = [next(values) if trained else autograd.tensor(x)
                  for x, trained in zip(case.inputs, case.trained, strict=True)]
        for name, value in zip(names, values, strict=True):  # the parameters, as inputs
            path, _, attribute = name.rpartition(".")
            vars(layer.get_submodule(path))[attribute] = value
        call = {k: autograd.tensor(v) if isinstance(v, np.ndarray) else v for k, v in case.call.items()}
        return flat(layer(*inputs, **call))
    check_derivatives(function, [*floating, *[p.detach().numpy() for p in layer.parameters()]], order=2)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_float32_stays_float32(case):
    layer, _ = ours_and_theirs(case)
    layer.float()
    def single(x):
        return autograd.tensor(x.astype(np.float32) if x.dtype.kind == "f" else x)
    inputs = [single(x) for x in case.inputs]
    call = {k: single(v) if isinstance(v, np.ndarray) else v for k, v in case.call.items()}
    for out in flat(layer(*inputs, **call)):
        assert out.dtype in (np.float32, np.int64)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("case", [case for case in CASES if case.name[:5] in ("Batch", "Insta")], ids=str)
def test_statistics_follow_in_every_dtype(case, dtype):
    ours, theirs = ours_and_theirs(case)
    ours.to(getattr(autograd, dtype))
    theirs.to(getattr(torch, dtype))
    for layer, tensor in ((ours, autograd.tensor), (theirs, torch.tensor)):
        layer(*[tensor(x.astype(dtype) if x.dtype.kind == "f" else x) for x in case.inputs],
              **{k: tensor(v) if isinstance(v, np.ndarray) else v for k, v in case.call.items()})
    for (name, got), expected in zip(ours.named_buffers(), theirs.buffers(), strict=True):
        assert got.dtype == expected.numpy().dtype, name
        np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=4e-3 if dtype == "float16" else 1e-5)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_parameters_start_as_pytorchs(case):
    """Same names, order and shapes; the same spread where they are random."""
    autograd.manual_seed(0)
    torch.manual_seed(0)
    given = {k: v for k, v in case.options.items() if not isinstance(v, np.ndarray)}
    ours, theirs = (getattr(package, case.name)(*case.args, **given) for package in (nn, torch.nn))
    for (name, p), (expected_name, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert name == expected_name
        assert p.shape == tuple(q.shape)
        if p.numel() >= 32:
            spread, expected = float(p.array.std()), float(q.detach().std(correction=0))
            assert abs(spread - expected) <= 0.5 * expected
        assert p.numel() < 2 or (np.ptp(p.array) > 0) == (np.ptp(q.detach().numpy()) > 0)


MADE_OF_NUMBERS = [case for case in CASES if "dtype" in inspect.signature(getattr(nn, case.name)).parameters
                   and "_weight" not in case.options]


def test_whatever_has_parameters_is_made_in_a_dtype_and_on_a_device():
    names = {case.name for case in CASES if next(iter(ours_and_theirs(case)[0].parameters()), None) is not None}
    assert names <= {case.name for case in MADE_OF_NUMBERS}
    for name in nn.__all__:
        given = list(inspect.signature(getattr(nn, name)).parameters) if inspect.isclass(getattr(nn, name)) else []
        assert "dtype" not in given or given[given.index("dtype") - 1] == "device", name


@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("case", MADE_OF_NUMBERS, ids=str)
def test_layers_are_made_in_a_dtype_and_on_the_only_device(case, dtype):
    made = getattr(nn, case.name)(*case.args, device="cpu", dtype=getattr(autograd, dtype), **case.options)
    theirs = getattr(torch.nn, case.name)(*case.args, device="cpu", dtype=getattr(torch, dtype), **case.options)
    for (name, got), (_, expected) in zip(made.state_dict().items(), theirs.state_dict().items(), strict=True):
        assert got.dtype == expected.numpy().dtype, name
    with pytest.raises(RuntimeError, match=f"{case.name}.*the device 'cpu' alone"):
        getattr(nn, case.name)(*case.args, device="cuda:0", **case.options)


@pytest.mark.parametrize("case", [case for case in CASES if case.name in ("RNN", "LSTM", "GRU")], ids=str)
def test_recurrent_layers_tell_of_their_weights_as_pytorchs(case):
    ours, theirs = ours_and_theirs(case)
    assert ours.mode == theirs.mode and isinstance(ours, nn.RNNBase)
    for got, expected in zip(ours.all_weights, theirs.all_weights, strict=True):
        assert [p.tolist() for p in got] == [p.tolist() for p in expected]


def defaults(function):
    """Of the arguments that have any; of none where a function doesn't tell."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    return {p.name: p.default for p in parameters if p.default is not p.empty and not callable(p.default)}


@pytest.mark.parametrize(("ours", "theirs"), [(nn, torch.nn), (nn.functional, torch.nn.functional),
                                            (nn.init, torch.nn.init)])
def test_defaults_are_pytorchs_and_the_same_whatever_the_number_of_axes(ours, theirs):
    for name in {*dir(ours)} & {*dir(theirs)} - {"ModuleList", "ParameterList"}:  # () for None
        found = defaults(getattr(ours, name))
        for other in (getattr(theirs, name), *(getattr(ours, re.sub(r"[123]d", d, name), None) for d in ("1d", "2d"))):
            for argument, default in defaults(other).items():
                assert found.get(argument, default) == default, (name, argument)
