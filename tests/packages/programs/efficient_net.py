"""efficientnet-pytorch: B0, value and gradients"""

from common import fill, learn, wave
from efficientnet_pytorch import EfficientNet

model = fill(EfficientNet.from_name("efficientnet-b0", num_classes=4), 0.1)
learn("b0", model, model(wave(2, 3, 64, 64)))
