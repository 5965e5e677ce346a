"""nystrom-attention: attention by landmarks"""

from common import fill, learn, wave
from nystrom_attention import NystromAttention

model = fill(NystromAttention(dim=16, dim_head=8, heads=2, num_landmarks=4), 0.2)
learn("nystrom", model, model(wave(2, 12, 16)))
