"""Parameter: a tensor that a Module trains. Buffer: one that it keeps."""

from typing import Any

from autograd import Tensor


class Parameter(Tensor):
    """A leaf Tensor that counts among the parameters of the Module it is an attribute of.

    Args:
        data: the initial values: a Tensor or array (shared, not copied), or nested sequence; by default none.
        requires_grad: False for a parameter that is stored and moved but not trained.
    """

    __slots__ = ()

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        super().__init__(() if data is None else data, requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(Tensor):
    """A Tensor that becomes a buffer of the Module whose attribute it is made, as `register_buffer` would make it.

    Args:
        data: the values: a Tensor or array (shared, not copied), or nested sequence; by default none.
        persistent: whether it is part of the state_dict.
    """

    persistent: bool

    def __init__(self, data: Any = None, *, persistent: bool = True) -> None:
        super().__init__(() if data is None else data)
        self.persistent = persistent
