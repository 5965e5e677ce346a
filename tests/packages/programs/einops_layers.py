"""einops: Rearrange, Reduce and EinMix as layers"""

from common import fill, learn, wave
import torch
from einops.layers.torch import EinMix, Rearrange, Reduce

model = fill(torch.nn.Sequential(Rearrange("b (h w) c -> b c h w", h=2), torch.nn.Conv2d(4, 8, 1),
                                 Reduce("b c h w -> b c", "mean"), EinMix("b c -> b d", weight_shape="c d", c=8, d=3)))
learn("einops", model, model(wave(2, 6, 4)))
