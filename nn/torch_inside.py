"""What packages take from PyTorch's inside: nested containers, operators of their own, what optimizers share.

None of it is documented there, and much code uses it. It adds to NAMES of `nn.torch_scaffolding`.
"""

import collections.abc
import contextlib
import copy
import enum
import functools
import math
import operator
import re
import types
from collections import OrderedDict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import Tensor
from autograd.creation import is_device
from nn import init
from nn.container import ModuleList
from nn.functional.activation import gelu, relu
from nn.functional.loss import chosen
from nn.torch_absent import IN_PYTHON, asked_in, stand_in
from nn.torch_scaffolding import NAMES, _at, _constant, _itself, _put

# Nested containers


class _Kind(NamedTuple):
    """How a kind of container is taken apart, into its children and what else it takes to make it, and put together."""

    flatten: Callable[[Any], tuple[Any, Any]]
    unflatten: Callable[[Any, Any], Any]


def _of_sequence(kind: Callable[[Any], Any]) -> _Kind:
    return _Kind(lambda tree: (list(tree), None), lambda children, context: kind(children))


def _of_dict(kind: Callable[[Any], Any]) -> _Kind:
    return _Kind(lambda tree: (list(tree.values()), list(tree)),
                 lambda children, keys: kind(zip(keys, children, strict=True)))


_KINDS: dict[Any, _Kind] = {
    list: _of_sequence(list), tuple: _of_sequence(tuple), deque: _of_sequence(deque), dict: _of_dict(dict),
    OrderedDict: _of_dict(OrderedDict),
    NamedTuple: _Kind(lambda tree: (list(tree), type(tree)), lambda children, kind: kind._make(children))}


def _kind_of(tree: Any) -> Any:
    return NamedTuple if isinstance(tree, tuple) and hasattr(tree, "_fields") else type(tree)


@_at("torch.utils._pytree")
class TreeSpec:
    """The form of nested containers without their leaves."""

    def __init__(self, type: Any = None, context: Any = None, children_specs: Any = ()) -> None:
        self.type, self.context, self.children_specs = type, context, list(children_specs)
        self.num_leaves: int = 1 if type is None else sum(child.num_leaves for child in self.children_specs)

    def is_leaf(self) -> bool:
        """Whether it is a leaf alone."""
        return self.type is None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeSpec) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.type, *self.children_specs))

    def __repr__(self) -> str:
        return "*" if self.type is None else f"TreeSpec({self.type.__name__}, {self.context}, {self.children_specs})"


def _flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list, TreeSpec]:
    """The leaves of nested containers, and their form."""
    kind = _KINDS.get(_kind_of(tree))
    if kind is None or (is_leaf is not None and is_leaf(tree)):
        return [tree], TreeSpec()
    children, context = kind.flatten(tree)
    parts = [_flatten(child, is_leaf) for child in children]
    return ([leaf for leaves, _ in parts for leaf in leaves],
            TreeSpec(_kind_of(tree), context, [form for _, form in parts]))


def _unflatten(leaves: Any, treespec: TreeSpec) -> Any:
    """Nested containers of that form with these leaves."""
    leaves = iter(leaves)
    if treespec.is_leaf():
        return next(leaves)
    return _KINDS[treespec.type].unflatten([_unflatten(leaves, child) for child in treespec.children_specs],
                                           treespec.context)


