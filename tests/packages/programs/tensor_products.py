"""e3nn: an equivariant tensor product, which writes its own code"""

from common import fill, show, wave
from e3nn import o3

product = fill(o3.FullyConnectedTensorProduct("2x0e+1x1o", "1x0e+1x1o", "2x0e+1x1o"))
show("product", product(wave(3, 5), wave(3, 4)))
