"""PyTorch's files: read without PyTorch and without running what they say, and written.

A file of `torch.save` is a pickle, which says what was saved, and the bytes of storages, which tensors are views of.
There are three forms: an archive (since 1.6), several pickles one after the other (before), and TorchScript's archive,
which is read as the state_dict of its module. Read off from files, with pickletools and zipfile.
"""

import math
import os
import re
import zipfile
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, BinaryIO

import numpy as np

from autograd import Tensor
from autograd.runtime import files
from nn.parameter import Parameter
from nn.serialization import pickles
from nn.serialization.archive import member
from nn.serialization.content import Content, from_bfloat16, native
from nn.serialization.nesting import taken_apart

MAGIC = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19"
"""The number with which the form before 1.6 begins, after the pickle's protocol."""
_PROTOCOL = 1001
_BFLOAT16 = np.dtype([("bfloat16", "<u2")])
"""The upper halves of float32s, which is what they become."""
_STORAGES = {"Double": "f8", "Float": "f4", "Half": "f2", "Long": "i8", "Int": "i4", "Short": "i2", "Char": "i1",
             "Byte": "u1", "Bool": "?"}
_DTYPES = {"float64": "f8", "double": "f8", "float32": "f4", "float": "f4", "float16": "f2", "half": "f2",
           "int64": "i8", "long": "i8", "int32": "i4", "int": "i4", "int16": "i2", "short": "i2", "int8": "i1",
           "uint8": "u1", "uint16": "u2", "uint32": "u4", "uint64": "u8", "bool": "?"}
_ALIGNMENT = 64


# Reading: what the names in a pickle stand for. Each is given what a file says, which may be anything.

def _tensor(storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any = False, hooks: Any = None,
            dtype: Any = None, metadata: Any = None) -> Tensor:
    if isinstance(dtype, np.dtype):
        storage = _typed(storage, dtype)
    if (not isinstance(storage, np.ndarray) or not all(isinstance(each, tuple) for each in (size, stride))
            or len(size) != len(stride) or len(size) > 64
            or not all(type(n) is int and 0 <= n < 2 ** 62 for n in (offset, *size, *stride))):
        raise ValueError(f"a tensor of size {size}, stride {stride} and offset {offset}")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if math.prod(size) and last >= len(storage):
        raise ValueError(f"a tensor of size {size}, stride {stride} and offset {offset} reaches beyond its storage of "
                         f"{len(storage)} elements")
    array = np.lib.stride_tricks.as_strided(storage[offset:] if math.prod(size) else storage[:0], size,
                                            [step * storage.itemsize for step in stride])
    return Tensor(array, bool(requires_grad) and storage.dtype.kind == "f")


def _typed(storage: Any, dtype: np.dtype) -> np.ndarray:
    """A storage of bytes, or of any dtype, as one of another."""
    if not isinstance(storage, np.ndarray):
        raise ValueError(f"a {type(storage).__name__} in the place of a storage")
    return storage.view(np.uint8).view(dtype)


def _parameter(data: Any, requires_grad: Any = True, hooks: Any = None, state: Any = None) -> Parameter:
    if not isinstance(data, Tensor):
        raise ValueError(f"a {type(data).__name__} in the place of a parameter's tensor")
    return Parameter(data.detach(), bool(requires_grad))


def _rebuilt(function: Any, kind: Any, arguments: Any, state: Any) -> Any:
    """A tensor of a class, or with attributes: `kind` is one of ours, so it's known; the attributes are left out."""
    return function(*arguments) if callable(function) and isinstance(arguments, tuple) else None


class _NumPyDtype:
    """The dtype of a NumPy number, which a pickle gives its byte order afterward."""

    def __init__(self, code: Any, *others: Any) -> None:
        if not isinstance(code, str) or not re.fullmatch(r"[<>=|]?[fiub]\d\d?", code):
            raise ValueError(f"NumPy's dtype {code!r}")
        self.dtype = np.dtype(code)

    def build(self, state: Any) -> "_NumPyDtype":
        """Take the state that a pickle gives it."""
        if isinstance(state, tuple) and state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])
        return self


