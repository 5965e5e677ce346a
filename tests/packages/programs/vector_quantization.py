"""vector-quantize-pytorch: codes, and what passes straight through"""

import torch
from common import fill, show, wave
from vector_quantize_pytorch import VectorQuantize

torch.manual_seed(0)
model = VectorQuantize(dim=8, codebook_size=6, decay=0.8)
x = wave(2, 5, 8).requires_grad_()
quantized, indices, loss = model(x)
(quantized ** 2).sum().backward()
show("codes", quantized, indices, loss, x.grad)
