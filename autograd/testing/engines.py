"""What the kit has to know of an engine: arrays in; values, a pull-back, and the pull-back as a function out.

Everything else is written once, in arrays. `engine="torch"` and the like name those that are here; for another one
write a subclass of `Engine`, which needs four short methods, and pass an instance of it.
"""

import contextlib
import importlib
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograd.backward import grad
from autograd.calling import alias
from autograd.random import manual_seed
from autograd.tensor import Tensor

Arrays = list[np.ndarray]
PullBack = Callable[[Sequence[np.ndarray | None]], Arrays]


class Engine:
    """An automatic differentiation, as the kit uses it.

    A function takes tensors of the engine and returns one, or a tuple of them. Only floating arrays and outputs have
    gradients; cotangents stand for the floating outputs, in their order, None being no gradient.

    >>> class Mine(Engine):
    ...     name = "mine"
    ...     def tensor(self, array): ...                          # a constant
    ...     def array(self, tensor): ...                          # its values
    ...     def differentiate(self, function, arrays): ...        # values, pull_back(cotangents) -> gradients
    ...     def gradient(self, function, count): ...              # (x…, u…) -> gradients of <u, f(x)>: order two
    >>> test_softplus = autograd.testing.gradient_test(F.softplus, engine=Mine())
    """

    name = "engine"
    rules = "the rules"
    """What its derivatives come from, in messages."""
    untracked = "a value that is not recorded"
    """How a value is cut off from its history, in messages."""
    float32 = True
    """Whether to try float32."""

    def tensor(self, array: np.ndarray) -> Any:
        """A constant of this engine; the memory is shared if it can be."""
        raise NotImplementedError(f"{type(self).__name__} needs a method tensor(array)")

    def array(self, tensor: Any) -> np.ndarray:
        """The values of a tensor."""
        raise NotImplementedError(f"{type(self).__name__} needs a method array(tensor)")

    def differentiate(self, function: Callable, arrays: Sequence[np.ndarray]) -> tuple[Arrays, PullBack]:
        """The values of a function, and its pull-back there: from cotangents to the gradients of <cotangents, values>.

        A pull-back may be called several times; a gradient that does not arrive is zero.
        """
        raise NotImplementedError(f"{type(self).__name__} needs a method differentiate(function, arrays)")

    def gradient(self, function: Callable, count: int) -> Callable | None:
        """The function (x…, u…) -> gradients in each x of <u, f(x)>, in tensors, to be differentiated in its turn.

        `count` is the number of x. None if the engine has no second derivatives: they are not checked then.
        """
        return None

    def reached(self, function: Callable, arrays: Sequence[np.ndarray]) -> list[bool]:
        """Which arguments some output depends on, as far as the engine has recorded."""
        raise NotImplementedError(f"{type(self).__name__} needs a method reached(function, arrays) for modules")

    def value(self, function: Callable, arrays: Sequence[np.ndarray]) -> Arrays:
        """The values of a function, without its derivatives."""
        return [self.array(out) for out in several(function(*map(self.tensor, arrays)))]

    def bind(self, function: Callable, rebuild: Callable[[Sequence], list], options: dict[str, Any]) -> Callable:
        """The call of a function, as a function of its floating arrays alone."""
        def call(*tensors: Any) -> Any:
            return function(*[self.tensor(a) if isinstance(a, np.ndarray) else a for a in rebuild(tensors)], **options)
        return call

    def parameters(self, function: Callable) -> inspect.Signature:
        """What the function takes, in order to draw it."""
        return inspect.signature(function)

    def text(self, function: Any) -> tuple[list[str], str, str] | None:
        """For the pasted program: lines, the function's name there, and the engine's; None if nothing is special."""
        return None

    def seed(self, number: int) -> None:
        """Let random numbers begin anew."""

    def refuses(self, error: Exception) -> bool:
        """Whether an error says that there is no second derivative, which is no fault."""
        return False


