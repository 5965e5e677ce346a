"""What only PyTorch has: it may be imported, named and inherited from, and says so when it is used.

A package that mentions such a thing beside its mathematics, in an annotation or a branch that is never taken, goes on
as it would with PyTorch. ABSENT says why each isn't here; `nn.as_torch` finds all of it by PyTorch's full names.
"""

import functools
import inspect
import sys
import types
from typing import Any

from nn.module import Module

_COMPLEX = "there are no complex tensors here; write the real and the imaginary part as two real ones"
_SPARSE = "there are no sparse tensors here, only dense ones"
_QUANTIZED = "NumPy has no quantized numbers"
_TRACED = "nothing is traced or compiled here: call the function or module itself"
_DISTRIBUTED = "of torch.distributed only what nn.distributed has is here (docs/distributed.md)"
_CPU_ONLY = "there is only the CPU; ask torch.cuda.is_available() first"
_FETCHED = "nothing is fetched; download the file, and read it with torch.load"
NO_DUALS = "there are no dual tensors here; write torch.func.jvp"
_PIPES = "data pipes aren't here; write a Dataset or an IterableDataset"
IN_PYTHON = "take the package's way in Python, if it has one"
_INSIDE = "it is inside of PyTorch, and isn't here"

ABSENT = {
    "torch.fft": _COMPLEX,
    "torch.sparse": _SPARSE,
    "torch.cuda.sparse": _SPARSE,
    "torch.nested": "there are no nested tensors here; pad them to one length",
    **dict.fromkeys(("torch.quantization", "torch.ao", "torch.nn.quantized", "torch.nn.intrinsic", "torch.nn.qat",
                     "torch.nn.quantizable"), _QUANTIZED),
    **dict.fromkeys(("torch.fx", "torch.export", "torch._export", "torch._dynamo", "torch._inductor", "torch.onnx",
                     "torch._functorch", "torch._subclasses", "torch._guards", "torch.jit", "torch.package"), _TRACED),
    **dict.fromkeys(("torch.distributed", "torch.multiprocessing.reductions"), _DISTRIBUTED),
    **dict.fromkeys(("torch.hub", "torch.utils.model_zoo"), _FETCHED),
    "torch.utils.cpp_extension": f"no C++ or CUDA is built here; {IN_PYTHON}",
    "torch.classes": "classes that are written in C++ aren't here",
    **dict.fromkeys(("torch._C", "torch._prims", "torch._prims_common", "torch._decomp", "torch._refs", "torch._ops",
                     "torch.utils._python_dispatch", "torch.overrides.TorchFunctionMode"), _INSIDE),
    "torch.autograd.forward_ad": NO_DUALS,
    "torch.autograd.graph.saved_tensors_hooks": "rules keep what they need; write autograd.checkpoint to keep less",
    "torch.profiler": "write `with autograd.profile() as profile: ...`, and print(profile)",
    "torch.autograd.profiler": "write `with autograd.profile() as profile: ...`, and print(profile)",
    "torch.nn.attention": "write F.scaled_dot_product_attention",
    "torch.nn.grad": "write autograd.grad of the convolution",
    "torch.utils.flop_counter": "write nn.summary(model, input), which counts them",
    "torch.quasirandom": "Sobol's numbers aren't here",
    "torch.utils.benchmark": "write timeit.Timer",
    "torchvision": "this part of torchvision isn't here",
    "torch.utils.dlpack": "write torch.from_numpy(np.from_dlpack(other))",
}
"""A module or name of PyTorch -> why it, and all in it that isn't elsewhere in the tables, isn't here."""


def _each(place: str, why: str, names: str) -> None:
    ABSENT.update({f"{place}.{name}": why for name in names.split()})


_each("torch", _COMPLEX, "complex polar view_as_complex view_as_real view_as_complex_copy view_as_real_copy stft istft")
_each("torch", _SPARSE, "sparse_coo_tensor sparse_csr_tensor sparse_csc_tensor sparse_bsr_tensor sparse_bsc_tensor "
                        "sparse_compressed_tensor smm hspmm sspaddmm saddmm dsmm")
_each("torch.optim", _SPARSE, "SparseAdam")
for _place in ("torch.nn", "torch.nn.modules", "torch.nn.modules.normalization"):
    _each(_place, "write LocalResponseNorm, which is the same", "CrossMapLRN2d")
