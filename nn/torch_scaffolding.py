"""What PyTorch programs say around their mathematics, with its meaning on a machine without a GPU.

Element types, shapes and devices as PyTorch shows them; precision, devices, compilers, profilers, files. `nn.as_torch`
finds it all in NAMES, by PyTorch's full name.
"""

import contextlib
import enum
import functools
import importlib
import inspect
import math
import os
import pickle
import types
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Final

import numpy as np

import autograd
from autograd import Tensor, dtypes
from autograd.creation import DEVICES, check_device
from autograd.errors import is_of, warn
from autograd.function import Context
from autograd.runtime import files
from autograd.sharing import memory
from autograd.tensor import Node
from nn import functional
from nn.activation import LogSoftmax, Softmax, Softmin
from nn.data import DataLoader, Dataset, Sampler
from nn.distributed import ReduceOp
from nn.distributions.distribution import Distribution, clamp_probs
from nn.hooks import Hook
from nn.module import Module
from nn.parameter import Parameter
from nn.torch_absent import NO_DUALS, stand_in

NAMES: dict[str, Any] = {}
"""PyTorch's full name -> what stands for it."""


def _at(*places: str, name: str = "") -> Callable:
    """Let a function or class stand for PyTorch's of its name, in these modules of PyTorch."""
    def put(value: Any) -> Any:
        NAMES.update({f"{place}.{name or value.__name__}": value for place in places})
        return value
    return put


def _put(place: str, names: Mapping[str, Any]) -> None:
    """Let values stand for PyTorch's of these names, in a module of PyTorch."""
    NAMES.update({f"{place}.{name}": value for name, value in names.items()})


def _constant(value: Any, place: str, names: str) -> None:
    """Let functions of a module of PyTorch return a constant, whatever they are given."""
    _put(place, dict.fromkeys(names.split(), lambda *args, **kwargs: value))


# Element types

@_at("torch")
class dtype:
    """An element type; NumPy takes it for its own, which is its attribute `dtype`."""

    def __init__(self, name: str, of_numpy: Any) -> None:
        self.name, self.dtype = name, of_numpy

    is_floating_point = property(lambda self: self.dtype.kind == "f")
    is_complex = property(lambda self: False)
    is_signed = property(lambda self: self.dtype.kind in "fi")

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __eq__(self, other: object) -> bool:
        return self is other or (not isinstance(other, dtype) and self.dtype == other)

    def __hash__(self) -> int:
        return hash(self.dtype)

    def __reduce__(self) -> tuple:
        return _named, (f"torch.{self.name}",)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "dtype":
            raise AttributeError(name)
        return getattr(self.dtype, name)


def _named(name: str) -> Any:
    return NAMES[name]


class _Absent(dtype):
    """A type that NumPy hasn't, or a complex one: it may be named, and compared with, but no tensor can be of it."""

    def __init__(self, name: str, itemsize: int) -> None:
        self.name, self.itemsize = name, itemsize

    is_signed = property(lambda self: True)
    is_floating_point = property(lambda self: "float" in self.name and not self.is_complex)
    is_complex = property(lambda self: self.name[0] == "c")

    @property
    def dtype(self) -> Any:
        why = "tensors hold booleans, integers or floats" if self.is_complex else f"NumPy has no {self.name}"
        raise TypeError(f"{why}, so there is no tensor of {self} here; use torch.float32 or torch.float16"
                        f"{', e.g. for the real and the imaginary part' if self.is_complex else ''}")

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)


_DTYPES = {np.dtype(name): dtype(name, np.dtype(name)) for name in (
    "float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64", "bool")}
_put("torch", {each.name: each for each in _DTYPES.values()})
_put("torch", {name: NAMES[f"torch.{other}"] for name, other in {
    "float": "float32", "double": "float64", "half": "float16", "long": "int64", "int": "int32",
    "short": "int16"}.items()})
NAMES.update({f"torch.{name}": _Absent(name, size) for name, size in (
    ("bfloat16", 2), ("complex32", 4), ("complex64", 8), ("complex128", 16), ("cfloat", 8), ("cdouble", 16),
    ("chalf", 4), ("float8_e4m3fn", 1), ("float8_e4m3fnuz", 1), ("float8_e5m2", 1), ("float8_e5m2fnuz", 1),
    ("float8_e8m0fnu", 1), ("float4_e2m1fn_x2", 1), ("qint8", 1), ("quint8", 1), ("qint32", 4))})
_put("torch", {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan, "newaxis": None})


@_at("torch")
def get_default_dtype() -> dtype:
    """The dtype that Python floats become."""
    return _DTYPES[dtypes.get_default_dtype()]


def _giving_a_dtype(function: Callable) -> Callable:
    return lambda *given: _DTYPES[function(*given)]


_put("torch", {name: _giving_a_dtype(getattr(autograd, name)) for name in ("result_type", "promote_types")})


@_at("torch")
class finfo:
    """The limits of a floating dtype."""

    def __init__(self, type: Any = None) -> None:
        if isinstance(type, _Absent) and type.name in _LIMITS:
            self.bits, self.dtype = type.itemsize * 8, type.name
            self.eps, self.max, self.tiny, self.resolution = _LIMITS[type.name]
            self.min, self.smallest_normal = -self.max, self.tiny
            return
        limits: Any = np.finfo(dtypes.get_default_dtype() if type is None else np.dtype(type))
        self.bits, self.dtype = limits.bits, str(limits.dtype)
        for name in ("eps", "max", "min", "tiny", "smallest_normal", "resolution"):
            setattr(self, name, float(getattr(limits, name)))

    def __repr__(self) -> str:
        return "finfo({})".format(", ".join(f"{name}={value}" for name, value in vars(self).items()))


