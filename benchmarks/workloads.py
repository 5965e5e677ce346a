"""The workloads, written once: in PyTorch's names, for whichever library is asked to run them.

Each function takes a library and gives a `step()`: clear gradients, forward, loss, backward, update, and the loss as
a Python float. Data and starting values come from fixed seeds through NumPy, so all libraries compute the same numbers;
`LOSSES` holds those of the first steps.
"""

import importlib
import math
import types
from collections.abc import Callable

import numpy as np

F32 = np.float32


def library(name: str) -> types.SimpleNamespace:
    """The modules of "gradcircuit" or "torch" under common names: the only place where they differ."""
    if name == "gradcircuit":
        import autograd as base
        import nn
        import optim
        return types.SimpleNamespace(base=base, nn=nn, F=nn.functional, optim=optim, grad=base.grad)
    torch = importlib.import_module("torch")
    torch.set_num_threads(2)
    return types.SimpleNamespace(base=torch, nn=torch.nn, F=torch.nn.functional, optim=torch.optim,
                                 grad=torch.autograd.grad)


# Data and starting values

def normal(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> np.ndarray:
    """Normal float32 numbers."""
    return rng.standard_normal(shape, dtype=F32) * F32(scale)


def uniform(rng: np.random.Generator, *shape: int, bound: float) -> np.ndarray:
    """float32 numbers uniform on ±bound."""
    return ((rng.random(shape, dtype=F32) * 2 - 1) * F32(bound)).astype(F32)


def fill(lib: types.SimpleNamespace, parameter, values: np.ndarray) -> None:
    """Give a parameter its starting value."""
    with lib.base.no_grad():
        parameter.copy_(lib.base.tensor(np.ascontiguousarray(values)))


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


# The workloads

def chain(lib):
    """W1. 2,000 chained operations on an 8 x 8 matrix."""
    x = lib.base.tensor(normal(np.random.default_rng(1), 8, 8), requires_grad=True)

    def step() -> float:
        x.grad = None
        y = x
        for _ in range(1000):
            y = y * 1.0001 + 0.0001
        total = y.sum()
        total.backward()
        return total.item()
    return step


def _mlp(lib):
    rng = np.random.default_rng(2)
    x, target = normal(rng, 128, 784), rng.integers(0, 10, 128)
    nn = lib.nn
    net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))
    for layer, (n_in, n_out) in zip((net[0], net[2], net[4]), ((784, 512), (512, 256), (256, 10)), strict=True):
        fill(lib, layer.weight, normal(rng, n_in, n_out, scale=math.sqrt(2 / n_in)).T)
        fill(lib, layer.bias, np.zeros(n_out, F32))
    x, target = lib.base.tensor(x), lib.base.tensor(target)
    return net, lambda: lib.F.cross_entropy(net(x), target)


def mlp(lib):
    """W2. A multi-layer perceptron 784-512-256-10, 128 images, Adam."""
    net, loss = _mlp(lib)
    return training(lib.optim.Adam(net.parameters(), lr=1e-3), loss)


def hessian_vector(lib):
    """W13. A Hessian-vector product of W2's loss, by reverse over reverse; gives its norm."""
    net, loss = _mlp(lib)
    rng = np.random.default_rng(13)
    vectors = []
    for n_in, n_out in ((784, 512), (512, 256), (256, 10)):
        vectors += [np.ascontiguousarray(normal(rng, n_in, n_out).T), normal(rng, n_out)]
    vectors, parameters = [lib.base.tensor(v) for v in vectors], list(net.parameters())

    def step() -> float:
        gradients = lib.grad(loss(), parameters, create_graph=True)
        products = lib.grad(gradients, parameters, grad_outputs=vectors)
        return sum((h * h).sum() for h in products).sqrt().item()
    return step


def _conv(rng, n_out, n_in, k):
    return normal(rng, n_out, n_in, k, k, scale=math.sqrt(2 / (n_in * k * k)))


