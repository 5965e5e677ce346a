"""What no engine on NumPy can go below: a step's bare matrix products, and one pass over its memory.

`PRODUCTS` runs, for each workload, nothing but the products of its forward and backward pass (a convolution as one
product an image, without gathering the windows), with the matrix core that the engine chooses. `PASS` reads the
parameters, their gradients and the optimizer's state once and writes what the update changes, as one copy of as many
bytes; for a convolution it reads and writes the input, the output and both gradients once.
"""

from functools import partial

import data
import numpy as np

import autograd  # noqa: F401 - chooses the matrix core and keeps freed memory, as in the measured library

Product = tuple[int, int, int, int]  # how often, rows, inner, columns


def linear(rows: int, n_in: int, n_out: int, first: bool = False) -> list[Product]:
    """y = x W, the gradient of W and, but for the first layer, of x."""
    return [(1, rows, n_in, n_out), (1, n_in, rows, n_out)] + ([] if first else [(1, rows, n_out, n_in)])


def conv(images: int, w: np.ndarray, outputs: int, first: bool = False) -> list[Product]:
    """(K, C k k) by (C k k, outputs), the gradient of the weight and, but for the first layer, of the windows."""
    channels, window = len(w), w[0].size
    products = [(images, channels, window, outputs), (images, channels, outputs, window)]
    return products + ([] if first else [(images, window, channels, outputs)])


def mlp(**size) -> list[Product]:
    """W2."""
    x, _, p = data.mlp(**size)
    return [product for i in (1, 2, 3) for product in linear(len(x), *p[f"W{i}"].shape, first=i == 1)]


def hessian_vector() -> list[Product]:
    """W13: the tangent of each product of W2, for each of its two factors, and the products themselves."""
    return mlp() * 3


def cnn(**size) -> list[Product]:
    """W3."""
    x, _, p = data.cnn(**size)
    outputs = x.shape[2] * x.shape[3]
    products = linear(len(x), *p["W"].shape)
    for i, pixels in ((1, outputs), (2, outputs), (3, outputs // 4)):
        products += conv(len(x), p[f"conv{i}"], pixels, first=i == 1)
    return products


def resnet(**size) -> list[Product]:
    """W4."""
    x, _, p = data.resnet(**size)
    pixels = x.shape[2] * x.shape[3]
    products = linear(len(x), *p["W"].shape) + conv(len(x), p["stem"], pixels, first=True)
    for name, _, _, stride in data.resnet_blocks(len(p["stem"])):
        pixels //= stride ** 2
        for i in (1, 2) if stride == 1 else (1, 2, 3):
            products += conv(len(x), p[f"{name}.conv{i}"], pixels)
    return products


def lstm(**size) -> list[Product]:
    """W5: the recurrent product and its gradient step by step, everything else in one product."""
    index, _, p = data.lstm(**size)
    (batch, length), (width, gates) = index.shape, p["Wh"].shape
    return [*linear(batch * length, *p["Wx"].shape), *linear(batch * length, *p["W"].shape),
            (length, batch, width, gates), (length, batch, gates, width), (1, width, batch * length, gates)]


def gpt(**size) -> list[Product]:
    """W6."""
    index, _, p = data.gpt(**size)
    (batch, length), (vocabulary, width) = index.shape, p["token"].shape
    weights = [w.shape for name, w in p.items() if name.endswith(".W")]
    heads, head = batch * data.HEADS * len(weights) // 4, width // data.HEADS
    products = [product for shape in weights for product in linear(index.size, *shape)]
    return [*products, *linear(index.size, width, vocabulary),
            (2 * heads, length, head, length), (4 * heads, length, length, head)]


def convolution(name: str) -> list[Product]:
    """W12."""
    x, w, g, options = data.convolution(name)
    groups = options["groups"]
    return conv(len(x) * groups, w[:len(w) // groups], g[0, 0].size)


def multiply(products, **size):
    """A step that runs a workload's products."""
    rng, calls = np.random.default_rng(0), []
    for count, rows, inner, columns in products(**size):
        calls.append((count, data.normal(rng, rows, inner), data.normal(rng, inner, columns),
                      data.zeros(rows, columns)))

    def step() -> None:
        for count, a, b, out in calls:
            for _ in range(count):
                np.matmul(a, b, out=out)
    return step


def copy(numbers, **size):
    """A step that copies half as many float32 numbers as have to be read and written."""
    source = data.zeros(numbers(**size) // 2) + 1
    target = np.empty_like(source)
    return lambda: np.copyto(target, source)


def update(arrays, moments: int):
    """Parameter and moments are read and written, the gradient is read."""
    return lambda **size: (2 + 2 * moments + 1) * sum(p.size for p in arrays(**size).values())


def _parameters(make):
    return lambda **size: make(**size)[2]


PRODUCTS = {name: partial(multiply, products) for name, products in (
    ("W2", mlp), ("W3", cnn), ("W4", resnet), ("W5", lstm), ("W6", gpt), ("W13", hessian_vector),
    *((name, partial(convolution, name)) for name in data.CONVOLUTIONS if name != "W12c"))}

PASS = {name: partial(copy, numbers) for name, numbers in (
    ("W2", update(_parameters(data.mlp), 2)), ("W3", update(_parameters(data.cnn), 1)),
    ("W4", update(_parameters(data.resnet), 1)), ("W5", update(_parameters(data.lstm), 2)),
    ("W6", update(_parameters(data.gpt), 2)), ("W11", update(lambda **size: dict(enumerate(data.adam(**size)[0])), 2)),
    *((name, lambda name=name: 2 * sum(a.size for a in data.convolution(name)[:3])) for name in data.CONVOLUTIONS))}