def _number(dtype: Any, data: Any) -> Any:
    """A NumPy number, which becomes Python's."""
    if not isinstance(dtype, _NumPyDtype) or not isinstance(data, bytes):
        raise ValueError("a NumPy number without dtype or bytes")
    return np.frombuffer(data, dtype.dtype)[0].item()


class _NumPyArray:
    """An array before a pickle gives it its state."""

    def __init__(self, *parts: Any) -> None:
        pass

    def build(self, state: Any) -> np.ndarray:
        """The array, of what a pickle gives it."""
        match state:
            case (_, tuple(shape), _NumPyDtype() as dtype, fortran_order, bytes(data)):
                array = np.frombuffer(bytearray(data), dtype.dtype).reshape(shape, order="F" if fortran_order else "C")
                return native(array)
        raise ValueError("a NumPy array of something else than numbers")


class _Script(dict):
    """The attributes of an object of TorchScript, by name."""

    def __init__(self, names: tuple[str, ...] | None) -> None:
        self.names = names

    def build(self, state: Any) -> "_Script":
        """Take the attributes that a pickle gives it."""
        return pickles.put(self, [part for pair in dict(state).items() for part in pair])

    def tensors(self, path: str = "") -> Iterator[tuple[str, Tensor]]:
        """The parameters and buffers, here and below, under their dotted names."""
        for name in self.names if self.names is not None else self:
            if isinstance(self.get(name), Tensor):
                yield path + name, self[name].detach()
        for name, value in self.items():
            if isinstance(value, _Script):
                yield from value.tensors(f"{path}{name}.")


_NAMES: dict[str, Any] = {
    "collections.OrderedDict": lambda *items: pickles.put(OrderedDict(), [part for pair in (items or ((),))[0]
                                                                          for part in pair]),
    "collections.Counter": lambda counts=(): Counter(pickles.put({}, [part for pair in dict(counts).items()
                                                                      for part in pair])),
    "torch.Size": lambda size=(): tuple(size),
    "torch.device": lambda kind, *index: str(kind),
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": lambda *parts: _tensor(*parts[:6]),
    "torch._utils._rebuild_tensor_v3": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._tensor._rebuild_from_type_v2": _rebuilt,
    "torch.Tensor": "Tensor", "torch.nn.parameter.Parameter": "Parameter",
    "torch.storage.UntypedStorage": np.dtype(np.uint8), "torch.BFloat16Storage": _BFLOAT16,
    "torch.bfloat16": _BFLOAT16,
    "_codecs.encode": lambda text, *encoding: text.encode("latin1"),
    "numpy.dtype": _NumPyDtype, "numpy.ndarray": "ndarray",
    **{f"numpy.{core}.multiarray.{name}": made for core in ("core", "_core")
       for name, made in (("scalar", _number), ("_reconstruct", _NumPyArray))},
    **{f"torch.jit._pickle.{name}": lambda value, *kind: value  # a list, or a dictionary, whose type is told as well
       for name in ("build_intlist", "build_doublelist", "build_boollist", "build_tensorlist", "restore_type_tag")},
    **{f"{module}.set": lambda *items: pickles.put(set(), *items) for module in ("builtins", "__builtin__")},
    **{f"torch.{name}Storage": np.dtype("<" + code) for name, code in _STORAGES.items()},
    **{f"torch.{name}": np.dtype("<" + code) for name, code in _DTYPES.items()},
}
"""All that a file may name; of this, only functions are ever called."""


