"""The workloads in HIPS autograd, which has no convolution to speak of (W3, W4, W12); updates are plain NumPy.

Its maximum, mean and some others give float64 gradients of float32 arrays: the formulas go around them.
"""

import itertools
import math
from functools import partial

import data
import numpy
from autograd.differential_operators import make_hvp
from autograd.scipy.special import logsumexp
from peers import updates

import autograd.numpy as np
from autograd import grad, value_and_grad


def relu(x):
    """max(x, 0)."""
    return x * (x > 0)


def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


def cross_entropy(logits, target):
    """The mean over the rows of logits (N, classes)."""
    log_probabilities = logits - logsumexp(logits, axis=1, keepdims=True)
    return -np.sum(log_probabilities[numpy.arange(len(target)), target]) * (1.0 / len(target))


def training(loss, p, rule, change=lambda gradients: gradients):
    """One step; `rule(arrays)` makes the optimizer, `change` clips."""
    differentiated, optimizer = value_and_grad(loss), rule(list(p.values()))

    def step() -> float:
        value, gradients = differentiated(p)
        optimizer.step(change(list(gradients.values())))
        return float(value)
    return step


def chain():
    """W1."""
    def total(y):
        for _ in range(1000):
            y = y * 1.0001 + 0.0001
        return np.sum(y)
    differentiated, x = value_and_grad(total), data.chain()
    return lambda: differentiated(x)[0]


def deep():
    """W10."""
    def total(y):
        for _ in range(500_000):
            y = y * 0.999999 + 0.000001
        return np.sum(y)
    return lambda: float(grad(total)(numpy.ones(1, numpy.float32))[0])


def _mlp(**size):
    x, target, p = data.mlp(**size)

    def loss(p):
        h = relu(np.dot(x, p["W1"]) + p["b1"])
        h = relu(np.dot(h, p["W2"]) + p["b2"])
        return cross_entropy(np.dot(h, p["W3"]) + p["b3"], target)
    return loss, p


def mlp(**size):
    """W2."""
    return training(*_mlp(**size), updates.Adam)


def hessian_vector():
    """W13, by reverse over reverse."""
    (loss, p), v = _mlp(), data.vectors()
    return lambda: math.sqrt(sum(float((h * h).sum()) for h in make_hvp(loss)(p)[0](v).values()))


def lstm(**size):
    """W5."""
    index, target, p = data.lstm(**size)
    (length, batch), width = index.T.shape, len(p["Wh"])

    def loss(p):
        x = np.dot(p["embedding"][index.T.ravel()], p["Wx"]) + p["bx"]  # (T B, 4 width)
        h = c = data.zeros(batch, width)
        outputs = []
        for a in np.split(x, length):
            i, f, g, o = np.split(a + np.dot(h, p["Wh"]) + p["bh"], 4, axis=1)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            outputs.append(h)
        return cross_entropy(np.dot(np.concatenate(outputs), p["W"]) + p["b"], target.T.ravel())
    return training(loss, p, updates.Adam, updates.clip)


def gpt(**size):
    """W6."""
    index, target, p = data.gpt(**size)
    (batch, length), width = index.shape, p["token"].shape[1]
    mask = numpy.triu(numpy.full((length, length), numpy.float32(-1e9)), 1)
    blocks = [name.removesuffix(".qkv.W") for name in p if name.endswith("qkv.W")]

    def loss(p):
        def norm(x, name):
            x = x - np.sum(x, axis=-1, keepdims=True) * (1 / width)
            variance = np.sum(x * x, axis=-1, keepdims=True) * (1 / width)
            return x / np.sqrt(variance + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]

        def linear(x, name):
            return np.dot(x, p[f"{name}.W"]) + p[f"{name}.b"]

        def gelu(x):
            return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))))

        def softmax(s):  # the scores are small: no maximum has to be taken off
            s = np.exp(s)
            return s / np.sum(s, axis=-1, keepdims=True)
        x = (p["token"][index] + p["position"]).reshape(batch * length, width)
        for block in blocks:
            qkv = np.split(linear(norm(x, f"{block}.norm1"), f"{block}.qkv"), 3, axis=1)
            q, k, v = (np.transpose(u.reshape(batch, length, data.HEADS, -1), (0, 2, 1, 3)) for u in qkv)
            scores = np.matmul(q, np.transpose(k, (0, 1, 3, 2))) * (1 / math.sqrt(width / data.HEADS))
            y = np.transpose(np.matmul(softmax(scores + mask), v), (0, 2, 1, 3)).reshape(batch * length, width)
            x = x + linear(y, f"{block}.proj")
            x = x + linear(gelu(linear(norm(x, f"{block}.norm2"), f"{block}.fc")), f"{block}.out")
        return cross_entropy(np.dot(norm(x, "norm"), p["token"].T), target.ravel())
    return training(loss, p, partial(updates.Adam, beta2=0.99, decay=0.1))


def scalars():
    """W7, in Python's floats."""
    starts = []
    data.scalar_loss(lambda w: starts.append(w) or w, math.tanh)

    def loss(parameters):
        leaves = itertools.chain(parameters)
        return data.scalar_loss(lambda _: next(leaves), np.tanh)
    differentiated = value_and_grad(loss)
    return lambda: differentiated(starts)[0]


WORKLOADS = {"W1": chain, "W2": mlp, "W5": lstm, "W6": gpt, "W7": scalars, "W10": deep, "W13": hessian_vector}
