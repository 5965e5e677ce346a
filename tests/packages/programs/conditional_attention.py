"""CoLT5-attention: a heavy branch for a few tokens"""

from colt5_attention import ConditionalRoutedFeedForward
from common import fill, learn, wave

model = fill(ConditionalRoutedFeedForward(16, num_heavy_tokens=4, light_ff_mult=0.5, heavy_ff_mult=2))
learn("out", model, model(wave(1, 12, 16)))
