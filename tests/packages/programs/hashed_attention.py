"""reformer-pytorch: attention within buckets of hashes"""

import torch
from common import fill, learn, wave
from reformer_pytorch import LSHSelfAttention

torch.manual_seed(0)
model = fill(LSHSelfAttention(dim=32, heads=2, bucket_size=4, n_hashes=2, causal=False))
learn("attention", model, model(wave(1, 16, 32)))
