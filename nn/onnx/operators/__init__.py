"""ONNX's operators as functions of Tensors.

Each has the operator's own name; its inputs are positional arguments (None, where one is left out), its attributes are
keywords with ONNX's names and defaults. What the versions of an operator differ in is mostly what may be given: `axes`,
say, is an attribute before version 13 and an input since. https://onnx.ai/onnx/operators/ says what each means.
"""

from collections.abc import Callable
from types import FunctionType

from nn.onnx.operators import control, elementwise, normalization, recurrent, reductions, shaping, signal, windows

__all__ = ["OPERATORS"]


OPERATORS: dict[str, Callable] = {
    name: function for module in (control, elementwise, normalization, recurrent, reductions, shaping, signal, windows)
    for name, function in vars(module).items() if name[0].isupper() and isinstance(function, FunctionType)}
"""By name; a function that is put here is one more."""
