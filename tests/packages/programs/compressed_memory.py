"""compressive-transformer-pytorch: a language model with a memory"""

import torch
from common import fill, learn
from compressive_transformer_pytorch import CompressiveTransformer

model = fill(CompressiveTransformer(num_tokens=20, dim=32, depth=1, heads=2, seq_len=16, mem_len=16))
learn("logits", model, model(torch.arange(16)[None])[0])
