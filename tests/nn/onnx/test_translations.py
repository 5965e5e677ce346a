"""Every operation that can be written as ONNX, on the samples of its own declaration."""

import warnings

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings

import autograd
import nn
from autograd.table import TABLE
from autograd.testing.draw import Draw
from nn.functional.pooling import max_pool2d  # noqa: F401 - declares what is below it
from nn.onnx.tracing import arrays_in

pytest.importorskip("onnx")
from nn.onnx import TRANSLATIONS, save
from tests.nn.onnx.test_save import by_onnxruntime

OPERATIONS = [op for op in TABLE.values() if op.differentiable and op.samples and op.name in TRANSLATIONS]


class Calls(nn.Module):
    def __init__(self, op, options):
        super().__init__()
        self.op, self.options = op, options

    def forward(self, *tensors):
        result = self.op.call(*tensors, **self.options)
        return result[0] if self.op.name in ("normalize_rows", "max_pool") else result  # the rest is for the rule


def of_float32(value):
    if isinstance(value, (tuple, list)):
        return type(value)(map(of_float32, value))
    if not isinstance(value, np.ndarray):
        return value
    return autograd.tensor(value.astype(np.float32) if value.dtype.kind == "f" else value)


@pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
@settings(max_examples=3, suppress_health_check=list(HealthCheck), derandomize=True, database=None,
          phases=[Phase.generate])
@given(data=st.data())
def test_it_is_the_operation(op, data, tmp_path_factory):
    args, options = op.samples(Draw(data.draw))
    assume(options.get("lengths") is None)  # a packed sequence is refused
    tensors = of_float32(args)
    assume(all(np.size(a) and np.abs(a).max() < 10 for a in arrays_in(tensors)))  # and no product overflows
    model, path = Calls(op, options), tmp_path_factory.mktemp("onnx") / "operation.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = arrays_in(model(*tensors))
        save(model, tensors, path, dynamic_axes={},
             input_names=[f"input_{i}" for i in range(len(arrays_in(tensors)))])
    found = by_onnxruntime(path, {f"input_{i}": a for i, a in enumerate(arrays_in(tensors))})
    for ours, theirs in zip(expected, found, strict=True):
        assert theirs.shape == np.shape(ours)
        np.testing.assert_allclose(theirs, ours, 2e-5, 2e-5)