def _map(func: Callable, tree: Any, *rests: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    leaves, form = _flatten(tree, is_leaf)
    return _unflatten(map(func, leaves, *[_flatten(rest, is_leaf)[0] for rest in rests]), form)


def _map_only(kind: Any, func: Callable, tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    return _map(lambda leaf: func(leaf) if isinstance(leaf, kind) else leaf, tree, is_leaf=is_leaf)


class _Key(NamedTuple):
    """Where a child is in its container."""

    key: Any


def _dict_with_keys(tree: dict) -> tuple[list, Any]:
    return [(_Key(key), value) for key, value in tree.items()], list(tree)


def _register(cls: type, flatten_fn: Callable, unflatten_fn: Callable, **options: Any) -> None:
    _KINDS[cls] = _Kind(flatten_fn, unflatten_fn)


_put("torch.utils._pytree", {
    "PyTree": Any, "PyTreeSpec": TreeSpec, "LeafSpec": TreeSpec, "SUPPORTED_NODES": _KINDS, "Context": Any,
    "tree_flatten": _flatten, "tree_unflatten": _unflatten, "tree_map": _map, "tree_map_": _map,
    "tree_map_only": _map_only, "tree_leaves": lambda tree, is_leaf=None: _flatten(tree, is_leaf)[0],
    "tree_iter": lambda tree, is_leaf=None: iter(_flatten(tree, is_leaf)[0]),
    "tree_structure": lambda tree, is_leaf=None: _flatten(tree, is_leaf)[1],
    "tree_any": lambda pred, tree, is_leaf=None: any(map(pred, _flatten(tree, is_leaf)[0])),
    "tree_all": lambda pred, tree, is_leaf=None: all(map(pred, _flatten(tree, is_leaf)[0])),
    "register_pytree_node": _register, "_register_pytree_node": _register, "_get_node_type": _kind_of,
    "_is_leaf": lambda tree: _kind_of(tree) not in _KINDS, "_dict_flatten_with_keys": _dict_with_keys,
    "KeyEntry": Any, **dict.fromkeys(("MappingKey", "SequenceKey", "GetAttrKey"), _Key),
    **{f"_{name}_{what}": getattr(_KINDS[kind], what) for name, kind in {
        "list": list, "tuple": tuple, "dict": dict, "namedtuple": NamedTuple}.items() for what in _Kind._fields}})


# Operators of a package's own

_OPERATORS: dict[str, Callable] = {}


class _Operator:
    """A function under the name of an operator, `package::name`; it may have a derivative of its own."""

    def __init__(self, name: str, function: Callable) -> None:
        self._name, self._function = name, function
        self._backward: Callable | None = None
        self._setup: Callable | None = None
        functools.update_wrapper(self, function)
        _OPERATORS[name] = self.default = self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._backward is None or kwargs:
            return self._function(*args, **kwargs)
        made: Any = type(self._name, (autograd.Function,), {
            "forward": staticmethod(self._function), "backward": staticmethod(self._backward),
            "setup_context": staticmethod(self._setup or (lambda ctx, inputs, output: None))})
        return made.apply(*args)

    def register_autograd(self, backward: Callable, /, *, setup_context: Callable | None = None, **how: Any) -> None:
        """Take a derivative."""
        self._backward, self._setup = backward, setup_context

    def register_kernel(self, device_types: Any, func: Callable | None = None) -> Any:
        """Take another function for a device."""
        def take(function: Callable) -> Callable:
            if "cpu" in device_types:
                self._function = function
            return function
        return take if func is None else take(func)

    def register_fake(self, function: Any = None) -> Any:
        """Shapes need not be foretold here."""
        return function

    register_vmap = register_torch_dispatch = register_autocast = register_fake


@_at("torch.library")
def custom_op(name: str, fn: Callable | None = None, /, **options: Any) -> Any:
    """Register a function as an operator."""
    return functools.partial(_Operator, name) if fn is None else _Operator(name, fn)


@_at("torch.library")
class Library:
    """The operators of a package's namespace."""

    def __init__(self, ns: str, kind: str = "DEF", dispatch_key: str = "") -> None:
        self.ns, self.kind = ns, kind

    def define(self, schema: str, *args: Any, **kwargs: Any) -> str:
        """The name of an operator that gets its function later."""
        return schema.partition("(")[0]

    def impl(self, op_name: Any, fn: Any = None, dispatch_key: str = "", **options: Any) -> Any:
        """Register a function for an operator."""
        def take(function: Callable) -> Callable:
            if dispatch_key in ("", "CPU") or dispatch_key.startswith("Composite"):
                _Operator(f"{self.ns}::{op_name}", function)
            return function
        return take if fn is None else take(fn)


@_at("torch.library")
def impl(qualname: Any, types: Any, func: Any = None, *, lib: Any = None) -> Any:
    """Register a function for an operator of a library, or of a full name and some devices."""
    if isinstance(qualname, Library):
        return qualname.impl(types, dispatch_key=func or "")
    ns, _, name = qualname.partition("::")
    return Library(ns).impl(name, func, "CPU" if "cpu" in types or types == "default" else str(types))


def _later(name: str) -> Callable:
    """A function that gives an operator what its method of this name takes."""
    def register(op: Any, *args: Any, lib: Any = None, **kwargs: Any) -> Any:
        known = _OPERATORS.get(op) if isinstance(op, str) else op
        return getattr(known, name)(*args, **kwargs) if known else _itself(*args)
    return register


_put("torch.library", {name: _later(name) for name in (
    "register_fake", "register_kernel", "register_autograd", "register_vmap", "register_torch_dispatch")})
_put("torch.library", {"impl_abstract": _later("register_fake"), "triton_op": custom_op, "wrap_triton": _itself,
                       "define": lambda *args, **kwargs: None})


class _Operators:
    """Those of a namespace, as attributes; PyTorch's own can only be named."""

    def __init__(self, ns: str) -> None:
        self._ns = ns

    def __getattr__(self, name: str) -> Any:
        if f"{self._ns}::{name}" in _OPERATORS:
            return _OPERATORS[f"{self._ns}::{name}"]
        if name.startswith("__"):
            raise AttributeError(name)
        if self._ns in ("aten", "prim", "prims", "higher_order", "c10d", "inductor"):
            return stand_in(f"torch.ops.{self._ns}.{name}", "call the function of torch instead")
        raise AttributeError(f"torch.ops.{self._ns}.{name} isn't here: operators that are written in C++ or CUDA "
                             f"cannot be loaded; {IN_PYTHON} (asked for in {asked_in()})")


class _Namespaces:
    """What is `torch.ops`."""

    loaded_libraries: frozenset[str] = frozenset()

    def load_library(self, path: Any) -> None:
        """Nothing: what a library holds says so when it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Operators(name)


_put("torch", {"ops": _Namespaces()})

# Subclasses of Tensor that would see every call: there are none

_constant(False, "torch.overrides", "has_torch_function has_torch_function_unary has_torch_function_variadic "
                                    "is_tensor_method_or_property")
_put("torch.overrides", {"is_tensor_like": lambda inp: isinstance(inp, Tensor), "get_ignored_functions": set,
                         "get_overridable_functions": dict, "wrap_torch_function": lambda dispatcher: _itself})
_constant(None, "torch._C", "_debug_set_autodiff_subgraph_inlining _get_tracing_state _log_api_usage_once "
                            "_jit_override_can_fuse_on_cpu _jit_override_can_fuse_on_gpu _jit_set_nvfuser_enabled "
                            "_jit_set_profiling_executor _jit_set_profiling_mode _jit_set_texpr_fuser_enabled")
_constant(False, "torch._C", "_are_functorch_transforms_active _get_cudnn_enabled _is_tracing _has_cuda")
_put("torch._C", {"DisableTorchFunction": contextlib.nullcontext, "DisableTorchFunctionSubclass":
                  contextlib.nullcontext, "Generator": autograd.Generator, "_GLIBCXX_USE_CXX11_ABI": True})

# What optimizers share


def _number(x: Any) -> Any:
    return x.item() if isinstance(x, Tensor) else x


def _without_recording(func: Callable) -> Callable:
    """A step of an optimizer, which is recorded only if it says `differentiable`."""
    @functools.wraps(func)
    def step(self: Any, *args: Any, **kwargs: Any) -> Any:
        with autograd.set_grad_enabled(bool(self.defaults.get("differentiable"))):
            return func(self, *args, **kwargs)
    return step


def _by_dtype(lists: Any, with_indices: bool = False) -> dict:
    """Lists of tensors, sorted by the dtypes of the first."""
    groups: dict[Any, Any] = {}
    for i, row in enumerate(zip(*[each or [None] * len(lists[0]) for each in lists], strict=True)):
        group = groups.setdefault((row[0].device, row[0].dtype), ([[] for _ in lists], []))
        for each, tensor in zip(group[0], row, strict=True):
            each.append(tensor)
        group[1].append(i)
    return groups


_put("torch.optim.optimizer", {
    "_use_grad_for_differentiable": _without_recording, "_get_value": _number, "_to_scalar": _number,
    "_stack_if_compiling": _number, "_dispatch_sqrt": lambda x: x.sqrt() if isinstance(x, Tensor) else np.sqrt(x),
    "_disable_dynamo_if_unsupported": lambda single_tensor_fn=None: _itself,
    "_group_tensors_by_device_and_dtype": _by_dtype,
    "_RequiredParameter": type(NAMES["torch.optim.optimizer.required"]),
    "_get_scalar_dtype": lambda is_fused=None: NAMES["torch.float32"]})
_constant((False, False), "torch.optim.optimizer", "_default_to_fused_or_foreach")
_constant([], "torch.optim.optimizer", "_get_capturable_supported_devices _get_foreach_kernels_supported_devices "
                                       "_get_fused_kernels_supported_devices")
_constant(None, "torch.optim.optimizer", "_view_as_real _device_dtype_check_for_fused")
_put("torch.optim.optimizer", dict.fromkeys(("_foreach_doc", "_fused_doc", "_maximize_doc", "_params_doc",
                                             "_capturable_doc", "_differentiable_doc"), ""))
_put("torch.utils._foreach_utils", {"_group_tensors_by_device_and_dtype": _by_dtype})
_constant(False, "torch.utils._foreach_utils", "_device_has_foreach_support _has_foreach_support")
_constant([], "torch.utils._foreach_utils", "_get_foreach_kernels_supported_devices "
                                            "_get_fused_kernels_supported_devices")

_put("torch.utils.data.dataloader", {"_collate_fn_t": Callable, "_worker_init_fn_t": Callable})
@_at("torch._C._nn")
def _parse_to(*args: Any, device: Any = None, dtype: Any = None, non_blocking: bool = False,
              memory_format: Any = None) -> tuple[Any, Any, bool, Any]:
    """What `to` was given: a device, a dtype, whether to wait, and a memory format; None for what wasn't."""
    for wish in args:
        if isinstance(wish, Tensor):
            device, dtype = wish.device, wish.dtype
        elif isinstance(wish, bool):
            non_blocking = wish
        elif is_device(wish):
            device = wish
        else:
            dtype = wish
    return None if device is None else NAMES["torch.device"](device), dtype, non_blocking, memory_format


_put("torch.utils.data", {"functional_datapipe": lambda name: _itself})

# Several devices, of which there is one


@_at("torch.nn.parallel.scatter_gather", "torch.nn.parallel")
def scatter_kwargs(inputs: Any, kwargs: Any, target_gpus: Any, dim: int = 0) -> tuple[tuple, tuple]:
    """Arguments for each device."""
    return (inputs,), (kwargs or {},)


_put("torch.nn.parallel", {
    "scatter": lambda inputs, target_gpus, dim=0: [inputs], "gather": lambda outputs, target_device, dim=0:
    _map(lambda *parts: parts[0] if len(parts) == 1 else autograd.cat(parts, dim), *outputs),
    "replicate": lambda network, devices, detach=False: [network],
    "parallel_apply": lambda modules, inputs, kwargs_tup=None, devices=None: [
        module(*args, **kwargs) for module, args, kwargs in zip(modules, inputs, kwargs_tup or [{}] * len(modules),
                                                                strict=True)],
    "data_parallel": lambda module, inputs, *devices, module_kwargs=None: module(
        *(inputs if isinstance(inputs, tuple) else (inputs,)), **(module_kwargs or {}))})
_put("torch.nn.parallel.scatter_gather", {name: NAMES[f"torch.nn.parallel.{name}"] for name in ("scatter", "gather")})
_constant(([], []), "torch.utils.checkpoint", "get_device_states")
_constant(None, "torch.utils.checkpoint", "set_device_states set_checkpoint_early_stop set_checkpoint_debug_enabled")

_put("torch.distributed", {"Backend": types.SimpleNamespace(
    UNDEFINED="undefined", GLOO="gloo", NCCL="nccl", UCC="ucc", MPI="mpi", XCCL="xccl")})
_constant(False, "torch.distributed", "is_gloo_available is_nccl_available is_ucc_available is_xccl_available "
                                      "is_torchelastic_launched")

# Kernels to choose from, of which there is one


@_at("torch.nn.attention", "torch.backends.cuda")
class SDPBackend(enum.Enum):
    """Ways to compute attention."""

    ERROR, MATH, FLASH_ATTENTION, EFFICIENT_ATTENTION, CUDNN_ATTENTION, OVERRIDEABLE = range(-1, 5)


@_at("torch.nn.attention")
@_at("torch.backends.cuda", name="sdp_kernel")
@_at("torch.autograd.graph", name="save_on_cpu")
@_at("torch.autograd.graph", name="disable_saved_tensors_hooks")
class sdpa_kernel(contextlib.ContextDecorator, contextlib.nullcontext):
    """Changes nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()


_constant(None, "torch.backends.cuda", "enable_flash_sdp enable_math_sdp enable_mem_efficient_sdp enable_cudnn_sdp "
                                       "preferred_linalg_library")
_constant(False, "torch.backends.cuda", "flash_sdp_enabled mem_efficient_sdp_enabled cudnn_sdp_enabled "
                                        "can_use_flash_attention can_use_efficient_attention")
_constant(True, "torch.backends.cuda", "math_sdp_enabled")
_constant(None, "torch.backends.cudnn", "version")

def _unflattened(flat: Tensor, tensors: Any) -> list[Tensor]:
    """The parts of a vector, in the shapes of these tensors."""
    parts = autograd.split(flat, [tensor.numel() for tensor in tensors])
    return [part.reshape(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


_put("torch._utils", {
    "_flatten_dense_tensors": lambda tensors: autograd.cat([tensor.reshape(-1) for tensor in tensors]),
    "_unflatten_dense_tensors": _unflattened, "_get_device_index": lambda *args, **kwargs: -1})

# Names of types and modules

_put("torch.nn.common_types", dict.fromkeys([f"_{name}_t" for name in (
    *[f"{kind}_{n}" for kind in ("size", "scalar_or_tuple") for n in range(1, 7)], "size_any", "size_any_opt",
    "size_2_opt", "size_3_opt", "scalar_or_tuple_any", "ratio_2", "ratio_3", "ratio_any", "tensor_list",
    "maybe_indices")], Any))
_put("torch.nn._reduction", {
    "get_enum": ("none", "mean", "sum").index, "legacy_get_string":
    lambda size_average=None, reduce=None, emit_warning=True: chosen("mean", size_average, reduce)})
_put("torch.nn.modules.module", {
    "_addindent": lambda s_, numSpaces: s_.replace("\n", "\n" + " " * numSpaces), "_EXTRA_STATE_KEY_SUFFIX":  # noqa: N803
    "_extra_state"})
_put("torch.nn.init", {
    "_calculate_correct_fan": lambda tensor, mode: init.fans(tensor)[("fan_in", "fan_out").index(mode.lower())],
    "_no_grad_uniform_": init.uniform_, "_no_grad_normal_": init.normal_, "_no_grad_trunc_normal_": init.trunc_normal_,
    "_no_grad_fill_": init.constant_, "_no_grad_zero_": init.zeros_})
_put("torch._six", {"string_classes": str, "int_classes": int, "container_abcs": collections.abc, "inf": math.inf,
                    "nan": math.nan})
_put("torch.nn.modules.utils", {"_reverse_repeat_tuple": lambda t, n: tuple(x for x in reversed(t) for _ in range(n))})
_put("torch.nn.functional", {f"BroadcastingList{n}": list for n in (1, 2, 3)})
_put("torch.nn.modules.transformer", {
    "_get_activation_fn": {"relu": relu, "gelu": gelu}.__getitem__,
    "_get_clones": lambda module, number: ModuleList([copy.deepcopy(module) for _ in range(number)])})
_put("torch.types", {"_size": Any, "_int": int, "_float": float, "_bool": bool, "_dtype": NAMES["torch.dtype"],
                     "_device": NAMES["torch.device"], "FileLike": Any, "Storage": Any, "IntLikeType": int,
                     "FloatLikeType": float, "BoolLikeType": bool, "Size": NAMES["torch.Size"]})


_put("torch._tensor_str", {
    "PRINT_OPTS": types.SimpleNamespace(precision=4, threshold=1000, edgeitems=3, linewidth=80, sci_mode=None),
    "_tensor_str": lambda tensor, indent=0: str(tensor).removeprefix("tensor(").removesuffix(")")})
_put("torch.distributions.utils", {
    "_standard_normal": lambda shape, dtype, device=None: autograd.randn(shape, dtype=dtype), "tril_matrix_to_vec":
    lambda mat, diag=0: mat[(..., *autograd.tril_indices(mat.shape[-2], mat.shape[-1], diag))]})


@_at("torch")
def typename(obj: Any) -> str:
    """The name of a thing's type."""
    if isinstance(obj, Tensor):
        return obj.type()
    kind = obj if hasattr(obj, "__qualname__") else type(obj)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


@_at("torch.torch_version")
class TorchVersion(str):
    """The version, which may be compared with text and with tuples of numbers."""

    __slots__ = ()

    def _numbers(self, other: Any) -> tuple[list[int], list[int]]:
        parts = [str(self).split("+")[0].split("."),
                 str(other).split("+")[0].split(".") if isinstance(other, str) else list(other)]
        ours, theirs = ([int("".join(filter(str.isdigit, str(part))) or 0) for part in each] for each in parts)
        length = max(len(ours), len(theirs))
        return ours + [0] * (length - len(ours)), theirs + [0] * (length - len(theirs))

    __lt__, __le__, __gt__, __ge__ = (
        (lambda self, other, compare=compare: compare(*self._numbers(other)))
        for compare in (operator.lt, operator.le, operator.gt, operator.ge))


_put("torch", {"__version__": TorchVersion("2.13.0+gradcircuit")})
_put("torch.version", {"__version__": NAMES["torch.__version__"]})


def _checked(name: str) -> Callable:
    def check(cond: Any, message: Any = None) -> None:
        if not cond:
            raise (AssertionError if name == "_assert" else RuntimeError)(
                message() if callable(message) else message or "what was expected does not hold")
    return check


_put("torch", {name: _checked(name) for name in ("_assert", "_assert_async", "_check")})
_put("torch", {"_check_is_size": lambda i, message=None: None, "sym_int": int, "sym_float": float, "sym_max": max,
               "sym_min": min, "sym_not": operator.not_, "_shape_as_tensor": lambda x: autograd.tensor(list(x.shape))})
_CACHE = Path.home() / ".cache" / "torch"
_put("torch", {"OutOfMemoryError": MemoryError, "__file__": __file__})
_put("torch.hub", {"get_dir": lambda: str(_CACHE / "hub"), "_get_torch_home": lambda: str(_CACHE),
                   "set_dir": lambda d: None, "HASH_REGEX": re.compile(r"-([a-f0-9]*)\.")})

_constant(True, "torch.autograd", "_is_checkpoint_valid")

_put("torch.autograd.functional", {
    "_construct_standard_basis_for": lambda tensors, tensor_numels: autograd.split(
        autograd.eye(sum(tensor_numels), dtype=tensors[0].array.dtype), list(tensor_numels), 1),
    "_as_tuple": lambda inp, arg_name=None, fn_name=None: (True, inp) if isinstance(inp, tuple) else (False, (inp,)),
    "_tuple_postprocess": lambda res, to_unpack: res if to_unpack is True else res[0],
    "_grad_postprocess": lambda inputs, create_graph: inputs if create_graph else _map_only(
        Tensor, Tensor.detach, inputs)})

# Methods as functions

_put("torch", {name: getattr(Tensor, name) for name in dir(Tensor)
               if name[0] != "_" and name.endswith("_") and name[:-1] in vars(autograd)})
_put("torch", {"detach": Tensor.detach, "detach_": Tensor.detach_, "zero_": Tensor.zero_, "real": lambda input: input,
               "conj": lambda input: input, "conj_physical": lambda input: input, "resolve_conj": lambda input: input,
               "resolve_neg": lambda input: input, "is_conj": lambda input: False, "is_neg": lambda input: False})
