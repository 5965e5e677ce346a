"""fft-conv-pytorch: a convolution through Fourier's transform"""

from common import fill, learn, wave
from fft_conv_pytorch import FFTConv1d

model = fill(FFTConv1d(2, 3, 5))
learn("out", model, model(wave(1, 2, 20)))
