"""soft-moe-pytorch: soft mixtures of experts"""

from common import fill, learn, wave
from soft_moe_pytorch import SoftMoE

model = fill(SoftMoE(dim=8, seq_len=6, num_experts=2))
learn("experts", model, model(wave(2, 6, 8)))
