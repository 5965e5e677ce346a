"""What must hold for a layer or a model: the gradients of its parameters and inputs, in training and in use."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd.graph import grad
from autograd.random import manual_seed
from autograd.tensor import Tensor
from autograd.testing.diagnosis import GradientError
from autograd.testing.gradcheck import check_derivatives
from autograd.testing.properties import flatten, literal, outputs_of


def check_module(make: Callable[[], Any], args: Sequence[Any], options: dict[str, Any] | None = None, *, order: int = 2,
                 seed: int = 0, unused: Sequence[str] = ()) -> bool:
    """Check everything that must hold for a module at these arguments, in float64.

    - Two runs from the same state and the same seed give the same; eval mode changes no buffer.
    - In train and in eval mode the derivatives in every parameter and every floating input, up to `order`, agree with
      central differences, and every parameter that requires gradients gets one.
    - A second module, made anew, gives the same results and gradients once it has loaded the state_dict of the first.

    Args:
        make: returns a new module. It needs named_parameters(), state_dict(), load_state_dict(), train() and eval();
            named_buffers() if it has any.
        args: arrays, lists of arrays, and anything else; arrays become Tensors.
        options: keyword arguments of forward.
        order: the highest order of derivatives.
        seed: of `manual_seed` before each run, and of the random directions.
        unused: names of parameters that get no gradient.

    Returns:
        Whether the module is differentiable there; False on a kink.

    Raises:
        GradientError: what does not hold, in which mode, and the arguments.
    """
    manual_seed(seed)
    module = _double(make())
    smooth = True
    mode = "making it"
    try:
        for mode in ("train", "eval"):
            getattr(module, mode)()
            smooth &= _Run(module, args, options or {}, seed).check(order, unused)
        mode = "a state_dict round trip"
        _check_round_trip(module, make, args, options or {}, seed)
    except GradientError as error:
        error.add_note(f"after {mode}, manual_seed({seed}), of the module\n{module}\n"
                       f"with arguments [{', '.join(map(literal, args))}], {options or {}}")
        raise
    return smooth


class _Run:
    """A module's forward as a function of its parameters and inputs, always from the same state."""

    def __init__(self, module: Any, args: Sequence[Any], options: dict[str, Any], seed: int) -> None:
        self.module, self.options, self.seed = module, options, seed
        arrays, self.rebuild = flatten(args)
        self.inputs = [Tensor(x, requires_grad=True) for x in arrays]
        self.parameters = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self.wrt = [*self.inputs, *self.parameters.values()]
        self.names = [*(f"input {i}" for i in range(len(arrays))), *self.parameters]

    def __call__(self, *inputs: Tensor) -> Any:
        args = [Tensor(a) if isinstance(a, np.ndarray) else a for a in self.rebuild(inputs)]
        with _state_kept(self.module):
            manual_seed(self.seed)
            return self.module(*args, **self.options)

    def check(self, order: int, unused: Sequence[str]) -> bool:
        results = [out for out in outputs_of(self(*self.inputs)) if isinstance(out, Tensor)]
        for a, b in zip(results, outputs_of(self(*self.inputs)), strict=False):
            if not np.array_equal(a.array, b.array, equal_nan=a.dtype.kind == "f"):
                raise GradientError("two runs from the same state and seed give different results; random numbers must "
                                    "come from autograd (manual_seed), or be fixed in eval mode")
        if not getattr(self.module, "training", True):
            self._check_buffers_untouched()
        outputs = [out for out in results if out.requires_grad]
        gradients = grad(outputs, self.wrt, [np.ones(out.shape) for out in outputs], allow_unused=True,
                         retain_graph=True) if outputs else [None] * len(self.wrt)
        for name, g in zip(self.names, gradients, strict=True):
            if (g is None) != (name in unused) and name in self.parameters:
                raise GradientError(f"parameter {name} gets no gradient: forward does not use it, or detaches what it "
                                    f"computes; if that is meant, say unused=({name!r},)" if g is None else
                                    f"parameter {name} gets a gradient, although unused={tuple(unused)}")
        return len(check_derivatives(self, self.inputs, order, self.seed, wrt=self.wrt, names=self.names)) == order

    def _check_buffers_untouched(self) -> None:
        before = {name: np.array(b.array) for name, b in _buffers(self.module)}
        manual_seed(self.seed)
        self.module(*[Tensor(a) if isinstance(a, np.ndarray) else a for a in self.rebuild(self.inputs)], **self.options)
        for name, b in _buffers(self.module):
            if not np.array_equal(before[name], b.array, equal_nan=b.dtype.kind == "f"):
                raise GradientError(f"buffer {name} changes in eval mode")

    def results(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The outputs, and the gradients of their sum."""
        outputs = [out for out in outputs_of(self(*self.inputs)) if isinstance(out, Tensor)]
        roots = [out for out in outputs if out.requires_grad]
        found = grad(roots, self.wrt, [np.ones(out.shape) for out in roots], allow_unused=True) if roots else []
        return [out.array for out in outputs], [g.array for g in found if g is not None]


def _check_round_trip(module: Any, make: Callable[[], Any], args: Sequence[Any], options: dict, seed: int) -> None:
    state = {name: copy.deepcopy(value) for name, value in module.state_dict().items()}
    manual_seed(seed + 1)
    other = _double(make())
    for _, p in other.named_parameters():
        p.array = p.array + 0.25  # to be overwritten
    other.load_state_dict(state)
    for mode in ("train", "eval"):
        getattr(module, mode)()
        getattr(other, mode)()
        ours, theirs = (_Run(m, args, options, seed).results() for m in (module, other))
        for what, a, b in (("output", ours[0], theirs[0]), ("gradient", ours[1], theirs[1])):
            if len(a) != len(b) or any(not np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
                                       for x, y in zip(a, b, strict=True)):
                raise GradientError(f"a module made anew that loads the state_dict gives another {what} in {mode} "
                                    "mode; what forward depends on must be a Parameter or a buffer, or be the same "
                                    "each time the module is made")


def _double(module: Any) -> Any:
    """The module in float64."""
    for _, tensor in [*module.named_parameters(), *_buffers(module)]:
        if tensor.dtype.kind == "f":
            tensor.array = tensor.array.astype(np.float64)
    return module


def _buffers(module: Any) -> list[tuple[str, Tensor]]:
    return list(module.named_buffers()) if hasattr(module, "named_buffers") else []


@contextmanager
def _state_kept(module: Any) -> Iterator[None]:
    """Undo what forward does to the buffers: running statistics."""
    before = [(b, b.array, np.array(b.array)) for _, b in _buffers(module)]
    try:
        yield
    finally:
        for b, array, values in before:
            b.array = array
            np.copyto(array, values)
