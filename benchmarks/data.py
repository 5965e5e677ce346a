"""Data and starting values of the workloads, for every library the same: NumPy from fixed seeds.

The functions' parameters are the workloads' sizes. Batches and parameters come as float32 arrays, the parameters by
name; the weight of a linear layer is (in, out), that of a convolution (out, in / groups, height, width). `RESULTS`
holds what the first steps must give at the sizes that are the defaults.
"""

import itertools
import math

import numpy as np

RESULTS = {
    "W1": [6.93646], "W2": [3.11518, 1.56398, 0.69980, 0.25421, 0.09274],
    "W3": [2.91638, 2.16080, 2.21753, 2.02757, 1.80646], "W4": [2.46346, 2.35776, 2.18860, 2.00366, 1.83177],
    "W5": [4.17448, 4.16549, 4.15657, 4.14761, 4.13850], "W6": [4.21745, 3.99546, 3.78994, 3.69468, 3.57607],
    "W7": [1.05697], "W10": [0.60267], "W12a": [3429.8, 34014.7], "W12b": [1700.8, 17220.5], "W12c": [588.35, 6040.1],
    "W12d": [1167.0, 11587.7], "W13": [130.2757]}
"""Losses of the first steps; W10: the gradient; W12: the norms of both gradients; W13: the norm of the product."""

HEADS = 4  # of W6's attention

Arrays = dict[str, np.ndarray]


def normal(rng: np.random.Generator, *shape: int, scale: float = 1.0) -> np.ndarray:
    """Normal float32 numbers."""
    return rng.standard_normal(shape, dtype=np.float32) * np.float32(scale)


def uniform(rng: np.random.Generator, *shape: int, bound: float) -> np.ndarray:
    """float32 numbers uniform on ±bound."""
    return (rng.random(shape, dtype=np.float32) * 2 - 1) * np.float32(bound)


def zeros(*shape: int) -> np.ndarray:
    """float32 zeros."""
    return np.zeros(shape, np.float32)


def _kernel(rng, n_out, n_in, k):
    return normal(rng, n_out, n_in, k, k, scale=math.sqrt(2 / (n_in * k * k)))


def _batch_norm(name, channels) -> Arrays:
    return {f"{name}.weight": zeros(channels) + 1, f"{name}.bias": zeros(channels)}


def chain() -> np.ndarray:
    """W1: (8, 8)."""
    return normal(np.random.default_rng(1), 8, 8)


