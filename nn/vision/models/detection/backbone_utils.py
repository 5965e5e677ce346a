"""Backbones of detectors: the features of a network for classification, as a pyramid."""

from collections.abc import Mapping, Sequence

import nn
from autograd import Tensor
from autograd.errors import warn
from nn.vision.models import mobilenetv2, mobilenetv3, resnet
from nn.vision.models._utils import IntermediateLayerGetter, Weights
from nn.vision.ops import FeaturePyramidNetwork, FrozenBatchNorm2d
from nn.vision.ops.feature_pyramid_network import ExtraFPNBlock, LastLevelMaxPool
from nn.vision.ops.misc import Layer


class BackboneWithFPN(nn.Module):
    """A feature pyramid over some layers of a network.

    Args:
        backbone: runs its children one after the other.
        return_layers: name of a child -> name of its map in the pyramid.
        in_channels_list: the channels of these.
        out_channels: the channels of the pyramid.
        extra_blocks: adds further maps; default `LastLevelMaxPool()`.
        norm_layer: makes the normalizations of the pyramid; None: there are none.
    """

    def __init__(self, backbone: nn.Module, return_layers: Mapping[str, str], in_channels_list: Sequence[int],
                 out_channels: int, extra_blocks: ExtraFPNBlock | None = None,
                 norm_layer: Layer | None = None) -> None:
        super().__init__()
        self.body = IntermediateLayerGetter(backbone, return_layers)
        self.fpn = FeaturePyramidNetwork(in_channels_list, out_channels, extra_blocks or LastLevelMaxPool(), norm_layer)
        self.out_channels = out_channels

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return self.fpn(self.body(x))


def _validate_trainable_layers(is_trained: bool, trainable_backbone_layers: int | None, max_value: int,
                               default_value: int) -> int:
    """How many layers of a backbone, from its end, are trained: all of one that has seen nothing yet."""
    if not is_trained:
        if trainable_backbone_layers is not None:
            warn(f"trainable_backbone_layers={trainable_backbone_layers} has no effect without weights: all "
                 f"{max_value} are trained")
        return max_value
    count = default_value if trainable_backbone_layers is None else trainable_backbone_layers
    if not 0 <= count <= max_value:
        raise ValueError(f"trainable_backbone_layers must be between 0 and {max_value}, not {count}")
    return count


def _resnet_fpn_extractor(backbone: resnet.ResNet, trainable_layers: int, returned_layers: Sequence[int] = (1, 2, 3, 4),
                         extra_blocks: ExtraFPNBlock | None = None, norm_layer: Layer | None = None) -> BackboneWithFPN:
    """A pyramid of 256 channels over the stages of a ResNet.

    Args:
        backbone: the network.
        trainable_layers: how many of its layers are trained, from the last stage to the first convolution.
        returned_layers: the stages that the pyramid is made of.
        extra_blocks: adds further maps.
        norm_layer: makes the normalizations of the pyramid.
    """
    if not set(returned_layers) <= {1, 2, 3, 4}:
        raise ValueError(f"the stages are 1 to 4, and returned_layers is {list(returned_layers)}")
    trained = (*["layer4", "layer3", "layer2", "layer1", "conv1"][:trainable_layers],
               *["bn1"] * (trainable_layers == 5))
    for name, parameter in backbone.named_parameters():
        parameter.requires_grad_(name.startswith(trained))
    return BackboneWithFPN(backbone, {f"layer{k}": str(i) for i, k in enumerate(returned_layers)},
                           [backbone.inplanes // 16 * 2 ** k for k in returned_layers], 256, extra_blocks, norm_layer)


def resnet_fpn_backbone(*, backbone_name: str, weights: Weights = None, norm_layer: Layer = FrozenBatchNorm2d,
                        trainable_layers: int = 3, returned_layers: Sequence[int] | None = None,
                        extra_blocks: ExtraFPNBlock | None = None) -> BackboneWithFPN:
    """A pyramid over the ResNet of this name, such as "resnet50"."""
    backbone = getattr(resnet, backbone_name)(weights=weights, norm_layer=norm_layer)
    return _resnet_fpn_extractor(backbone, trainable_layers, returned_layers or (1, 2, 3, 4), extra_blocks)


def resnet50_of(weights: Weights, weights_backbone: Weights, trainable_backbone_layers: int | None,
                frozen: bool = True) -> tuple[resnet.ResNet, int]:
    """ResNet-50 as the constructors of detectors want it, and how many of its layers are trained.

    Args:
        weights: of the whole detector.
        weights_backbone: of the ResNet, if there are none of the detector.
        trainable_backbone_layers: how many layers are trained, if there are weights.
        frozen: whether normalizations that have weights stay as they are.
    """
    trained = weights is not None or weights_backbone is not None
    count = _validate_trainable_layers(trained, trainable_backbone_layers, 5, 3)
    return resnet.resnet50(weights=weights_backbone if weights is None else None,
                           norm_layer=FrozenBatchNorm2d if trained and frozen else nn.BatchNorm2d), count


def mobilenet_stages(features: nn.Sequential, trainable_layers: int) -> list[int]:
    """Where the stages of a MobileNet begin, and its last layer; but for the last so many none is trained."""
    stages = [0, *[i for i, block in enumerate(features) if getattr(block, "downsamples", False)], len(features) - 1]
    if not 0 <= trainable_layers <= len(stages):
        raise ValueError(f"trainable_layers must be between 0 and {len(stages)}, not {trainable_layers}")
    for block in list(features)[:[*stages, len(features)][len(stages) - trainable_layers]]:
        block.requires_grad_(False)
    return stages


def _mobilenet_extractor(backbone: mobilenetv2.MobileNetV2 | mobilenetv3.MobileNetV3, fpn: bool, trainable_layers: int,
                         returned_layers: Sequence[int] | None = None, extra_blocks: ExtraFPNBlock | None = None,
                         norm_layer: Layer | None = None) -> nn.Module:
    """256 channels over the features of a MobileNet, of whose stages so many are trained.

    Args:
        backbone: the network.
        fpn: whether there is a pyramid, or one map.
        trainable_layers: how many stages are trained.
        returned_layers: the stages that the pyramid is made of; default the last two.
        extra_blocks: adds further maps to the pyramid.
        norm_layer: makes the normalizations of the pyramid.
    """
    features = backbone.features
    stages = mobilenet_stages(features, trainable_layers)
    if fpn:
        taken = stages[-2:] if returned_layers is None else [stages[i] for i in returned_layers]
        return BackboneWithFPN(features, {str(stage): str(i) for i, stage in enumerate(taken)},
                               [features[stage].out_channels for stage in taken], 256, extra_blocks, norm_layer)
    one_map = nn.Sequential(features, nn.Conv2d(features[-1].out_channels, 256, 1))
    one_map.out_channels = 256
    return one_map


def mobilenet_backbone(*, backbone_name: str, weights: Weights = None, fpn: bool = True,
                       norm_layer: Layer = FrozenBatchNorm2d, trainable_layers: int = 2,
                       returned_layers: Sequence[int] | None = None,
                       extra_blocks: ExtraFPNBlock | None = None) -> nn.Module:
    """The features of the MobileNet of this name, such as "mobilenet_v3_large": 256 channels, as a pyramid or not."""
    family = mobilenetv2 if backbone_name == "mobilenet_v2" else mobilenetv3
    backbone = getattr(family, backbone_name)(weights=weights, norm_layer=norm_layer)
    return _mobilenet_extractor(backbone, fpn, trainable_layers, returned_layers, extra_blocks)
