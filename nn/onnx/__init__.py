"""Networks out of ONNX files, and into them: `nn.onnx.load(path)` gives a Module, `nn.onnx.save` writes one."""

from nn.onnx.load import OnnxModule, load
from nn.onnx.operators import OPERATORS
from nn.onnx.save import OPSET, save
from nn.onnx.translations import TRANSLATIONS

__all__ = ["OPERATORS", "OPSET", "TRANSLATIONS", "OnnxModule", "load", "save"]
