"""x-transformers: a decoder with rotary positions"""

import torch
from common import fill, learn
from x_transformers import Decoder, TransformerWrapper

model = fill(TransformerWrapper(num_tokens=20, max_seq_len=16, attn_layers=Decoder(dim=32, depth=2, heads=2,
                                                                                   rotary_pos_emb=True)), 0.1)
learn("decoder", model, model(torch.arange(24).reshape(2, 12) % 20))