_LIMITS = {"bfloat16": (2.0 ** -7, (2 - 2.0 ** -7) * 2.0 ** 127, 2.0 ** -126, 0.01),
           "float8_e4m3fn": (2.0 ** -3, 448.0, 2.0 ** -6, 1.0), "float8_e5m2": (2.0 ** -2, 57344.0, 2.0 ** -14, 1.0),
           "float8_e4m3fnuz": (2.0 ** -3, 240.0, 2.0 ** -7, 1.0),
           "float8_e5m2fnuz": (2.0 ** -3, 57344.0, 2.0 ** -15, 1.0)}
"""Of types that NumPy hasn't: eps, the largest and the smallest number, and the resolution."""


@_at("torch")
class iinfo:
    """The limits of an integer dtype."""

    def __init__(self, type: Any) -> None:
        limits = np.iinfo(np.dtype(type))
        self.bits, self.max, self.min, self.dtype = limits.bits, int(limits.max), int(limits.min), str(limits.dtype)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"


# Shapes and devices

@_at("torch")
class Size(tuple):
    """A shape."""

    __slots__ = ()

    def numel(self) -> int:
        """The number of elements."""
        return int(np.prod(self, dtype=np.int64))

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __getitem__(self, index: Any) -> Any:
        part = tuple.__getitem__(self, index)
        return Size(part) if isinstance(index, slice) else part

    def __add__(self, other: Any) -> "Size":
        return Size(tuple.__add__(self, tuple(other)))


@_at("torch")
class device(str):
    """Where a tensor is. All are on "cpu"; others can be named, and asking for one of them raises a RuntimeError."""

    type: str
    index: int | None  # type: ignore[assignment]  # a method of text

    def __new__(cls, type: Any = "cpu", index: int | None = None) -> "device":
        check_device("cuda" if isinstance(type, int) else None)
        kind, _, number = str(type).partition(":")
        if kind not in DEVICES:
            raise RuntimeError(f"torch.device({type!r}): a device is one of {', '.join(DEVICES)}, and its number")
        index = int(number) if number else index
        self = super().__new__(cls, kind if index is None else f"{kind}:{index}")
        self.type, self.index = kind, index
        return self

    def __getnewargs__(self) -> tuple:
        return self.type, self.index

    def __repr__(self) -> str:
        return f"device(type={self.type!r}{'' if self.index is None else f', index={self.index}'})"

    def __enter__(self) -> "device":
        check_device(self)
        return self

    def __exit__(self, *exception: object) -> None:
        pass


_CPU = device()
_constant(_CPU, "torch", "get_default_device")
_put("torch", {"set_default_device": check_device})
_SPARE = ("layout", "pin_memory", "memory_format", "names", "non_blocking")
"""Arguments that say nothing where all tensors are dense and on the CPU."""


def _plain(function: Callable) -> Callable:
    """A function that also takes arguments which say nothing here, and `size=` where it takes sizes."""
    sizes = next(iter(inspect.signature(function).parameters.values())).kind is inspect.Parameter.VAR_POSITIONAL

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for name in _SPARE:
            kwargs.pop(name, None)
        if sizes and "size" in kwargs:
            args = (kwargs.pop("size"),)
        if isinstance(kwargs.get("dtype"), dtype):
            kwargs["dtype"] = kwargs["dtype"].dtype  # older NumPys would not say why there is none
        return function(*args, **kwargs)
    call.__module__ = "nn.as_torch"  # where a pickle finds it
    return call


_put("torch", {name: _plain(getattr(autograd, name)) for name in (
    "zeros", "ones", "full", "rand", "randn", "randint", "randperm", "arange", "linspace", "logspace", "eye",
    "zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "randint_like", "tensor",
    "clone")})


class _NoElements(Tensor):
    """What asks an absent dtype for its size makes: a tensor of it without elements."""

    def __init__(self, of: _Absent) -> None:
        super().__init__(np.empty(0, np.float32))
        self.of = of

    dtype = property(lambda self: self.of)

    def element_size(self) -> int:
        return self.of.itemsize


@_at("torch")
def empty(*size: Any, dtype: Any = None, **options: Any) -> Tensor:
    """A Tensor whose values are yet to be written."""
    if size == (0,) and isinstance(dtype, _Absent):
        return _NoElements(dtype)
    return _plain(autograd.empty)(*size, dtype=dtype, **options)


@_at("torch", "torch.functional")
def broadcast_shapes(*shapes: Any) -> Size:
    """The shape that tensors of these shapes have together."""
    return Size(autograd.broadcast_shapes(*shapes))


