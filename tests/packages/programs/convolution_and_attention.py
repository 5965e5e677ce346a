"""conformer: a block"""

from common import fill, learn, wave
from conformer import ConformerBlock

model = fill(ConformerBlock(dim=16, dim_head=8, heads=2, ff_mult=2, conv_expansion_factor=2, conv_kernel_size=5), 0.2)
learn("conformer", model, model(wave(2, 10, 16)))
