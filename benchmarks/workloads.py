"""The workloads in PyTorch's names, written once for this project and for PyTorch.

Each function takes a library and sizes (those of `data`) and gives a `step()`: clear gradients, forward, loss,
backward, update, and the loss as a Python float.
"""

import importlib
import os
import types
from collections.abc import Callable
from functools import partial

import data
import numpy as np


def library(name: str) -> types.SimpleNamespace:
    """The modules of a library under common names: the only place where the two differ.

    "compiled" is this project with the loops that numba compiles, "torch_tuned" PyTorch with its fused optimizers and
    images in channels-last order.
    """
    if name in ("gradcircuit", "compiled"):
        import autograd as base
        import nn
        import optim
        base.set_compiled(name == "compiled")
        return types.SimpleNamespace(base=base, nn=nn, F=nn.functional, optim=optim, grad=base.grad, images=lambda v: v)
    torch = importlib.import_module("torch")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    optim, images = torch.optim, lambda v: v
    if name == "torch_tuned":
        optim = types.SimpleNamespace(**{rule: partial(getattr(optim, rule), fused=True)
                                         for rule in ("SGD", "Adam", "AdamW")})
        images = partial(_channels_last, torch.channels_last)
    return types.SimpleNamespace(base=torch, nn=torch.nn, F=torch.nn.functional, optim=optim, grad=torch.autograd.grad,
                                 images=images)


def _channels_last(layout, tensor_or_module):
    return tensor_or_module.to(memory_format=layout)


def fill(lib: types.SimpleNamespace, parameter, values: np.ndarray) -> None:
    """Give a parameter its starting value."""
    with lib.base.no_grad():
        parameter.copy_(lib.base.tensor(np.ascontiguousarray(values)))


def linear(lib, w, b):
    """A linear layer with its starting values."""
    layer = lib.nn.Linear(*w.shape)
    fill(lib, layer.weight, w.T)
    fill(lib, layer.bias, b)
    return layer


def conv(lib, w, stride=1):
    """A convolution that keeps the image's size (up to the stride), with its starting values."""
    n_out, n_in, k, _ = w.shape
    layer = lib.nn.Conv2d(n_in, n_out, k, stride, k // 2, bias=False)
    fill(lib, layer.weight, w)
    return lib.images(layer)


def training(optimizer, loss: Callable, clip: Callable | None = None) -> Callable[[], float]:
    """One step of training."""
    def step() -> float:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        if clip:
            clip()
        optimizer.step()
        return value.item()
    return step


def chain(lib):
    """W1. 2,000 chained operations on an 8 x 8 matrix."""
    x = lib.base.tensor(data.chain(), requires_grad=True)

    def step() -> float:
        x.grad = None
        y = x
        for _ in range(1000):
            y = y * 1.0001 + 0.0001
        total = y.sum()
        total.backward()
        return total.item()
    return step


def _mlp(lib, **size):
    x, target, p = data.mlp(**size)
    layers = [linear(lib, p[f"W{i}"], p[f"b{i}"]) for i in (1, 2, 3)]
    net = lib.nn.Sequential(layers[0], lib.nn.ReLU(), layers[1], lib.nn.ReLU(), layers[2])
    x, target = lib.base.tensor(x), lib.base.tensor(target)
    return net, lambda: lib.F.cross_entropy(net(x), target)


def mlp(lib, **size):
    """W2. A multi-layer perceptron, Adam."""
    net, loss = _mlp(lib, **size)
    return training(lib.optim.Adam(net.parameters(), lr=1e-3), loss)


def hessian_vector(lib):
    """W13. A Hessian-vector product of W2's loss, by reverse over reverse; gives its norm."""
    net, loss = _mlp(lib)
    vectors = [lib.base.tensor(np.ascontiguousarray(v.T)) for v in data.vectors().values()]
    parameters = list(net.parameters())

    def step() -> float:
        gradients = lib.grad(loss(), parameters, create_graph=True)
        products = lib.grad(gradients, parameters, grad_outputs=vectors)
        return sum((h * h).sum() for h in products).sqrt().item()
    return step


def cnn(lib, **size):
    """W3. Three convolutions with batch norm and pooling, SGD."""
    nn = lib.nn
    x, target, p = data.cnn(**size)
    layers = []
    for i in (1, 2, 3):
        layers += [conv(lib, p[f"conv{i}"]), nn.BatchNorm2d(len(p[f"conv{i}"])), nn.ReLU()]
        if i > 1:
            layers.append(nn.MaxPool2d(2))
    net = nn.Sequential(*layers, nn.Flatten(), linear(lib, p["W"], p["b"]))
    x, target = lib.images(lib.base.tensor(x)), lib.base.tensor(target)
    return training(lib.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9),
                    lambda: lib.F.cross_entropy(net(x), target))