@_at("torch", name="layout")
@_at("torch", name="memory_format")
class _Format(str):
    """How a tensor lies in memory: a name that says nothing here."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"torch.{self}"


_put("torch", {name: _Format(name) for name in (
    "strided", "jagged", "sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "contiguous_format",
    "channels_last", "channels_last_3d", "preserve_format")})


@_at("torch")
def where(condition: Tensor, *others: Any, **named: Any) -> Any:
    """One value where the condition holds and another elsewhere; without any, where it holds, as an index."""
    if others or named:
        return autograd.where(condition, *others, **named)
    return autograd.nonzero(condition, as_tuple=True)


def taking_out(function: Callable) -> Callable:
    """An operation that also takes PyTorch's `out=`: a Tensor, or a tuple of them, that the result is written to."""
    @functools.wraps(function)
    def call(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if out is None:
            return result
        pairs = list(zip(result, out, strict=True)) if isinstance(result, tuple) else [(result, out)]
        for value, target in pairs:
            if autograd.is_grad_enabled() and (value.requires_grad or target.requires_grad):
                raise RuntimeError(f"{function.__name__}(out=...) cannot be recorded; leave out the argument, or write "
                                   "it under torch.no_grad()")
            if not autograd.can_cast(value.array.dtype, target.array.dtype):
                raise RuntimeError(f"{function.__name__}() has a result of {value.array.dtype}, which out= of "
                                   f"{target.array.dtype} cannot hold; write .to() after the call")
        with autograd.no_grad():
            for value, target in pairs:
                if target.array.shape == value.array.shape:
                    target.copy_(value)
                else:  # it gets the result's shape
                    target.data = autograd.tensor(value.detach(), dtype=target.array.dtype)
        return out
    return call


# Tensors

def _made(wanted: np.dtype, args: tuple) -> Tensor:
    """What torch.Tensor(...) and its kin make: of sizes a Tensor that is yet to be written, of data one of them."""
    if all(isinstance(size, (int, np.integer)) for size in args):
        return autograd.empty(args or (0,), dtype=wanted)
    if len(args) == 1 and isinstance(args[0], Size):
        return autograd.empty(args[0], dtype=wanted)
    data, = args
    if isinstance(data, Tensor) and data.array.dtype == wanted:
        return data.detach()
    return autograd.tensor(data.detach() if isinstance(data, Tensor) else data, dtype=wanted)


class _Kind(type):
    """The type of torch.Tensor, torch.LongTensor, ...; Tensors are their instances, although made by autograd.Tensor.

    `wanted` says what dtype; for torch.Tensor, of which all Tensors are, it is "default".
    """

    wanted: Any

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if "wanted" not in vars(cls):  # a class that is derived from it
            new, init = getattr(cls, "__new__"), getattr(cls, "__init__")  # noqa: B009
            if new is object.__new__:
                return super().__call__(*args, **kwargs)
            made = new(cls, *args, **kwargs)  # its own, with _make_subclass()
            if isinstance(made, cls) and not is_of(init, "autograd") and not is_of(init, "nn"):
                init(made, *args, **kwargs)
            return made
        check_device("cuda" if cls.wanted == "on a GPU" else kwargs.get("device"))
        wanted: Any = cls.wanted
        return _made(dtypes.get_default_dtype() if wanted == "default" else wanted, args)

    def __instancecheck__(cls, instance: Any) -> bool:
        if "wanted" not in vars(cls):
            return super().__instancecheck__(instance)
        return isinstance(instance, Tensor) and cls.wanted in ("default", instance.array.dtype)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, Tensor) if _is_all(cls) else super().__subclasscheck__(subclass)

    def __setattr__(cls, name: str, value: Any) -> None:
        if _is_all(cls):  # a method that a program adds is one of every Tensor
            setattr(Tensor, name, value)
        else:
            super().__setattr__(name, value)

    def __eq__(cls, other: object) -> bool:
        return cls is other or (other is Tensor and _is_all(cls))

    def __hash__(cls) -> int:
        return hash(Tensor) if _is_all(cls) else super().__hash__()


def _is_all(cls: Any) -> bool:
    return vars(cls).get("wanted") == "default"


def _kind(name: str, wanted: Any) -> Any:
    return _Kind(name, (Tensor,), {"__slots__": (), "wanted": wanted, "__module__": "torch",
                                   "__doc__": "Makes Tensors as PyTorch's class of this name does."})


_KINDS = {np.dtype(code): f"{name}Tensor" for name, code in {
    "Float": "f4", "Double": "f8", "Half": "f2", "Long": "i8", "Int": "i4", "Short": "i2", "Char": "i1", "Byte": "u1",
    "Bool": "?"}.items()}
_put("torch", {"Tensor": _kind("Tensor", "default"), **{name: _kind(name, wanted) for wanted, name in _KINDS.items()}})
_put("torch.cuda", {name: _kind(name, "on a GPU") for name in _KINDS.values()})


def _type(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the tensor's type, or the tensor as one of another."""
    if dtype is None:
        return f"torch.{_KINDS[self.array.dtype]}"
    return self.to(_wanted(dtype))


def _wanted(kind: Any) -> Any:
    """The dtype that a type, its name, or a dtype stands for."""
    kind = NAMES.get(kind, kind) if isinstance(kind, str) else kind
    return dtypes.get_default_dtype() if _is_all(type(kind)) else getattr(kind, "wanted", kind)


@_at("torch")
def set_default_tensor_type(t: Any) -> None:
    """Let Python floats become of this kind: torch.DoubleTensor, or its name."""
    autograd.set_default_dtype(_wanted(t))


def _make_subclass(cls: type, data: Tensor, require_grad: bool = False) -> Any:
    """A Tensor of a derived class with the values of another; what is computed from it is a plain one."""
    made: Any = object.__new__(cls)
    Tensor.__init__(made, data.detach(), require_grad)
    return made


def _cuda(self: Any, *args: Any, **kwargs: Any) -> Any:
    """Refused: there is no GPU here."""
    check_device("cuda")


def _misspelled(self: Any, value: Any) -> None:
    """`x.require_grad = False`, which stands in many programs, and changes nothing in PyTorch, either."""
    warnings.warn(f"require_grad={value} changes nothing; requires_grad may have been meant", UserWarning, stacklevel=2)


class _OwnHooks(MutableMapping[int, Callable]):
    """The hooks of a module of one kind, by number."""

    def __init__(self, module: Module, kind: str) -> None:
        self._hooks = module._registered_hooks.setdefault(kind, [])

    def __getitem__(self, number: int) -> Callable:
        hook: Callable = self._hooks[number].function
        return hook

    def __setitem__(self, number: int, hook: Callable) -> None:
        self._hooks.append(Hook(hook))

    def __delitem__(self, number: int) -> None:
        del self._hooks[number]

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self._hooks)))

    def __len__(self) -> int:
        return len(self._hooks)

    def clear(self) -> None:
        """Take all away."""
        self._hooks.clear()


