"""perceiver-pytorch: latent attention on a sequence"""

from common import fill, learn, wave
from perceiver_pytorch import Perceiver

model = fill(Perceiver(input_channels=3, input_axis=1, num_freq_bands=2, max_freq=4.0, depth=2, num_latents=4, latent_dim=16,
                       cross_heads=1, latent_heads=2, cross_dim_head=8, latent_dim_head=8, num_classes=3), 0.2)
learn("perceiver", model, model(wave(2, 12, 3)))
