"""What PyTorch spreads over several devices; here there is one, and the model runs there."""

from collections.abc import Sequence
from typing import Any

from nn.module import Module

__all__ = ["DataParallel"]


class DataParallel(Module):
    """The module itself, as its attribute `module`, so that names in the state_dict begin with "module.".

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
