"""What models of segmentation share."""

from collections.abc import Mapping
from typing import Any

import nn
from autograd import Tensor
from nn import functional as F
from nn.vision.models._utils import IntermediateLayerGetter, Weights, state_of
from nn.vision.models.mobilenetv3 import mobilenet_v3_large
from nn.vision.ops.misc import Layer


class SimpleSegmentationModel(nn.Module):
    """Images (N, 3, H, W) to {"out": logits (N, classes, H, W)}, and "aux" with those of an auxiliary head.

    Args:
        backbone: gives features under the names "out" and "aux".
        classifier: makes logits of "out".
        aux_classifier: makes logits of "aux", for training; None: there is none.
    """

    aux_classifier: nn.Module | None

    def __init__(self, backbone: nn.Module, classifier: nn.Module, aux_classifier: nn.Module | None = None) -> None:
        super().__init__()
        self.backbone, self.classifier, self.aux_classifier = backbone, classifier, aux_classifier

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = self.backbone(x)
        heads = {"out": self.classifier, "aux": self.aux_classifier}
        return {name: at_size(head(features[name]), x) for name, head in heads.items() if head is not None}


def at_size(x: Tensor, like: Tensor) -> Tensor:
    """Interpolated to the height and width of another one."""
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)


def build_segmentation(model: type, head: Layer, aux_head: Layer, backbone: nn.Module, taps: Mapping[str, Any],
                       weights: Weights, num_classes: int, aux_loss: bool | None, pretrained: bool = False) -> Any:
    """The model of a backbone.

    Args:
        model: the class.
        head: makes the classifier of so many channels and classes.
        aux_head: makes the auxiliary one.
        backbone: gives features.
        taps: name in the result -> child of the backbone and its channels.
        weights: of the whole model.
        num_classes: how many logits a pixel has.
        aux_loss: whether there is an auxiliary head; None: if the weights have one.
        pretrained: how programs used to ask for what isn't downloaded.
    """
    state = state_of(pretrained or weights)
    if aux_loss is None:
        aux_loss = state is not None and any(key.startswith("aux_classifier") for key in state)
    names = ["out", *["aux"] * aux_loss]
    body = IntermediateLayerGetter(backbone, {taps[name][0]: name for name in names})
    aux = aux_head(taps["aux"][1], num_classes) if aux_loss else None
    made = model(body, head(taps["out"][1], num_classes), aux)
    if state is not None:
        made.load_state_dict(state)
    return made


def dilated_mobilenet(weights: Weights) -> tuple[nn.Module, dict[str, tuple[str, int]]]:
    """The features of a MobileNetV3-Large, where those of 1/16 ("out") and 1/8 ("aux") of the size are, their channels.

    The last downsampling is replaced by dilation.
    """
    features = mobilenet_v3_large(weights=weights, dilated=True).features
    at = [i for i, block in enumerate(features) if getattr(block, "downsamples", False)]
    places = {"out": len(features) - 1, "aux": at[-3]}
    return features, {name: (str(i), features[i].out_channels) for name, i in places.items()}
