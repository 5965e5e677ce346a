"""The workloads in MyGrad, its memory guard off: the form its documentation gives for speed.

A float32 tensor times a Python float is float64 in it, so constants are np.float32. It has no second derivatives
(W13), no groups (W12c) and no windows that leave a rest (W12b); updates are plain NumPy.
"""

import math
from functools import partial

import data
import mygrad as mg
import numpy as np
from mygrad.nnet.activations import relu, sigmoid, softmax
from mygrad.nnet.layers import batchnorm, conv_nd, max_pool
from mygrad.nnet.losses import softmax_crossentropy
from peers import updates

mg.turn_memory_guarding_off()
F = np.float32


def training(loss, arrays, rule, change=lambda gradients: gradients):
    """One step; `rule(arrays)` makes the optimizer, `change` clips."""
    p = {name: mg.tensor(value) for name, value in arrays.items()}
    optimizer = rule([t.data for t in p.values()])

    def step() -> float:
        value = loss(p)
        value.backward()
        optimizer.step(change([t.grad for t in p.values()]))
        result = float(value.data)
        value.clear_graph()
        for t in p.values():
            t.null_grad()
        return result
    return step


def chain():
    """W1."""
    x, factor, term = mg.tensor(data.chain()), F(1.0001), F(0.0001)

    def step() -> float:
        y = x
        for _ in range(1000):
            y = y * factor + term
        total = y.sum()
        total.backward()
        return float(total.data)
    return step


def deep():
    """W10."""
    factor, term = F(0.999999), F(0.000001)

    def step() -> float:
        x = mg.tensor(np.ones(1, F))
        y = x
        for _ in range(500_000):
            y = y * factor + term
        y.sum().backward()
        return float(x.grad[0])
    return step


def mlp(**size):
    """W2."""
    x, target, p = data.mlp(**size)

    def loss(p):
        h = relu(mg.matmul(x, p["W1"]) + p["b1"])
        h = relu(mg.matmul(h, p["W2"]) + p["b2"])
        return softmax_crossentropy(mg.matmul(h, p["W3"]) + p["b3"], target)
    return training(loss, p, updates.Adam)


def conv(x, w, stride=1):
    """Windows must tile the image exactly: each output is computed, then every second one is kept."""
    y = conv_nd(x, w, stride=1, padding=w.shape[-1] // 2)
    return y if stride == 1 else y[:, :, ::stride, ::stride]


def norm(x, p, name):
    """Batch norm."""
    return batchnorm(x, gamma=p[f"{name}.weight"], beta=p[f"{name}.bias"], eps=1e-5)


def cnn(**size):
    """W3."""
    x, target, p = data.cnn(**size)

    def loss(p):
        h = x
        for i in (1, 2, 3):
            h = relu(norm(conv(h, p[f"conv{i}"]), p, f"norm{i}"))
            if i > 1:
                h = max_pool(h, (2, 2), 2)
        return softmax_crossentropy(mg.matmul(h.reshape(len(x), -1), p["W"]) + p["b"], target)
    return training(loss, p, partial(updates.SGD, lr=1e-3))


def resnet(**size):
    """W4."""
    x, target, p = data.resnet(**size)
    width = len(p["stem"])

    def loss(p):
        h = relu(norm(conv(x, p["stem"]), p, "norm"))
        for name, _, _, stride in data.resnet_blocks(width):
            a = relu(norm(conv(h, p[f"{name}.conv1"], stride), p, f"{name}.norm1"))
            a = norm(conv(a, p[f"{name}.conv2"]), p, f"{name}.norm2")
            if stride != 1:
                h = norm(conv(h[:, :, ::stride, ::stride], p[f"{name}.conv3"]), p, f"{name}.norm3")
            h = relu(a + h)
        return softmax_crossentropy(mg.matmul(h.mean((2, 3)), p["W"]) + p["b"], target)
    return training(loss, p, partial(updates.SGD, lr=1e-2))


def lstm(**size):
    """W5."""
    index, target, p = data.lstm(**size)
    index, target, width = index.T, target.T.ravel(), len(p["Wh"])

    def loss(p):
        x = mg.matmul(p["embedding"][index], p["Wx"]) + p["bx"]  # (T, B, 4 width)
        h = c = data.zeros(index.shape[1], width)
        outputs = []
        for a in x:
            a = a + mg.matmul(h, p["Wh"]) + p["bh"]
            i, f, g, o = (a[:, width * j:width * (j + 1)] for j in range(4))
            c = sigmoid(f) * c + sigmoid(i) * mg.tanh(g)
            h = sigmoid(o) * mg.tanh(c)
            outputs.append(h)
        return softmax_crossentropy(mg.matmul(mg.concatenate(outputs), p["W"]) + p["b"], target)
    return training(loss, p, updates.Adam, updates.clip)


def gpt(**size):
    """W6."""
    index, target, p = data.gpt(**size)
    (batch, length), width = index.shape, p["token"].shape[1]
    mask = np.triu(np.full((length, length), F(-1e9)), 1)
    scale = F(1 / math.sqrt(width / data.HEADS))
    blocks = [name.removesuffix(".qkv.W") for name in p if name.endswith("qkv.W")]

    def loss(p):
        def norm(x, name):
            x = x - x.mean(-1, keepdims=True)
            return x / mg.sqrt((x * x).mean(-1, keepdims=True) + F(1e-5)) * p[f"{name}.weight"] + p[f"{name}.bias"]

        def linear(x, name):
            return mg.matmul(x, p[f"{name}.W"]) + p[f"{name}.b"]

        def gelu(x):
            return F(0.5) * x * (F(1) + mg.tanh(F(math.sqrt(2 / math.pi)) * (x + F(0.044715) * (x * x * x))))
        x = (p["token"][index] + p["position"]).reshape(batch * length, width)
        for block in blocks:
            qkv = linear(norm(x, f"{block}.norm1"), f"{block}.qkv").reshape(batch, length, 3, data.HEADS, -1)
            q, k, v = (qkv[:, :, j].transpose(0, 2, 1, 3) for j in range(3))
            y = mg.matmul(softmax(mg.matmul(q, k.transpose(0, 1, 3, 2)) * scale + mask), v)
            x = x + linear(y.transpose(0, 2, 1, 3).reshape(batch * length, width), f"{block}.proj")
            x = x + linear(gelu(linear(norm(x, f"{block}.norm2"), f"{block}.fc")), f"{block}.out")
        return softmax_crossentropy(mg.matmul(norm(x, "norm"), p["token"].T), target.ravel())
    return training(loss, p, partial(updates.Adam, beta2=0.99, decay=0.1))


def scalars():
    """W7, in float64."""
    def step() -> float:
        loss = data.scalar_loss(mg.tensor, mg.tanh)
        loss.backward()
        return float(loss.data)
    return step


def convolution(name):
    """W12."""
    x, w, g, options = data.convolution(name)
    x, w = mg.tensor(x), mg.tensor(w)

    def step():
        conv_nd(x, w, stride=options["stride"], padding=options["padding"]).backward(g)
        return x.grad, w.grad
    return step


WORKLOADS = {"W1": chain, "W2": mlp, "W3": cnn, "W4": resnet, "W5": lstm, "W6": gpt, "W7": scalars, "W10": deep,
             **{name: partial(convolution, name) for name in ("W12a", "W12d")}}
