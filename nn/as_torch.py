"""The PyTorch door: programs that `import torch` run as they are.

    python -m nn.as_torch train.py --epochs 3     a script, for this process and its workers
    python -m nn.as_torch -m package.train        a module, as with `python -m`
    python -m nn.as_torch --missing train.py      what it uses of PyTorch that isn't here, without running it

By hand, `nn.as_torch.install()` before `import torch` does the same, and so does `from nn import as_torch as torch`. It
makes no difference whether PyTorch is installed.

PLACES says where PyTorch's names are found here; they are the very same objects. Below it stands what a program says
around its mathematics, with the meaning that PyTorch gives it on a machine without a GPU. What isn't here raises an
AttributeError that names what is near. docs/porting.md says what differs.
"""

import argparse
import ast
import atexit
import contextlib
import difflib
import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import autograd
from autograd import Tensor, dtypes
from autograd.creation import check_device

PLACES = {
    "torch": "autograd autograd.random autograd.linalg:pinv,svd,lstsq,matrix_exp "
             "nn.functional:conv1d,conv2d,conv3d,conv_transpose1d,conv_transpose2d,conv_transpose3d,conv_tbc,"
             "max_pool1d,max_pool2d,max_pool3d,avg_pool1d,adaptive_avg_pool1d,adaptive_max_pool1d,layer_norm,group_norm,"
             "rms_norm,dropout,alpha_dropout,feature_alpha_dropout,celu,celu_,selu,selu_,prelu,rrelu,hardshrink,threshold,"
             "bilinear,pixel_shuffle,pixel_unshuffle,channel_shuffle,pairwise_distance,cosine_similarity,pdist,"
             "cosine_embedding_loss,ctc_loss,hinge_embedding_loss,kl_div,margin_ranking_loss,poisson_nll_loss,"
             "triplet_margin_loss,binary_cross_entropy_with_logits,grid_sample,affine_grid",
    "torch.nn": "nn",
    "torch.nn.functional": "nn.functional",
    "torch.nn.init": "nn.init",
    "torch.nn.parameter": "nn.parameter nn",
    "torch.nn.parallel": "nn.parallel nn",
    "torch.nn.modules": "nn",
    "torch.nn.modules.activation": "nn.activation nn.attention",
    "torch.nn.modules.batchnorm": "nn.normalization",
    "torch.nn.modules.container": "nn.container",
    "torch.nn.modules.conv": "nn.convolution",
    "torch.nn.modules.distance": "nn.loss",
    "torch.nn.modules.dropout": "nn.dropout",
    "torch.nn.modules.instancenorm": "nn.normalization",
    "torch.nn.modules.linear": "nn.linear",
    "torch.nn.modules.loss": "nn.loss",
    "torch.nn.modules.module": "nn.module",
    "torch.nn.modules.normalization": "nn.normalization",
    "torch.nn.modules.padding": "nn.padding",
    "torch.nn.modules.pooling": "nn.pooling",
    "torch.nn.modules.rnn": "nn.recurrent",
    "torch.nn.modules.sparse": "nn.embedding",
    "torch.nn.modules.transformer": "nn.transformer",
    "torch.nn.modules.upsampling": "nn.upsampling",
    "torch.nn.modules.utils": "",
    "torch.nn.utils": "nn.utils",
    "torch.nn.utils.clip_grad": "nn.utils.clip_grad",
    "torch.nn.utils.convert_parameters": "nn.utils.convert_parameters",
    "torch.nn.utils.fusion": "nn.utils.fusion",
    "torch.nn.utils.parametrizations": "nn.utils.parametrizations",
    "torch.nn.utils.parametrize": "nn.utils.parametrize",
    "torch.nn.utils.prune": "nn.utils.prune",
    "torch.nn.utils.rnn": "nn.utils.rnn",
    "torch.nn.utils.spectral_norm": "nn.utils.spectral_norm",
    "torch.nn.utils.stateless": "nn.utils.stateless",
    "torch.nn.utils.weight_norm": "nn.utils.weight_norm",
    "torch.optim": "optim",
    "torch.optim.lr_scheduler": "optim.lr_scheduler",
    "torch.optim.optimizer": "optim.optimizer",
    "torch.optim.swa_utils": "optim.swa_utils",
    **{f"torch.optim.{name}": "optim" for name in ("adadelta", "adagrad", "adam", "adamax", "adamw", "asgd", "lbfgs",
                                                   "nadam", "radam", "rmsprop", "rprop", "sgd")},
    "torch.utils": "",
    "torch.utils.checkpoint": "autograd.checkpoint",
    "torch.utils.data": "nn.data",
    "torch.utils.data.dataloader": "nn.data",
    "torch.utils.data.dataset": "nn.data",
    "torch.utils.data.distributed": "nn.data",
    "torch.utils.data.sampler": "nn.data",
    "torch.utils.hooks": "autograd.hooks",
    "torch.utils.tensorboard": "",
    "torch.utils.tensorboard.writer": "",
    "torch.autograd": "autograd autograd.testing:gradcheck,gradgradcheck",
    "torch.autograd.function": "autograd.function",
    "torch.autograd.functional": "autograd.functional",
    "torch.autograd.gradcheck": "autograd.testing:gradcheck,gradgradcheck",
    "torch.autograd.grad_mode": "autograd.grad_mode",
    "torch.autograd.profiler": "",
    "torch.distributions": "nn.distributions",
    **{f"torch.distributions.{name}": "nn.distributions" for name in (
        "bernoulli", "beta", "binomial", "categorical", "cauchy", "chi2", "dirichlet", "distribution", "exponential",
        "exp_family", "gamma", "geometric", "gumbel", "half_normal", "independent", "laplace", "log_normal",
        "mixture_same_family", "multinomial", "multivariate_normal", "negative_binomial", "normal", "one_hot_categorical",
        "poisson", "relaxed_bernoulli", "relaxed_categorical", "studentT", "transformed_distribution", "uniform")},
    "torch.distributions.constraints": "nn.distributions.constraints",
    "torch.distributions.constraint_registry": "nn.distributions.constraint_registry",
    "torch.distributions.kl": "nn.distributions.kl",
    "torch.distributions.transforms": "nn.distributions.transforms",
    "torch.distributions.utils": "nn.distributions.utils",
    "torch.func": "autograd.functional nn.utils.stateless:functional_call,stack_module_state",
    "torch.linalg": "autograd.linalg",
    "torch.special": "autograd.special",
    "torch.random": "autograd.random",
    "torch.testing": "",
    "torch.amp": "", "torch.amp.autocast_mode": "", "torch.amp.grad_scaler": "",
    "torch.accelerator": "",
    "torch.backends": "", "torch.backends.cuda": "", "torch.backends.cuda.matmul": "", "torch.backends.cudnn": "",
    "torch.backends.mkl": "", "torch.backends.mkldnn": "", "torch.backends.mps": "", "torch.backends.openmp": "",
    "torch.compiler": "",
    "torch.cpu": "", "torch.cpu.amp": "",
    "torch.cuda": "", "torch.cuda.amp": "", "torch.cuda.amp.autocast_mode": "", "torch.cuda.amp.grad_scaler": "",
    "torch.cuda.random": "",
    "torch.distributed": "",
    "torch.jit": "",
    "torch.mps": "", "torch.xpu": "",
    "torch.multiprocessing": "multiprocessing",
    "torch.overrides": "",
    "torch.profiler": "",
    "torch.serialization": "",
    "torch.types": "",
    "torch.version": "",
}
"""PyTorch's module -> where its names are here: modules, in this order, or those names of them."""
NAMES: dict[str, dict[str, Any]] = {place: {} for place in PLACES}
"""PyTorch's module -> what stands for its names below."""
MISSING: dict[str, None] = {}
"""What was asked for and isn't here, in that order."""
_PROGRAM = "GRADCIRCUIT_AS_TORCH"
"""The variable that tells worker processes which program they work for."""


