"""Property-based testing of gradients: for the operations of the table, and for your own functions and layers."""

from autograd.testing.derivatives import GradientError, check_derivatives
from autograd.testing.draw import Draw
from autograd.testing.operations import check_operation

__all__ = ["Draw", "GradientError", "check_derivatives", "check_operation"]
