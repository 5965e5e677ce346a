"""What all models share: where weights come from, how they begin, how widths are rounded."""

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import nn
from autograd import Tensor
from nn import init

M = TypeVar("M", bound=nn.Module)
Weights = str | os.PathLike[str] | Mapping[str, Any] | None
"""A file, a state_dict, or None for weights that are drawn."""


def build(model: Callable[..., M], weights: Weights, *args: Any, pretrained: bool = False,
          pretrained_backbone: bool = False, **kwargs: Any) -> M:
    """The model of these arguments, with these weights.

    Raises:
        ValueError: `weights` is something else than None, a path or a state_dict.
    """
    state = state_of(pretrained or pretrained_backbone or weights)
    made = model(*args, **kwargs)
    if state is not None:
        made.load_state_dict(state)
    return made


def state_of(weights: Any) -> Mapping[str, Any] | None:
    """The state_dict that `weights` stands for, or None."""
    if weights is None or isinstance(weights, Mapping):
        return weights
    if isinstance(weights, (str, os.PathLike)) and os.path.exists(weights):
        state: Mapping[str, Any] = nn.load(weights)
        return state
    raise _nothing_is_downloaded(f"weights={weights!r}" if isinstance(weights, (str, PublishedWeights)) else
                                 f"weights={weights}")


def _nothing_is_downloaded(what: str) -> ValueError:
    return ValueError(f"{what} is no file here, and nothing is downloaded. Write weights=None for new weights, or the "
                      "path of a file or a state_dict. Where torchvision is installed, torch.save(torchvision.models."
                      "resnet18(weights='DEFAULT').state_dict(), 'resnet18.pth') makes such a file")


class PublishedWeights:
    """What stands for torchvision's `ResNet50_Weights.DEFAULT` and the like, so that the call can say what to write."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> "PublishedWeights":
        if name.startswith("__"):
            raise AttributeError(name)
        return PublishedWeights(f"{self._name}.{name}")

    def __getitem__(self, key: Any) -> Any:
        raise _nothing_is_downloaded(repr(self))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise _nothing_is_downloaded(repr(self))

    def __repr__(self) -> str:
        return self._name


def published(name: str) -> PublishedWeights:
    """For `__getattr__` of a module: the names of weights that could be asked for there."""
    if not name.endswith("_Weights"):
        raise AttributeError(f"there is no {name!r} in nn.vision.models", name=name)
    return PublishedWeights(name)


def he_normal(weight: Tensor) -> Tensor:
    """Normal, keeping the variance of gradients from ReLU to ReLU (He et al. 2015)."""
    return init.kaiming_normal_(weight, mode="fan_out")


def small_normal(weight: Tensor) -> Tensor:
    """Normal with standard deviation 0.01: for the last layer."""
    return init.normal_(weight, std=0.01)


def truncated_normal(weight: Tensor) -> Tensor:
    """Normal with standard deviation 0.02, within two: as in Transformers."""
    return init.trunc_normal_(weight, std=0.02)


def initialize(model: nn.Module, convolution: Callable[[Tensor], Any] | None = he_normal,
               linear: Callable[[Tensor], Any] | None = None) -> None:
    """First values of all convolutions and linear layers, one after the other.

    Args:
        model: what is made of them.
        convolution: writes the weight of a convolution, whose bias becomes 0; None leaves them as they are.
        linear: likewise for linear layers.
    """
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Conv3d, nn.Linear)):
            draw = linear if isinstance(module, nn.Linear) else convolution
            if draw is not None:
                draw(module.weight)
                zero_bias(module)


def zero_bias(layer: nn.Conv2d | nn.Conv3d | nn.ConvTranspose2d | nn.Linear) -> None:
    """Write 0 into the bias of a layer that has one."""
    if layer.bias is not None:
        init.zeros_(layer.bias)


def initialize_mlp(mlp: nn.Module) -> None:
    """First values of a Transformer's perceptron."""
    for module in mlp.modules():
        if isinstance(module, nn.Linear):
            init.xavier_uniform_(module.weight)
            if module.bias is not None:
                init.normal_(module.bias, std=1e-6)


def _make_divisible(v: float, divisor: int, min_value: int | None = None) -> int:
    """The multiple of `divisor` nearest to v, but not less than 0.9 v or `min_value`: hardware likes round widths."""
    nearest = max(min_value or divisor, int(v + divisor / 2) // divisor * divisor)
    return nearest if nearest >= 0.9 * v else nearest + divisor


class IntermediateLayerGetter(nn.ModuleDict):
    """A model up to the last layer that is asked for, which returns what these layers give.

    Args:
        model: runs its children one after the other.
        return_layers: name of a child -> name in the result.

    >>> body = IntermediateLayerGetter(nn.vision.models.resnet18(), {"layer1": "low", "layer3": "high"})
    >>> {name: features.shape for name, features in body(autograd.zeros(1, 3, 64, 64)).items()}
    {'low': (1, 64, 16, 16), 'high': (1, 256, 4, 4)}
    """

    def __init__(self, model: nn.Module, return_layers: Mapping[str, str]) -> None:
        children = dict(model.named_children())
        if missing := set(return_layers) - set(children):
            raise ValueError(f"{', '.join(map(repr, sorted(missing)))}: the model has no such child; it has "
                             f"{', '.join(children)}")
        names = list(children)
        last = max(names.index(name) for name in return_layers)
        super().__init__({name: children[name] for name in names[:last + 1]})
        self.return_layers = dict(return_layers)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        found = {}
        for name, module in self.items():
            x = module(x)
            if name in self.return_layers:
                found[self.return_layers[name]] = x
        return found