def _at(*places: str, name: str = "") -> Callable:
    """Let a function or class stand for PyTorch's of its name, in these modules of PyTorch."""
    def put(value: Any) -> Any:
        for place in places:
            NAMES[place][name or value.__name__.rstrip("_")] = value
        return value
    return put


# The way in

class _Door(types.ModuleType):
    """A module of PyTorch, each of whose names is looked up when it is first used."""

    def __init__(self, name: str) -> None:
        super().__init__(name, f"What stands here for {name}: see nn.as_torch.")
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = _find(self.__name__, name)
        setattr(self, name, value)
        return value

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *_known(self.__name__)})


def _find(place: str, name: str) -> Any:
    """What stands for a name of a module of PyTorch."""
    if name in NAMES[place]:
        return NAMES[place][name]
    if f"{place}.{name}" in PLACES:
        return _module(f"{place}.{name}")
    for source, names in _sources(place):
        if (names is None or name in names) and not isinstance(getattr(source, name, types), types.ModuleType):
            return getattr(source, name)
    missing = f"{place}.{name}"
    MISSING[missing] = None
    near = difflib.get_close_matches(name, _known(place), 3, 0.7)
    raise AttributeError(f"{missing} isn't here{'; near are ' + ', '.join(near) if near else ''} (docs/porting.md says "
                         "what isn't, and why)", name=name)