def mlp(batch: int = 128, width: int = 512) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """W2: images (batch, 784), labels (batch,), and W1, b1, W2, b2, W3, b3."""
    rng = np.random.default_rng(2)
    x, target = normal(rng, batch, 784), rng.integers(0, 10, batch)
    p = {}
    for i, (n_in, n_out) in enumerate(((784, width), (width, width // 2), (width // 2, 10)), 1):
        p[f"W{i}"] = normal(rng, n_in, n_out, scale=math.sqrt(2 / n_in))
        p[f"b{i}"] = zeros(n_out)
    return x, target, p


def vectors() -> Arrays:
    """W13: the vector that multiplies the Hessian of W2's loss, one array a parameter."""
    rng = np.random.default_rng(13)
    return {name: normal(rng, *value.shape) for name, value in mlp()[2].items()}


def cnn(batch: int = 32, width: int = 32, length: int = 32) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """W3: images (batch, 3, length, length), labels (batch,), and conv1, norm1, ..., W, b."""
    rng = np.random.default_rng(3)
    x, target = normal(rng, batch, 3, length, length), rng.integers(0, 10, batch)
    p = {}
    for i, (n_in, n_out) in enumerate(((3, width), (width, 2 * width), (2 * width, 4 * width)), 1):
        p[f"conv{i}"] = _kernel(rng, n_out, n_in, 3)
        p |= _batch_norm(f"norm{i}", n_out)
    features = 4 * width * (length // 4) ** 2
    return x, target, p | {"W": normal(rng, features, 10, scale=math.sqrt(1 / features)), "b": zeros(10)}


def resnet_blocks(width: int = 16) -> list[tuple[str, int, int, int]]:
    """Name, channels in, channels out and stride of the nine blocks."""
    channels = [width] * 4 + [2 * width] * 3 + [4 * width] * 3
    return [(f"block{i}", n_in, n_out, n_out // n_in) for i, (n_in, n_out) in enumerate(itertools.pairwise(channels))]


def resnet(batch: int = 32, width: int = 16, length: int = 32) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """W4: images (batch, 3, length, length), labels (batch,), and stem, block0.conv1, ..., W, b."""
    rng = np.random.default_rng(4)
    x, target = normal(rng, batch, 3, length, length), rng.integers(0, 10, batch)
    p = {"stem": _kernel(rng, width, 3, 3)} | _batch_norm("norm", width)
    for name, n_in, n_out, stride in resnet_blocks(width):
        kernels = {"1": (n_in, 3), "2": (n_out, 3)} | ({"3": (n_in, 1)} if stride != 1 else {})
        for i, (n, k) in kernels.items():
            p[f"{name}.conv{i}"] = _kernel(rng, n_out, n, k)
            p |= _batch_norm(f"{name}.norm{i}", n_out)
    return x, target, p | {"W": normal(rng, 4 * width, 10, scale=math.sqrt(1 / (4 * width))), "b": zeros(10)}


def lstm(batch: int = 32, width: int = 256, length: int = 64) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """W5: characters and those to predict (batch, length); gates in the order i, f, g, o."""
    rng = np.random.default_rng(5)
    index, target = rng.integers(0, 65, (batch, length)), rng.integers(0, 65, (batch, length))
    bound = 1 / math.sqrt(width)
    p = {"embedding": normal(rng, 65, 64)}
    for name, shape in (("Wx", (64, 4 * width)), ("Wh", (width, 4 * width)), ("bx", (4 * width,)),
                        ("bh", (4 * width,)), ("W", (width, 65))):
        p[name] = uniform(rng, *shape, bound=bound)
    return index, target, p | {"b": zeros(65)}


def gpt(batch: int = 8, width: int = 128, length: int = 128, layers: int = 4) -> tuple[np.ndarray, np.ndarray, Arrays]:
    """W6: characters and those to predict (batch, length); token, position, block0.norm1.weight, ..., norm.bias."""
    rng = np.random.default_rng(6)
    index, target = rng.integers(0, 65, (batch, length)), rng.integers(0, 65, (batch, length))
    p = {"token": normal(rng, 65, width, scale=0.02), "position": normal(rng, length, width, scale=0.02)}
    residual = 0.02 / math.sqrt(2 * layers)
    for block in (f"block{i}" for i in range(layers)):
        p |= _batch_norm(f"{block}.norm1", width) | _batch_norm(f"{block}.norm2", width)
        for name, n_in, n_out, scale in (("qkv", width, 3 * width, 0.02), ("proj", width, width, residual),
                                         ("fc", width, 4 * width, 0.02), ("out", 4 * width, width, residual)):
            p[f"{block}.{name}.W"], p[f"{block}.{name}.b"] = normal(rng, n_in, n_out, scale=scale), zeros(n_out)
    return index, target, p | _batch_norm("norm", width)


def scalars() -> tuple[list, list, list]:
    """W7: 100 points of two half moons, labels ±1, and for each neuron of each layer its weights, in Python floats."""
    rng = np.random.default_rng(7)
    angle = np.linspace(0, math.pi, 50)
    points = np.concatenate([np.stack([np.cos(angle), np.sin(angle)], 1),
                             np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], 1)])
    points += rng.standard_normal(points.shape) * 0.1
    layers = [[(rng.uniform(-1, 1, n_in) / math.sqrt(n_in)).tolist() for _ in range(n_out)]
              for n_in, n_out in ((2, 16), (16, 16), (16, 1))]
    return points.tolist(), [-1.0] * 50 + [1.0] * 50, layers


def scalar_loss(leaf, tanh):
    """W7: the mean squared error of a 2-16-16-1 network in which each number is a node; `leaf` makes a parameter."""
    points, labels, layers = scalars()
    layers = [[([leaf(w) for w in weights], leaf(0.0)) for weights in layer] for layer in layers]
    loss = None
    for point, label in zip(points, labels, strict=True):
        h = point
        for layer in layers:
            outputs = []
            for weights, bias in layer:
                s = bias
                for w, x in zip(weights, h, strict=True):
                    s = s + w * x
                outputs.append(tanh(s))
            h = outputs
        error = h[0] + (-label)
        error = error * error
        loss = error if loss is None else loss + error
    return loss * (1.0 / len(points))


def adam(parameters: int = 1, elements: int = 10_000_000) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """W11: parameters and their gradients, with so many elements together."""
    rng = np.random.default_rng(11)
    start, gradient = (np.split(normal(rng, elements), parameters) for _ in range(2))
    return start, gradient


CONVOLUTIONS = {  # N, C_in, size, C_out, kernel, stride, padding, groups
    "W12a": (32, 64, 32, 64, 3, 1, 1, 1), "W12b": (32, 3, 64, 64, 7, 2, 3, 1),
    "W12c": (32, 128, 32, 128, 3, 1, 1, 128), "W12d": (32, 256, 16, 64, 1, 1, 0, 1)}


def convolution(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, int]]:
    """W12: input, weight, the output's gradient, and stride, padding and groups."""
    n, c_in, size, c_out, k, stride, padding, groups = CONVOLUTIONS[name]
    rng = np.random.default_rng(12)
    out = (size + 2 * padding - k) // stride + 1
    return (normal(rng, n, c_in, size, size), normal(rng, c_out, c_in // groups, k, k, scale=0.1),
            normal(rng, n, c_out, out, out), {"stride": stride, "padding": padding, "groups": groups})