def _named(name: str, others: Callable[[str], Any] | None = None) -> Any:
    found = _NAMES.get(name, others and others(name))
    if found is None and re.fullmatch(r"torch\.(storage\.)?(\w+Storage|complex\w+|float8\w*|q\w+)", name):
        raise NotImplementedError(f"it has numbers of a kind that NumPy's tensors cannot hold ({name}); convert them "
                                  "before saving, e.g. with .float()")
    if found is None:
        raise NotImplementedError(
            f"it names {name}, and what is neither a tensor nor a container isn't loaded, since that would run its "
            "code; load the file with PyTorch, where its code is at hand, and save model.state_dict() alone")
    return found


def opened_archive(content: np.ndarray, entries: Mapping[str, zipfile.ZipInfo]) -> Any:
    """What an archive of this content, with these members, holds; the storages stay where they are.

    Raises:
        ValueError: it is damaged. (Others follow from what else is wrong.)
        NotImplementedError: it needs what isn't loaded.
    """
    root = next(name for name in entries if name.endswith("/data.pkl")).removesuffix("data.pkl")
    big = root + "byteorder" in entries and bytes(member(content, entries[root + "byteorder"])) == b"big"
    program = pickles.operations(Content(member(content, entries[root + "data.pkl"])))
    storages: dict[tuple, np.ndarray] = {}

    def storage(identity: Any) -> np.ndarray:
        dtype, key, count = _identified(identity)
        if (key, dtype) not in storages:
            name = f"{root}data/{key}"
            if name not in entries:
                raise ValueError(f"there is no member '{name}'")
            storages[key, dtype] = _numbers(member(content, entries[name]), dtype, count, f"'{name}'", big)
        return storages[key, dtype]
    if root + "constants.pkl" not in entries:
        return pickles.run(program, _named, storage)
    declared = _declared(content, entries, root)
    script = pickles.run(program, partial(_named, others=lambda name: (
        partial(_Script, declared.get(name)) if name.startswith("__torch__.") else None)), storage)
    return OrderedDict(script.tensors()) if isinstance(script, _Script) else script


def _declared(content: np.ndarray, entries: Mapping[str, zipfile.ZipInfo], root: str) -> dict[str, tuple[str, ...]]:
    """Class of TorchScript -> the names of its parameters and buffers, as its source declares them."""
    found: dict[str, tuple[str, ...]] = {}
    for name in entries:
        if name.startswith(root + "code/") and name.endswith(".py"):
            source = bytes(member(content, entries[name])).decode()
            module = name.removeprefix(root + "code/").removesuffix(".py").replace("/", ".")
            for kind, body in re.findall(r"^class (\w+)\(.*?\):\n((?:  .*\n|\n)*)", source, re.MULTILINE):
                lists = re.findall(r"^  __(?:parameters|buffers)__ = \[(.*)\]$", body, re.MULTILINE)
                found[f"{module}.{kind}"] = tuple(re.findall(r'"(.*?)"', " ".join(lists)))
    return found


def opened_pickles(content: np.ndarray) -> Any:
    """What a file of this content holds that was written by PyTorch before 1.6; its storages are copied if need be.

    Raises:
        ValueError: it is damaged. (Others follow from what else is wrong.)
        NotImplementedError: it needs what isn't loaded.
    """
    parts = Content(content)

    def data() -> Any:
        return pickles.run(pickles.operations(parts), _named, _identified)
    _, protocol, system = data(), data(), data()
    if protocol != _PROTOCOL:
        raise ValueError(f"it has protocol {protocol}, where {_PROTOCOL} is known")
    storages: dict[str, np.ndarray] = {}
    kinds: dict[str, np.dtype] = {}

    def storage(identity: Any) -> np.ndarray:
        dtype, key, count = _identified(identity)
        if key not in storages:
            if count * dtype.itemsize > len(content):
                raise ValueError(f"storage '{key}' of {count} numbers in a file of {len(content)} bytes")
            kinds[key] = dtype
            storages[key] = np.empty(count, np.float32 if dtype == _BFLOAT16 else dtype.newbyteorder("="))
        view = identity[5] if len(identity) > 5 else None
        return storages[key] if view is None else storages[key][view[1]:view[1] + view[2]]
    result = pickles.run(pickles.operations(parts), _named, storage)
    big = isinstance(system, dict) and not system.get("little_endian", True)
    for key in data():
        if key not in kinds:
            raise ValueError(f"no tensor is in its storage {key!r}")
        count = int.from_bytes(parts.read(8), "big" if big else "little")
        raw = np.frombuffer(parts.read(count * kinds[key].itemsize), np.uint8)
        storages[key][:] = _numbers(raw, kinds[key], len(storages[key]), f"storage '{key}'", big)
    return result