def _sources(place: str) -> Iterator[tuple[Any, list[str] | None]]:
    """The modules in which the names of one of PyTorch's are, each with those that count (None: all)."""
    for source in PLACES[place].split():
        module, _, names = source.partition(":")
        if importlib.util.find_spec(module):
            yield importlib.import_module(module), names.split(",") if names else None


def _known(place: str) -> list[str]:
    """All names of a module of PyTorch that are here."""
    known = {*NAMES[place], *[p.rpartition(".")[2] for p in PLACES if p.rpartition(".")[0] == place]}
    for source, names in _sources(place):
        known |= {name for name in names or vars(source) if name[0] != "_"}
    return sorted(known)


def _module(name: str) -> Any:
    """The module that stands for PyTorch's of this name."""
    if name not in _doors:
        _doors[name] = _Door(name)
    return _doors[name]


_doors: dict[str, _Door] = {}


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Lets the import statement find the modules that stand for PyTorch's."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname in PLACES:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        if fullname.partition(".")[0] in ("torch", "torchvision", "torchaudio"):
            MISSING[fullname] = None
            near = difflib.get_close_matches(fullname, PLACES, 3, 0.7)
            raise ModuleNotFoundError(f"{fullname} isn't here{'; near are ' + ', '.join(near) if near else ''} "
                                      "(docs/porting.md says what isn't, and why)", name=fullname)
        return None

    def create_module(self, spec: Any) -> Any:
        return _module(spec.name)

    def exec_module(self, module: Any) -> None:
        pass


def install() -> None:
    """Let `import torch` mean this project from here on, in this process and in those that it forks.

    Raises:
        RuntimeError: PyTorch itself has been imported already.
    """
    present = sys.modules.get("torch")
    if present is not None and not isinstance(present, _Door):
        raise RuntimeError("PyTorch itself has been imported in this process; call nn.as_torch.install() before "
                           "anything imports torch")
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    _attach()


def __getattr__(name: str) -> Any:
    """For `from nn import as_torch as torch`."""
    if name.startswith("__") and name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _attach()
    return getattr(_module("torch"), name) if name != "__version__" else NAMES["torch"][name]