def _own_hooks(kind: str) -> Any:
    def replace(module: Module, hooks: Mapping[int, Callable]) -> None:
        module._registered_hooks[kind] = [Hook(hook) for hook in hooks.values()]
    return property(lambda module: _OwnHooks(module, kind), replace)


_MEMBERS = ("_parameters", "_buffers", "_modules")


def _set_state(self: Module, state: dict[str, Any]) -> None:
    """What `copy` and `pickle` make of a module; its `__dict__` has its members, as in PyTorch."""
    vars(self).update(state)
    for name in _MEMBERS:
        vars(self)[name] = members = getattr(self, name)
        members._module = weakref.proxy(self)  # a module goes when the last reference to it does


@_at("torch.storage", name="TypedStorage")
@_at("torch.storage", name="UntypedStorage")
@_at("torch", name="UntypedStorage")
@_at("torch", name="TypedStorage")
class _Storage:
    """The memory of a tensor."""

    def __init__(self, tensor: Tensor) -> None:
        self._array = memory(tensor.array)

    def nbytes(self) -> int:
        """The number of bytes."""
        return int(self._array.nbytes)

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self.nbytes()

    def size(self) -> int:
        """The number of elements."""
        return int(self._array.size)

    __len__ = size

    def element_size(self) -> int:
        """The bytes of an element."""
        return int(self._array.itemsize)

    def data_ptr(self) -> int:
        """The address."""
        return int(self._array.ctypes.data)


class _Noted:
    """An attribute that some program gives Tensors, kept beside them, as they have room for none."""

    def __init__(self) -> None:
        self.values: dict[int, tuple[weakref.ref, Any]] = {}

    def __set__(self, tensor: Tensor, value: Any) -> None:
        key = id(tensor)
        self.values[key] = weakref.ref(tensor, lambda _: self.values.pop(key, None)), value

    def __get__(self, tensor: Tensor | None, owner: Any = None) -> Any:
        if id(tensor) not in self.values:
            raise AttributeError("this attribute has not been set")
        return self.values[id(tensor)][1]


def _number_first(method: Callable, keyword: str, tensors: int) -> Callable:
    """A method that may also be called as before PyTorch 1.5: `x.add_(alpha, other)`, `x.addcmul_(value, a, b)`."""
    @functools.wraps(method)
    def call(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        if len(args) == tensors + 1 and isinstance(args[-1], Tensor) and not kwargs:
            return method(self, *args[1:], **{keyword: args[0]})
        return method(self, *args, **kwargs)
    return call


def _as_size(name: str, owner: Any) -> Size:
    return Size(getattr(owner, name))


def _storage(self: Tensor) -> _Storage:
    return _Storage(self)


class _NodeName(str):
    """The name of a node, which may also be called, as in PyTorch, and has its form then."""

    __slots__ = ()

    def __call__(self) -> str:
        return "".join(part.capitalize() for part in self.split("_")) + "Backward0"


class AccumulateGrad:
    """What stands for a leaf among the functions of a graph."""

    next_functions = ()

    def __init__(self, variable: Tensor) -> None:
        self.variable = variable

    def name(self) -> str:
        """PyTorch's name."""
        return "torch::autograd::AccumulateGrad"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccumulateGrad) and other.variable is self.variable

    def __hash__(self) -> int:
        return id(self.variable)


def _next_functions(node: Node) -> tuple:
    """The nodes that a node's arguments come from, each with a number."""
    return tuple([(AccumulateGrad(p) if isinstance(p, Tensor) else p, 0) for p in node.parents])


def attach() -> None:
    """Let Tensors have what PyTorch's have on a CPU."""
    if "is_cuda" in vars(Tensor):
        return
    size = Tensor.size
    attributes: dict[str, Any] = {
        "dtype": property(lambda self: _DTYPES.get(self.array.dtype) or _DTYPES[self.array.dtype.newbyteorder("=")]),
        "shape": property(lambda self: Size(self.array.shape)),
        "size": lambda self, dim=None: Size(self.array.shape) if dim is None else size(self, dim),
        "device": property(lambda self: _CPU), "layout": property(lambda self: NAMES["torch.strided"]), "type": _type,
        "cuda": _cuda, "new": lambda self, *args, device=None: _made(self.array.dtype, args),
        "bfloat16": lambda self: self.to(NAMES["torch.bfloat16"]),
        "_make_subclass": staticmethod(_make_subclass), "as_subclass": lambda self, cls: _make_subclass(cls, self),
        "real": property(lambda self: self), "resolve_conj": lambda self: self, "resolve_neg": lambda self: self,
        "conj": lambda self: self, "is_conj": lambda self: False, "is_neg": lambda self: False,
        "data_ptr": lambda self: self.array.ctypes.data, "storage_offset": lambda self: 0,
        **dict.fromkeys(("storage", "untyped_storage", "_typed_storage"), _storage),
        "get_device": lambda self: -1, "is_cpu": property(lambda self: True),
        "require_grad": property(None, _misspelled), "unconstrained": _Noted()}  # Pyro's
    attributes.update({name: _plain(getattr(Tensor, name)) for name in ("to", "contiguous", "clone", "is_contiguous")})
    attributes.update(dict.fromkeys(("pin_memory", "share_memory_"), lambda self, *args: self))
    attributes.update(dict.fromkeys(("is_pinned", "is_shared", "is_inference", "is_coalesced"), lambda self: False))
    attributes.update(dict.fromkeys(("is_cuda", "is_mps", "is_xpu", "is_sparse", "is_quantized", "is_meta", "is_mkldnn",
                                     "is_nested", "is_xla", "is_sparse_csr", "is_vulkan", "is_maia", "is_mtia"),
                                    property(lambda self: False)))
    attributes.update(dict.fromkeys(("to_dense", "coalesce"), lambda self: self))
    for names, keyword, tensors in (("add sub", "alpha", 1), ("addcmul addcdiv", "value", 2)):
        for name in names.split():
            for each in (name, f"{name}_"):
                attributes[each] = _number_first(getattr(Tensor, each), keyword, tensors)
    for name, value in attributes.items():
        setattr(Tensor, name, value)
    setattr(Node, "next_functions", property(_next_functions))  # noqa: B010
    setattr(Node, "name", property(lambda self: _NodeName(self.operation.name)))  # noqa: B010
    ReduceOp.RedOpType = ReduceOp  # type: ignore[attr-defined]
    for generic in (Dataset, Sampler, DataLoader):
        setattr(generic, "__class_getitem__", classmethod(lambda cls, item: cls))  # noqa: B010
    for name in ("batch_shape", "event_shape"):
        setattr(Distribution, name, property(functools.partial(_as_size, f"_{name}")))
    for name in ("jvp", "vmap"):
        setattr(autograd.Function, name, staticmethod(stand_in(f"torch.autograd.Function.{name}", NO_DUALS)))
    Context.save_for_forward = lambda self, *tensors: None  # type: ignore[attr-defined]
    del Parameter.__setattr__  # they may have attributes of the program's own
    setattr(Distribution, "_get_checked_instance",  # noqa: B010
            lambda self, cls, _instance=None: object.__new__(type(self)) if _instance is None else _instance)
    init = Module.__init__

    @functools.wraps(init)
    def init_with_members(self: Module) -> None:
        init(self)
        _set_state(self, {})
    of_modules: dict[str, Any] = {
        "__init__": init_with_members, "__setstate__": _set_state,
        "__getstate__": lambda self: {name: value for name, value in vars(self).items() if name not in _MEMBERS},
        **{f"_{name}_hooks": _own_hooks(name) for name in ("forward", "forward_pre")},
        "_backward_hooks": _own_hooks("full_backward"), "_backward_pre_hooks": _own_hooks("full_backward_pre"),
        "register_backward_hook": Module.register_full_backward_hook, "call_super_init": False, "dump_patches": False}
    for name, value in of_modules.items():
        setattr(Module, name, value)


