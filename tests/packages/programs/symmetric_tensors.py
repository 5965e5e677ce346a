"""e3nn: spherical harmonics"""

from common import show, wave
from e3nn import o3

x = wave(4, 3).requires_grad_()
y = o3.spherical_harmonics([0, 1, 2], x, normalize=True)
(y ** 3).sum().backward()
show("harmonics", y, x.grad)
