"""transformers: GPT-2 with its loss, and BERT"""

import torch
from common import fill, learn, show
from transformers import BertConfig, BertModel, GPT2Config, GPT2LMHeadModel

tokens = torch.arange(16).reshape(2, 8) % 30
model = fill(GPT2LMHeadModel(GPT2Config(n_layer=2, n_head=2, n_embd=16, vocab_size=30, n_positions=16)), 0.1)
output = model(tokens, labels=tokens)
output.loss.backward()
show("gpt2", output.loss, output.logits, model.transformer.wte.weight.grad)
model = fill(BertModel(BertConfig(num_hidden_layers=1, num_attention_heads=2, hidden_size=16, intermediate_size=32,
                                  vocab_size=30)), 0.1)
learn("bert", model, model(tokens).pooler_output)