def cnn(lib):
    """W3. Three convolutions with batch norm and pooling on 32 colour images of 32 x 32."""
    nn, functional = lib.nn, lib.F

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            widths = ((3, 32), (32, 64), (64, 128))
            self.convs = nn.ModuleList(nn.Conv2d(i, o, 3, padding=1, bias=False) for i, o in widths)
            self.norms = nn.ModuleList(nn.BatchNorm2d(o) for _, o in widths)
            self.linear = nn.Linear(8192, 10)

        def forward(self, x):
            for i in range(3):
                x = lib.base.relu(self.norms[i](self.convs[i](x)))
                if i:
                    x = functional.max_pool2d(x, 2)
            return self.linear(x.flatten(1))

    rng = np.random.default_rng(3)
    x, target = normal(rng, 32, 3, 32, 32), rng.integers(0, 10, 32)
    net = Net()
    for conv in net.convs:
        fill(lib, conv.weight, _conv(rng, *conv.weight.shape[:3]))
    fill(lib, net.linear.weight, normal(rng, 8192, 10, scale=math.sqrt(1 / 8192)).T)
    fill(lib, net.linear.bias, np.zeros(10, F32))
    x, target = lib.base.tensor(x), lib.base.tensor(target)
    optimizer = lib.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)
    return training(optimizer, lambda: functional.cross_entropy(net(x), target))


