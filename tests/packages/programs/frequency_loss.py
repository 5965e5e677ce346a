"""focal-frequency-loss: a loss between spectra"""

from common import show, wave
from focal_frequency_loss import FocalFrequencyLoss

show("loss", FocalFrequencyLoss()(wave(1, 1, 8, 8), wave(1, 1, 8, 8, step=0.9)))
