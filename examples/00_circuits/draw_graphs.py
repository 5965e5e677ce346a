"""The pictures of the guide: circuits and models, drawn from their recorded graphs.

Where a value is used twice, the gradients of both uses add; a residual block sends the gradient through itself and
past itself; an LSTM's weights get one from every step; equal blocks fold into one box. Nothing is declared: what is
drawn is what was computed. `python -m examples draw_graphs --out docs/images` draws those of docs/visualizing.md. Try
viz.draw on a model of yours, and save it as .html to step through both passes.
"""


import autograd
import nn
import viz
from autograd import Tensor

SYSTEMS = ("computational graph", "residual block", "unrolled LSTM")
CLAIM = "Equal parts fold: twelve residual blocks take less than 20 boxes, and a GPT of 174 operations less than 60."


def sigmoid_neuron() -> viz.Drawing:
    """The neuron of the CS231n notes."""
    w0, x0 = Tensor(2.0, requires_grad=True), Tensor(-1.0, requires_grad=True)
    w1, x1 = Tensor(-3.0, requires_grad=True), Tensor(-2.0, requires_grad=True)
    w2 = Tensor(-3.0, requires_grad=True)
    f = 1 / (1 + autograd.exp(-(w0 * x0 + w1 * x1 + w2)))
    return viz.draw(f)


def fork() -> viz.Drawing:
    """A value used twice: its gradient is the sum of what both branches send back."""
    a, b = Tensor(3.0, requires_grad=True), Tensor(2.0, requires_grad=True)
    c = a * b
    y = c.exp() / 100 + c * a
    return viz.draw(y)


def batch_of_two() -> viz.Drawing:
    """Small tensors in a circuit: a linear neuron on two examples, with a squared error."""
    X = Tensor([[1.0, 2.0], [3.0, -1.0]])
    w = Tensor([0.5, -1.0], requires_grad=True)
    b = Tensor(0.1, requires_grad=True)
    target = Tensor([1.0, 2.0])
    error = X @ w + b - target
    loss = (error * error).sum()
    return viz.draw(loss)


def mlp() -> viz.Drawing:
    """A network with one hidden layer and its loss."""
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    images, labels = autograd.randn(16, 64), autograd.randint(0, 10, (16,))
    loss = nn.functional.cross_entropy(model(images), labels)
    return viz.draw(loss, model=model)


class Residual(nn.Module):
    """x + f(x), after He et al. (2016), with linear layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width) -> (batch, width)."""
        return x + self.down(self.up(x).relu())


def residual_blocks() -> viz.Drawing:
    """Twelve equal blocks: the first opened, the others folded into one box."""
    model = nn.Sequential(*[Residual(16) for _ in range(12)], nn.Linear(16, 1))
    return viz.draw(model, autograd.randn(8, 16))


class ResidualBlock(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x)))))), the basic block of He et al. (2016)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> the same."""
        inner = autograd.relu(self.bn1(self.conv1(x)))
        return autograd.relu(x + self.bn2(self.conv2(inner)))


def resnet_block() -> viz.Drawing:
    """A residual block with convolutions: the gradient comes back through the block and past it."""
    return viz.draw(ResidualBlock(8), autograd.randn(4, 8, 16, 16).requires_grad_())


class Recurrent(nn.Module):
    """One LSTM cell, called at every step, and a prediction from the last state."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.cell, self.head = nn.LSTMCell(inputs, width), nn.Linear(width, 1)

    def forward(self, *steps: Tensor) -> Tensor:
        """(batch, inputs) at every step -> (batch, 1)."""
        state = None
        for x in steps:
            state = self.cell(x, state)
        return self.head(state[0])


def lstm() -> viz.Drawing:
    """An LSTM over four steps: the same cell four times; its weights get a gradient from every step."""
    x1, x2, x3, x4 = (autograd.randn(4, 8) for _ in range(4))
    return viz.draw(Recurrent(8, 16), x1, x2, x3, x4, depth=0)


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)): a layer of GPT-2 (Radford et al. 2019)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, width) -> the same; every place sees those before it."""
        inner = self.norm1(x)
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
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


def gpt() -> viz.Drawing:
    """A small GPT: one of its six blocks open, the others folded into one box."""
    return viz.draw(GPT(tokens=65, width=32, heads=4, layers=6, context=16), autograd.randint(0, 65, (2, 16)))


PICTURES = (sigmoid_neuron, fork, batch_of_two, mlp, residual_blocks, resnet_block, lstm, gpt)


def example(run):
    for picture in run.progress(PICTURES, quick=3):
        autograd.manual_seed(run.seed)
        drawing = picture()
        run.save(drawing, picture.__name__)
        boxes = len(drawing.picture.boxes)
        run.result(f"boxes of {picture.__name__}", boxes)
        run.holds(boxes < {residual_blocks: 20, gpt: 60}.get(picture, 15))
