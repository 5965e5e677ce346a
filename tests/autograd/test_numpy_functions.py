"""NumPy's functions on Tensors: whatever they are given, they give what they give on arrays, or refuse."""

import inspect

import numpy as np
import pytest

import autograd
from autograd import Tensor
from autograd.table import NUMPY

MATRIX = np.array([[4, 1.25, 0.5], [1.25, 3, 0.75], [0.5, 0.75, 2]])
VECTORS = np.arange(3.0), np.array([0.5, 1.5])
FIRST = {np.broadcast_to: MATRIX[:, :1], np.bincount: np.array([1, 2, 2]), np.searchsorted: VECTORS[0],
         np.vander: VECTORS[0], np.linalg.tensorinv: MATRIX.reshape(3, 1, 3), np.linalg.tensorsolve: MATRIX,
         "tup": [MATRIX, MATRIX + 1], "arrays": [MATRIX, MATRIX + 1], "condition": MATRIX > 1}
NEEDED = {"indices": np.array([[0, 2, 1]]), "repeats": 2, "reps": (2, 1), "shape": (1, 9), "source": 0,
          "destination": 1, "axis": 0, "axis1": 0, "axis2": 1, "shift": 1, "indices_or_sections": 3, "q": 0.3, "n": 2,
          "test_elements": np.array([0.5, 2.0]), "dtype": np.float32, np.broadcast_to: (3, 3),
          np.searchsorted: VECTORS[1], np.linalg.tensorsolve: VECTORS[0]}
OPTIONS = {
    "axis": [0, -1, None], "axis1": [1], "axis2": [0], "axisa": [0], "axisb": [0], "axisc": [0], "keepdims": [True],
    "axes": [(1, 0), 1, ([0], [1])], "dtype": [np.float32], "where": [MATRIX > 1], "initial": [10.0], "ddof": [0, 2],
    "correction": [0, 1], "decimals": [1], "kind": ["stable"], "stable": [True], "offset": [1, -1], "k": [1, -1],
    "n": [0, 2], "ord": [1, np.inf, "fro"], "p": [1, "fro"], "y": [MATRIX * 2, None], "rowvar": [False], "bias": [True],
    "fweights": [np.array([1, 2, 1])], "aweights": [np.array([1, 2, 0.5])], "upper": [True], "UPLO": ["L", "U"],
    "full_matrices": [False, True], "compute_uv": [False], "hermitian": [True], "rcond": [0.1], "rtol": [0.1],
    "atol": [0.5], "equal_nan": [True], "prepend": [MATRIX[:, :1]], "append": [MATRIX[:, :1]], "side": ["right"],
    "invert": [True], "a_min": [1.0], "a_max": [2.0], "min": [1.0], "max": [2.0], "indexing": ["ij"],
    "order": ["C", "F"], "shape": [(1, 9)], "mode": ["reduced", "complete", "r", "raw", "clip"], "shift": [1],
    "minlength": [5], "increasing": [True], "N": [2], "nan": [1.0], "posinf": [2.0]}
"""By function, or by name in NumPy's signatures: what is given first, what must be given beside it, options."""


def calls(function):
    """A NumPy function's calls with one option each, by name, and by position where there is one."""
    parameters = [p for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]
    needed = [p.name for p in parameters if p.default is p.empty]
    first, *others = needed
    arguments = [FIRST.get(function, FIRST.get(first, MATRIX)),
                 *[NEEDED.get(function, NEEDED.get(name, MATRIX)) for name in others]]
    options = [p for p in parameters if p.default is not p.empty]
    yield arguments, {}
    for i, option in enumerate(options):
        for value in OPTIONS.get(option.name, ()):
            yield arguments, {option.name: value}
            if option.kind is option.POSITIONAL_OR_KEYWORD:
                yield [*arguments, *[before.default for before in options[:i]], value], {}


def tensors(value, tracked):
    if isinstance(value, np.ndarray):
        return autograd.tensor(value, requires_grad=tracked and value.dtype.kind == "f")
    if type(value) is dict:
        return {name: tensors(part, tracked) for name, part in value.items()}
    return [tensors(part, tracked) for part in value] if type(value) is list else value


def compare(found, wanted):
    if isinstance(wanted, tuple | list):
        assert len(found) == len(wanted)
        for pair in zip(found, wanted, strict=True):
            compare(*pair)
    else:
        found = found.detach().numpy() if isinstance(found, Tensor) else np.asarray(found)
        assert found.shape == np.shape(wanted)
        if np.iscomplexobj(wanted) or found.dtype.kind == "f":  # the signs of vectors are free
            found, wanted = np.abs(found), np.abs(wanted)
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-12)


def in_question():
    for function in NUMPY:
        try:
            kinds = [p.kind for p in inspect.signature(function).parameters.values()]
        except ValueError:  # written in C, and says nothing
            continue
        if not isinstance(function, np.ufunc) and inspect.Parameter.VAR_POSITIONAL not in kinds:
            yield pytest.param(function, id=function.__name__)


@pytest.mark.parametrize("function", in_question())
def test_any_option_by_name_or_by_position_means_what_it_means_to_numpy(function):
    tried = 0
    for args, kwargs in calls(function):
        try:
            wanted = function(*args, **kwargs)
        except (TypeError, ValueError, np.exceptions.AxisError):  # NumPy doesn't want it either
            continue
        tried += 1
        if function is not np.clip or args[1:] or kwargs:  # without a bound it says so
            compare(function(*tensors(args, False), **tensors(kwargs, False)), wanted)
            try:
                found = function(*tensors(args, True), **tensors(kwargs, True))
            except (TypeError, RuntimeError, ValueError):  # refused, since the gradient would be lost
                continue
            compare(found, wanted)
    assert tried


@pytest.mark.parametrize("call, told", [
    (lambda x: np.sum(x, where=[True, False]), r"np\.sum does not work .* with where=; for the bare values"),
    (lambda x: np.cov(x, x), r"np\.cov does not work .* with y="),
    (lambda x: np.linalg.svd(x[None], True, False), r"np\.svd does not work .* with compute_uv="),
])
def test_an_option_that_is_not_there_is_named(call, told):
    with pytest.raises(TypeError, match=told):
        call(autograd.ones(2, requires_grad=True))
    call(autograd.ones(2))
