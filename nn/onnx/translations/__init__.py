"""Operations of the table as ONNX's operators: the way back from `nn/onnx/operators`.

Each function has the name of the operation; it is given the Writer, the arguments (values, or constant arrays) and the
options, adds nodes, and returns the name of the result, or a tuple of several. An operation without one is followed
into its composition.
"""

from collections.abc import Callable
from types import FunctionType

from nn.onnx.translations import elementwise, normalization, products, recurrent, reductions, shaping, windows
from nn.onnx.translations.modules import FUSED

__all__ = ["FUSED", "TRANSLATIONS"]

_FILES = (elementwise, normalization, products, recurrent, reductions, shaping, windows)
TRANSLATIONS: dict[str, Callable] = {
    name.rstrip("_"): function for file in _FILES for name, function in (vars(file) | file.SIMPLE).items()
    if not name.startswith("_") and isinstance(function, FunctionType) and
    function.__module__.startswith("nn.onnx.translations.")}
"""By name; a function that is put here is one more."""
