"""local-attention: windows of a sequence"""

from common import show, wave
from local_attention import LocalAttention

q, k, v = (wave(2, 2, 12, 8, step=step).requires_grad_() for step in (0.3, 0.5, 0.7))
y = LocalAttention(dim=8, window_size=4, causal=True)(q, k, v)
(y ** 2).sum().backward()
show("local", y, q.grad, v.grad)
