"""Models of one's own: layers, containers, hooks, initialization, what is saved."""

from pathlib import Path
from typing import Any

import nn
from autograd import Tensor, no_grad, ones, randn
from nn import functional as F


class Residual(nn.Module):
    """A block with a buffer."""

    scale: Tensor

    def __init__(self, width: int, p: float = 0.1) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, width, bias=False, dtype="float32")
        self.dropout = nn.Dropout(p)
        self.gain = nn.Parameter(ones(width))
        self.register_buffer("scale", ones(1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.dropout(F.gelu(self.linear(self.norm(x)) * self.gain)) * self.scale


class Network(nn.Module):
    """Images to scores."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 8, kernel_size=3, padding="same"), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, (3, 3), padding=1), nn.GELU("tanh"), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten())
        self.blocks = nn.ModuleList([Residual(16) for _ in range(2)])
        self.heads = nn.ModuleDict({"classes": nn.Linear(16, classes), "padding": nn.ZeroPad2d(1)})

    def forward(self, x: Tensor) -> Tensor:
        x = self.features(x)
        for block in self.blocks:
            x = block(x)
        return self.heads["classes"](x)


class Reader(nn.Module):
    """Sequences, with attention."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(100, 16, padding_idx=0)
        self.lstm = nn.LSTM(16, 16, num_layers=2, batch_first=True)
        self.attention = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.embedding(tokens)
        x, (h, _) = self.lstm(x)
        x, weights = self.attention(x, x, x, need_weights=True)
        return x.mean(dim=1) + h[-1]


def initialized(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight, gain=2 ** 0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def seen(module: nn.Module, args: tuple, output: Any) -> None:
    print(type(module).__name__, output.shape)


model = Network().apply(initialized).train()
handle = model.features.register_forward_hook(seen)
scores: Tensor = model(randn(4, 1, 8, 8))
handle.remove()
count = sum(p.numel() for p in model.parameters() if p.requires_grad)
rate: float = nn.Dropout(0.5).p
conv = nn.Conv2d(1, 8, 3)
shape: tuple[int, ...] = conv.weight.shape
with no_grad():
    for name, parameter in model.named_parameters():
        parameter -= 0.01 * parameter
        print(name, parameter.abs().mean().item())
pooled, where = F.max_pool2d(randn(1, 1, 4, 4), 2, return_indices=True)
restored: Tensor = nn.MaxUnpool2d(2)(pooled, where)
half: Tensor = F.avg_pool2d(randn(1, 1, 4, 4), kernel_size=2)
loss: Tensor = F.cross_entropy(scores, F.one_hot(scores.argmax(1), 10).float(), label_smoothing=0.1)
attended: Tensor = F.scaled_dot_product_attention(randn(1, 4, 8), randn(1, 4, 8), randn(1, 4, 8), is_causal=True)
nn.save(model.state_dict(), Path("model.safetensors"))
model.load_state_dict(nn.load("model.safetensors"), strict=False)
print(nn.summary(model, randn(1, 1, 8, 8)))
