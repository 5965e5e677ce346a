"""The calls that processes make together. All of a group must make the same calls in the same order."""

import enum
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.errors import users_frame
from autograd.inplace import write
from nn.distributed.groups import ProcessGroup, resolved

_SIGNATURE = 512  # bytes


class ReduceOp(enum.Enum):
    """How values of all processes become one."""

    SUM = "SUM"
    AVG = "AVG"
    PRODUCT = "PROD"
    MIN = "MIN"
    MAX = "MAX"
    BAND = "BAND"
    BOR = "BOR"
    BXOR = "BXOR"


class Work:
    """A call under way, of `async_op=True`: its results are there after `wait()`."""

    def __init__(self, group: ProcessGroup, what: str, request: Any, then: Callable[[], None]) -> None:
        self._group, self._what, self._request, self._then = group, what, request, then
        self._done = False

    def is_completed(self) -> bool:
        """Whether the results are there. Asking lets MPI get on with it."""
        if not self._done and (self._request is None or self._request.Test()):
            self._done = True
            self._then()
        return self._done

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the results, `timeout` seconds at most (default: the group's).

        Raises:
            RuntimeError: another process has ended, or the time is over.
        """
        if not self.is_completed():
            self._group.wait_until(self.is_completed, self._what, timeout)
        return True


# Arrays on their way

def _values(tensor: Tensor) -> np.ndarray:
    """The array of a tensor, which can be written to."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"a Tensor belongs here, not a {type(tensor).__name__}; for other objects there are "
                        "broadcast_object_list and all_gather_object")
    if isinstance(tensor.array, np.generic):  # a computed number, which has no memory to write to
        tensor.array = np.array(tensor.array)
    return tensor.array


def _summable(tensor: Tensor) -> np.ndarray:
    """Its values in one piece, of a type that MPI can add and in which sums don't overflow."""
    array = _values(tensor)
    dtype = {"float16": np.float32, "bool": np.int64}.get(array.dtype.name, array.dtype)
    return np.asarray(array, dtype, order="C")


def _bytes(tensor: Tensor) -> np.ndarray:
    """Its values in one piece, as bytes: nothing is computed with them."""
    array = np.asarray(_values(tensor), order="C")
    return array.reshape(-1).view(np.uint8)


def _put(tensor: Tensor, data: np.ndarray) -> None:
    """Write what has arrived, bytes or values, into a tensor."""
    if data.dtype == np.uint8 and tensor.dtype != np.uint8:
        data = data.view(tensor.dtype)
    write(tensor, ..., data.reshape(tensor.shape))


def _put_each(tensors: Sequence[Tensor], rows: np.ndarray) -> None:
    for tensor, row in zip(tensors, rows, strict=True):
        _put(tensor, row)


def _check_list(name: str, tensors: Sequence[Tensor] | None, like: Tensor, group: ProcessGroup) -> Sequence[Tensor]:
    """One tensor for each process, all as large.

    Raises:
        ValueError: there are more or fewer, or others.
    """
    if tensors is None or len(tensors) != len(group.ranks):
        raise ValueError(f"{name} must have one tensor for each of the {len(group.ranks)} processes, not "
                         f"{'None' if tensors is None else len(tensors)}")
    for i, tensor in enumerate(tensors):
        if tensor.shape != like.shape or tensor.dtype != like.dtype:
            raise ValueError(f"{name}[{i}] has shape {tensor.shape} and dtype {tensor.dtype}, but the tensor "
                             f"{like.shape}, {like.dtype}; they must be equal")
    return tensors


# One call

def _call(group: ProcessGroup, name: str, tensor: Tensor | None, then: Callable[[], None], async_op: bool, *,
          send: Any = None, receive: np.ndarray | None = None, op: ReduceOp | None = None,
          root: int | None = None) -> Work | None:
    """Begin a call; what has arrived in `receive` is taken from there by `then`.

    Args:
        group: who makes it.
        name: PyTorch's.
        tensor: what it is about, of the same shape and dtype on all processes.
        then: is called when all is there.
        async_op: return before that.
        send: the array that goes out; None if it is in `receive` already.
        receive: the array that comes in.
        op: how values become one.
        root: the number in the group of the one that sends or gets all.
    """
    group.calls += 1
    what = f"{name} (call {group.calls} of {group})"
    if group.comm is None:  # alone
        if receive is not None and send is not None:
            receive[...] = send.reshape(receive.shape)
        request = None
    else:
        if group.debug:
            _compare(group, name, tensor, op, root)
        request = _REQUESTS[name](group.comm, send, receive, op, root)
    work = Work(group, what, request, then)
    if async_op:
        return work
    work.wait()
    return None


