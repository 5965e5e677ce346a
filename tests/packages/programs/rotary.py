"""rotary-embedding-torch: rotated queries"""

from common import show, wave
from rotary_embedding_torch import RotaryEmbedding

x = wave(1, 2, 6, 8).requires_grad_()
y = RotaryEmbedding(dim=8).rotate_queries_or_keys(x)
(y ** 3).sum().backward()
show("rotary", y, x.grad)