def resnet(lib):
    """W4. ResNet-20 (He et al. 2016) on 32 colour images of 32 x 32."""
    nn, relu = lib.nn, lib.base.relu

    class Block(nn.Module):
        def __init__(self, n_in, n_out, stride):
            super().__init__()
            self.conv1, self.norm1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False), nn.BatchNorm2d(n_out)
            self.conv2, self.norm2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False), nn.BatchNorm2d(n_out)
            self.shortcut = nn.Identity() if stride == 1 else nn.Sequential(
                nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out))

        def forward(self, x):
            h = relu(self.norm1(self.conv1(x)))
            return relu(self.norm2(self.conv2(h)) + self.shortcut(x))

    widths = [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
    stem, norm = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
    blocks, linear = nn.Sequential(*[Block(*w) for w in widths]), nn.Linear(64, 10)
    rng = np.random.default_rng(4)
    x, target = normal(rng, 32, 3, 32, 32), rng.integers(0, 10, 32)
    fill(lib, stem.weight, _conv(rng, 16, 3, 3))
    for block, (n_in, n_out, stride) in zip(blocks, widths, strict=True):
        fill(lib, block.conv1.weight, _conv(rng, n_out, n_in, 3))
        fill(lib, block.conv2.weight, _conv(rng, n_out, n_out, 3))
        if stride != 1:
            fill(lib, block.shortcut[0].weight, _conv(rng, n_out, n_in, 1))
    fill(lib, linear.weight, normal(rng, 64, 10, scale=math.sqrt(1 / 64)).T)
    fill(lib, linear.bias, np.zeros(10, F32))
    x, target = lib.base.tensor(x), lib.base.tensor(target)
    parts = nn.ModuleList([stem, norm, blocks, linear])

    def loss():
        return lib.F.cross_entropy(linear(blocks(relu(norm(stem(x)))).mean((2, 3))), target)
    return training(lib.optim.SGD(parts.parameters(), lr=1e-2, momentum=0.9), loss)


def lstm(lib):
    """W5. A character model: embedding, one LSTM layer of 256 units over 64 steps, 32 sequences, clipping, Adam."""
    nn = lib.nn
    rng = np.random.default_rng(5)
    index, target = rng.integers(0, 65, (32, 64)), rng.integers(0, 65, (32, 64))
    embedding, layer, linear = nn.Embedding(65, 64), nn.LSTM(64, 256, batch_first=True), nn.Linear(256, 65)
    fill(lib, embedding.weight, normal(rng, 65, 64))
    fill(lib, layer.weight_ih_l0, uniform(rng, 64, 1024, bound=1 / 16).T)
    fill(lib, layer.weight_hh_l0, uniform(rng, 256, 1024, bound=1 / 16).T)
    fill(lib, layer.bias_ih_l0, uniform(rng, 1024, bound=1 / 16))
    fill(lib, layer.bias_hh_l0, uniform(rng, 1024, bound=1 / 16))
    fill(lib, linear.weight, uniform(rng, 256, 65, bound=1 / 16).T)
    fill(lib, linear.bias, np.zeros(65, F32))
    index, target = lib.base.tensor(index), lib.base.tensor(target).flatten()
    parameters = [*embedding.parameters(), *layer.parameters(), *linear.parameters()]
    return training(lib.optim.Adam(parameters, lr=1e-3),
                    lambda: lib.F.cross_entropy(linear(layer(embedding(index))[0]).flatten(0, 1), target),
                    clip=lambda: nn.utils.clip_grad_norm_(parameters, 1.0))


def gpt(lib):
    """W6. A GPT of 4 layers, 4 heads, width 128 on 8 sequences of 128; AdamW."""
    nn, functional = lib.nn, lib.F
    layers, heads, d, length, batch, vocabulary = 4, 4, 128, 128, 8, 65

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(d), nn.LayerNorm(d)
            self.qkv, self.proj = nn.Linear(d, 3 * d), nn.Linear(d, d)
            self.fc, self.out = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

        def forward(self, x):
            q, k, v = (u.view(batch, length, heads, d // heads).transpose(1, 2)
                       for u in self.qkv(self.norm1(x)).split(d, 2))  # (B, heads, T, d / heads) each
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.proj(y.transpose(1, 2).reshape(batch, length, d))
            return x + self.out(functional.gelu(self.fc(self.norm2(x)), approximate="tanh"))

    rng = np.random.default_rng(6)
    index, target = rng.integers(0, vocabulary, (batch, length)), rng.integers(0, vocabulary, (batch, length))
    token, position = nn.Embedding(vocabulary, d), nn.Embedding(length, d)
    blocks, norm = nn.ModuleList(Block() for _ in range(layers)), nn.LayerNorm(d)
    fill(lib, token.weight, normal(rng, vocabulary, d, scale=0.02))
    fill(lib, position.weight, normal(rng, length, d, scale=0.02))
    for block in blocks:
        residual = 0.02 / math.sqrt(2 * layers)
        for linear, scale in ((block.qkv, 0.02), (block.proj, residual), (block.fc, 0.02), (block.out, residual)):
            fill(lib, linear.weight, normal(rng, linear.in_features, linear.out_features, scale=scale).T)
            fill(lib, linear.bias, np.zeros(linear.out_features, F32))
    parameters = [p for part in (token, position, blocks, norm) for p in part.parameters()]
    optimizer = lib.optim.AdamW([{"params": [p for p in parameters if p.ndim >= 2], "weight_decay": 0.1},
                                 {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0}],
                                lr=1e-3, betas=(0.9, 0.99))
    index, target = lib.base.tensor(index), lib.base.tensor(target).flatten()
    places = lib.base.arange(length)

    def loss():
        x = token(index) + position(places)
        for block in blocks:
            x = block(x)
        return functional.cross_entropy(functional.linear(norm(x), token.weight).flatten(0, 1), target)
    return training(optimizer, loss)


def scalars(lib):
    """W7. A 2-16-16-1 network on 100 points, every weight and every sum a tensor without axes: 68,000 nodes."""
    rng = np.random.default_rng(7)
    angle = np.linspace(0, math.pi, 50)
    points = np.concatenate([np.stack([np.cos(angle), np.sin(angle)], 1),
                             np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], 1)])
    points = [[float(u) for u in row] for row in points + rng.standard_normal(points.shape) * 0.1]
    labels = [-1.0] * 50 + [1.0] * 50
    starts = [[[float(w) for w in rng.uniform(-1, 1, n_in) / math.sqrt(n_in)] for _ in range(n_out)]
              for n_in, n_out in ((2, 16), (16, 16), (16, 1))]

    def step() -> float:
        layers = [[([lib.base.tensor(w, requires_grad=True) for w in row], lib.base.tensor(0.0, requires_grad=True))
                   for row in layer] for layer in starts]
        loss = None
        for point, label in zip(points, labels, strict=True):
            h = point
            for layer in layers:
                outs = []
                for weights, bias in layer:
                    s = bias
                    for w, x in zip(weights, h, strict=True):
                        s = s + w * x
                    outs.append(s.tanh())
                h = outs
            e = h[0] + (-label)
            e = e * e
            loss = e if loss is None else loss + e
        loss = loss * (1.0 / len(points))
        loss.backward()
        return loss.item()
    return step