def _in_place() -> Any:
    from mpi4py import MPI
    return MPI.IN_PLACE


def _mpi_op(op: ReduceOp) -> Any:
    from mpi4py import MPI
    return MPI.SUM if op is ReduceOp.AVG else getattr(MPI, op.value)


_REQUESTS: dict[str, Callable[..., Any]] = {
    "barrier": lambda comm, send, receive, op, root: comm.Ibarrier(),
    "broadcast": lambda comm, send, receive, op, root: comm.Ibcast(receive, root),
    "all_reduce": lambda comm, send, receive, op, root: comm.Iallreduce(_in_place(), receive, _mpi_op(op)),
    "reduce": lambda comm, send, receive, op, root: comm.Ireduce(send, receive, _mpi_op(op), root),
    "all_gather": lambda comm, send, receive, op, root: comm.Iallgather(send, receive),
    "gather": lambda comm, send, receive, op, root: comm.Igather(send, receive, root),
    "scatter": lambda comm, send, receive, op, root: comm.Iscatter(send, receive, root),
    "reduce_scatter": lambda comm, send, receive, op, root: comm.Ireduce_scatter_block(send, receive, _mpi_op(op)),
}


def _compare(group: ProcessGroup, name: str, tensor: Tensor | None, op: ReduceOp | None, root: int | None) -> None:
    """See whether all processes of the group are about to make the same call.

    Raises:
        RuntimeError: they aren't; it says for each what, and where.
    """
    what = "" if tensor is None else f"{tensor.dtype}{list(tensor.shape)}"
    what += f", {op.name}" if op else ""
    what += "" if root is None else f", of rank {group.ranks[root]}"
    frame, _ = users_frame()
    text = f"{name}({what})\n at {frame.f_code.co_filename}:{frame.f_lineno}" if frame else f"{name}({what})\n"
    own, each = np.zeros(_SIGNATURE, np.uint8), np.empty((len(group.ranks), _SIGNATURE), np.uint8)
    encoded = np.frombuffer(text.encode()[:_SIGNATURE], np.uint8)
    own[:len(encoded)] = encoded
    request = group.comm.Iallgather(own, each)
    group.wait_until(request.Test, f"{name} (the comparison before call {group.calls} of {group})")
    calls = [row.tobytes().rstrip(b"\0").decode(errors="replace") for row in each]
    if len({call.partition("\n")[0] for call in calls}) > 1:
        lines = [f"\n  rank {rank}: {call.replace(chr(10), '')}" for rank, call in zip(group.ranks, calls, strict=True)]
        raise RuntimeError(f"the processes do not agree on call {group.calls} of {group}:{''.join(lines)}")


def _reduced(tensor: Tensor, array: np.ndarray, op: ReduceOp, group: ProcessGroup) -> None:
    """Write a sum (or the like) into a tensor."""
    if op is ReduceOp.AVG:
        if array.dtype.kind != "f":
            raise TypeError(f"AVG is for floating tensors, not {tensor.dtype}; write op=ReduceOp.SUM")
        array = np.divide(array, array.dtype.type(len(group.ranks)), out=array)
    write(tensor, ..., array)


def _op(op: Any) -> ReduceOp:
    if not isinstance(op, ReduceOp):
        raise ValueError(f"op must be one of {', '.join(f'ReduceOp.{op.name}' for op in ReduceOp)}, not {op!r}")
    return op


# The calls

def barrier(group: ProcessGroup | None = None, async_op: bool = False, device_ids: object = None) -> Work | None:
    """Wait until all are here."""
    group = resolved(group)
    return None if group.rank < 0 else _call(group, "barrier", None, _nothing, async_op)


def _nothing() -> None:
    pass


def broadcast(tensor: Tensor, src: int = 0, group: ProcessGroup | None = None, async_op: bool = False) -> Work | None:
    """Give all processes the values of process `src`, in the place of their own."""
    group = resolved(group)
    if group.rank < 0:
        return None
    data = _bytes(tensor)
    return _call(group, "broadcast", tensor, lambda: _put(tensor, data), async_op, receive=data, root=group.index(src))


