"""sinkhorn-transformer: attention between blocks that are sorted"""

import torch
from common import fill, learn
from sinkhorn_transformer import SinkhornTransformerLM

model = fill(SinkhornTransformerLM(num_tokens=20, dim=32, heads=2, depth=1, max_seq_len=16, bucket_size=4))
learn("logits", model, model(torch.arange(16)[None]))