def _foreach(name: str) -> Callable:
    """A method of tensors for a list of them; what else it is given may be lists as well."""
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        rows = [[a[i] if isinstance(a, (list, tuple)) else a for a in args] for i in range(len(self))]
        method = getattr(Tensor, name, None) or (lambda tensor, *row, **kwargs: tensor.copy_(
            getattr(tensor, name.removesuffix("_"))(*row, **kwargs)))
        results = [method(tensor, *row, **kwargs) for tensor, row in zip(self, rows, strict=True)]
        return None if name.endswith("_") else results
    return call


_LISTED = ("abs add addcdiv addcmul ceil clamp_max clamp_min copy div exp floor lerp log maximum minimum mul neg norm "
           "pow reciprocal round sign sqrt sub zero")
_put("torch", {f"_foreach_{name}{mark}": _foreach(name + mark) for name in _LISTED.split() for mark in ("", "_")})


class _Variables(type):
    """The type of Variable, of which all Tensors are instances."""

    def __call__(cls, data: Any = None, requires_grad: bool = False, volatile: bool = False) -> Any:
        return data.requires_grad_() if requires_grad else data

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


@_at("torch.autograd", "torch.autograd.variable")
class Variable(metaclass=_Variables):
    """The tensor itself, which has been all that a Variable was since PyTorch 0.4."""


def _along_some(function: Callable) -> Callable:
    """A softmax that may be called without `dim`, and warns: it is then that of older programs."""
    def call(input: Any, dim: int | None = None, dtype: Any = None) -> Any:
        if dim is None:
            dim = 0 if input.ndim in (0, 1, 3) else 1
            warnings.warn(f"{function.__name__} without dim is taken along dim={dim} of {tuple(input.shape)}; write it",
                          UserWarning, stacklevel=2)
        return function(input, dim, dtype)
    call.__name__, call.__doc__ = function.__name__, function.__doc__
    call.__module__, call.__qualname__ = "nn.as_torch", f"nn.functional.{function.__name__}"  # where a pickle finds it
    return call


_put("torch.nn.functional", {name: _along_some(getattr(functional, name))
                             for name in ("softmax", "log_softmax", "softmin")})
for _layer, _function in ((Softmax, "softmax"), (LogSoftmax, "log_softmax"), (Softmin, "softmin")):
    _name = _layer.__name__
    _at("torch.nn", "torch.nn.modules.activation")(type(
        _name, (_layer,), {"__module__": "nn.as_torch", "__qualname__": f"nn.{_name}", "__doc__": _layer.__doc__},
        function=NAMES[f"torch.nn.functional.{_function}"]))


def _itself(function: Any = None, *args: Any, **kwargs: Any) -> Any:
    """What was given, unchanged: nothing is compiled here. Without a function, what gives one back."""
    return function if callable(function) else lambda function: function


# Precision

@_at("torch", "torch.amp", "torch.amp.autocast_mode")
class autocast(contextlib.ContextDecorator):
    """Changes nothing: products of fewer digits are no faster here, so all is computed in its own dtype."""

    def __init__(self, device_type: str = "cpu", dtype: Any = None, enabled: bool = True,
                 cache_enabled: bool | None = None) -> None:
        if enabled and device_type != "cpu":
            warnings.warn(f"autocast on {device_type!r} is disabled: there is only the CPU", UserWarning, stacklevel=2)

    def __enter__(self) -> "autocast":
        return self

    def __exit__(self, *exception: object) -> None:
        pass


@_at("torch.cuda.amp", "torch.cpu.amp", "torch.cuda.amp.autocast_mode", name="autocast")
class _OlderAutocast(autocast):
    """The same, in its older place."""

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        super().__init__("cpu", dtype, enabled)


