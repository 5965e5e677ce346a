"""slot-attention: slots of a set"""

import torch
from common import fill, learn, wave
from slot_attention import SlotAttention

model = fill(SlotAttention(num_slots=3, dim=8, iters=2))
torch.manual_seed(0)
learn("slots", model, model(wave(2, 6, 8)))
