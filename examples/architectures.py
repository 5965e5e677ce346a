"""Networks as they are published, small: for examples that show what is in them."""

import autograd
import nn
from autograd import Tensor
from nn import functional as F


class Twice(nn.Module):
    """Two convolutions, each with batch normalization and relu."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.norm2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) -> (batch, outputs, height, width)."""
        return F.relu(self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x))))))


class UNet(nn.Module):
    """Ronneberger, Fischer, Brox (2015), with padding."""

    def __init__(self, channels: int = 3, classes: int = 2, width: int = 8, depth: int = 4) -> None:
        super().__init__()
        widths = [width * 2 ** level for level in range(depth + 1)]
        self.down = nn.ModuleList([Twice(a, b) for a, b in zip([channels, *widths], widths[:-1], strict=False)])
        self.bottom = Twice(*widths[-2:])
        self.up = nn.ModuleList([nn.ConvTranspose2d(2 * a, a, 2, 2) for a in widths[-2::-1]])
        self.merge = nn.ModuleList([Twice(2 * a, a) for a in widths[-2::-1]])
        self.head = nn.Conv2d(width, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, classes, height, width)."""
        skips = []
        for down in self.down:
            skips.append(down(x))
            x = F.max_pool2d(skips[-1], 2)
        x = self.bottom(x)
        for up, merge in zip(self.up, self.merge, strict=True):
            x = merge(autograd.cat([up(x), skips.pop()], 1))
        return self.head(x)


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)): a layer of GPT-2 (Radford et al. 2019)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, width) -> the same; every place sees those before it."""
        inner, mask = self.norm1(x), nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        x = x + self.attention(inner, inner, inner, attn_mask=mask, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


class GPT(nn.Module):
    """Embeddings, blocks, and the scores of the next token."""

    def __init__(self, tokens: int, width: int, heads: int, layers: int, context: int) -> None:
        super().__init__()
        self.token, self.position = nn.Embedding(tokens, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*[Block(width, heads) for _ in range(layers)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, tokens, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, time) -> (batch, time, tokens)."""
        x = self.token(tokens) + self.position(autograd.arange(tokens.shape[1]))
        return self.head(self.norm(self.blocks(x)))


class Recurrent(nn.Module):
    """One LSTM cell, called at every step, and a prediction from the last state."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.cell, self.head = nn.LSTMCell(inputs, width), nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(time, batch, inputs) -> (batch, 1)."""
        state = None
        for step in x:
            state = self.cell(step, state)
        return self.head(state[0])


class Neuron(nn.Module):
    """micrograd's (Karpathy 2020): a sum of products of numbers."""

    def __init__(self, inputs: int, nonlin: bool) -> None:
        super().__init__()
        self.w = nn.ParameterList([nn.Parameter(autograd.rand(()) * 2 - 1) for _ in range(inputs)])
        self.b, self.nonlin = nn.Parameter(autograd.zeros(())), nonlin

    def forward(self, x: list[Tensor]) -> Tensor:
        """Numbers -> a number."""
        out = sum((w * xi for w, xi in zip(self.w, x, strict=True)), self.b)
        return out.relu() if self.nonlin else out


class Layer(nn.Module):
    """Neurons side by side."""

    def __init__(self, inputs: int, outputs: int, nonlin: bool) -> None:
        super().__init__()
        self.neurons = nn.ModuleList([Neuron(inputs, nonlin) for _ in range(outputs)])

    def forward(self, x: list[Tensor]) -> list[Tensor]:
        """Numbers -> numbers."""
        return [neuron(x) for neuron in self.neurons]


class Moons(nn.Module):
    """The net of micrograd's demo: 337 parameters, each a number."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Layer(2, 16, True), Layer(16, 16, True), Layer(16, 1, False)])

    def forward(self, x: list[Tensor]) -> Tensor:
        """Two numbers -> a score."""
        for layer in self.layers:
            x = layer(x)
        return x[0]