@_at("torch", "torch.amp", "torch.cuda.amp", "torch.amp.grad_scaler", "torch.cuda.amp.grad_scaler")
class GradScaler:
    """Disabled, as PyTorch's is without a GPU: gradients of full precision need no scale."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def scale(self, outputs: Any) -> Any:
        """The loss as it is."""
        return outputs

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """A step of the optimizer."""
        return optimizer.step(*args, **kwargs)

    def unscale_(self, optimizer: Any) -> None:
        """Nothing to do."""

    def update(self, new_scale: Any = None) -> None:
        """Nothing to do."""

    def get_scale(self) -> float:
        """1."""
        return 1.0

    def is_enabled(self) -> bool:
        """No."""
        return False

    def state_dict(self) -> dict:
        """Empty."""
        return {}

    def load_state_dict(self, state_dict: dict) -> None:
        """Nothing to do."""


_constant(False, "torch", "is_autocast_enabled is_inference_mode_enabled is_autocast_cpu_enabled "
                          "is_autocast_cache_enabled is_deterministic_algorithms_warn_only_enabled "
                          "is_warn_always_enabled is_vulkan_available")
_constant(NAMES["torch.bfloat16"], "torch", "get_autocast_cpu_dtype get_autocast_dtype")
_constant(NAMES["torch.float16"], "torch", "get_autocast_gpu_dtype")
_constant(True, "torch.amp", "is_autocast_available")
_constant("highest", "torch", "get_float32_matmul_precision")
_constant(None, "torch", "set_float32_matmul_precision set_flush_denormal set_num_interop_threads "
                         "use_deterministic_algorithms set_warn_always set_deterministic_debug_mode "
                         "set_autocast_enabled set_autocast_cpu_enabled set_autocast_cache_enabled set_autocast_dtype "
                         "set_autocast_cpu_dtype set_autocast_gpu_dtype clear_autocast_cache")
_constant(True, "torch", "are_deterministic_algorithms_enabled")
_constant(1, "torch", "get_num_interop_threads")
_constant(0, "torch", "get_deterministic_debug_mode autocast_increment_nesting autocast_decrement_nesting")


@_at("torch.amp", "torch.cuda.amp", "torch.cuda.amp.autocast_mode", "torch.amp.autocast_mode")
def custom_fwd(fwd: Any = None, **options: Any) -> Any:
    """The forward function of a `Function` as it is: no dtype is chosen for it."""
    return _itself(fwd)


_put("torch.amp", {"custom_bwd": custom_fwd})
_put("torch.cuda.amp", {"custom_bwd": custom_fwd})


@_at("torch", "torch.autograd", "torch.autograd.grad_mode")
class inference_mode(autograd.no_grad):
    """`no_grad`, unless `mode` is False."""

    def __new__(cls, mode: Any = True) -> Any:
        if callable(mode):
            return super().__new__(cls, mode)
        return autograd.no_grad() if mode else contextlib.nullcontext()


# Devices and backends that there aren't

for _place in ("cuda", "mps", "xpu", "accelerator", "backends.cuda", "backends.cudnn", "backends.mps", "backends.mkl",
               "backends.mkldnn", "backends.openmp"):
    _constant(False, f"torch.{_place}", "is_available is_built is_initialized")
for _place in ("cuda", "mps", "xpu", "cuda.random"):
    _constant(None, f"torch.{_place}", "manual_seed manual_seed_all seed seed_all empty_cache synchronize init "
                                       "reset_peak_memory_stats reset_max_memory_allocated")
    _constant(0, f"torch.{_place}", "device_count memory_allocated max_memory_allocated memory_reserved "
                                    "max_memory_reserved current_allocated_memory")
_constant(False, "torch.cuda", "is_bf16_supported")
_constant(None, "torch.accelerator", "current_accelerator synchronize")
_constant(0, "torch.accelerator", "device_count")
_put("torch.cuda", {"get_rng_state_all": list, "set_rng_state_all": lambda new_states: None})
_put("torch.cuda", {"_initialized": False, "OutOfMemoryError": MemoryError, "default_generators": ()})
_put("torch.backends.cudnn", {"benchmark": False, "deterministic": False, "enabled": False, "allow_tf32": False})
_put("torch.backends.cuda.matmul", {"allow_tf32": False})
_constant(None, "torch.multiprocessing", "set_sharing_strategy")
_constant(False, "torch.distributed", "is_gloo_available is_nccl_available is_torchelastic_launched")


@_at("torch.multiprocessing")
def spawn(fn: Callable, args: tuple = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
          start_method: str = "spawn") -> None:
    """Call fn(rank, *args): the processes are there already, if `python -m nn.distributed` has started them.

    Raises:
        RuntimeError: there are more or fewer than `nprocs`.
    """
    there = int(os.environ.get("WORLD_SIZE", "1"))
    if nprocs != there:
        raise RuntimeError(f"spawn: {nprocs} processes are wanted, and {there} there; start the program as python -m "
                           f"nn.distributed -n {nprocs} -m nn.as_torch PROGRAM")
    fn(int(os.environ.get("RANK", "0")), *args)


# Compilers, profilers, versions, types

@_at("torch.jit")
def trace(func: Any, example_inputs: Any = None, **options: Any) -> Any:
    """The function itself: nothing is compiled here."""
    return func


for _place, _names in {
        "torch": "compile", "torch.jit": "script ignore unused export interface script_method script_if_tracing "
        "_overload _overload_method optimize_for_inference freeze _script_if_tracing",
        "torch._jit_internal": "export ignore unused script_if_tracing _overload _overload_method "
        "_copy_to_script_wrapper",
        "torch.compiler": "compile disable allow_in_graph assume_constant_result",
        "torch._dynamo": "allow_in_graph disable optimize run forbid_in_graph disallow_in_graph assume_constant_result",
        "torch.fx": "wrap", "torch.fx._symbolic_trace": "wrap", "torch.fx._compatibility": "compatibility"}.items():
    _put(_place, dict.fromkeys(_names.split(), _itself))
_constant(False, "torch.jit", "is_scripting is_tracing")
_constant(False, "torch._jit_internal", "is_scripting")
_constant(False, "torch.compiler", "is_compiling is_dynamo_compiling is_exporting")
_constant(False, "torch._dynamo", "is_compiling")
_constant(False, "torch._utils", "is_compiling")
_constant(False, "torch.onnx", "is_in_onnx_export")


class _TrainingMode(enum.Enum):
    """Whether `torch.onnx.export` writes what a model does in evaluation, in training, or in the mode it is in."""

    EVAL, PRESERVE, TRAINING = range(3)


_put("torch.onnx", {"TrainingMode": _TrainingMode})


@_at("torch.onnx")
def export(model: Any, args: Any = (), f: Any = None, *, kwargs: Any = None, input_names: Any = None,
           output_names: Any = None, opset_version: int | None = None, dynamic_axes: Any = None,
           dynamic_shapes: Any = None, training: Any = _TrainingMode.EVAL, **options: Any) -> None:
    """`nn.onnx.save`: without dynamic_axes or dynamic_shapes, for the sizes of `args` alone."""
    from nn import onnx
    if f is None:
        raise ValueError("there is no ONNXProgram here: give the path of the file, torch.onnx.export(model, args, f)")
    if opset_version not in (None, onnx.OPSET):
        warn(f"the file has the operators of version {onnx.OPSET}, not {opset_version}")
    if isinstance(args, tuple) and args and isinstance(args[-1], dict) and kwargs is None:
        args, kwargs = args[:-1], args[-1]
    during = model.training if training is _TrainingMode.PRESERVE else training is _TrainingMode.TRAINING
    onnx.save(model, args, f, kwargs=kwargs, input_names=input_names, output_names=output_names, training=during,
              dynamic_axes=dynamic_axes or dynamic_shapes or {})


_constant(None, "torch._dynamo", "reset mark_dynamic mark_static graph_break")
_constant(None, "torch.compiler", "reset cudagraph_mark_step_begin set_stance")
_put("torch._dynamo", {"config": types.SimpleNamespace()})
_put("torch._inductor", {"config": types.SimpleNamespace()})
_constant("gradcircuit, on NumPy", "torch.__config__", "show parallel_info")
_put("torch.jit", {"Final": Final, "TracerWarning": UserWarning,
                   "annotate": lambda the_type, the_value: the_value})


class _Required:
    """In older optimizers, the default of a rate that must be given."""

    def __repr__(self) -> str:
        return "<required parameter>"


_REQUIRED = _Required()


@_at("torch.profiler", "torch.autograd.profiler")
class record_function(contextlib.nullcontext):
    """A name for a part of a program; `autograd.profile` shows modules and operations by itself."""


_put("torch.version", {"cuda": None, "hip": None, "git_version": "", "debug": False})
_put("torch.optim.optimizer", {"params_t": Any, "ParamsT": Any, "_params_t": Any, "required": _REQUIRED})
_put("torch.types", {"Number": (int, float, bool), "Device": Any, "Tensor": NAMES["torch.Tensor"]})


def _ntuple(n: int) -> Callable:
    """A function that repeats a number n times, and makes a tuple of whatever can be iterated."""
    return lambda x: tuple(x) if hasattr(x, "__iter__") else (x,) * n


_put("torch.nn.modules.utils", {"_ntuple": _ntuple, "_single": _ntuple(1), "_pair": _ntuple(2), "_triple": _ntuple(3),
                                "_quadruple": _ntuple(4)})


@_at("torch.distributions.utils")
class lazy_property:
    """An attribute that is computed when it is first asked for, with its history, and kept."""

    def __init__(self, wrapped: Callable) -> None:
        self.wrapped = wrapped
        functools.update_wrapper(self, wrapped)  # type: ignore[arg-type]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with autograd.enable_grad():
            value = self.wrapped(instance)
        setattr(instance, self.wrapped.__name__, value)
        return value


@_at("torch.distributions.utils")
def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Numbers and Tensors as Tensors of one shape."""
    dtype = next((v.array.dtype for v in values if isinstance(v, Tensor)), dtypes.get_default_dtype())
    return autograd.broadcast_tensors(*[v if isinstance(v, Tensor) else autograd.tensor(v, dtype=dtype)
                                        for v in values])