_each("torch", _QUANTIZED, "quantize_per_tensor quantize_per_channel quantize_per_tensor_dynamic dequantize qscheme "
                           "fake_quantize_per_tensor_affine fake_quantize_per_channel_affine")
_each("torch", _TRACED, "SymInt SymFloat SymBool ScriptModule ScriptFunction ScriptObject while_loop cond")
_each("torch", _CPU_ONLY, "Stream Event")
_each("torch", _INSIDE, "PyTorchFileReader PyTorchFileWriter return_types empty_strided")
_each("torch", "write numpy.frombuffer, and torch.from_numpy", "BoolStorage ByteStorage CharStorage DoubleStorage "
                                                               "FloatStorage HalfStorage IntStorage LongStorage")
_each("torch.cuda", _CPU_ONLY,
      "CUDAGraph Event ExternalStream Stream StreamContext cudart current_device current_stream default_stream device "
      "device_of get_device_capability get_device_name get_device_properties get_rng_state graph "
      "graphs is_current_stream_capturing make_graphed_callables mem_get_info memory memory_stats memory_summary nccl "
      "nvtx profiler set_device set_rng_state set_stream stream utilization")
_each("torch.utils.data", _PIPES, "DataChunk DFIterDataPipe IterDataPipe MapDataPipe datapipes")
_each("torch.utils.data.dataloader", _INSIDE, "_BaseDataLoaderIter _DatasetKind _MultiProcessingDataLoaderIter "
                                              "_SingleProcessDataLoaderIter")
_each("torch", _DISTRIBUTED, "Future")
_each("torch.futures", _DISTRIBUTED, "collect_all wait_all")


class Absent(type):
    """The type of what stands for a thing that only PyTorch has: a class, so that it fits wherever PyTorch's would.

    Nothing is an instance of it. Its attributes are of the same kind, and calling it raises a RuntimeError; a function
    that it decorates raises it when it is called, and what a package makes of it while it is imported, when it is used.
    """

    path: str
    why: str

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if len(args) == 1 and isinstance(args[0], types.FunctionType):  # as a decorator
            return functools.wraps(args[0])(lambda *args, **kwargs: cls())
        if _is_importing(_asker()):  # a package that only mentions it
            return stand_in(f"{cls.path}(...)", cls.why)
        raise RuntimeError(f"{cls.path}: {cls.why} (asked for in {asked_in()})")

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return stand_in(f"{cls.path}.{name}", cls.why)

    def __getitem__(cls, item: Any) -> Any:
        return cls

    def __repr__(cls) -> str:
        return f"<{cls.path}, which only PyTorch has>"


@functools.cache
def stand_in(path: str, why: str) -> Any:
    """What stands for a thing of PyTorch of this full name."""
    place, _, name = path.rpartition(".")
    bases = (Module,) if name in ("GraphModule", "ScriptModule", "RecursiveScriptModule") else ()
    return Absent(name, bases, {"path": path, "why": why, "__module__": place,
                                "__doc__": f"Only PyTorch has it: {why}."})


def _asker() -> Any:
    """The frame that a program or package has come from to the door."""
    frame: Any = sys._getframe(1)
    while frame.f_back and (frame.f_globals.get("__name__") in _DOOR or "importlib" in frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def _is_importing(frame: Any) -> bool:
    """Whether it runs, or was called, while a module other than the program itself is imported."""
    while frame:
        of_a_module = not frame.f_code.co_flags & inspect.CO_OPTIMIZED
        if of_a_module and frame.f_globals.get("__name__") not in ("__main__", "__mp_main__"):
            return True
        frame = frame.f_back
    return False


def asked_in() -> str:
    """Its file and line."""
    frame = _asker()
    return f"{frame.f_code.co_filename}, line {frame.f_lineno}"


_DOOR = ("nn.as_torch", "nn.torch_absent", "nn.torch_inside")


def why_absent(path: str) -> str:
    """Why a thing of PyTorch isn't here, if that is known: it, or what it is in, is in the table."""
    while path:
        if path in ABSENT:
            return ABSENT[path]
        path = path.rpartition(".")[0]
    return ""
