"""Intermediate results of a network, by the names of its layers."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import nn


class FeatureExtractor(nn.Module):
    """A model that returns what some of its layers give, {name: output}; its parameters keep their names.

    Args:
        model: runs as a whole.
        return_nodes: name of a layer -> name in the result.
    """

    def __init__(self, model: nn.Module, return_nodes: Mapping[str, str]) -> None:
        super().__init__()
        modules = dict(model.named_modules())
        for name in return_nodes:
            if name not in modules:
                near = difflib.get_close_matches(name, modules, 3)
                raise ValueError(f"the model has no layer {name!r}{'; near are ' + ', '.join(near) if near else ''}; "
                                 "get_graph_node_names(model) has all names")
        for name, child in model.named_children():
            self.add_module(name, child)
        self._model = (model,)  # not as a child, or its parameters would have two names
        self._layers = {name: (modules[name],) for name in return_nodes}
        self.return_nodes = dict(return_nodes)

    def train(self, mode: bool = True) -> Self:
        """In training mode, as the model itself is then."""
        self._model[0].train(mode)
        return super().train(mode)

    def forward(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def keep(name: str) -> Callable[..., None]:
            def hook(module: nn.Module, inputs: Any, output: Any) -> None:
                found.setdefault(name, output)
            return hook
        handles = [layer.register_forward_hook(keep(self.return_nodes[name])) for name, (layer,) in
                   self._layers.items()]
        try:
            self._model[0](*args, **kwargs)
        finally:
            for handle in handles:
                handle.remove()
        return found


def create_feature_extractor(model: nn.Module, return_nodes: Sequence[str] | Mapping[str, str]) -> FeatureExtractor:
    """A model that returns what some of its layers give, under their own names or others.

    Args:
        model: whose layers they are; what it computes outside of them has no name, unlike in torchvision.
        return_nodes: names of layers, or name of a layer -> name in the result.

    >>> features = create_feature_extractor(nn.vision.models.resnet18(), {"layer1": "low", "layer4.1.bn2": "high"})
    >>> {name: f.shape for name, f in features(autograd.zeros(1, 3, 64, 64)).items()}
    {'low': (1, 64, 16, 16), 'high': (1, 512, 2, 2)}
    """
    return FeatureExtractor(model, return_nodes if isinstance(return_nodes, Mapping) else dict(zip(
        return_nodes, return_nodes, strict=True)))


def get_graph_node_names(model: nn.Module) -> tuple[list[str], list[str]]:
    """The names that `create_feature_extractor` takes: in training, and in evaluation, which are the same here."""
    names = [name for name, _ in model.named_modules() if name]
    return names, list(names)
