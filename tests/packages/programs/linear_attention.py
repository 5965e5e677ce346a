"""linear-attention-transformer: a language model"""

import torch
from common import fill, learn
from linear_attention_transformer import LinearAttentionTransformerLM

model = fill(LinearAttentionTransformerLM(num_tokens=20, dim=32, heads=2, depth=1, max_seq_len=16))
learn("logits", model, model(torch.arange(16)[None]))