@_at("torch.distributions.utils")
def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities of logarithms of odds."""
    return logits.sigmoid() if is_binary else logits.softmax(-1)


@_at("torch.distributions.utils")
def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Logarithms of odds."""
    probs = clamp_probs(probs)
    return probs.log() - (-probs).log1p() if is_binary else probs.log()


# Files and logs

_SAFE = {"autograd.tensor.Tensor", "autograd.tensor._rebuild", "nn.parameter.Parameter", "nn.torch_scaffolding._named",
         "nn.torch_scaffolding.Size", "nn.torch_scaffolding.device", "collections.OrderedDict", "builtins.set",
         "numpy.ndarray", "numpy.dtype", "numpy._core.multiarray._reconstruct", "numpy._core.multiarray.scalar"}
"""What a pickle may name, besides layers, without being trusted."""
_trusted: list[Any] = []
"""What a program lets it name, too."""


class _Unpickler(pickle.Unpickler):
    """Reads a pickle; unless it is trusted, only of tensors, layers, and what the program says is safe."""

    def __init__(self, file: Any, trusted: bool) -> None:
        super().__init__(file)
        self.trusted = trusted

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name) if self.trusted or _is_known(module, name) else None
        if found is None:
            raise pickle.UnpicklingError(
                f"torch.load: the file names {module}.{name}, whose code loading would run; if you trust the file, "
                f"write torch.load(..., weights_only=False), or torch.serialization.add_safe_globals([{name}])")
        return found


