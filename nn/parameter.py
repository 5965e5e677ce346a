"""Parameter: a tensor that a Module trains. Buffer: one that it keeps. Both may wait for their shape."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

import numpy as np

import autograd
from autograd import Tensor
from autograd.creation import check_device
from autograd.errors import close_to
from autograd.typing import DTypeLike


class Parameter(Tensor):
    """A leaf Tensor that counts among the parameters of the Module it is an attribute of.

    Args:
        data: the initial values: a Tensor or array (shared, not copied), or nested sequence; by default none.
        requires_grad: False for a parameter that is stored and moved but not trained.
    """

    __slots__ = ("__dict__",)

    def __init__(self, data: Any = None, requires_grad: bool = True) -> None:
        super().__init__(() if data is None else data, requires_grad)

    def __setattr__(self, name: str, value: Any) -> None:  # behind nn.as_torch any attribute may be set
        if not hasattr(type(self), name):
            raise AttributeError(f"a Parameter has no attribute {name!r}{close_to(name, dir(self))}")
        object.__setattr__(self, name, value)

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


# Not a Tensor by itself: one base alone has a layout, which is that of what it becomes.
if TYPE_CHECKING:
    _Mixin = Tensor
else:
    _Mixin = object


class Uninitialized(_Mixin):
    """A tensor without a shape, which `materialize` gives it; until then there are no values to look at.

    Args:
        requires_grad: whether it will.
        device: "cpu" or None.
        dtype: that it will have; default `autograd.get_default_dtype()`.
    """

    __slots__ = ()
    becomes: ClassVar[type[Tensor]]

    def __init__(self, requires_grad: bool = False, device: str | None = None, dtype: DTypeLike | None = None) -> None:
        check_device(device)
        _array.__set__(self, np.empty(0, dtype or autograd.get_default_dtype()))
        self.node = self._grad = self.hooks = self.family = self.view_of = None
        self.tracked = requires_grad

    @property
    def array(self) -> NoReturn:  # type: ignore[override]
        """There is none yet.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("a parameter of a lazy layer has neither shape nor values before the layer has seen its "
                           "first input; call the model on an example once, before anything looks at its parameters")

    @property
    def requires_grad(self) -> bool:
        return self.tracked

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.tracked = bool(value)

    @property
    def dtype(self) -> np.dtype:
        return _array.__get__(self).dtype

    def detach(self) -> Tensor:
        """The tensor itself: there are no values to share."""
        return self

    def convert(self, fn: Callable[[Tensor], Tensor]) -> None:
        """Take the dtype that `fn` gives to tensors."""
        _array.__set__(self, fn(Tensor(_array.__get__(self))).array)

    def materialize(self, shape: tuple[int, ...], device: str | None = None, dtype: DTypeLike | None = None) -> None:
        """Become an ordinary parameter or buffer of that shape, whose values are yet to be written."""
        check_device(device)
        dtype = dtype or self.dtype
        self.__class__ = self.becomes  # type: ignore[assignment]
        _array.__set__(self, np.empty(shape, dtype))

    def __deepcopy__(self, memo: dict) -> Tensor:
        return type(self)(self.tracked, dtype=self.dtype)

    def __reduce_ex__(self, protocol: Any) -> tuple:
        return type(self), (self.tracked, None, self.dtype)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


_array: Any = vars(Tensor)["array"]
"""Where any Tensor has its values."""


class UninitializedParameter(Uninitialized, Parameter):
    """A Parameter of a lazy layer, before its shape is known."""

    __slots__ = ()
    becomes = Parameter

    def __init__(self, requires_grad: bool = True, device: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__(requires_grad, device, dtype)


class UninitializedBuffer(Uninitialized, Tensor):
    """A buffer of a lazy layer, before its shape is known."""

    __slots__ = ()
    becomes = Tensor