def all_reduce(tensor: Tensor, op: ReduceOp = ReduceOp.SUM, group: ProcessGroup | None = None,
               async_op: bool = False) -> Work | None:
    """Give all processes the sum (average, product, minimum, maximum) of the tensors of all, in their place.

    All get the same, bit for bit. float16 is added in float32; of booleans SUM is "any", PRODUCT "all".

    Raises:
        RuntimeError: another process has ended or is late.

    >>> nn.distributed.init_process_group()
    >>> loss = autograd.tensor(2.5)
    >>> nn.distributed.all_reduce(loss, nn.distributed.ReduceOp.AVG); loss
    tensor(2.5000)
    >>> nn.distributed.destroy_process_group()
    """
    group, op = resolved(group), _op(op)
    if group.rank < 0:
        return None
    array = _summable(tensor)
    return _call(group, "all_reduce", tensor, lambda: _reduced(tensor, array, op, group), async_op, receive=array,
                 op=op)


def reduce(tensor: Tensor, dst: int = 0, op: ReduceOp = ReduceOp.SUM, group: ProcessGroup | None = None,
           async_op: bool = False) -> Work | None:
    """Give process `dst` the sum (or the like) of the tensors of all; the others keep theirs."""
    group, op = resolved(group), _op(op)
    if group.rank < 0:
        return None
    root, array = group.index(dst), _summable(tensor)
    result = np.empty_like(array) if root == group.rank else None
    then = _nothing if result is None else lambda: _reduced(tensor, result, op, group)
    return _call(group, "reduce", tensor, then, async_op, send=array, receive=result, op=op, root=root)


def all_gather(tensor_list: Sequence[Tensor], tensor: Tensor, group: ProcessGroup | None = None,
               async_op: bool = False) -> Work | None:
    """Give all processes the tensors of all, written into those of `tensor_list`.

    Raises:
        ValueError: there isn't one for each process, or it has another shape or dtype.
    """
    group = resolved(group)
    if group.rank < 0:
        return None
    tensors, data = _check_list("tensor_list", tensor_list, tensor, group), _bytes(tensor)
    rows = np.empty((len(group.ranks), data.size), np.uint8)
    return _call(group, "all_gather", tensor, lambda: _put_each(tensors, rows), async_op, send=data, receive=rows)


def all_gather_into_tensor(output_tensor: Tensor, input_tensor: Tensor, group: ProcessGroup | None = None,
                           async_op: bool = False) -> Work | None:
    """Give all processes the tensors of all, one after the other along the first axis of `output_tensor`."""
    return all_gather(_parts("output_tensor", output_tensor, input_tensor, resolved(group)), input_tensor, group,
                      async_op)


def gather(tensor: Tensor, gather_list: Sequence[Tensor] | None = None, dst: int = 0,
           group: ProcessGroup | None = None, async_op: bool = False) -> Work | None:
    """Give process `dst` the tensors of all, written into those of its `gather_list`; the others give none."""
    group = resolved(group)
    if group.rank < 0:
        return None
    root, data = group.index(dst), _bytes(tensor)
    if root != group.rank:
        return _call(group, "gather", tensor, _nothing, async_op, send=data, root=root)
    tensors = _check_list("gather_list", gather_list, tensor, group)
    rows = np.empty((len(group.ranks), data.size), np.uint8)
    return _call(group, "gather", tensor, lambda: _put_each(tensors, rows), async_op, send=data, receive=rows,
                 root=root)


def scatter(tensor: Tensor, scatter_list: Sequence[Tensor] | None = None, src: int = 0,
            group: ProcessGroup | None = None, async_op: bool = False) -> Work | None:
    """Give each process one of the tensors that process `src` has in `scatter_list`."""
    group = resolved(group)
    if group.rank < 0:
        return None
    root, data, rows = group.index(src), np.empty_like(_bytes(tensor)), None
    if root == group.rank:
        rows = np.stack([_bytes(each) for each in _check_list("scatter_list", scatter_list, tensor, group)])
    return _call(group, "scatter", tensor, lambda: _put(tensor, data), async_op, send=rows, receive=data, root=root)


def reduce_scatter(output: Tensor, input_list: Sequence[Tensor], op: ReduceOp = ReduceOp.SUM,
                   group: ProcessGroup | None = None, async_op: bool = False) -> Work | None:
    """Give process i the sum (or the like) over all processes of their `input_list[i]`."""
    group, op = resolved(group), _op(op)
    if group.rank < 0:
        return None
    rows = np.stack([_summable(each) for each in _check_list("input_list", input_list, output, group)])
    result = np.empty(output.shape, rows.dtype)
    return _call(group, "reduce_scatter", output, lambda: _reduced(output, result, op, group), async_op, send=rows,
                 receive=result, op=op)