def several(result: Any) -> list:
    """One output or several, as a list."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def floating(arrays: Sequence[np.ndarray]) -> Arrays:
    """Those that have derivatives."""
    return [a for a in arrays if a.dtype.kind == "f"]


class Gradcircuit(Engine):
    """This engine."""

    name = "gradcircuit"
    untracked = "a value that is not recorded (detach(), .data, .array, np.asarray, a Python float)"

    def tensor(self, array: np.ndarray) -> Tensor:
        """A Tensor that shares the array's memory."""
        return array if isinstance(array, Tensor) else Tensor(array)

    def array(self, tensor: Any) -> np.ndarray:
        """The array of a Tensor."""
        return np.asarray(tensor.array if isinstance(tensor, Tensor) else tensor)

    def bind(self, function: Callable, rebuild: Callable, options: dict[str, Any]) -> Callable:
        """An operation of the table takes integers as they are."""
        if getattr(function, "operation", None) is None:
            return super().bind(function, rebuild, options)
        return lambda *tensors: function(*rebuild(tensors), **options)

    def differentiate(self, function: Callable, arrays: Sequence[np.ndarray]) -> tuple[Arrays, PullBack]:
        """By `grad`."""
        leaves = [Tensor(x, requires_grad=True) for x in arrays]
        results = several(function(*leaves))
        outputs = [out for out in results if isinstance(out, Tensor) and out.dtype.kind == "f"]

        def pull_back(cotangents: Sequence[np.ndarray | None]) -> Arrays:
            return [g.array for g in self._gradients(outputs, leaves, cotangents, create_graph=False)]
        return [self.array(out) for out in results], pull_back

    def gradient(self, function: Callable, count: int) -> Callable:
        """By `grad` with `create_graph`."""
        def gradient(*args: Tensor) -> tuple:
            outputs = [out for out in several(function(*args[:count])) if out.dtype.kind == "f"]
            return tuple(self._gradients(outputs, args[:count], args[count:], create_graph=True))
        return gradient

    @staticmethod
    def _gradients(outputs: list, leaves: Sequence, cotangents: Sequence, create_graph: bool) -> list[Tensor]:
        pairs = [(out, u) for out, u in zip(outputs, cotangents, strict=True) if u is not None and out.requires_grad]
        found: Sequence[Tensor | None] = [None] * len(leaves)
        if pairs:
            found = grad([out for out, _ in pairs], leaves, [u for _, u in pairs], retain_graph=True,
                         create_graph=create_graph, allow_unused=True)
        return [Tensor(np.zeros(x.shape, x.dtype)) if g is None else g for g, x in zip(found, leaves, strict=True)]

    def reached(self, function: Callable, arrays: Sequence[np.ndarray]) -> list[bool]:
        """By `grad`: None where nothing arrives."""
        leaves = [Tensor(x, requires_grad=True) for x in arrays]
        outputs = [out for out in several(function(*leaves)) if out.requires_grad]
        found = grad(outputs, leaves, [np.ones(out.shape) for out in outputs], allow_unused=True) if outputs else leaves
        return [bool(outputs) and g is not None for g in found]

    def seed(self, number: int) -> None:
        """`manual_seed`."""
        manual_seed(number)

    @contextlib.contextmanager
    def replaced(self, parameters: Sequence[Tensor], tensors: Sequence[Tensor]) -> Iterator[None]:
        """Let tensors that a function knows otherwise be those that it is given."""
        before = [(p.array, p.node, p.tracked) for p in parameters]
        try:
            for p, t in zip(parameters, tensors, strict=True):
                other = alias(t) if t.requires_grad and t.node is None else t
                p.array, p.node, p.tracked = t.array, other.node, t.requires_grad
            yield
        finally:
            for p, (array, node, tracked) in zip(parameters, before, strict=True):
                p.array, p.node, p.tracked = array, node, tracked

    def call(self, module: Any, names: Sequence[str], parameters: Sequence[Tensor], inputs: Sequence, options: dict
             ) -> Any:
        """The result of a module with other parameters."""
        own = dict(module.named_parameters())
        with self.replaced([own[name] for name in names], parameters):
            return module(*inputs, **options)

    def double(self, module: Any) -> Any:
        """The module in float64."""
        for _, tensor in [*module.named_parameters(), *self.buffers(module)]:
            if tensor.dtype.kind == "f":
                tensor.array = tensor.array.astype(np.float64)
        return module

    def buffers(self, module: Any) -> list[tuple[str, Any]]:
        """Names and tensors that a module remembers."""
        return list(module.named_buffers()) if hasattr(module, "named_buffers") else []

    def write(self, tensor: Any, values: np.ndarray) -> None:
        """Give a parameter or a buffer other values."""
        tensor.array = np.array(values, tensor.dtype)


