"""Padding as layers; see `nn.functional.pad`."""

from collections.abc import Sequence

from autograd import Tensor
from nn import functional as F
from nn.functional.geometry import tuple_of
from nn.module import Module


class _Pad(Module):
    ndim: int
    mode: str

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = tuple_of(padding, 2 * self.ndim, "padding") if isinstance(padding, int) else tuple(padding)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode, getattr(self, "value", None))

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


def _pad_layers() -> dict[str, type]:
    """One class for each kind of padding and number of dimensions: ZeroPad2d, ReflectionPad1d, …"""
    bases = {"Constant": (_ConstantPad, "constant"), "Zero": (_Pad, "constant"), "Reflection": (_Pad, "reflect"),
             "Replication": (_Pad, "replicate"), "Circular": (_Pad, "circular")}
    layers = {}
    for kind, (base, mode) in bases.items():
        for ndim in (1, 2, 3):
            name = f"{kind}Pad{ndim}d"
            axes = f"{ndim} axes" if ndim > 1 else "axis"
            doc = f"Padding of the last {axes} by mode '{mode}'; see `nn.functional.pad`."
            layers[name] = type(name, (base,), {"ndim": ndim, "mode": mode, "__module__": __name__, "__doc__": doc})
    return layers


globals().update(_pad_layers())