def resnet(lib, **size):
    """W4. ResNet-20 (He et al. 2016), SGD."""
    nn, relu = lib.nn, lib.base.relu
    x, target, p = data.resnet(**size)

    class Block(nn.Module):
        def __init__(self, name, n_out, stride):
            super().__init__()
            self.conv1, self.norm1 = conv(lib, p[f"{name}.conv1"], stride), nn.BatchNorm2d(n_out)
            self.conv2, self.norm2 = conv(lib, p[f"{name}.conv2"]), nn.BatchNorm2d(n_out)
            self.shortcut = nn.Identity() if stride == 1 else nn.Sequential(
                conv(lib, p[f"{name}.conv3"], stride), nn.BatchNorm2d(n_out))

        def forward(self, x):
            h = relu(self.norm1(self.conv1(x)))
            return relu(self.norm2(self.conv2(h)) + self.shortcut(x))

    width = len(p["stem"])
    blocks = [Block(name, n_out, stride) for name, _, n_out, stride in data.resnet_blocks(width)]
    body = nn.Sequential(conv(lib, p["stem"]), nn.BatchNorm2d(width), nn.ReLU(), *blocks)
    head = linear(lib, p["W"], p["b"])
    x, target = lib.images(lib.base.tensor(x)), lib.base.tensor(target)
    return training(lib.optim.SGD([*body.parameters(), *head.parameters()], lr=1e-2, momentum=0.9),
                    lambda: lib.F.cross_entropy(head(body(x).mean((2, 3))), target))


def lstm(lib, **size):
    """W5. A character model with one LSTM layer, clipping, Adam."""
    nn = lib.nn
    index, target, p = data.lstm(**size)
    embedding, layer = nn.Embedding(*p["embedding"].shape), nn.LSTM(64, len(p["Wh"]), batch_first=True)
    for parameter, values in ((embedding.weight, p["embedding"]), (layer.weight_ih_l0, p["Wx"].T),
                              (layer.weight_hh_l0, p["Wh"].T), (layer.bias_ih_l0, p["bx"]),
                              (layer.bias_hh_l0, p["bh"])):
        fill(lib, parameter, values)
    head = linear(lib, p["W"], p["b"])
    index, target = lib.base.tensor(index), lib.base.tensor(target).flatten()
    parameters = [*embedding.parameters(), *layer.parameters(), *head.parameters()]
    return training(lib.optim.Adam(parameters, lr=1e-3),
                    lambda: lib.F.cross_entropy(head(layer(embedding(index))[0]).flatten(0, 1), target),
                    clip=lambda: nn.utils.clip_grad_norm_(parameters, 1.0))


