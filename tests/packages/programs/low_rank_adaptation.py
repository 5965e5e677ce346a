"""loralib: layers with low-rank updates"""

import loralib
import torch
from common import fill, learn, wave

model = torch.nn.Sequential(loralib.Linear(4, 8, r=2), torch.nn.ReLU(), loralib.Linear(8, 3, r=2))
fill(model).train()
loralib.mark_only_lora_as_trainable(model)
learn("lora", model, model(wave(5, 4)))
print(sorted(loralib.lora_state_dict(model)))