def _is_known(module: str, name: str) -> bool:
    if f"{module}.{name}" in _SAFE or any((each.__module__, each.__qualname__) == (module, name) for each in _trusted):
        return True
    found = getattr(importlib.import_module("nn"), name, None)  # a layer
    return isinstance(found, type) and issubclass(found, Module) and found.__module__ == module


@_at("torch", "torch.serialization")
def save(obj: Any, f: Any, pickle_module: Any = None, pickle_protocol: int = 2, **options: Any) -> None:
    """Write what `nn.save` takes to a file that PyTorch reads, whatever its name; arrays stay arrays.

    Anything else, such as a whole module, is pickled, for this project alone.
    """
    try:
        importlib.import_module("nn.serialization.torch_format").save(obj, f, arrays_as_tensors=False)
    except TypeError:
        data = pickle.dumps(obj)
        with contextlib.nullcontext(f) if hasattr(f, "write") else files.replacing(f) as file:
            file.write(data)


@_at("torch", "torch.serialization")
def load(f: Any, map_location: Any = None, pickle_module: Any = None, *, weights_only: bool | None = None,
         mmap: bool | None = None, **pickle_load_args: Any) -> Any:
    """What `nn.load` reads, without running what a file says; or what `save` pickled, which `weights_only` is about.

    Raises:
        UnpicklingError: a pickle names code, and `weights_only` isn't False.
    """
    if isinstance(map_location, str):
        check_device(map_location)
    with contextlib.nullcontext(f) if hasattr(f, "read") else open(f, "rb") as file:
        start = file.read(16)
        file.seek(-len(start), os.SEEK_CUR)
        if start[:1] == b"\x80" and importlib.import_module("nn.serialization.torch_format").MAGIC not in start:
            return _Unpickler(file, weights_only is False).load()
    return importlib.import_module("nn").load(f, mmap=bool(mmap))


@_at("torch.serialization")
class safe_globals(contextlib.ContextDecorator):
    """Within it, what `torch.load` reads may name these classes and functions."""

    def __init__(self, safe_globals: Any) -> None:
        self.safe_globals = list(safe_globals)

    def __enter__(self) -> None:
        _trusted.extend(self.safe_globals)

    def __exit__(self, *exception: object) -> None:
        for each in self.safe_globals:
            _trusted.remove(each)


_put("torch.serialization", {"add_safe_globals": _trusted.extend, "clear_safe_globals": _trusted.clear,
                             "get_safe_globals": lambda: list(_trusted), "register_package": _itself,
                             "DEFAULT_PROTOCOL": 2, "FILE_LIKE": Any, "MAP_LOCATION": Any})


@_at("torch.testing")
def assert_close(actual: Any, expected: Any, *, rtol: float | None = None, atol: float | None = None,
                 equal_nan: bool = False, check_dtype: bool = True, msg: Any = None, **options: Any) -> None:
    """Raise an AssertionError unless two tensors are nearly equal, with PyTorch's tolerances for their dtype."""
    found, wanted = autograd.as_tensor(actual).detach().array, autograd.as_tensor(expected).detach().array
    if check_dtype and found.dtype != wanted.dtype:
        raise AssertionError(msg or f"the dtypes differ: {found.dtype} and {wanted.dtype}")
    usual = {dtypes.float16: (1e-3, 1e-5), dtypes.float32: (1.3e-6, 1e-5), dtypes.float64: (1e-7, 1e-7)}
    relative, absolute = usual.get(found.dtype, (0, 0))
    np.testing.assert_allclose(found, wanted, relative if rtol is None else rtol, absolute if atol is None else atol,
                               equal_nan, str(msg or ""))


@_at("torch.utils.tensorboard", "torch.utils.tensorboard.writer")
class SummaryWriter:
    """Scalars for TensorBoard, if that is installed; otherwise nothing is written, and a warning says so."""

    def __init__(self, log_dir: str | None = None, comment: str = "", **options: Any) -> None:
        self.log_dir = str(log_dir or os.path.join("runs", f"run{comment}"))
        try:
            self._writer = importlib.import_module("tensorboard.summary").Writer(self.log_dir)
        except (ImportError, AttributeError):
            warnings.warn("SummaryWriter writes nothing, because TensorBoard is not installed: pip install tensorboard",
                          UserWarning, stacklevel=2)
            self._writer = None

    def add_scalar(self, tag: str, scalar_value: Any, global_step: int | None = None, *args: Any,
                   **kwargs: Any) -> None:
        """A point of a curve."""
        if self._writer is not None:
            self._writer.add_scalar(tag, float(scalar_value), global_step or 0)

    def add_scalars(self, main_tag: str, tag_scalar_dict: Mapping[str, Any], global_step: int | None = None,
                    *args: Any) -> None:
        """Points of several curves."""
        for tag, value in tag_scalar_dict.items():
            self.add_scalar(f"{main_tag}/{tag}", value, global_step)

    def _not_written(self, *args: Any, **kwargs: Any) -> None:
        """Left out."""

    add_text = add_image = add_images = add_figure = add_histogram = add_graph = add_hparams = _not_written
    add_embedding = add_pr_curve = add_video = add_audio = _not_written

    def get_logdir(self) -> str:
        """The folder that is written to."""
        return self.log_dir

    def flush(self) -> None:
        """Write what is waiting."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Write what is waiting, and end."""
        if self._writer is not None:
            self._writer.close()

    def __enter__(self) -> "SummaryWriter":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
