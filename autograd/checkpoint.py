"""Recompute instead of keep: memory for time.

What the rules inside a checkpointed function need is thrown away after the forward pass; when the backward pass
arrives, the function runs once more and puts it back. Source: Chen, Xu, Zhang, Guestrin, "Training deep nets with
sublinear memory cost" (2016).
"""

from collections.abc import Callable, Sequence
from typing import Any

from autograd import random, sharing
from autograd.backward import reachable
from autograd.clock import clock
from autograd.grad_mode import enable_grad, is_grad_enabled
from autograd.graph import tensors_in
from autograd.notation import Notation
from autograd.table import operation
from autograd.tensor import Node, Tensor


def checkpoint(function: Callable, *args: Any, use_reentrant: bool | None = None, preserve_rng_state: bool = True,
               **kwargs: Any) -> Any:
    """function(*args, **kwargs), keeping none of its intermediate values: the backward pass computes them again.

    Args:
        function: does the same operations each time it is called; returns a Tensor or a tuple of Tensors.
        args: its arguments.
        use_reentrant: PyTorch's; there is only one way here, that of `use_reentrant=False`, which allows everything
            that is allowed without checkpointing: captured parameters, `grad`, higher derivatives.
        preserve_rng_state: let the second run draw the same random numbers (dropout masks) as the first.
        kwargs: its keyword arguments.

    >>> y = checkpoint(model, x)     # instead of y = model(x)
    """
    if not is_grad_enabled():
        return function(*args, **kwargs)
    segment = _Segment(function, args, kwargs, random.get_rng_state() if preserve_rng_state else None)
    result, segment.nodes = segment.run()
    segment.own = [node for node in segment.nodes if node.options is not None]
    segment.forget()
    given = [x for x in (*args, *kwargs.values()) if isinstance(x, Tensor)]

    def end(out: Any) -> Any:
        if not isinstance(out, Tensor):
            return out
        return _end(out.clone() if any(out is x for x in given) else out, segment=segment)
    return end(result) if isinstance(result, Tensor) else type(result)([end(out) for out in result])


def checkpoint_sequential(functions: Sequence[Callable], segments: int, input: Any, **options: Any) -> Any:
    """functions[-1](… functions[0](input)), checkpointed in so many segments."""
    functions = list(functions)
    size = -(-len(functions) // segments)

    def run(part: list[Callable]) -> Callable:
        def forward(x: Any) -> Any:
            for function in part:
                x = function(x)
            return x
        return forward
    for start in range(0, len(functions), size):
        input = checkpoint(run(functions[start:start + size]), input, **options)
    return input


class _Segment:
    """A call that can be repeated, and the nodes it recorded."""

    def __init__(self, function: Callable, args: tuple, kwargs: dict, rng_state: Any) -> None:
        self.function, self.args, self.kwargs, self.rng_state = function, args, kwargs, rng_state
        self.started = next(clock)
        self.nodes: list[Node] = []
        self.own: list[Node] = []  # without those that a checkpoint within this one puts back

    def run(self) -> tuple[Any, list[Node]]:
        """Call the function; returns its result and the nodes that this call recorded, youngest first."""
        start = next(clock)
        with enable_grad():
            result = self.function(*self.args, **self.kwargs)
        roots = [out.node for out in tensors_in(result) if out.node is not None]
        older = _OlderThan(start)
        return result, [node for node in reachable(dict.fromkeys(roots), older) if node not in older]

    def forget(self) -> None:
        """Take from the nodes what their rules need."""
        for node in self.own:
            node.args = node.out = node.options = None  # type: ignore[assignment]

    def restore(self) -> bool:
        """Give the nodes back what their rules need, by running the function again; whether it had to."""
        if all(node.options is not None and node.args is not None for node in self.own):
            return False
        for x in (*self.args, *self.kwargs.values()):
            if isinstance(x, Tensor) and sharing.written_since(x.array, self.started):
                raise RuntimeError(f"an argument of a checkpointed function (shape {x.shape}) was changed in place "
                                   "after the forward pass, so it cannot run again; pass it a copy: t.clone()")
        now = random.get_rng_state()
        if self.rng_state is not None:
            random.set_rng_state(self.rng_state)
        try:
            _, twins = self.run()
        finally:
            random.set_rng_state(now)
        if [node.name for node in twins] != [node.name for node in self.nodes]:
            raise RuntimeError("a checkpointed function must do the same operations whenever it is called; first "
                               f"it did {[n.name for n in self.nodes[::-1]]}, the second time "
                               f"{[n.name for n in twins[::-1]]}")
        originals = dict(zip(twins, self.nodes, strict=True))
        for twin, node in originals.items():
            node.operation, node.args, node.out, node.options = twin.operation, twin.args, twin.out, twin.options
            if node.options and "segment" in node.options:  # a checkpoint within this one
                inner = node.options["segment"]
                inner.nodes = [originals.get(n, n) for n in inner.nodes]
                inner.own = [originals.get(n, n) for n in inner.own]
        return True


class _OlderThan:
    """The nodes recorded before a moment, as a container."""

    def __init__(self, birth: int) -> None:
        self.birth = birth

    def __contains__(self, node: Any) -> bool:
        return node.birth < self.birth


def _end_vjp(g: Any, out: Any, x: Any, segment: _Segment) -> Any:
    segment.restore()  # this node is younger than those of the segment, so its turn is before theirs
    return g


_end = operation(lambda x, *, segment: x, vjps=_end_vjp, names="_checkpoint", flops=0,
                 notation=Notation("checkpoint", "{x}", ("1",)))
