"""Operators against ONNX's own examples, of which each has several: the node tests of its backends."""

import warnings

import numpy as np
import pytest

from autograd import Tensor
from autograd.testing import check_derivatives

onnx = pytest.importorskip("onnx")
from nn.onnx import OnnxModule  # noqa: E402
from nn.onnx.operators.values import _CODES  # noqa: E402

pytestmark = pytest.mark.slow
RANDOM = ("Bernoulli", "RandomUniformLike", "RandomNormalLike")
REFUSED = ("Quantize", "Dequantize", "QLinear", "Integer", "String", "Sequence", "Optional", "ImageDecoder", "TfIdf",
           "RegexFull")
"""Quantized operators, text, sequences and pictures in files."""


@pytest.fixture(scope="module")
def cases():
    from onnx.backend.test.case.node import collect_testcases
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return collect_testcases(None)


def array(value):
    return onnx.numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)


def asked_of_us(case):
    """Whether it is of tensors that we can have, and of ONNX's own operators from version 13 on."""
    graph = case.model.graph
    types = [value.type for value in (*graph.input, *graph.output)]
    return (all(t.WhichOneof("value") == "tensor_type" and t.tensor_type.elem_type in _CODES for t in types)
            and not any(part in node.op_type for node in graph.node for part in REFUSED)
            and all(node.domain in ("", "ai.onnx") for node in graph.node)
            and not case.name.startswith(("test_training_dropout", "test_roialign_mode_max"))
            and not any(o.version == 8 and o.domain == "" for o in case.model.opset_import))


def wrong(case):
    """What is wrong with our results, or None."""
    try:
        model = OnnxModule(case.model)
        for inputs, outputs in case.data_sets:
            found = model(*[None if x is None else Tensor(array(x)) for x in inputs])
            found = found if isinstance(found, tuple) else (found,)
            for ours, theirs in zip(found, map(array, outputs), strict=True):
                assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
                if "bernoulli" not in case.name and not any(node.op_type in RANDOM for node in case.model.graph.node):
                    least = 2e-3 if ours.dtype == np.float16 else 1e-6  # a few units in the last place of 1
                    np.testing.assert_allclose(ours.detach().numpy(), theirs, case.rtol, max(case.atol, least))
    except Exception as error:
        return f"{case.name}: {type(error).__name__}: {str(error).strip()[:200]}"
    return None


def test_onnxs_own_examples(cases):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        asked = [case for case in cases if asked_of_us(case)]
        failures = [failure for failure in map(wrong, asked) if failure]
    assert len(asked) > 1000 or onnx.__version__ < "1.20"
    assert failures == []


@pytest.mark.parametrize("layout", [0, 1])
@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_recurrent_operators_are_differentiated_at_both_orders(kind, layout):
    from nn.onnx import OPERATORS
    gates, rng = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind], np.random.default_rng(0)
    shapes = [(2, 3, 4) if layout else (3, 2, 4), (2, gates * 5, 4), (2, gates * 5, 5), (2, 2 * gates * 5)]
    lengths = Tensor(np.array([3, 2]))
    errors = check_derivatives(
        lambda *args: OPERATORS[kind](*args, lengths, direction="bidirectional", layout=layout),
        [rng.standard_normal(shape) for shape in shapes])
    assert len(errors) == 2
