"""torch-dct: the discrete cosine transform"""

import torch_dct
from common import show, wave

show("dct", torch_dct.dct(wave(3, 8)))
