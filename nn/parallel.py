"""Models on several processors: `DistributedDataParallel` in several processes; `DataParallel` has only one."""

import contextlib
import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.backward import after_this_pass
from autograd.hooks import RemovableHandle
from autograd.inplace import write
from nn import distributed
from nn.distributed import ProcessGroup, ReduceOp
from nn.distributed.groups import resolved
from nn.module import Module

__all__ = ["DataParallel", "DistributedDataParallel"]

_listening: weakref.WeakKeyDictionary[Module, list[RemovableHandle]] = weakref.WeakKeyDictionary()
"""Module -> the hooks of the DistributedDataParallel that averages its gradients."""
_FIRST = 1 << 20
"""Bytes of the first bucket: small, so that something is on its way soon."""


class DataParallel(Module):
    """The module itself, as its attribute `module`, so that names in the state_dict begin with "module.".

    One process has one device here; what spreads the work over processes is `DistributedDataParallel`.

    Args:
        module: the model.
        device_ids: is accepted for PyTorch's sake.
        output_device: likewise.
        dim: likewise.

    >>> list(DataParallel(nn.Linear(3, 2)).state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(self, module: Module, device_ids: Sequence[Any] | None = None, output_device: Any = None,
                 dim: int = 0) -> None:
        super().__init__()
        self.module, self.dim = module, dim
        self.device_ids: list[Any] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)


class DistributedDataParallel(Module):
    """The module as `module`, in each process; `backward()` averages the gradients over all (Li et al. 2020).

    All begin with the parameters and buffers of rank 0, get the same gradients, and so make the same steps. With a loss
    that is a mean, and as many examples on each rank, that is what one process would do with all the examples; else
    divide a sum by the number of all examples, and multiply it by the number of processes. A closure of LBFGS must
    return the average loss of all.

    Gradients travel in buckets, in reverse order of the parameters, while the backward pass still runs. When
    `backward()` returns they are all there, so that clipping and the step need nothing special.

    Args:
        module: the model, the same in each process.
        device_ids: is accepted for PyTorch's sake, as are `output_device`, `dim`, `check_reduction`, `static_graph`.
        output_device: see `device_ids`.
        dim: likewise.
        broadcast_buffers: give all the buffers of rank 0 (such as running statistics) at the end of each backward pass
            that averages gradients.
        init_sync: compare the modules, and give all the state of rank 0, now.
        process_group: the processes; default all.
        bucket_cap_mb: how many MiB of gradients travel together; default 25.
        find_unused_parameters: some parameters may get no gradient in a pass. Those that get none on any rank are left
            as they are; without this, one that gets none is an error.
        check_reduction: see `device_ids`.
        gradient_as_bucket_view: let `.grad` be a view into its bucket, which spares a copy. The next pass writes to it.
        static_graph: see `device_ids`.

    Raises:
        RuntimeError: init_process_group() was not called, there is nothing to train, or the modules differ.

    >>> nn.distributed.init_process_group()
    >>> model = DistributedDataParallel(nn.Linear(3, 1))
    >>> model(autograd.ones(2, 3)).sum().backward()
    >>> nn.distributed.destroy_process_group()
    """

    def __init__(self, module: Module, device_ids: Sequence[Any] | None = None, output_device: Any = None, dim: int = 0,
                 broadcast_buffers: bool = True, init_sync: bool = True, process_group: ProcessGroup | None = None,
                 bucket_cap_mb: float | None = None, find_unused_parameters: bool = False,
                 check_reduction: bool = False, gradient_as_bucket_view: bool = False,
                 static_graph: bool = False) -> None:
        super().__init__()
        self.module, self.broadcast_buffers = module, broadcast_buffers
        self.find_unused_parameters, self.gradient_as_bucket_view = find_unused_parameters, gradient_as_bucket_view
        self.process_group = resolved(process_group).twin()  # its calls go out whenever a gradient is complete
        self.require_backward_grad_sync = True
        self.bucket_bytes_cap = int((25 if bucket_cap_mb is None else bucket_cap_mb) * (1 << 20))
        if not any(p.requires_grad for p in module.parameters()):
            raise RuntimeError("DistributedDataParallel: no parameter of the module requires gradients, so there is "
                               "nothing to average; use the module as it is")
        if init_sync:
            self._begin_alike()
        self._listen()

    def _listen(self) -> None:
        """Be told of each gradient that is complete."""
        self._names: dict[Tensor, str] = {p: name for name, p in self.module.named_parameters() if p.requires_grad}
        self._buckets = [_Bucket(part) for part in _parts(list(self._names)[::-1], self.bucket_bytes_cap)]
        self._bucket_of: dict[Tensor, _Bucket] = {p: bucket for bucket in self._buckets for p in bucket.places}
        self._sent = 0
        for handle in _listening.get(self.module, ()):  # wrapped anew, it is averaged once
            handle.remove()
        _listening[self.module] = [p.register_post_accumulate_grad_hook(self._complete) for p in self._names]

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        return self.module(*inputs, **kwargs)

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """Backward passes in this block only add up gradients; the first one after it averages what has added up.

        >>> nn.distributed.init_process_group()
        >>> model = DistributedDataParallel(nn.Linear(3, 1))
        >>> with model.no_sync():
        ...     model(autograd.ones(2, 3)).sum().backward()
        >>> model(autograd.ones(2, 3)).sum().backward()
        >>> nn.distributed.destroy_process_group()
        """
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_names", "_buckets", "_bucket_of")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._listen()  # hooks are not copied with a tensor

    def _begin_alike(self) -> None:
        group = self.process_group
        state = {**dict(self.module.named_parameters()), **dict(self.module.named_buffers())}
        outlines: list[Any] = [None] * len(group.ranks)
        distributed.all_gather_object(outlines, [(name, t.shape, str(t.dtype)) for name, t in state.items()], group)
        for rank, outline in zip(group.ranks, outlines, strict=True):
            if outline != outlines[0]:
                ours, theirs = next(((a, b) for a, b in zip(outlines[0], outline, strict=False) if a != b),
                                    (f"{len(outlines[0])} tensors", f"{len(outline)} tensors"))
                raise RuntimeError("DistributedDataParallel: the module must be the same in all processes, but rank "
                                   f"{group.ranks[0]} has {ours} where rank {rank} has {theirs}")
        for tensor in state.values():
            distributed.broadcast(tensor, group.ranks[0], group)

    # A backward pass

    def _complete(self, p: Tensor) -> None:
        """The gradient of a parameter is complete: put it into its bucket, and send those that are full, in turn."""
        if not self.require_backward_grad_sync:
            return
        if after_this_pass(self._finish):
            self._sent = 0
            for bucket in self._buckets:
                bucket.begin()
        self._bucket_of[p].put(p)
        while self._sent < len(self._buckets) and not self._buckets[self._sent].missing:
            self._send()
        for bucket in self._buckets[:self._sent]:
            bucket.work.is_completed()

    def _send(self) -> None:
        self._buckets[self._sent].send(self.process_group)
        self._sent += 1

    def _finish(self) -> None:
        """The backward pass has ended: send what is left, wait for all, and give back the averages."""
        missing = {p: None for bucket in self._buckets for p in bucket.missing}
        if missing and not self.find_unused_parameters:
            names = ", ".join(self._names[p] for p in list(missing)[:4]) + (", …" if len(missing) > 4 else "")
            raise RuntimeError(f"{len(missing)} of {len(self._names)} parameters got no gradient in this backward pass "
                               f"({names}), so that the others wait for it in vain; write "
                               "find_unused_parameters=True if that is meant")
        strangers = [name for name, p in self.module.named_parameters()
                     if p.requires_grad and p.grad is not None and p not in self._names]
        if strangers:
            names = ", ".join(strangers[:4]) + ", …" * (len(strangers) > 4)
            raise RuntimeError(f"the gradients of {names} are not averaged, since these parameters were replaced, or "
                               "began to require gradients, after the module was wrapped; wrap it anew")
        for p in missing:
            self._bucket_of[p].put(p)
        while self._sent < len(self._buckets):
            self._send()
        used = Tensor(np.array([p not in missing or p.grad is not None for p in self._names]))
        if self.find_unused_parameters:
            distributed.all_reduce(used, ReduceOp.MAX, self.process_group)
        for bucket in self._buckets:
            bucket.work.wait()
        for p, one in zip(self._names, used.array, strict=True):
            if one:
                self._bucket_of[p].give_back(p, self.gradient_as_bucket_view)
        if self.broadcast_buffers:
            self._share_buffers()

    def _share_buffers(self) -> None:
        buffers = list(self.module.buffers())
        if not buffers:
            return
        own = [np.asarray(buffer.array, order="C").reshape(-1).view(np.uint8) for buffer in buffers]
        all_of_them = Tensor(np.concatenate(own))
        distributed.broadcast(all_of_them, self.process_group.ranks[0], self.process_group)
        for buffer, before, now in zip(buffers, own, np.split(all_of_them.array, np.cumsum([a.size for a in own])[:-1]),
                                       strict=True):
            if not np.array_equal(before, now):  # others, such as masks, may be read in another backward pass
                write(buffer, ..., now.view(buffer.dtype).reshape(buffer.shape))


class _Bucket:
    """Gradients that travel together.

    Attributes:
        places: each parameter, and where in the bucket its gradient is.
        missing: the parameters whose gradients of this pass are not complete yet.
        work: the bucket on its way.
    """

    work: distributed.Work

    def __init__(self, parameters: list[Tensor]) -> None:
        self._whole = Tensor(np.zeros(sum(p.numel() for p in parameters), parameters[0].dtype))
        ends = np.cumsum([p.numel() for p in parameters])
        self.places: dict[Tensor, np.ndarray] = {
            p: self._whole.array[end - p.numel():end].reshape(p.shape)
            for p, end in zip(parameters, ends, strict=True)}
        self.missing: dict[Tensor, None] = {}

    def begin(self) -> None:
        """No gradient is there yet."""
        self.missing = dict.fromkeys(self.places)

    def put(self, p: Tensor) -> None:
        """The gradient of a parameter, 0 if there is none, goes to its place."""
        if p.grad is not None and p.grad.requires_grad:
            raise RuntimeError("backward(create_graph=True) can't go through DistributedDataParallel: the averages "
                               "have no history; differentiate model.module")
        place = self.places[p]
        if p.grad is None:
            place[...] = 0
        elif p.grad.array is not place:
            place[...] = p.grad.array
        self.missing.pop(p, None)

    def send(self, group: ProcessGroup) -> None:
        """Begin to average with the other processes."""
        work = distributed.all_reduce(self._whole, ReduceOp.AVG, group, async_op=True)
        assert work is not None
        self.work = work

    def give_back(self, p: Tensor, view: bool) -> None:
        """Let `.grad` be the average."""
        place = self.places[p]
        if view:
            if p.grad is None or p.grad.array is not place:
                p.grad = Tensor(place)
        elif p.grad is None or not isinstance(p.grad.array, np.ndarray):
            p.grad = Tensor(place.copy())
        else:
            write(p.grad, ..., place)


def _parts(parameters: list[Tensor], limit: float) -> Iterator[list[Tensor]]:
    """Neighbors of one dtype, up to `limit` bytes together (the first of them to less)."""
    part: list[Tensor] = []
    room = min(limit, _FIRST)
    for p in parameters:
        if part and (p.dtype != part[0].dtype or sum(q.nbytes for q in part) + p.nbytes > room):
            yield part
            part, room = [], limit
        part.append(p)
    yield part