def _identified(identity: Any) -> tuple[np.dtype, str, int]:
    """The dtype, key and number of elements in the persistent id of a storage."""
    match identity:
        case ("storage", np.dtype() as dtype, key, _, int(count), *_) if count >= 0:
            return dtype, str(key), count
    raise ValueError(f"a storage is called {identity!r:.100}")


def _numbers(data: np.ndarray, dtype: np.dtype, count: int, name: str, big: bool) -> np.ndarray:
    """The elements of a storage: its bytes, where they lie, if they can be used as they are."""
    if len(data) != count * dtype.itemsize:
        raise ValueError(f"{name} of {count} numbers has {len(data)} bytes, not {count * dtype.itemsize}")
    if dtype == _BFLOAT16:
        return from_bfloat16(data.view(">u2" if big else "<u2"))
    if dtype.kind == "b":
        return data.astype(bool) if (data > 1).any() else data.view(bool)  # no odd numbers
    return native(data.view(dtype.newbyteorder(">" if big else "<")))


# Writing

def save(obj: Any, f: str | os.PathLike | BinaryIO, arrays_as_tensors: bool = True) -> None:
    """Write `obj`, as `nn.save` takes it, to a file that `torch.load` reads.

    Tensors that overlap in memory share a storage there, too. NumPy's arrays become tensors: as arrays, which
    `torch.save` leaves them, `torch.load` reads them only with weights_only=False.
    """
    arrays: dict[str, np.ndarray] = {}
    bare: dict[str, np.ndarray] = {}
    tree = taken_apart(obj, arrays, numbers=True, bare=None if arrays_as_tensors else bare)
    storages, views = _as_storages(arrays)
    views.update({name: _as_array(array) for name, array in bare.items()})
    if isinstance(f, (str, os.PathLike)):
        with files.replacing(f) as file:
            _write(file, tree, storages, views)
    else:
        _write(f, tree, storages, views)