# Element types, shapes and devices as PyTorch shows them. Tensors show theirs so from install() on.

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
        return getattr, (_module("torch"), self.name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "dtype":
            raise AttributeError(name)
        return getattr(self.dtype, name)


class _Bfloat16(dtype):
    """bfloat16, which NumPy doesn't have: it may be named, but no tensor can be of it."""

    is_floating_point = property(lambda self: True)

    def __init__(self) -> None:
        self.name = "bfloat16"

    @property
    def dtype(self) -> Any:  # type: ignore[override]
        raise TypeError("NumPy has no bfloat16, so there are no such tensors here; use torch.float32, or torch.float16")

    def __hash__(self) -> int:
        return id(self)


_DTYPES = {of_numpy: dtype(name, of_numpy) for name, of_numpy in [
    ("float32", dtypes.float32), ("float64", dtypes.float64), ("float16", dtypes.float16), ("int64", dtypes.int64),
    ("int32", dtypes.int32), ("int16", dtypes.int16), ("int8", dtypes.int8), ("uint8", dtypes.uint8),
    ("bool", dtypes.bool_), *[(name, np.dtype(name)) for name in ("uint16", "uint32", "uint64")]]}
NAMES["torch"].update({each.name: each for each in _DTYPES.values()})
NAMES["torch"].update({name: _DTYPES[np.dtype(of)] for name, of in {
    "float": "f4", "double": "f8", "half": "f2", "long": "i8", "int": "i4", "short": "i2"}.items()})
NAMES["torch"]["bfloat16"] = _Bfloat16()


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


class device(str):
    """Where a tensor is, always "cpu"; asking for another raises a RuntimeError. As a context it changes nothing."""

    type: str
    index: int | None

    def __new__(cls, type: Any = "cpu", index: int | None = None) -> "device":  # noqa: A002 - PyTorch's name
        check_device("cuda" if isinstance(type, int) else type)
        kind, _, number = str(type).partition(":")
        index = int(number) if number else index
        self = super().__new__(cls, kind if index is None else f"{kind}:{index}")
        self.type, self.index = kind, index
        return self

    def __repr__(self) -> str:
        return f"device(type={self.type!r}{'' if self.index is None else f', index={self.index}'})"

    def __enter__(self) -> "device":
        return self

    def __exit__(self, *exception: object) -> None:
        pass


NAMES["torch"].update({"dtype": dtype, "Size": Size, "device": device})


@_at("torch")
class finfo:
    """Limits of a floating dtype."""

    def __init__(self, type: Any = None) -> None:  # noqa: A002 - PyTorch's name
        limits = np.finfo(np.dtype(type or dtypes.get_default_dtype()))
        for name in ("bits", "eps", "max", "min", "tiny", "smallest_normal", "resolution"):
            setattr(self, name, getattr(limits, name) if name == "bits" else float(getattr(limits, name)))
        self.dtype = str(limits.dtype)


@_at("torch")
class iinfo:
    """Limits of an integer dtype."""

    def __init__(self, type: Any) -> None:  # noqa: A002 - PyTorch's name
        limits = np.iinfo(np.dtype(type))
        self.bits, self.max, self.min, self.dtype = limits.bits, int(limits.max), int(limits.min), str(limits.dtype)


_SPARE = ("layout", "pin_memory", "memory_format", "names", "non_blocking")
"""Arguments that say nothing on a CPU without sparse tensors."""


def _plain(function: Callable) -> Callable:
    """A function that also takes arguments which say nothing here."""
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        for name in _SPARE:
            kwargs.pop(name, None)
        return function(*args, **kwargs)
    return call


NAMES["torch"].update({name: _plain(getattr(autograd, name)) for name in (
    "zeros", "ones", "empty", "full", "rand", "randn", "randint", "randperm", "arange", "linspace", "logspace", "eye",
    "zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "randint_like", "tensor", "clone")
    if hasattr(autograd, name)})
NAMES["torch"].update({name: name for name in (
    "strided", "sparse_coo", "contiguous_format", "channels_last", "channels_last_3d", "preserve_format")})


class _Kind(type):
    """torch.Tensor, torch.LongTensor, ...: called, they make a Tensor of their dtype; all Tensors are their instances."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls.__dict__.get("wanted") is None:  # a user's class
            return super().__call__(*args, **kwargs)
        check_device("cuda" if cls.wanted == "on a GPU" else kwargs.get("device"))
        wanted = np.dtype(dtypes.get_default_dtype() if cls.wanted == "default" else cls.wanted)
        if all(isinstance(size, (int, np.integer)) for size in args):
            return autograd.empty(*args or (0,), dtype=wanted)
        if len(args) == 1 and isinstance(args[0], Size):
            return autograd.empty(args[0], dtype=wanted)
        data, = args
        return data.detach() if isinstance(data, Tensor) and data.dtype == wanted else autograd.tensor(data, dtype=wanted)

    def __instancecheck__(cls, instance: Any) -> bool:
        wanted = cls.__dict__.get("wanted")
        if wanted is None:
            return super().__instancecheck__(instance)
        return isinstance(instance, Tensor) and (wanted == "default" or instance.array.dtype is wanted)

    def __subclasscheck__(cls, subclass: type) -> bool:
        if cls.__dict__.get("wanted") == "default":
            return issubclass(subclass, Tensor)
        return super().__subclasscheck__(subclass)

    def __setattr__(cls, name: str, value: Any) -> None:  # torch.Tensor.norm_of_rows = ... is for all Tensors
        setattr(Tensor if cls.__dict__.get("wanted") == "default" else super(), name, value)

    def __eq__(cls, other: object) -> bool:
        return cls is other or (cls.__dict__.get("wanted") == "default" and other is Tensor)

    def __hash__(cls) -> int:
        return hash(Tensor) if cls.__dict__.get("wanted") == "default" else super().__hash__()


NAMES["torch"].update({name: _Kind(name, (Tensor,), {"__slots__": (), "wanted": wanted, "__module__": "torch",
                                                     "__doc__": "Makes Tensors as PyTorch's of this name does."})
                       for name, wanted in [("Tensor", "default"), *[(f"{kind}Tensor", np.dtype(code)) for kind, code in {
                           "Float": "f4", "Double": "f8", "Half": "f2", "Long": "i8", "Int": "i4", "Short": "i2",
                           "Char": "i1", "Byte": "u1", "Bool": "?"}.items()]]})
_TYPES = {kind.wanted: f"torch.{name}" for name, kind in NAMES["torch"].items()
          if isinstance(kind, _Kind) and kind.wanted != "default"}


def _attach() -> None:
    """Let Tensors have what PyTorch's have on a CPU."""
    if isinstance(vars(Tensor).get("is_cuda"), property):
        return
    to, contiguous, size = Tensor.to, Tensor.contiguous, Tensor.size

    def shown_dtype(self: Tensor) -> Any:
        found = self.array.dtype
        return _DTYPES.get(found) or _DTYPES[found.newbyteorder("=")]

    def type_(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The name of the tensor's type, or the tensor as one of another."""
        if dtype is None:
            return _TYPES[self.array.dtype]
        named = {text: wanted for wanted, text in _TYPES.items()}
        return to(self, named.get(dtype, getattr(dtype, "wanted", dtype)))

    def cuda(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        """Refused: there is no GPU here."""
        check_device("cuda")

    attributes: dict[str, Any] = {
        "dtype": property(shown_dtype), "shape": property(lambda self: Size(self.array.shape)),
        "device": property(lambda self: _CPU), "layout": property(lambda self: "strided"),
        "size": lambda self, dim=None: Size(self.array.shape) if dim is None else size(self, dim),
        "type": type_, "cuda": cuda, "to": _plain(to), "contiguous": _plain(contiguous), "clone": _plain(Tensor.clone),
        "is_contiguous": _plain(Tensor.is_contiguous), "pin_memory": lambda self: self, "is_pinned": lambda self: False,
        "share_memory_": lambda self: self, "is_shared": lambda self: False, "get_device": lambda self: -1,
        "data_ptr": lambda self: self.array.ctypes.data, "bfloat16": lambda self: to(self, NAMES["torch"]["bfloat16"]),
        "storage_offset": lambda self: 0, "is_cpu": property(lambda self: True)}
    attributes.update(dict.fromkeys(("is_cuda", "is_mps", "is_xpu", "is_sparse", "is_quantized", "is_meta", "is_mkldnn",
                                     "is_nested"), property(lambda self: False)))
    for name, value in attributes.items():
        setattr(Tensor, name, value)


_CPU = device()


# Around the mathematics: precision, devices, compilers, files

@_at("torch", "torch.amp", "torch.amp.autocast_mode")
class autocast(contextlib.ContextDecorator):
    """Changes nothing: there are no faster products of fewer digits here, so all is computed in its own dtype."""

    def __init__(self, device_type: str = "cpu", dtype: Any = None, enabled: bool = True,
                 cache_enabled: bool | None = None) -> None:
        if enabled and device_type != "cpu":
            warnings.warn(f"autocast on {device_type!r} is disabled: there is only the CPU", UserWarning, stacklevel=2)

    def __enter__(self) -> "autocast":
        return self

    def __exit__(self, *exception: object) -> None:
        pass


@_at("torch.cuda.amp", "torch.cpu.amp", "torch.cuda.amp.autocast_mode", name="autocast")
class _OldAutocast(autocast):
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

    def unscale_(self, optimizer: Any) -> None:
        """Nothing to do."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """A step of the optimizer."""
        return optimizer.step(*args, **kwargs)

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


@_at("torch")
class inference_mode(autograd.no_grad):
    """no_grad, unless `mode` is False."""

    def __new__(cls, mode: Any = True) -> Any:
        return super().__new__(cls, mode) if callable(mode) else autograd.no_grad() if mode else contextlib.nullcontext()


@_at("torch", name="compile")
@_at("torch.jit", name="script")
@_at("torch.jit", name="ignore")
@_at("torch.jit", name="unused")
@_at("torch.jit", name="export")
@_at("torch.compiler", name="disable")
def _itself(function: Any = None, *args: Any, **kwargs: Any) -> Any:
    """What was given, unchanged: nothing is compiled here."""
    return (lambda function: function) if function is None else function


@_at("torch.jit")
def trace(func: Any, example_inputs: Any = None, **options: Any) -> Any:
    """The function itself, which isn't compiled."""
    return func


@_at("torch")
def save(obj: Any, f: Any, pickle_module: Any = None, pickle_protocol: int = 2, **options: Any) -> None:
    """Write what `nn.save` takes to a file that PyTorch reads, whatever its name."""
    _lazily("nn.serialization.torch_format").save(obj, f, arrays_as_tensors=False)


@_at("torch")
def load(f: Any, map_location: Any = None, pickle_module: Any = None, *, weights_only: bool | None = None,
         mmap: bool | None = None, **pickle_load_args: Any) -> Any:
    """What `nn.load` reads; it never runs what a file says, so weights_only makes no difference."""
    if isinstance(map_location, (str, device)):
        check_device(map_location)
    return _lazily("nn").load(f, mmap=bool(mmap))


def _lazily(module: str) -> Any:
    return importlib.import_module(module)


@_at("torch.cuda", "torch.mps", "torch.xpu", "torch.accelerator", "torch.backends.cuda", "torch.backends.cudnn", "torch.backends.mps",
     "torch.distributed", "torch.mps")
def is_available() -> bool:
    """No."""
    return False


def _constant(value: Any, *names: str) -> None:
    """Let functions of PyTorch return a constant, whatever they are given."""
    for name in names:
        place, _, function = name.rpartition(".")
        NAMES[place][function] = functools.wraps(is_available, assigned=())(lambda *args, **kwargs: value)


_constant(False, "torch.cuda.is_initialized", "torch.cuda.is_bf16_supported", "torch.backends.mps.is_built",
          "torch.backends.mkl.is_available", "torch.backends.mkldnn.is_available", "torch.backends.openmp.is_available",
          "torch.distributed.is_initialized", "torch.jit.is_scripting", "torch.jit.is_tracing",
          "torch.compiler.is_compiling", "torch.is_inference_mode_enabled", "torch.is_autocast_enabled",
          "torch.overrides.has_torch_function", "torch.is_deterministic_algorithms_warn_only_enabled")
_constant(True, "torch.are_deterministic_algorithms_enabled")
_constant(None, "torch.accelerator.current_accelerator", "torch.cuda.manual_seed", "torch.cuda.manual_seed_all", "torch.cuda.empty_cache", "torch.cuda.synchronize",
          "torch.cuda.seed", "torch.cuda.seed_all", "torch.cuda.reset_peak_memory_stats", "torch.cuda.init",
          "torch.cuda.random.manual_seed", "torch.cuda.random.manual_seed_all", "torch.mps.manual_seed",
          "torch.mps.empty_cache", "torch.xpu.manual_seed", "torch.use_deterministic_algorithms",
          "torch.set_float32_matmul_precision", "torch.set_num_interop_threads", "torch.set_flush_denormal",
          "torch.multiprocessing.set_sharing_strategy", "torch.serialization.add_safe_globals", "torch.jit.annotate",
          "torch.set_default_device")
_constant(0, "torch.cuda.device_count", "torch.accelerator.device_count", "torch.cuda.memory_allocated", "torch.cuda.max_memory_allocated",
          "torch.cuda.memory_reserved", "torch.cuda.max_memory_reserved", "torch.xpu.device_count",
          "torch.mps.device_count")
_constant(1, "torch.get_num_interop_threads", "torch.distributed.get_world_size")
_constant("highest", "torch.get_float32_matmul_precision")
_constant(_CPU, "torch.get_default_device")
NAMES["torch.version"].update(cuda=None, hip=None, git_version="", debug=False)
NAMES["torch.backends.cudnn"].update(benchmark=False, deterministic=False, enabled=False, allow_tf32=False)
NAMES["torch.backends.cuda.matmul"].update(allow_tf32=False)
NAMES["torch.types"].update(Number=(int, float, bool), Device=Any)
NAMES["torch"]["__version__"] = NAMES["torch.version"]["__version__"] = "2.13.0+gradcircuit"
_module("torch").__version__ = _module("torch.version").__version__ = NAMES["torch"]["__version__"]


for _name in _TYPES.values():
    NAMES["torch.cuda"][_name.removeprefix("torch.")] = _Kind(_name, (Tensor,), {"__slots__": (), "wanted": "on a GPU"})


@_at("torch.cuda", name="get_device_name")
@_at("torch.cuda", name="current_device")
@_at("torch.cuda", name="set_device")
@_at("torch.cuda", name="get_device_properties")
def _no_gpu(*args: Any, **kwargs: Any) -> Any:
    """Refused: there is no GPU here."""
    check_device("cuda")


@_at("torch.autograd")
def Variable(data: Any, requires_grad: bool = False, volatile: bool = False) -> Tensor:  # noqa: N802 - PyTorch's name
    """The tensor itself, which has been all that a Variable was since PyTorch 0.4."""
    return data.requires_grad_() if requires_grad else data


NAMES["torch.autograd"]["inference_mode"] = inference_mode


@_at("torch")
def get_default_dtype() -> dtype:
    """The dtype that Python floats become."""
    return _DTYPES[dtypes.get_default_dtype()]


@_at("torch")
def set_default_tensor_type(t: Any) -> None:
    """Let Python floats become of this kind: torch.DoubleTensor, or its name."""
    kinds = {text: wanted for wanted, text in _TYPES.items()}
    autograd.set_default_dtype(kinds.get(t, getattr(t, "wanted", t)))


@_at("torch.profiler", "torch.autograd.profiler")
class record_function(contextlib.nullcontext):
    """A name for a part of a program; `autograd.profile` shows modules and operations by itself."""


@_at("torch.nn.modules.utils")
def _ntuple(n: int) -> Callable:
    """A function that repeats a number n times, and makes a tuple of whatever can be iterated."""
    return lambda x: tuple(x) if hasattr(x, "__iter__") else (x,) * n


NAMES["torch.nn.modules.utils"].update(_ntuple=_ntuple, _single=_ntuple(1), _pair=_ntuple(2), _triple=_ntuple(3),
                                       _quadruple=_ntuple(4))


@_at("torch.testing")
def assert_close(actual: Any, expected: Any, *, rtol: float | None = None, atol: float | None = None,
                 equal_nan: bool = False, check_dtype: bool = True, msg: Any = None, **options: Any) -> None:
    """Raise an AssertionError unless two tensors are nearly equal, with PyTorch's tolerances for their dtype."""
    actual, expected = autograd.as_tensor(actual), autograd.as_tensor(expected)
    if check_dtype and actual.array.dtype != expected.array.dtype:
        raise AssertionError(f"the dtypes differ: {actual.array.dtype} and {expected.array.dtype}")
    usual = {dtypes.float16: (1e-3, 1e-5), dtypes.float32: (1.3e-6, 1e-5), dtypes.float64: (1e-7, 1e-7)}
    relative, absolute = usual.get(actual.array.dtype, (0, 0))
    np.testing.assert_allclose(actual.array, expected.array, relative if rtol is None else rtol,
                               absolute if atol is None else atol, equal_nan, str(msg or ""))


@_at("torch.utils.tensorboard", "torch.utils.tensorboard.writer")
class SummaryWriter:
    """Scalars, texts and histograms for TensorBoard, if that is installed; otherwise nothing is written."""

    def __init__(self, log_dir: str | None = None, comment: str = "", **options: Any) -> None:
        self.log_dir = log_dir or os.path.join("runs", "current" + comment)
        self.get_logdir = lambda: self.log_dir
        try:
            writer = importlib.import_module("tensorboard.summary").Writer
        except (ImportError, AttributeError):
            warnings.warn("SummaryWriter writes nothing, because TensorBoard is not installed: pip install tensorboard",
                          UserWarning, stacklevel=2)
            self._writer = None
        else:
            self._writer = writer(self.log_dir)

    def add_scalar(self, tag: str, scalar_value: Any, global_step: int | None = None, *args: Any, **kwargs: Any) -> None:
        """A point of a curve."""
        if self._writer is not None:
            self._writer.add_scalar(tag, float(scalar_value), global_step or 0)

    def add_scalars(self, main_tag: str, tag_scalar_dict: dict, global_step: int | None = None, *args: Any) -> None:
        """Points of several curves."""
        for tag, value in tag_scalar_dict.items():
            self.add_scalar(f"{main_tag}/{tag}", value, global_step)

    def _leave_out(self, *args: Any, **kwargs: Any) -> None:
        """Not written."""

    add_text = add_image = add_images = add_figure = add_histogram = add_graph = add_hparams = add_embedding = _leave_out
    add_pr_curve = add_video = add_audio = _leave_out

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


# Running a program

def names_in(source: str) -> Iterator[str]:
    """The dotted names of PyTorch that a program uses by what it imports, e.g. `torch.nn.functional.relu`."""
    tree = ast.parse(source)
    means: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name.partition(".")[0] == "torch":
                    means[name.asname or "torch"] = name.name if name.asname else "torch"
                    yield name.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").partition(".")[0] == "torch":
            for name in node.names:
                if name.name != "*":
                    means[name.asname or name.name] = f"{node.module}.{name.name}"
                    yield f"{node.module}.{name.name}"
    inner: set[ast.AST] = set()
    for node in ast.walk(tree):
        path, part = [], node
        while isinstance(part, ast.Attribute):
            path.append(part.attr)
            inner.add(part.value)
            part = part.value
        if path and node not in inner and isinstance(part, ast.Name) and part.id in means:
            yield ".".join([means[part.id], *reversed(path)])


def missing_in(source: str) -> list[str]:
    """Those names of PyTorch in a program that aren't here."""
    missing: dict[str, None] = {}
    for name in names_in(source):
        found: Any = _module("torch")
        path = "torch"
        for part in name.split(".")[1:]:
            path += f".{part}"
            try:
                found = getattr(found, part)
            except AttributeError:
                missing[path] = None
                break
            if not isinstance(found, (types.ModuleType, type)):
                break
    return list(missing)


def _code_of(program: str) -> tuple[Any, dict[str, Any]]:
    """The code of a program, a script's path or "-m module", and what its module knows of itself."""
    if not program.startswith("-m "):
        path = Path(program)
        return compile(path.read_bytes(), str(path), "exec"), {"__file__": str(path), "__package__": None}
    name = program.removeprefix("-m ")
    spec = importlib.util.find_spec(name)
    if spec is not None and spec.submodule_search_locations is not None:
        spec = importlib.util.find_spec(name := f"{name}.__main__")
    if spec is None or not isinstance(spec.loader, importlib.abc.InspectLoader):
        raise ImportError(f"there is no module {name} that could be run")
    return spec.loader.get_code(spec.name), {"__file__": spec.origin, "__package__": spec.parent}


def run(program: str, name: str = "__main__") -> dict[str, Any]:
    """Run a program whose `import torch` means this project; returns its global names.

    Args:
        program: the path of a script, or "-m module".
        name: its `__name__`.
    """
    install()
    os.environ[_PROGRAM] = program
    code, known = _code_of(program)
    module = types.ModuleType(name)
    module.__dict__.update(known, __spec__=importlib.util.find_spec("nn.as_torch"), __builtins__=__builtins__)
    sys.modules[name] = module  # a worker that is started anew runs nn.as_torch again, as __mp_main__: see below
    exec(code, module.__dict__)
    return module.__dict__


def main(arguments: list[str] | None = None) -> None:
    """The command `python -m nn.as_torch`."""
    parser = argparse.ArgumentParser("python -m nn.as_torch", description="Run a PyTorch program on gradcircuit.")
    parser.add_argument("--missing", action="store_true", help="list what it uses of PyTorch that isn't here")
    parser.add_argument("-m", dest="module", metavar="MODULE", help="run a module, as `python -m` does")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="SCRIPT ...")
    given = parser.parse_args(arguments)
    if not given.module and not given.arguments:
        parser.error("which program? Give a script, or -m and a module")
    program = f"-m {given.module}" if given.module else given.arguments.pop(0)
    if given.module:
        sys.path.insert(0, os.getcwd())
    if given.missing:
        _, known = _code_of(program)
        missing = missing_in(Path(known["__file__"]).read_text(encoding="utf-8"))
        print("\n".join(missing) or "nothing is missing")
        sys.exit(bool(missing))
    if not given.module:
        sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
    sys.argv = [program, *given.arguments]
    atexit.register(_tell_what_is_missing)
    run(program)


def _tell_what_is_missing() -> None:
    if MISSING:
        print(f"of PyTorch, these were asked for and aren't here: {', '.join(MISSING)}", file=sys.stderr)


if __name__ == "__main__":
    from nn import as_torch  # not this copy of it, which is called __main__

    as_torch.main()
elif __name__ == "__mp_main__":  # a worker process, started by multiprocessing: it needs the program's classes
    from nn import as_torch

    globals().update(as_torch.run(os.environ[_PROGRAM], __name__))
