"""Property-based testing of gradients: for the operations of the table, and for your own functions and models.

`gradcheck`, `gradgradcheck` and `check_function` check at the inputs that you give. `gradient_test` and `module_test`
make a test that looks for the inputs itself, and `strategies` are what they draw from: these need Hypothesis
(pip install 'gradcircuit[testing]').
"""

import importlib
from typing import TYPE_CHECKING, Any

from autograd.testing.derivatives import check_derivatives
from autograd.testing.diagnosis import GradientError
from autograd.testing.engines import Engine, Hips
from autograd.testing.gradcheck import gradcheck, gradgradcheck, numeric_gradient
from autograd.testing.modules import check_module
from autograd.testing.properties import check_function, check_operation, flatten

_WITH_HYPOTHESIS = {"Draw": "draw", "GraphMachine": "machine", "gradient_test": "generate", "module_test": "generate"}

if TYPE_CHECKING:
    from autograd.testing import strategies
    from autograd.testing.draw import Draw
    from autograd.testing.generate import gradient_test, module_test
    from autograd.testing.machine import GraphMachine
else:
    def __getattr__(name: str) -> Any:
        if name == "strategies":
            return importlib.import_module("autograd.testing.strategies")
        if name not in _WITH_HYPOTHESIS:
            raise AttributeError(f"autograd.testing has no '{name}'")
        return getattr(importlib.import_module(f"autograd.testing.{_WITH_HYPOTHESIS[name]}"), name)

__all__ = ["Draw", "Engine", "GradientError", "GraphMachine", "Hips", "check_derivatives", "check_function",
           "check_module", "check_operation", "flatten", "gradcheck", "gradgradcheck", "gradient_test", "module_test",
           "numeric_gradient", "strategies"]