def _write(file: Any, tree: Any, storages: list[np.ndarray], views: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        parts: list[tuple[str, Any]] = [("data.pkl", pickles.whole(_pickled(tree, views))), ("byteorder", b"little"),
                                        *[(f"data/{i}", storage) for i, storage in enumerate(storages)],
                                        ("version", b"3\n")]
        for name, data in parts:
            info = zipfile.ZipInfo(f"archive/{name}")
            size = getattr(data, "nbytes", len(data))
            large = size > zipfile.ZIP64_LIMIT // 2
            start = archive.start_dir + len(info.filename) + 30 + 4 + 20 * large
            padding = -start % _ALIGNMENT
            info.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding  # so every number is aligned
            with archive.open(info, "w", force_zip64=large) as member:
                for begin in range(0, len(data), 1 << 20):
                    piece = data[begin:begin + (1 << 20)]
                    member.write(piece if isinstance(piece, bytes) else piece.tobytes())


def _pickled(tree: Any, views: Mapping[str, bytes]) -> bytes:
    """The operations that make what `taken_apart` gave, with those of each tensor."""
    if not isinstance(tree, dict):
        return pickles.plain(tree)
    (kind, content), = tree.items()
    if kind == "dict":
        return pickles.dict_of(*[pickles.plain(key) + _pickled(value, views) for key, value in content])
    if kind in ("list", "tuple"):
        return (pickles.list_of if kind == "list" else pickles.tuple_of)(*[_pickled(part, views) for part in content])
    return views[content]


def _as_array(array: np.ndarray) -> bytes:
    """What makes a NumPy array."""
    dtype = pickles.built(pickles.call(pickles.name("numpy", "dtype"), pickles.plain(array.dtype.str[1:]),
                                       pickles.plain(False), pickles.plain(True)),
                          pickles.tuple_of(pickles.plain(3), pickles.plain(array.dtype.newbyteorder("<").str[0]),
                                           *[pickles.plain(None)] * 3, *map(pickles.plain, (-1, -1, 0))))
    empty = pickles.call(pickles.name("numpy.core.multiarray", "_reconstruct"), pickles.name("numpy", "ndarray"),
                         pickles.tuple_of(pickles.plain(0)), pickles.byte_string(b"b"))
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return pickles.built(empty, pickles.tuple_of(
        pickles.plain(1), pickles.tuple_of(*map(pickles.plain, array.shape)), dtype, pickles.plain(False),
        pickles.byte_string(data)))


def _as_storages(arrays: Mapping[str, np.ndarray]) -> tuple[list[np.ndarray], dict[str, bytes]]:
    """The memory that arrays lie in, one for those that overlap, and what makes a tensor of it, for each array."""
    names = {np.dtype(code): name for name, code in _STORAGES.items()}
    ready = {}
    for name, array in arrays.items():
        plainly = array.dtype.isnative and array.flags.aligned and all(
            step >= 0 and step % array.itemsize == 0 for step in array.strides)
        ready[name] = array if plainly and array.size else np.array(array, array.dtype.newbyteorder("="), order="C")
    bounds = {name: np.lib.array_utils.byte_bounds(array) for name, array in ready.items()}
    groups: list[tuple[int, int, np.dtype, list[str]]] = []  # start, end, dtype, who
    for name in sorted(ready, key=lambda name: (ready[name].dtype.str, bounds[name])):
        (low, high), dtype = bounds[name], ready[name].dtype
        if groups and groups[-1][2] == dtype and low < groups[-1][1] and (low - groups[-1][0]) % dtype.itemsize == 0:
            start, end, _, who = groups.pop()
            groups.append((start, max(end, high), dtype, [*who, name]))
        else:
            groups.append((low, high, dtype, [name]))
    storages: list[np.ndarray] = []
    views: dict[str, bytes] = {}
    integer = pickles.plain
    for start, end, dtype, who in groups:
        first = ready[who[0]]
        count = (end - start) // dtype.itemsize if first.size else 0
        storage = np.lib.stride_tricks.as_strided(first, (count,), (dtype.itemsize,), writeable=False)
        kind = pickles.name("torch", f"{names[dtype]}Storage") if dtype in names else pickles.name(
            "torch.storage", "UntypedStorage")
        identity = pickles.tuple_of(pickles.plain("storage"), kind, pickles.plain(str(len(storages))),
                                    pickles.plain("cpu"), integer(count if dtype in names else count * dtype.itemsize))
        for name in who:
            array = ready[name]
            shape, strides = arrays[name].shape, [step // dtype.itemsize for step in array.strides]
            arguments = [pickles.persistent(identity), integer((bounds[name][0] - start) // dtype.itemsize),
                         pickles.tuple_of(*map(integer, shape)), pickles.tuple_of(*map(integer, strides)),
                         pickles.plain(False), pickles.call(pickles.name("collections", "OrderedDict"))]
            if dtype in names:
                views[name] = pickles.call(pickles.name("torch._utils", "_rebuild_tensor_v2"), *arguments)
            else:
                views[name] = pickles.call(pickles.name("torch._utils", "_rebuild_tensor_v3"), *arguments,
                                           pickles.name("torch", dtype.name))
        storages.append(storage)
    return storages, views
