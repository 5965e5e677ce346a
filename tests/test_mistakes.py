"""Mistakes and what is said about them: the table can be read aloud.

An error says what was given, why it can't be, and what to write instead. It begins with the name that the user wrote,
and names nothing that the user cannot import.
"""

import inspect
import re

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import Tensor, linalg, ones, special, tensor, zeros
from autograd.errors import REFUSALS
from autograd.table import FUNCTIONS
from nn import functional as F

# Every operation, every function of nn.functional, every layer and optimizer, called wrongly

VALUES = {"index": zeros(2, 2).long(), "indices": zeros(2).long(), "k": 1, "n": 1, "repeats": 2, "shape": (2, 2),
          "sizes": (1, 1), "split_size_or_sections": 1, "chunks": 1, "indices_or_sections": 1, "shifts": 1,
          "start": 0, "length": 1, "size": 1, "step": 1, "value": 1.0, "mask": zeros(2, 2).bool(), "dim": 0, "dims": 0,
          "dim0": 0, "dim1": 1, "source": 0, "destination": 1, "correction": 1, "equation": "ij->ji", "dimension": 0}
PUBLIC = {name for module in (autograd, linalg, special, nn, F, optim, optim.lr_scheduler, np, Tensor)
          for name in dir(module)}


def called(signature):
    """Arguments for what a function cannot do without."""
    needed = [p for p in signature.parameters.values() if p.default is p.empty]
    return ([VALUES.get(p.name, ones(2, 2)) for p in needed if p.kind is p.POSITIONAL_OR_KEYWORD]
            + [ones(2, 2) for p in needed if p.kind is p.VAR_POSITIONAL],
            {p.name: VALUES.get(p.name, 1) for p in needed if p.kind is p.KEYWORD_ONLY})


def check(error, name, *parts):
    text = str(error)
    assert text.startswith((f"{name}(", f"{name.rstrip('_')}(")), text
    for part in parts:
        assert part in text, text
    assert not re.search(r"(?<![\w.])_\w+", text.replace("__init__", "").replace("_random_samples", "")), text
    functions = set(re.findall(r"(?<![\w'])([A-Za-z]\w*)\(", text.split(". It is called")[0]))
    assert functions <= PUBLIC | {"called", "layers"}, functions - PUBLIC


OPERATIONS = sorted({call.operation.public: call for name, call in FUNCTIONS.items() if name in PUBLIC}.items())
FUNCTIONAL = sorted((name, f) for name, f in vars(F).items() if inspect.isfunction(f) and not name.startswith("_"))
LAYERS = sorted((name, cls) for name, cls in vars(nn).items() if isinstance(cls, type) and issubclass(cls, nn.Module)
                and name not in ("Module", "Identity"))
OPTIMIZERS = sorted((name, cls) for space in (optim, optim.lr_scheduler) for name, cls in vars(space).items()
                    if isinstance(cls, type) and issubclass(cls, (optim.Optimizer, optim.lr_scheduler.LRScheduler))
                    and name not in ("Optimizer", "LRScheduler", "FactorLR") and name[0] != "_")
ALL = [pytest.param(name, call, id=name) for name, call in [*OPERATIONS, *FUNCTIONAL, *LAYERS, *OPTIMIZERS]]


@pytest.mark.parametrize(("name", "call"), ALL)
def test_unknown_option(name, call):
    args, options = called(inspect.signature(call))
    if any(p.kind is p.VAR_KEYWORD for p in inspect.signature(call).parameters.values()):
        pytest.skip("takes any option")
    with pytest.raises(TypeError) as info:
        call(*args, **options, bogus=7)
    check(info.value, name, "bogus")


@pytest.mark.parametrize(("name", "call"), ALL)
def test_missing_argument(name, call):
    needed = [p.name for p in inspect.signature(call).parameters.values()
              if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    if needed:
        with pytest.raises(TypeError) as info:
            call()
        check(info.value, name, "input" if "'input'" in str(info.value) else needed[0])


@pytest.mark.parametrize(("name", "call", "dim"), [
    pytest.param(name, call, dim, id=f"{name}-{dim}") for name, call in OPERATIONS
    for dim in ("dim", "dims", "dim0", "dim1", "dim2", "start_dim", "axis", "dimension")
    if dim in inspect.signature(call).parameters and name != "tensordot"])  # it takes a number of axes, too
def test_axis_out_of_range(name, call, dim):
    args, options = called(inspect.signature(call))
    bound = inspect.signature(call).bind_partial(*args)
    if dim in bound.arguments:
        args[list(bound.arguments).index(dim)] = 7
    else:
        options[dim] = 7
    with pytest.raises(IndexError, match=r"dim=7 is out of range for a tensor with \d axes; it may be -\d to \d") as info:
        call(*args, **options)
    check(info.value, name, "7")


@pytest.mark.parametrize(("name", "call"), [
    pytest.param(name, call, id=name) for name, call in OPERATIONS
    if call.operation.meeting == (0, 1) and not call.operation.options])
def test_shapes_that_do_not_broadcast(name, call):
    with pytest.raises(autograd.ShapeError) as info:
        call(ones(2, 3), ones(4))
    check(info.value, name, "float32[2, 3]", "float32[4]")
