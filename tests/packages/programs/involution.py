"""involution-pytorch: kernels that differ from place to place"""

from common import fill, learn, wave
from involution_pytorch import Inv2d

model = fill(Inv2d(channels=8, kernel_size=3, stride=1, group_ch=4))
learn("out", model, model(wave(1, 8, 6, 6)))
