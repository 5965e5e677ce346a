"""Networks out of ONNX files: `nn.onnx.load(path)` gives a Module."""

from nn.onnx.load import OnnxModule, load
from nn.onnx.operators import OPERATORS

__all__ = ["OPERATORS", "OnnxModule", "load"]