def gpt(lib, **size):
    """W6. A GPT, AdamW."""
    nn, functional = lib.nn, lib.F
    index, target, p = data.gpt(**size)
    (batch, length), width = index.shape, p["token"].shape[1]

    class Block(nn.Module):
        def __init__(self, name):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.proj, self.fc, self.out = (linear(lib, p[f"{name}.{part}.W"], p[f"{name}.{part}.b"])
                                                      for part in ("qkv", "proj", "fc", "out"))

        def forward(self, x):
            q, k, v = (u.view(batch, length, data.HEADS, -1).transpose(1, 2)
                       for u in self.qkv(self.norm1(x)).split(width, 2))  # (B, heads, T, width / heads) each
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.proj(y.transpose(1, 2).reshape(batch, length, width))
            return x + self.out(functional.gelu(self.fc(self.norm2(x)), approximate="tanh"))

    token, position = nn.Embedding(*p["token"].shape), nn.Embedding(*p["position"].shape)
    fill(lib, token.weight, p["token"])
    fill(lib, position.weight, p["position"])
    layers = sum(name.endswith("qkv.W") for name in p)
    blocks = nn.Sequential(*(Block(f"block{i}") for i in range(layers)))
    norm = nn.LayerNorm(width)
    parameters = [q for part in (token, position, blocks, norm) for q in part.parameters()]
    optimizer = lib.optim.AdamW([{"params": [q for q in parameters if q.ndim >= 2], "weight_decay": 0.1},
                                 {"params": [q for q in parameters if q.ndim < 2], "weight_decay": 0.0}],
                                lr=1e-3, betas=(0.9, 0.99))
    index, target = lib.base.tensor(index), lib.base.tensor(target).flatten()
    places = lib.base.arange(length)

    def loss():
        x = blocks(token(index) + position(places))
        return functional.cross_entropy(functional.linear(norm(x), token.weight).flatten(0, 1), target)
    return training(optimizer, loss)


def scalars(lib):
    """W7. A network on 100 points, each weight and each sum a tensor without axes: 68,000 nodes."""
    def step() -> float:
        loss = data.scalar_loss(lambda w: lib.base.tensor(w, requires_grad=True), lambda s: s.tanh())
        loss.backward()
        return loss.item()
    return step


def deep(lib, nodes=1_000_000):
    """W10. A chain of 1,000,000 operations on one element; gives the gradient."""
    def step() -> float:
        x = lib.base.ones(1, requires_grad=True)
        y = x
        for _ in range(nodes // 2):
            y = y * 0.999999 + 0.000001
        y.sum().backward()
        return x.grad.item()
    return step


def adam(lib, **size):
    """W11. One update of 10,000,000 numbers, in one parameter or more, by Adam."""
    parameters = []
    for start, gradient in zip(*data.adam(**size), strict=True):
        parameters.append(lib.nn.Parameter(lib.base.tensor(start)))
        parameters[-1].grad = lib.base.tensor(gradient)
    optimizer = lib.optim.Adam(parameters, lr=1e-3)

    def step() -> float:
        optimizer.step()
        return parameters[0][0].item()
    return step


def convolution(name, lib):
    """W12. A convolution alone, forward and both gradients; gives the gradients."""
    x, w, g, options = data.convolution(name)
    x, w, g = (lib.images(lib.base.tensor(a)) for a in (x, w, g))
    x.requires_grad_()
    w.requires_grad_()

    def step() -> tuple[np.ndarray, np.ndarray]:
        x.grad = w.grad = None
        lib.F.conv2d(x, w, **options).backward(g)
        return x.grad.numpy(), w.grad.numpy()
    return step


WORKLOADS: dict[str, Callable] = {
    "W1": chain, "W2": mlp, "W3": cnn, "W4": resnet, "W5": lstm, "W6": gpt, "W7": scalars, "W10": deep, "W11": adam,
    **{name: partial(convolution, name) for name in data.CONVOLUTIONS}, "W13": hessian_vector}

VARIANTS = {"compiled": {"W2", "W3", "W4", "W5", "W6", "W11", "W12a", "W12b"},
            "torch_tuned": {"W2", "W3", "W4", "W5", "W6", "W11", *data.CONVOLUTIONS}}
"""Where a library's other form is another than its default."""
