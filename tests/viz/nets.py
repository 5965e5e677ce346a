"""Nets with one fault each, and healthy ones: of any seed, width and depth."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd
import nn
import nn.functional as F
from autograd import Tensor, rand, randint, randn
from autograd.checkpoint import checkpoint

Net = tuple[Tensor, Any]
"""A loss, and the module (or the tensors by name) that it was computed with."""


@dataclass
class Size:
    """How large a net is made."""

    width: int = 16
    depth: int = 8
    batch: int = 16


def classes(batch: int, count: int = 4) -> Tensor:
    return randint(count, (batch,))


def stack(size: Size, activation: Callable[[], Any], inputs: int = 8, outputs: int = 4) -> nn.Sequential:
    widths = [inputs, *[size.width] * size.depth]
    layers = [layer for a, b in itertools.pairwise(widths) for layer in (nn.Linear(a, b), activation())]
    return nn.Sequential(*layers, nn.Linear(size.width, outputs))


class Then(nn.Module):
    """A function as a layer."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class Blocks(nn.Module):
    """Layers that are called one after the other, by their place in a list."""

    def __init__(self, size: Size, block: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.stem, self.head = nn.Linear(8, size.width), nn.Linear(size.width, 4)
        self.blocks = nn.ModuleList([block(k) for k in range(size.depth)])

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return self.head(x)


class Block(nn.Module):
    """A residual block, with something done to what it adds."""

    def __init__(self, width: int, then: Callable[[Tensor], Tensor] = lambda x: x) -> None:
        super().__init__()
        self.norm, self.up, self.down = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.then = then

    def forward(self, x: Tensor) -> Tensor:
        return x + self.then(self.down(self.up(self.norm(x)).relu()))


def classified(model: nn.Module, size: Size, inputs: int = 8) -> Net:
    return F.cross_entropy(model(randn(size.batch, inputs)), classes(size.batch)), model


# Sick


def with_bad_block(then: Callable[[Tensor], Tensor], at: Callable[[int], int]) -> Callable[[Size], Net]:
    def net(size: Size) -> Net:
        return classified(Blocks(size, lambda k: Block(
            size.width, then if k == at(size.depth) else lambda x: x)), size)
    return net


nan_forward = with_bad_block(lambda x: x.sqrt(), lambda depth: depth // 2)
nan_backward = with_bad_block(lambda x: (x * 0).abs().sqrt(), lambda depth: depth - 1)
log_of_zero = with_bad_block(lambda x: x.relu().log(), lambda depth: depth // 2)
overflow = with_bad_block(lambda x: (x * 1e4).exp(), lambda depth: 1)
division_by_zero = with_bad_block(lambda x: x / (x - x), lambda depth: 0)


def overflow_in_half_precision(size: Size) -> Net:
    model = stack(size, nn.ReLU).half()
    with autograd.no_grad():
        model[2].weight[0] = 60000
    y = model(randn(size.batch, 8).half())
    return (y.float() ** 2).mean(), model


def underflow_of_a_likelihood(size: Size) -> Net:
    model = stack(Size(size.width, 2), nn.ReLU)
    p = model(randn(size.batch, 8, 8)).softmax(-1)[..., 0].reshape(-1)
    return -(p * 1e-5).prod().log(), model


def underflow_of_a_gradient(size: Size) -> Net:
    model = stack(Size(size.width, 3), nn.Tanh).half()
    y = model(randn(size.batch, 8).half())
    return ((y * 1e-4) * (y * 1e-4)).float().mean(), model


def nan_in_the_data(size: Size) -> Net:
    model, images = stack(size, nn.ReLU), np.ones((size.batch, 8), np.float32)
    images[1, 2] = np.nan
    return F.cross_entropy(model(Tensor(images)), classes(size.batch)), model


def nan_in_a_parameter(size: Size) -> Net:
    model = stack(size, nn.ReLU)
    with autograd.no_grad():
        model[2].weight[0, 0] = math.nan
    return classified(model, size)


def vanishing_by_sigmoid(size: Size) -> Net:
    return classified(stack(Size(size.width, 2 * size.depth, size.batch), nn.Sigmoid), size)


def vanishing_by_small_weights(size: Size) -> Net:
    model = stack(size, nn.Tanh)
    with autograd.no_grad():
        for p in model.parameters():
            p *= 0.05
    return classified(model, size)


def exploding_by_large_weights(size: Size) -> Net:
    model = stack(size, nn.ReLU)
    with autograd.no_grad():
        for layer in list(model)[:-1:2]:
            layer.weight *= 50
    return classified(model, size)


class Recurrent(nn.Module):
    """A cell over time."""

    def __init__(self, cell: Any, width: int, head: bool = True) -> None:
        super().__init__()
        self.cell, self.head = cell, nn.Linear(width, 4) if head else None

    def forward(self, xs: Tensor) -> Tensor:
        state = None
        for x in xs:
            state = self.cell(x, state)
        h = state[0] if isinstance(state, tuple) else state
        return self.head(h) if self.head else h


def exploding_cell(size: Size) -> Net:
    model = Recurrent(nn.RNNCell(8, size.width, nonlinearity="relu"), size.width)
    with autograd.no_grad():
        model.cell.weight_hh.copy_(1.8 * autograd.eye(size.width))
    return F.cross_entropy(model(rand(5 * size.depth, size.batch, 8)), classes(size.batch)), model


def exploding_rnn(size: Size) -> Net:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.head = nn.RNN(8, size.width, nonlinearity="relu"), nn.Linear(size.width, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.rnn(x)[0][-1])
    model = Net()
    with autograd.no_grad():
        model.rnn.weight_hh_l0.copy_(1.8 * autograd.eye(size.width))
    return F.cross_entropy(model(rand(5 * size.depth, size.batch, 8)), classes(size.batch)), model


def chaotic_rnn(size: Size) -> Net:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.head = nn.RNN(8, 4 * size.width), nn.Linear(4 * size.width, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.rnn(x)[0][-1])
    model = Net()
    with autograd.no_grad():
        model.rnn.weight_hh_l0.copy_(4 * randn(4 * size.width, 4 * size.width) / (4 * size.width) ** 0.5)
    return F.cross_entropy(model(randn(10 * size.depth, size.batch, 8)), classes(size.batch)), model


def dead_relu(size: Size) -> Net:
    model = stack(size, nn.ReLU)
    with autograd.no_grad():
        model[4].bias -= 100
    return classified(model, size)


def saturated_tanh(size: Size) -> Net:
    model = stack(size, nn.Tanh)
    with autograd.no_grad():
        for layer in list(model)[:-1:2]:
            layer.weight *= 200
    return classified(model, size)


class Branches(nn.Module):
    """Two branches, of which one is cut off or never called."""

    def __init__(self, size: Size, way: str) -> None:
        super().__init__()
        self.left, self.right = stack(Size(size.width, 1), nn.ReLU), stack(Size(size.width, 1), nn.ReLU)
        self.head, self.way = nn.Linear(4, 4), way

    def forward(self, x: Tensor) -> Tensor:
        y = self.left(x)
        if self.way == "detached":
            y = y + self.right(x).detach()
        return self.head(y.relu())


def detached_branch(size: Size) -> Net:
    return classified(Branches(size, "detached"), size)


def unused_branch(size: Size) -> Net:
    return classified(Branches(size, "unused"), size)


class Scaled(nn.Module):
    """A layer with a parameter that its author forgot."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear, self.scale = nn.Linear(width, width), nn.Parameter(autograd.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x).relu()


def unused_parameter(size: Size) -> Net:
    return classified(nn.Sequential(nn.Linear(8, size.width), Scaled(size.width), nn.Linear(size.width, 4)), size)


def forgotten_block(size: Size) -> Net:
    class Forgetful(Blocks):
        def forward(self, x: Tensor) -> Tensor:
            x = self.stem(x)
            for block in list(self.blocks)[:-1]:
                x = block(x)
            return self.head(x)
    return classified(Forgetful(size, lambda k: Block(size.width)), size)


def all_zero(activation: Callable[[], Any], value: float = 0.0) -> Callable[[Size], Net]:
    def net(size: Size) -> Net:
        model = stack(size, activation)
        for p in model.parameters():
            nn.init.constant_(p, value)
        return classified(model, size)
    return net


def frozen_by_mistake(size: Size) -> Net:
    model = stack(Size(size.width, 6), nn.ReLU)
    model[4].requires_grad_(False)
    return classified(model, size)


def rounded(size: Size) -> Net:
    model = nn.Sequential(nn.Linear(8, size.width), nn.ReLU(), Then(lambda x: x.round()), nn.Linear(size.width, 4))
    return classified(model, size)


def maximized(size: Size) -> Net:
    loss, model = classified(stack(Size(size.width, 2), nn.ReLU), size)
    return -loss, model


def error_with_a_minus(size: Size) -> Net:
    model = stack(Size(size.width, 2), nn.ReLU)
    return -((model(randn(size.batch, 8)) - randn(size.batch, 4)) ** 2).mean(), model


def likelihood_without_its_minus(size: Size) -> Net:
    model = stack(Size(size.width, 2), nn.ReLU)
    p = model(randn(size.batch, 8)).log_softmax(-1)
    return p[autograd.arange(size.batch), classes(size.batch)].mean(), model


def saturated_attention(size: Size) -> Net:
    model = GPT(size.width, 2)
    with autograd.no_grad():
        for p in (model.blocks[1].attention.query.weight, model.blocks[1].attention.key.weight):
            p *= 1e5
    x = randint(60, (size.batch // 4, 9))
    return F.cross_entropy(model(x[:, :-1]).reshape(-1, 60), x[:, 1:].reshape(-1)), model


def scores_in_half_precision(size: Size) -> Net:
    model = nn.ModuleDict({"query": nn.Linear(8, size.width), "key": nn.Linear(8, size.width)}).half()
    x = 500 * randn(size.batch, 6, 8).half()
    mixed = (model["query"](x) @ model["key"](x).transpose(1, 2)).softmax(-1) @ x
    return (mixed.float() ** 2).mean(), model


def argmax_between(size: Size) -> Net:
    class Chosen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.scores, self.words, self.head = nn.Linear(8, 6), nn.Embedding(6, size.width), nn.Linear(size.width, 4)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.words(self.scores(x).argmax(-1)))
    return classified(Chosen(), size)


def softmax_of_one(size: Size) -> Net:
    model = stack(Size(size.width, 2), nn.ReLU, outputs=1)
    return F.mse_loss(model(randn(size.batch, 8)).softmax(-1), rand(size.batch, 1)), model


def every_pair(size: Size) -> Net:
    model = stack(Size(size.width, 2), nn.ReLU, outputs=1)
    return ((model(randn(size.batch, 8)) - randn(size.batch)) ** 2).mean(), model


SICK: dict[str, tuple[Callable[[Size], Net], str, str]] = {
    "NaN forward": (nan_forward, "sqrt", "NaN"),
    "NaN backward only": (nan_backward, "sqrt", "gradient NaN|gradient .* NaN|gradient .*infinite"),
    "log of zero": (log_of_zero, "log", "infinite"),
    "overflow": (overflow, "exp", "infinite"),
    "division by zero": (division_by_zero, "div", "NaN|infinite"),
    "overflow in half precision": (overflow_in_half_precision, "linear", "float16"),
    "underflow of a likelihood": (underflow_of_a_likelihood, "prod", "underflow"),
    "underflow of a gradient": (underflow_of_a_gradient, "", "underflow"),
    "NaN in the data": (nan_in_the_data, "constant", "NaN"),
    "NaN in a parameter": (nan_in_a_parameter, "2.weight", "NaN"),
    "vanishing by sigmoid": (vanishing_by_sigmoid, "linear", "vanishes"),
    "vanishing by small weights": (vanishing_by_small_weights, "linear", "vanishes"),
    "exploding by large weights": (exploding_by_large_weights, "linear", "explodes"),
    "exploding cell": (exploding_cell, "linear", "explodes"),
    "exploding RNN": (exploding_rnn, "rnn_sequence", "explodes"),
    "chaotic RNN": (chaotic_rnn, "rnn_sequence", "explodes"),
    "dead ReLU": (dead_relu, "relu", "dead"),
    "saturated tanh": (saturated_tanh, "tanh", "saturated"),
    "detached branch": (detached_branch, "right", "no gradient"),
    "unused branch": (unused_branch, "right", "no gradient"),
    "unused parameter": (unused_parameter, "1.scale", "no gradient"),
    "forgotten block": (forgotten_block, "blocks", "no gradient"),
    "all zero": (all_zero(nn.ReLU), "weight", "equal"),
    "all zero, sigmoid": (all_zero(nn.Sigmoid), "weight", "equal"),
    "all the same": (all_zero(nn.Tanh, 0.1), "weight", "equal"),
    "frozen by mistake": (frozen_by_mistake, "4.weight", "frozen"),
    "rounded": (rounded, "round", "no gradient"),
    "maximized": (maximized, "output|cross_entropy", "wrong sign"),
    "error with a minus": (error_with_a_minus, "power", "wrong sign"),
    "saturated attention": (saturated_attention, "softmax", "saturated"),
    "scores in half precision": (scores_in_half_precision, "matmul", "float16"),
    "argmax in between": (argmax_between, "scores", "no gradient"),
    "softmax of one": (softmax_of_one, "softmax", "no gradient"),
    "target of another shape": (every_pair, "sub", r"\(16, 1\) and \(16,\)|\(8, 1\)|\(32, 1\)"),
    "likelihood without its minus": (likelihood_without_its_minus, "log_softmax", "wrong sign"),
}
"""What the fault is -> the net, the box where it is born, and what is said about it."""


# Healthy


def mlp(size: Size) -> Net:
    return classified(stack(Size(size.width, min(size.depth, 6), size.batch), nn.ReLU), size)


def cnn(size: Size) -> Net:
    def layer(a: int, b: int) -> list[nn.Module]:
        return [nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU()]
    w = size.width
    model = nn.Sequential(*layer(3, w), *layer(w, w), nn.MaxPool2d(2), *layer(w, 2 * w), nn.AdaptiveAvgPool2d(1),
                          nn.Flatten(), nn.Linear(2 * w, 4))
    return F.cross_entropy(model(randn(size.batch, 3, 8, 8)), classes(size.batch)), model


class Residual(nn.Module):
    """A basic block of a ResNet."""

    def __init__(self, a: int, b: int, stride: int, zero: bool = False) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b)
        self.conv2, self.bn2 = nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b)
        self.short = nn.Sequential(nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b)) if a != b else None
        if zero:
            nn.init.zeros_(self.bn2.weight)

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + (self.short(x) if self.short else x)).relu()


def resnet(size: Size, zero: bool = False) -> Net:
    w = size.width
    model = nn.Sequential(nn.Conv2d(3, w, 3, 1, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU(),
                          *(Residual(w, w, 1, zero) for _ in range(size.depth // 2)),
                          *(Residual(w * 2**k, w * 2**(k + 1), 2, zero) for k in range(2)),
                          nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * w, 4))
    return F.cross_entropy(model(randn(size.batch, 3, 8, 8)), classes(size.batch)), model


def resnet_with_zero_gamma(size: Size) -> Net:
    return resnet(size, zero=True)


class UNet(nn.Module):
    """Two levels down and up again."""

    def __init__(self, w: int) -> None:
        super().__init__()
        def double(a: int, b: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU(),
                                 nn.Conv2d(b, b, 3, padding=1), nn.BatchNorm2d(b), nn.ReLU())
        self.down1, self.down2, self.bottom = double(1, w), double(w, 2 * w), double(2 * w, 4 * w)
        self.open2, self.up2 = nn.ConvTranspose2d(4 * w, 2 * w, 2, 2), double(4 * w, 2 * w)
        self.open1, self.up1 = nn.ConvTranspose2d(2 * w, w, 2, 2), double(2 * w, w)
        self.head = nn.Conv2d(w, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.down1(x)
        b = self.down2(F.max_pool2d(a, 2))
        c = self.bottom(F.max_pool2d(b, 2))
        b = self.up2(autograd.cat([self.open2(c), b], 1))
        return self.head(self.up1(autograd.cat([self.open1(b), a], 1)))


def unet(size: Size) -> Net:
    model = UNet(size.width // 2)
    masks = (rand(size.batch // 4, 1, 16, 16) > 0.5).float()
    return F.binary_cross_entropy_with_logits(model(randn(size.batch // 4, 1, 16, 16)), masks), model


def lstm_cell(size: Size) -> Net:
    model = Recurrent(nn.LSTMCell(8, size.width), size.width)
    return F.cross_entropy(model(randn(50, size.batch, 8)), classes(size.batch)), model


class Tagger(nn.Module):
    """Words, a recurrent layer, classes."""

    def __init__(self, layer: Any, width: int, words: int = 200, last: bool = False) -> None:
        super().__init__()
        self.words, self.layer, self.head, self.last = nn.Embedding(words, 8), layer, nn.Linear(width, 4), last

    def forward(self, x: Tensor) -> Tensor:
        y = self.layer(self.words(x))[0]
        return self.head(y[-1] if self.last else y.reshape(-1, y.shape[-1]))


def lstm(size: Size) -> Net:
    model = Tagger(nn.LSTM(8, size.width, num_layers=2), size.width, last=True)
    return F.cross_entropy(model(randint(30, (50, size.batch))), classes(size.batch)), model


def gru(size: Size) -> Net:
    model = Tagger(nn.GRU(8, size.width), size.width)
    return F.cross_entropy(model(randint(30, (20, size.batch))), classes(20 * size.batch)), model


class Attention(nn.Module):
    """Causal attention with its mask in the open."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        t = x.shape[1]
        scores = self.query(x) @ self.key(x).transpose(1, 2) / x.shape[-1] ** 0.5
        scores = scores.masked_fill(autograd.ones(t, t).triu(1).bool(), -math.inf)
        return self.out(scores.softmax(-1) @ self.value(x))


class Transformer(nn.Module):
    """A block of a GPT."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ln1, self.attention, self.ln2 = nn.LayerNorm(width), Attention(width), nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.ln1(x))
        return x + self.mlp(self.ln2(x))


class GPT(nn.Module):
    """Tokens and places in, tokens out."""

    def __init__(self, width: int, depth: int, tokens: int = 60) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(tokens, width), nn.Embedding(64, width)
        self.blocks = nn.ModuleList([Transformer(width) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, tokens, bias=False)
        for name, p in self.named_parameters():
            if p.ndim > 1:
                nn.init.normal_(p, 0, 0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(p)
        self.head.weight = self.tokens.weight

    def forward(self, x: Tensor) -> Tensor:
        y = self.tokens(x) + self.places(autograd.arange(x.shape[1]))
        for block in self.blocks:
            y = block(y)
        return self.head(self.norm(y))


def gpt(size: Size) -> Net:
    model = GPT(size.width, size.depth)
    x = randint(60, (size.batch // 4, 17))
    return F.cross_entropy(model(x[:, :-1]).reshape(-1, 60), x[:, 1:].reshape(-1)), model


def transformer(size: Size) -> Net:
    model = nn.Transformer(size.width, 2, 2, 2, 2 * size.width)
    y = model(randn(7, size.batch, size.width), randn(5, size.batch, size.width),
              tgt_mask=nn.Transformer.generate_square_subsequent_mask(5))
    return F.mse_loss(y, randn(5, size.batch, size.width)), model


def _gan(size: Size) -> nn.ModuleDict:
    return nn.ModuleDict({
        "G": nn.Sequential(nn.Linear(4, size.width), nn.BatchNorm1d(size.width), nn.ReLU(), nn.Linear(size.width, 8),
                           nn.Tanh()),
        "D": nn.Sequential(nn.Linear(8, size.width), nn.LeakyReLU(0.2), nn.Linear(size.width, 1))})


def gan_judge(size: Size) -> Net:
    model, real = _gan(size), randn(size.batch, 8).tanh()
    right, wrong = model["D"](real), model["D"](model["G"](randn(size.batch, 4)).detach())
    one = autograd.ones(size.batch, 1)
    return F.binary_cross_entropy_with_logits(right, one) + F.binary_cross_entropy_with_logits(wrong, one * 0), model


def gan_generator(size: Size) -> Net:
    model = _gan(size)
    model["D"].requires_grad_(False)
    return F.binary_cross_entropy_with_logits(model["D"](model["G"](randn(size.batch, 4))),
                                              autograd.ones(size.batch, 1)), model


class MoE(nn.Module):
    """Each sample goes to one of several experts."""

    def __init__(self, width: int, experts: int) -> None:
        super().__init__()
        self.router, self.head = nn.Linear(8, experts), nn.Linear(width, 4)
        self.experts = nn.ModuleList([nn.Sequential(nn.Linear(8, width), nn.ReLU(), nn.Linear(width, width))
                                      for _ in range(experts)])

    def forward(self, x: Tensor) -> Tensor:
        gates = self.router(x).softmax(-1)
        chosen = gates.detach().numpy().argmax(-1)
        parts, places = [], []
        for k, expert in enumerate(self.experts):
            rows = np.flatnonzero(chosen == k)
            if len(rows):
                parts.append(expert(x[rows]) * gates[rows, k][:, None])
                places.append(rows)
        return self.head(autograd.cat(parts)[np.argsort(np.concatenate(places))])


def moe(size: Size) -> Net:
    return classified(MoE(size.width, size.depth), size)


class SoftMoE(MoE):
    """All experts see everything; the gates of all but the best two are zero."""

    def forward(self, x: Tensor) -> Tensor:
        gates = self.router(x).softmax(-1)
        gates = gates * (gates >= gates.topk(2)[0][:, -1:]).float()
        return self.head(sum(expert(x) * gates[:, k:k + 1] for k, expert in enumerate(self.experts)))


def soft_moe(size: Size) -> Net:
    return classified(SoftMoE(size.width, size.depth), size)


def fine_tuning(size: Size) -> Net:
    model = stack(size, nn.ReLU)
    for layer in list(model)[:-3]:
        layer.requires_grad_(False)
    return classified(model, size)


class LoRA(nn.Module):
    """A frozen layer, and a small change of it that begins at zero."""

    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.base = nn.Linear(a, b).requires_grad_(False)
        self.down, self.up = nn.Parameter(randn(a, 2) * a ** -0.5), nn.Parameter(autograd.zeros(2, b))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + x @ self.down @ self.up


def lora(size: Size) -> Net:
    return classified(nn.Sequential(LoRA(8, size.width), nn.ReLU(), LoRA(size.width, size.width), nn.ReLU(),
                                    nn.Linear(size.width, 4)), size)


class VAE(nn.Module):
    """A variational autoencoder."""

    def __init__(self, w: int) -> None:
        super().__init__()
        self.encoder, self.mean, self.log_variance = nn.Linear(8, w), nn.Linear(w, 3), nn.Linear(w, 3)
        self.decoder = nn.Sequential(nn.Linear(3, w), nn.ReLU(), nn.Linear(w, 8))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.encoder(x).relu()
        mean, log_variance = self.mean(h), self.log_variance(h)
        return self.decoder(mean + randn(*mean.shape) * (0.5 * log_variance).exp()), mean, log_variance


def vae(size: Size) -> Net:
    model, x = VAE(size.width), rand(size.batch, 8)
    y, mean, log_variance = model(x)
    kl = -0.5 * (1 + log_variance - mean ** 2 - log_variance.exp()).sum(1).mean()
    return F.binary_cross_entropy_with_logits(y, x) + kl, model


def word_vectors(size: Size) -> Net:
    model = nn.Sequential(nn.Embedding(500, size.width), nn.Flatten(), nn.Linear(3 * size.width, 4))
    return F.cross_entropy(model(randint(500, (size.batch, 3))), classes(size.batch)), model


def siamese(size: Size) -> Net:
    model = stack(Size(size.width, 2), nn.ReLU)
    a, b, same = randn(size.batch, 8), randn(size.batch, 8), (rand(size.batch) > 0.5).float()
    distance = ((model(a) - model(b)) ** 2).sum(1)
    return (same * distance + (1 - same) * (1 - (distance + 1e-8).sqrt()).relu() ** 2).mean(), model


def converged(size: Size) -> Net:
    model, x = stack(Size(size.width, 3), nn.Tanh), randn(size.batch, 8)
    return F.mse_loss(model(x), model(x).detach() + 1e-6 * randn(size.batch, 4)), model


def converged_exactly(size: Size) -> Net:
    model, x = stack(Size(size.width, 3), nn.Tanh), randn(size.batch, 8)
    return F.mse_loss(model(x), model(x).detach()), model


def policy(size: Size) -> Net:
    model = stack(Size(size.width, 2), nn.Tanh)
    p = model(randn(size.batch, 8)).log_softmax(-1)[autograd.arange(size.batch), classes(size.batch)]
    return -(p * randn(size.batch)).mean(), model


def output_of_another_size(size: Size) -> Net:
    model = stack(Size(size.width, 3), nn.ReLU, outputs=1)
    return F.mse_loss(1000 * model(randn(size.batch, 8)), 1000 * randn(size.batch, 1)), model


def one_pixel(size: Size) -> Net:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.words, self.head = nn.Embedding(10, size.width), nn.Linear(size.width, 10)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.words(x))
    model = Net()
    return F.cross_entropy(model(randint(10, (size.batch,))), randint(10, (size.batch,))), model


def patches(size: Size) -> Net:
    class ViT(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            w = size.width
            self.cut, self.token = nn.Conv2d(3, w, 4, 4), nn.Parameter(autograd.zeros(1, 1, w))
            self.places = nn.Parameter(randn(1, 5, w), requires_grad=False)
            layer = nn.TransformerEncoderLayer(w, 2, 2 * w, batch_first=True, norm_first=True)
            self.encoder, self.head = nn.TransformerEncoder(layer, size.depth // 2), nn.Linear(w, 4)

        def forward(self, x: Tensor) -> Tensor:
            y = self.cut(x).flatten(2).transpose(1, 2)
            y = autograd.cat([self.token.expand(len(x), 1, -1), y], 1) + self.places
            return self.head(self.encoder(y)[:, 0])
    model = ViT()
    return F.cross_entropy(model(randn(size.batch, 3, 8, 8)), classes(size.batch)), model


class Highway(nn.Module):
    """A layer that carries its input past itself, by a gate that is closed at first."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer, self.gate = nn.Linear(width, width), nn.Linear(width, width)
        nn.init.constant_(self.gate.bias, -9.0)

    def forward(self, x: Tensor) -> Tensor:
        gate = self.gate(x).sigmoid()
        return self.layer(x).relu() * gate + x * (1 - gate)


def highway(size: Size) -> Net:
    return classified(nn.Sequential(nn.Linear(8, size.width), Highway(size.width), Highway(size.width),
                                    nn.Linear(size.width, 4)), size)


def gradient_penalty(size: Size) -> Net:
    model, real, fake = stack(Size(size.width, 2), lambda: nn.LeakyReLU(0.2), outputs=1), *randn(2, size.batch, 8)
    between = (real * 0.3 + fake * 0.7).requires_grad_()
    slope, = autograd.grad(model(between).sum(), [between], create_graph=True)
    return model(fake).mean() - model(real).mean() + 10 * ((slope.norm(dim=1) - 1) ** 2).mean(), model


def checkpointed(size: Size) -> Net:
    model, x = stack(Size(size.width, 4), nn.ReLU), randn(size.batch, 8)
    for part in (model[:4], model[4:8]):
        x = checkpoint(part, x, use_reentrant=False)
    return F.cross_entropy(model[8](x), classes(size.batch)), model


def straight_through(size: Size) -> Net:
    rounding = Then(lambda x: x + (x.round() - x).detach())
    return classified(nn.Sequential(nn.Linear(8, size.width), rounding, nn.Linear(size.width, 4)), size)


def radial(size: Size) -> Net:
    """As many centers as samples."""
    model = nn.Sequential(nn.Linear(8, 1), Then(lambda x: (-(x - randn(size.batch)) ** 2).exp()),
                          nn.Linear(size.batch, 4))
    return classified(model, size)


HEALTHY: dict[str, Callable[[Size], Net]] = {
    "MLP": mlp, "CNN with batch norm": cnn, "ResNet": resnet, "ResNet with zero gamma": resnet_with_zero_gamma,
    "U-Net": unet, "LSTM cell, 50 steps": lstm_cell, "LSTM, 50 steps": lstm, "GRU": gru, "GPT": gpt,
    "Transformer": transformer, "vision transformer": patches, "GAN, discriminator": gan_judge,
    "GAN, generator": gan_generator, "MoE": moe, "dense MoE": soft_moe, "fine-tuning": fine_tuning, "LoRA": lora,
    "VAE": vae, "embedding": word_vectors, "bigrams": one_pixel, "Siamese": siamese, "converged": converged,
    "converged exactly": converged_exactly, "policy gradient": policy, "another scale": output_of_another_size,
    "highway": highway, "gradient penalty": gradient_penalty, "checkpointed": checkpointed,
    "straight-through": straight_through, "radial basis functions": radial,
}
"""Nets that have no fault."""
