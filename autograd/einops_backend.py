"""einops on Tensors: `rearrange`, `reduce`, `repeat`, `einsum`.

einops finds its backends among the subclasses of its own AbstractBackend. Ours is declared at the moment when einops is
imported, by whomever; until then nothing of it is loaded, and it need not be installed.
"""

import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from autograd import creation
from autograd.table import FUNCTIONS
from autograd.tensor import Tensor

_MODULE = "einops._backends"


def _declare(backends: ModuleType) -> None:
    class AutogradBackend(backends.AbstractBackend):
        framework_name = "autograd"
        arange = staticmethod(creation.arange)
        from_numpy = staticmethod(creation.from_numpy)

        def is_appropriate_type(self, tensor: Any) -> bool:
            return isinstance(tensor, Tensor)

        def to_numpy(self, x: Tensor) -> Any:
            return x.detach().numpy()

        def reduce(self, x: Tensor, operation: str, axes: Any) -> Tensor:
            return getattr(x, {"min": "amin", "max": "amax"}.get(operation, operation))(dim=tuple(axes))

        def transpose(self, x: Tensor, axes: Any) -> Tensor:
            return x.permute(axes)

        def stack_on_zeroth_dimension(self, tensors: list[Tensor]) -> Tensor:
            return FUNCTIONS["stack"](tensors)

        def add_axes(self, x: Tensor, n_axes: int, pos2len: dict[int, int]) -> Tensor:
            lengths = [-1] * n_axes
            for position, length in pos2len.items():
                x = x.unsqueeze(position)
                lengths[position] = length
            return x.expand(lengths)

        def add_axis(self, x: Tensor, new_position: int) -> Tensor:
            return x.unsqueeze(new_position)

        def tile(self, x: Tensor, repeats: tuple[int, ...]) -> Tensor:
            return x.tile(repeats)

        def concat(self, tensors: list[Tensor], axis: int) -> Tensor:
            return FUNCTIONS["cat"](tensors, dim=axis)

        def is_float_type(self, x: Tensor) -> bool:
            return x.is_floating_point()

        def einsum(self, pattern: str, *x: Tensor) -> Tensor:
            return FUNCTIONS["einsum"](pattern, *x)

    backends.AutogradBackend = AutogradBackend  # a class knows its subclasses only as long as somebody keeps them


class _Finder:
    """Waits for the import of einops's backends, and adds ours."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name != _MODULE:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                _declare(module)
            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if _MODULE in sys.modules:
    _declare(sys.modules[_MODULE])
else:
    sys.meta_path.insert(0, _Finder)  # type: ignore[arg-type]
