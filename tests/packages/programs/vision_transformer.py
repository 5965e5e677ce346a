"""vit-pytorch: ViT and SimpleViT"""

from common import fill, learn, wave
from vit_pytorch import SimpleViT, ViT

for kind in (ViT, SimpleViT):
    model = fill(kind(image_size=32, patch_size=8, num_classes=5, dim=32, depth=2, heads=2, mlp_dim=48))
    learn(kind.__name__, model, model(wave(2, 3, 32, 32)))
