"""pytorch-tcn: causal dilated convolutions"""

from common import fill, learn, wave
from pytorch_tcn import TCN

model = fill(TCN(3, [4, 4], kernel_size=3, dropout=0.0))
learn("tcn", model, model(wave(2, 3, 12)))