class Torch(Engine):
    """PyTorch: a function of tensors, a `torch.autograd.Function`, a `torch.nn.Module`."""

    name = "torch"
    rules = "backward"
    untracked = "a value that is not recorded (detach(), .data, .numpy(), item(), a tensor kept on ctx in forward)"

    def __init__(self) -> None:
        self.torch = _imported("torch", "PyTorch", "pip install torch")

    def tensor(self, array: Any) -> Any:
        """A tensor that shares the array's memory, unless that is read-only or runs backwards."""
        if isinstance(array, self.torch.Tensor):
            return array
        if not array.flags.writeable or any(stride < 0 for stride in array.strides):
            array = np.array(array)
        return self.torch.from_numpy(array)

    def array(self, tensor: Any) -> np.ndarray:
        """The array of a tensor."""
        return tensor.detach().numpy() if isinstance(tensor, self.torch.Tensor) else np.asarray(tensor)

    def differentiate(self, function: Callable, arrays: Sequence[np.ndarray]) -> tuple[Arrays, PullBack]:
        """By `torch.autograd.grad`."""
        leaves = [self.tensor(x).requires_grad_() for x in arrays]
        results = several(function(*leaves))
        outputs = [out for out in results if isinstance(out, self.torch.Tensor) and out.dtype.is_floating_point]

        def pull_back(cotangents: Sequence[np.ndarray | None]) -> Arrays:
            us = [None if u is None else self.tensor(u) for u in cotangents]
            return [self.array(g) for g in self._gradients(outputs, leaves, us, False)]
        return [self.array(out) for out in results], pull_back

    def gradient(self, function: Callable, count: int) -> Callable:
        """By `torch.autograd.grad` with `create_graph`."""
        def gradient(*args: Any) -> tuple:
            outputs = [out for out in several(function(*args[:count])) if out.dtype.is_floating_point]
            found = self._gradients(outputs, args[:count], args[count:], True)
            if any("Error" in type(g.grad_fn).__name__ for g in found):  # PyTorch raises it only if somebody gets there
                raise RuntimeError("once_differentiable")
            return tuple(found)
        return gradient

    def _gradients(self, outputs: list, leaves: Sequence, cotangents: Sequence, create_graph: bool) -> list:
        pairs = [(out, u) for out, u in zip(outputs, cotangents, strict=True) if u is not None and out.requires_grad]
        found: Sequence = [None] * len(leaves)
        if pairs:
            found = self.torch.autograd.grad([out for out, _ in pairs], leaves, [u for _, u in pairs],
                                             retain_graph=True, create_graph=create_graph, allow_unused=True)
        return [self.torch.zeros_like(x) if g is None else g for g, x in zip(found, leaves, strict=True)]

    def reached(self, function: Callable, arrays: Sequence[np.ndarray]) -> list[bool]:
        """By `torch.autograd.grad`: None where nothing arrives."""
        leaves = [self.tensor(x).requires_grad_() for x in arrays]
        outputs = [out for out in several(function(*leaves)) if out.requires_grad]
        found = self.torch.autograd.grad(outputs, leaves, [self.torch.ones_like(out) for out in outputs],
                                         allow_unused=True) if outputs else leaves
        return [bool(outputs) and g is not None for g in found]

    def seed(self, number: int) -> None:
        """`torch.manual_seed`."""
        self.torch.manual_seed(number)

    def refuses(self, error: Exception) -> bool:
        """`once_differentiable`, and operations of PyTorch that have no second derivative."""
        return any(words in str(error) for words in ("once_differentiable", "is not implemented", "not differentiable"))

    def call(self, module: Any, names: Sequence[str], parameters: Sequence, inputs: Sequence, options: dict) -> Any:
        """The result of a module with other parameters."""
        return self.torch.func.functional_call(module, dict(zip(names, parameters, strict=True)), tuple(inputs),
                                               options)

    def double(self, module: Any) -> Any:
        """The module in float64."""
        return module.double()

    def buffers(self, module: Any) -> list[tuple[str, Any]]:
        """Names and tensors that a module remembers."""
        return list(module.named_buffers())

    def write(self, tensor: Any, values: np.ndarray) -> None:
        """Give a parameter or a buffer other values."""
        tensor.data = self.torch.tensor(values, dtype=tensor.dtype)


