"""Parameter: a tensor that a Module trains."""

from typing import Any

from autograd import Tensor


class Parameter(Tensor):
    """A leaf Tensor that counts among the parameters of the Module it is an attribute of.

    Args:
        data: the initial values: a Tensor or array (shared, not copied), or nested sequence.
        requires_grad: False for a parameter that is stored and moved but not trained.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()
