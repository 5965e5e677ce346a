"""timm: a ResNet, a ConvNeXt and a ViT, value and gradients"""

import timm
from common import fill, learn, wave

for name in ("resnet18", "convnext_atto", "vit_tiny_patch16_224"):
    options = {"img_size": 32} if name.startswith("vit") else {}
    model = fill(timm.create_model(name, num_classes=3, **options), 0.05)
    learn(name, model, model(wave(1, 3, 32, 32)))
