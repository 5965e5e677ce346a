"""mlp-mixer-pytorch: a mixer"""

from common import fill, learn, wave
from mlp_mixer_pytorch import MLPMixer

model = fill(MLPMixer(image_size=16, channels=3, patch_size=8, dim=16, depth=2, num_classes=4), 0.2)
learn("mixer", model, model(wave(2, 3, 16, 16)))