def deep(lib):
    """W10. A chain of 1,000,000 operations on one element; gives the gradient."""
    def step() -> float:
        x = lib.base.ones(1, requires_grad=True)
        y = x
        for _ in range(500_000):
            y = y * 0.999999 + 0.000001
        y.sum().backward()
        return x.grad.item()
    return step


def adam(lib):
    """W11. One update of 10,000,000 parameters by Adam; gives one of them."""
    rng = np.random.default_rng(11)
    p = lib.nn.Parameter(lib.base.tensor(normal(rng, 10_000_000)))
    p.grad = lib.base.tensor(normal(rng, 10_000_000))
    optimizer = lib.optim.Adam([p], lr=1e-3)

    def step() -> float:
        optimizer.step()
        return p[0].item()
    return step


CONVOLUTIONS = {  # N, C_in, size, C_out, kernel, stride, padding, groups
    "W12a": (32, 64, 32, 64, 3, 1, 1, 1), "W12b": (32, 3, 64, 64, 7, 2, 3, 1),
    "W12c": (32, 128, 32, 128, 3, 1, 1, 128), "W12d": (32, 256, 16, 64, 1, 1, 0, 1)}


def convolution(name):
    """W12. A convolution alone, forward and both gradients; gives the norm of the weight's."""
    def workload(lib):
        n, c_in, size, c_out, k, stride, padding, groups = CONVOLUTIONS[name]
        rng = np.random.default_rng(12)
        out = (size + 2 * padding - k) // stride + 1
        x, w, g = (lib.base.tensor(a) for a in (
            normal(rng, n, c_in, size, size), normal(rng, c_out, c_in // groups, k, k, scale=0.1),
            normal(rng, n, c_out, out, out)))
        x.requires_grad_()
        w.requires_grad_()

        def step() -> float:
            x.grad = w.grad = None
            lib.F.conv2d(x, w, stride=stride, padding=padding, groups=groups).backward(g)
            return math.sqrt((w.grad.double() ** 2).sum().item()) if check else 0.0
        check = True
        first = step()
        check = False
        return lambda: (step(), first)[1]
    return workload


WORKLOADS: dict[str, Callable] = {
    "W1": chain, "W2": mlp, "W3": cnn, "W4": resnet, "W5": lstm, "W6": gpt, "W7": scalars, "W10": deep, "W11": adam,
    **{name: convolution(name) for name in CONVOLUTIONS}, "W13": hessian_vector}

LOSSES = {
    "W1": [6.93646], "W2": [3.11518, 1.56398, 0.69980, 0.25421, 0.09274],
    "W3": [2.91638, 2.16080, 2.21753, 2.02757, 1.80646], "W4": [2.46346, 2.35776, 2.18860, 2.00366, 1.83177],
    "W5": [4.17448, 4.16549, 4.15657, 4.14761, 4.13850], "W6": [4.21745, 3.99546, 3.78994, 3.69468, 3.57607],
    "W7": [1.05697], "W12a": [34014.7], "W12b": [17220.5], "W12c": [6040.1], "W12d": [11587.7], "W13": [130.2757]}
"""What the first steps give, in every library."""
