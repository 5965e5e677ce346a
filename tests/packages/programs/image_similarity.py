"""pytorch-msssim: SSIM and its gradient"""

from common import show, wave
from pytorch_msssim import ssim

x, y = (wave(1, 3, 32, 32) + 1).requires_grad_(), wave(1, 3, 32, 32, step=0.36) + 1
value = ssim(x, y, data_range=2)
value.backward()
show("ssim", value, x.grad)
