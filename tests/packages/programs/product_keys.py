"""product-key-memory: a memory that is looked up by halves of keys"""

from common import fill, learn, wave
from product_key_memory import PKM

model = fill(PKM(dim=16, heads=2, num_keys=8, topk=4, dim_head=8))
learn("found", model, model(wave(1, 6, 16)))
