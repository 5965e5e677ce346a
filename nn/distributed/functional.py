"""Calls that can be differentiated: the gradient goes back through all processes."""

from typing import Any

from autograd import Tensor
from autograd.function import Context, Function
from nn.distributed import collectives
from nn.distributed.groups import ProcessGroup


class _Sum(Function):
    @staticmethod
    def forward(ctx: Context, tensor: Tensor, group: ProcessGroup | None) -> Tensor:
        ctx.group = group  # type: ignore[attr-defined]
        total = tensor.clone()
        collectives.all_reduce(total, group=group)
        return total

    @staticmethod
    def backward(ctx: Context, g: Tensor) -> Any:
        return _Sum.apply(g, ctx.group), None  # type: ignore[attr-defined]


def all_reduce(tensor: Tensor, op: collectives.ReduceOp = collectives.ReduceOp.SUM,
               group: ProcessGroup | None = None) -> Tensor:
    """The sum of the tensors of all processes. Its gradient is the sum of theirs.

    Raises:
        ValueError: `op` is another one.
    """
    if op is not collectives.ReduceOp.SUM:
        raise ValueError(f"only ReduceOp.SUM can be differentiated, not {op}")
    return _Sum.apply(tensor, group)
