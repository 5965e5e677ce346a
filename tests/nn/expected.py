"""What the layers and functions of the tables give, a number for each array, for where PyTorch isn't installed.

`python -m tests.nn.expected` writes expected.json, in the order of the tables. The numbers are PyTorch's, but for those
of functions at their edges, where some differ on purpose (test_edges.py compares them), and of what PyTorch hasn't got.
"""

import inspect
import json
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np

import autograd
import nn
from tests.nn import functions, layers, windows

EXPECTED = Path(__file__).with_suffix(".json")


@cache
def table():
    """What was written."""
    return json.loads(EXPECTED.read_text())


def shortened(arrays):
    """Of each array its shape, and a number that another array is unlikely to have."""
    found = []
    for a in arrays:
        values = np.arcsinh(np.asarray(a, np.float64)).ravel()  # so that the huge don't drown the others
        values = np.nan_to_num(values, nan=1e3, posinf=2e3, neginf=-2e3)
        found.append([*np.shape(a), float(f"{np.cos(np.arange(values.size)) @ values:.10g}")])
    return found


def assert_expected(kind, number, arrays, tolerance=1e-7):
    """That the example of this number gives what is in the table."""
    expected, found = table()[kind][number], shortened(arrays)
    assert [shape for *shape, _ in found] == [shape for *shape, _ in expected]
    np.testing.assert_allclose([value for *_, value in found], [value for *_, value in expected],
                               rtol=tolerance, atol=tolerance)


def initial_values(case, library=autograd, modules=nn):
    """What a layer has before it is used."""
    library.manual_seed(0)
    return [value.numpy() for value in case.new(library, modules).state_dict().values()]


def of_layer(case, mode, library=autograd, modules=nn):
    """Outputs, gradients and the state afterwards."""
    layer = getattr(case.layer(library, modules), mode)()
    return [array for kind in case.results(layer, library) for array in kind]


def of_function(case):
    """The output and the gradients."""
    name, example = case
    autograd.manual_seed(0)
    out, leaves = example.call(functions.FUNCTIONS[name], autograd.tensor)
    with np.errstate(all="ignore"):
        if out.requires_grad:
            out.backward(autograd.ones_like(out))
    gradients = [np.zeros(leaf.shape) if leaf.grad is None else leaf.grad.numpy() for leaf in leaves]
    return [out.detach().numpy(), *gradients]


def of_windows(case):
    """The outputs, and the gradients of the first."""
    return case.results(autograd, nn.functional)


def of_pytorchs_windows(case):
    """PyTorch's, or ours where it has no such function or refuses."""
    ours = of_windows(case)
    try:
        theirs = case.results(torch, torch.nn.functional)
        assert [a.shape for a in theirs] == [a.shape for a in ours]
    except (AssertionError, AttributeError, TypeError, ValueError, IndexError, RuntimeError) as error:
        print(f"{case}: {error}")
        return ours
    return theirs


def defaults(path):
    """For each class and function of a module, its arguments that have a default, if it tells."""
    found = {}
    for name, thing in vars(import_module(path)).items():
        try:
            parameters = inspect.signature(thing).parameters.values()
        except (TypeError, ValueError):
            continue
        found[name] = {p.name: p.default for p in parameters if isinstance(p.default, int | float | str | None)}
    return found


if __name__ == "__main__":
    import torch
    kinds = {"initial": [initial_values(case, torch, torch.nn) for case in layers.CASES],
             **{mode: [of_layer(case, mode, torch, torch.nn) for case in layers.CASES] for mode in ("train", "eval")},
             "functions": [of_function(case) for case in functions.CASES],
             "windows": [of_pytorchs_windows(case) for case in windows.CASES]}
    parts = [f"{json.dumps(kind)}: [\n" + ",\n".join(json.dumps(shortened(arrays)) for arrays in rows) + "\n]"
             for kind, rows in kinds.items()]
    for path in ("nn", "nn.functional", "nn.init"):
        found, ours = defaults(f"torch.{path}"), defaults(path)
        rows = [f"{json.dumps(name)}: {json.dumps(found[name])}" for name in found if name in ours and found[name]]
        parts.append(f"{json.dumps(path)}: {{\n" + ",\n".join(rows) + "\n}")
    EXPECTED.write_text("{\n" + ",\n".join(parts) + "\n}\n")