def reduce_scatter_tensor(output: Tensor, input: Tensor, op: ReduceOp = ReduceOp.SUM,
                          group: ProcessGroup | None = None, async_op: bool = False) -> Work | None:
    """`reduce_scatter` of the parts of one tensor, which lie one after the other along its first axis."""
    return reduce_scatter(output, _parts("input", input, output, resolved(group)), op, group, async_op)


def _parts(name: str, whole: Tensor, part: Tensor, group: ProcessGroup) -> list[Tensor]:
    """The parts of a tensor, one for each process, which share its memory."""
    count = len(group.ranks)
    if whole.dtype != part.dtype or whole.shape not in ((count, *part.shape), (count * part.size(0), *part.shape[1:])
                                                        if part.ndim else ((count,),)):
        raise ValueError(f"{name} has shape {whole.shape} and dtype {whole.dtype}; for {count} processes and tensors "
                         f"of shape {part.shape}, {part.dtype} it must be {(count, *part.shape)} of that dtype")
    if not whole.is_contiguous():
        raise ValueError(f"{name} must lie in memory in one piece; write {name}.contiguous()")
    array = _values(whole).reshape(count, *part.shape)
    return [Tensor(array[i, ...]) for i in range(count)]


# From one to another

def isend(tensor: Tensor, dst: int, group: ProcessGroup | None = None, tag: int = 0) -> Work:
    """Begin to send a tensor to process `dst`, which must call `recv`; it must stay as it is until `wait()`."""
    group = resolved(group)
    other, data = group.index(dst), _bytes(tensor)
    if other == group.rank:
        raise ValueError(f"rank {dst} is this process itself")
    return Work(group, f"send to rank {dst}", group.comm.Isend(data, other, tag), _nothing)


def irecv(tensor: Tensor, src: int, group: ProcessGroup | None = None, tag: int = 0) -> Work:
    """Begin to receive a tensor from process `src`, written into `tensor` by the end of `wait()`."""
    group = resolved(group)
    other, data = group.index(src), np.empty_like(_bytes(tensor))
    if other == group.rank:
        raise ValueError(f"rank {src} is this process itself")
    return Work(group, f"recv from rank {src}", group.comm.Irecv(data, other, tag), lambda: _put(tensor, data))


def send(tensor: Tensor, dst: int, group: ProcessGroup | None = None, tag: int = 0) -> None:
    """Send a tensor to process `dst`, which must call `recv`."""
    isend(tensor, dst, group, tag).wait()


def recv(tensor: Tensor, src: int, group: ProcessGroup | None = None, tag: int = 0) -> int:
    """Receive a tensor, of the same shape and dtype, from process `src`; returns `src`."""
    irecv(tensor, src, group, tag).wait()
    return src


# Any objects, by pickle

def all_gather_object(object_list: list[Any], obj: Any, group: ProcessGroup | None = None) -> None:
    """Give all processes the objects of all, in the places of `object_list`."""
    group = resolved(group)
    if group.rank < 0:
        return
    if len(object_list) != len(group.ranks):
        raise ValueError(f"object_list must have a place for each of the {len(group.ranks)} processes, not "
                         f"{len(object_list)}")
    own = np.frombuffer(pickle.dumps(obj), np.uint8)
    sizes = [Tensor(np.zeros(1, np.int64)) for _ in group.ranks]
    all_gather(sizes, Tensor(np.array([own.size])), group)
    padded = np.zeros(max(int(size.item()) for size in sizes), np.uint8)
    padded[:own.size] = own
    rows = [Tensor(np.empty_like(padded)) for _ in group.ranks]
    all_gather(rows, Tensor(padded), group)
    object_list[:] = [pickle.loads(row.array[:size.item()].tobytes()) for row, size in zip(rows, sizes, strict=True)]


def broadcast_object_list(object_list: list[Any], src: int = 0, group: ProcessGroup | None = None,
                          device: object = None) -> None:
    """Give all processes the objects that process `src` has in `object_list`, in the places of their own."""
    group = resolved(group)
    if group.rank < 0:
        return
    data = np.frombuffer(pickle.dumps(object_list), np.uint8).copy()
    size = Tensor(np.array([data.size]))
    broadcast(size, src, group)
    whole = Tensor(data if group.index(src) == group.rank else np.zeros(int(size.item()), np.uint8))
    broadcast(whole, src, group)
    object_list[:] = pickle.loads(whole.array.tobytes())