class Jax(Engine):
    """JAX: a function of arrays, with or without `custom_vjp` or `custom_jvp`; in 64 bits while it is tested."""

    name = "jax"
    rules = "jax.vjp"
    untracked = "a value that is not traced (stop_gradient, a NumPy function, float())"

    def __init__(self) -> None:
        self.jax = _imported("jax", "JAX", "pip install jax")
        home = self.jax if hasattr(self.jax, "enable_x64") else importlib.import_module("jax.experimental")
        self.x64 = home.enable_x64

    def tensor(self, array: Any) -> Any:
        """An array of JAX."""
        with self.x64(True):
            return self.jax.numpy.asarray(array) if isinstance(array, np.ndarray) else array

    def array(self, tensor: Any) -> np.ndarray:
        """An array of NumPy."""
        return np.asarray(tensor)

    def differentiate(self, function: Callable, arrays: Sequence[np.ndarray]) -> tuple[Arrays, PullBack]:
        """By `jax.vjp`."""
        rest: list = []

        def floats(*tensors: Any) -> tuple:
            results = several(function(*tensors))
            rest[:] = [(i, out) for i, out in enumerate(results) if not self._floating(out)]
            return tuple(out for out in results if self._floating(out))
        with self.x64(True):
            values, pull = self.jax.vjp(floats, *map(self.tensor, arrays))

        def pull_back(cotangents: Sequence[np.ndarray | None]) -> Arrays:
            with self.x64(True):
                us = tuple(self.jax.numpy.zeros_like(out) if u is None else self.tensor(np.asarray(u))
                           for u, out in zip(cotangents, values, strict=True))
                return [self.array(g) for g in pull(us)]
        found = [self.array(out) for out in values]
        for i, out in rest:
            found.insert(i, self.array(out))
        return found, pull_back

    def _floating(self, out: Any) -> bool:
        return self.jax.numpy.issubdtype(self.jax.numpy.result_type(out), self.jax.numpy.floating)

    def gradient(self, function: Callable, count: int) -> Callable:
        """By `jax.vjp` of what is traced."""
        def gradient(*args: Any) -> tuple:
            def floats(*tensors: Any) -> tuple:
                return tuple(out for out in several(function(*tensors)) if self._floating(out))
            return self.jax.vjp(floats, *args[:count])[1](tuple(args[count:]))
        return gradient

    def value(self, function: Callable, arrays: Sequence[np.ndarray]) -> Arrays:
        """The values, in 64 bits."""
        with self.x64(True):
            return super().value(function, arrays)


class Numpy(Engine):
    """A bare pair of NumPy functions, (forward, vjp): `vjp(g, *args)` gives the gradient of each argument.

    Several are a tuple or list, None where there is none; of a forward that returns several arrays, g is a tuple.
    """

    name = "numpy"
    rules = "the vjp"

    def tensor(self, array: np.ndarray) -> np.ndarray:
        """The array itself."""
        return array

    def array(self, tensor: Any) -> np.ndarray:
        """The array itself."""
        return np.asarray(tensor)

    def bind(self, function: Any, rebuild: Callable, options: dict[str, Any]) -> Any:
        """Both functions of the pair, with everything else in its place."""
        if callable(function):
            raise TypeError('engine="numpy" tests a pair of functions, (forward, vjp), with forward(*arrays) and '
                            "vjp(g, *arrays)")
        forward, vjp = function

        def gradients(g: Any, *arrays: np.ndarray) -> list:
            args = rebuild(arrays)
            found = vjp(g, *args, **options)
            found = list(found) if isinstance(found, (tuple, list)) else [found]
            if len(found) != len(args):
                raise TypeError(f"the vjp returned {len(found)} gradients for {len(args)} arguments; return one for "
                                "each, None where there is none")
            wanted = [g for g, a in zip(found, args, strict=True) if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
            return [np.zeros_like(x) if g is None else np.asarray(g) for g, x in zip(wanted, arrays, strict=True)]
        bound = lambda *arrays: forward(*rebuild(arrays), **options)  # noqa: E731 - with an attribute, below
        bound.vjp = gradients  # type: ignore[attr-defined]
        return bound

    def differentiate(self, function: Any, arrays: Sequence[np.ndarray]) -> tuple[Arrays, PullBack]:
        """By the second function of the pair."""
        values = [np.asarray(out) for out in several(function(*arrays))]
        outputs = floating(values)

        def pull_back(cotangents: Sequence[np.ndarray | None]) -> Arrays:
            us = [np.zeros_like(out) if u is None else u for u, out in zip(cotangents, outputs, strict=True)]
            return function.vjp(us[0] if len(us) == 1 else tuple(us), *arrays)
        return values, pull_back

    def parameters(self, function: Any) -> inspect.Signature:
        """Those of the first of the pair."""
        return inspect.signature(function[0])


class Hips(Engine):
    """HIPS autograd, whose package has the name of this one: it is loaded from a directory of its own.

        pip install --target hips_autograd autograd

    While its functions are imported and run, `import autograd` means theirs:

        Hips("hips_autograd").load("my_module:f")

    Args:
        path: the directory; by default the environment variable GRADCIRCUIT_HIPS, or `hips_autograd`.
    """

    name = "hips"
    rules = "make_vjp"
    untracked = "a value that is not traced (a function of plain numpy, float())"

    def __init__(self, path: str | None = None) -> None:
        import os
        self.path = str(Path(path or os.environ.get("GRADCIRCUIT_HIPS", "hips_autograd")).resolve())
        if not (Path(self.path) / "autograd" / "core.py").exists():
            raise ModuleNotFoundError(
                f"there is no HIPS autograd in {self.path}. Its package is called autograd, as this one is, so that it "
                f"needs a directory of its own: pip install --target {self.path} autograd, and "
                "engine=Hips(directory) or the environment variable GRADCIRCUIT_HIPS")
        self.modules: dict[str, Any] = {}
        with self.installed():
            self.core = importlib.import_module("autograd.core")
            self.tuple = importlib.import_module("autograd.builtins").tuple

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """For a while, `autograd` is theirs."""
        def ours() -> dict[str, Any]:
            return {name: sys.modules.pop(name) for name in list(sys.modules)
                    if name == "autograd" or name.startswith("autograd.")}
        before = ours()
        sys.modules.update(self.modules)
        sys.path.insert(0, self.path)
        try:
            yield
        finally:
            sys.path.remove(self.path)
            self.modules = ours()
            sys.modules.update(before)

    def load(self, name: str) -> Callable:
        """The function `module:function`, imported where `autograd` is theirs."""
        module, _, function = name.partition(":")
        with self.installed():
            found: Any = importlib.import_module(module)
        for part in function.split("."):
            found = getattr(found, part)
        return found

    def text(self, function: Any) -> tuple[list[str], str, str]:
        """The function is loaded again, where `autograd` is theirs."""
        found = f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', '')}"
        return ([f"import sys; sys.path.insert(0, {str(Path(inspect.getfile(function)).parent)!r})",
                 "from autograd.testing import Hips", f"engine = Hips({self.path!r})"],
                f"engine.load({found!r})", "engine")

    def tensor(self, array: Any) -> Any:
        """The array itself."""
        return array

    def array(self, tensor: Any) -> np.ndarray:
        """The array itself."""
        return np.asarray(tensor)

    def value(self, function: Callable, arrays: Sequence[np.ndarray]) -> Arrays:
        """The values."""
        with self.installed():
            return super().value(function, arrays)

    def differentiate(self, function: Callable, arrays: Sequence[np.ndarray]) -> tuple[Arrays, PullBack]:
        """By their `make_vjp`."""
        with self.installed():
            single = not isinstance(function(*arrays), (tuple, list))
            pull, value = self.core.make_vjp(lambda args: function(*args) if single else self.tuple(function(*args)),
                                             self.tuple(tuple(arrays)))
        values = [np.asarray(value)] if single else [np.asarray(out) for out in value]

        def pull_back(cotangents: Sequence[np.ndarray | None]) -> Arrays:
            us = [np.zeros(out.shape) if u is None else u for u, out in zip(cotangents, values, strict=True)]
            with self.installed():
                return [np.asarray(g) for g in pull(us[0] if single else tuple(us))]
        return values, pull_back

    def gradient(self, function: Callable, count: int) -> Callable:
        """By their `make_vjp` of what is traced."""
        def gradient(*args: Any) -> Any:
            def inner(xs: Any) -> Any:
                return self.tuple(several(function(*xs)))
            return self.core.make_vjp(inner, self.tuple(args[:count]))[0](self.tuple(args[count:]))
        return gradient


GRADCIRCUIT = Gradcircuit()
_KNOWN: dict[str, Callable[[], Engine]] = {"gradcircuit": lambda: GRADCIRCUIT, "torch": Torch, "jax": Jax, "hips": Hips,
                                           "numpy": Numpy}


def engine_of(engine: str | Engine | None) -> Engine:
    """An engine by name, or itself.

    Raises:
        ValueError: there is none of that name.
        ModuleNotFoundError: it is not installed.
    """
    if isinstance(engine, Engine):
        return engine
    if engine is None:
        return GRADCIRCUIT
    if engine not in _KNOWN:
        raise ValueError(f"engine={engine!r} is not known; write one of {', '.join(map(repr, _KNOWN))}, or an instance "
                         "of a subclass of autograd.testing.Engine")
    return _KNOWN[engine]()


def _imported(module: str, name: str, remedy: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f'engine="{module}" tests functions of {name}, which is not installed; {remedy}'
                                  ) from error
