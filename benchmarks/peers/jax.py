"""The workloads in JAX: whole steps under `jit`, their state donated, images in (N, H, W, C) order.

Without W7, whose 68,000 scalar nodes would be compiled, and W10, whose chain would be.
"""

import math
import os
from collections.abc import Callable
from functools import partial

if hasattr(os, "sched_setaffinity"):  # XLA takes as many threads as it sees processors
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])

import data
import jax
import jax.numpy as jnp
from jax import lax


def cross_entropy(logits, target):
    """The mean over all positions."""
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), target[..., None], -1))


# Update rules: (t, p, gradient, *moments) to (p, *moments); the number of moments

def sgd(lr):
    """With momentum 0.9."""
    def rule(t, p, g, v):
        v = 0.9 * v + g
        return p - lr * v, v
    return rule, 1


def adam(beta2=0.999, decay=0.0):
    """AdamW where `decay` is given; it takes parameters with two axes."""
    def rule(t, p, g, m, v):
        m, v = 0.9 * m + 0.1 * g, beta2 * v + (1 - beta2) * g * g
        update = m / (1 - 0.9 ** t) / (jnp.sqrt(v / (1 - beta2 ** t)) + 1e-8)
        return p * (1 - 1e-3 * decay * (p.ndim >= 2)) - 1e-3 * update, m, v
    return rule, 2


def clipped(gradients, limit=1.0):
    """Scaled together to a norm of at most `limit`."""
    norm = jnp.sqrt(sum(jnp.sum(g * g) for g in gradients.values()))
    return {name: g * jnp.minimum(1.0, limit / (norm + 1e-6)) for name, g in gradients.items()}


def training(loss: Callable, p: data.Arrays, optimizer: tuple, statistics=None, change=lambda g: g):
    """One step; `loss(p, statistics)` gives the loss and the batch norms' new statistics."""
    rule, moments = optimizer
    p = {name: jnp.asarray(value) for name, value in p.items()}
    state = [p, statistics or {}, jnp.zeros(()), *({k: jnp.zeros_like(v) for k, v in p.items()}
                                                   for _ in range(moments))]

    @partial(jax.jit, donate_argnums=range(len(state)))
    def compiled(p, statistics, t, *moments):
        (value, statistics), gradients = jax.value_and_grad(loss, has_aux=True)(p, statistics)
        gradients, t = change(gradients), t + 1
        new = {k: rule(t, p[k], gradients[k], *(m[k] for m in moments)) for k in p}
        p, *moments = ({k: parts[i] for k, parts in new.items()} for i in range(1 + len(moments)))
        return value, p, statistics, t, *moments

    def step() -> float:
        value, *state[:] = compiled(*state)
        jax.block_until_ready(state)
        return float(value)
    return step


def chain():
    """W1."""
    def total(x):
        for _ in range(1000):
            x = x * 1.0001 + 0.0001
        return x.sum()
    compiled, x = jax.jit(jax.value_and_grad(total)), jnp.asarray(data.chain())

    def step() -> float:
        value, gradient = compiled(x)
        gradient.block_until_ready()
        return float(value)
    return step


def _mlp(**size):
    x, target, p = data.mlp(**size)
    x, target = jnp.asarray(x), jnp.asarray(target)

    def loss(p, statistics=None):
        h = jax.nn.relu(x @ p["W1"] + p["b1"])
        h = jax.nn.relu(h @ p["W2"] + p["b2"])
        return cross_entropy(h @ p["W3"] + p["b3"], target), {}
    return loss, p


def mlp(**size):
    """W2."""
    return training(*_mlp(**size), adam())


def hessian_vector():
    """W13, by forward over reverse."""
    loss, p = _mlp()
    p, v = ({k: jnp.asarray(u) for k, u in arrays.items()} for arrays in (p, data.vectors()))

    @jax.jit
    def compiled(p, v):
        products = jax.jvp(jax.grad(lambda p: loss(p)[0]), (p,), (v,))[1]
        return products, jnp.sqrt(sum(jnp.sum(h * h) for h in products.values()))

    def step() -> float:
        return float(jax.block_until_ready(compiled(p, v))[1])
    return step


# Images

def _channels_last(p: data.Arrays) -> data.Arrays:
    return {name: value.transpose(2, 3, 1, 0) if value.ndim == 4 else value for name, value in p.items()}


def conv(x, w, stride=1, padding=None, groups=1):
    """x (N, H, W, C), w (kh, kw, C / groups, K); without a padding the size is kept, up to the stride."""
    padding = w.shape[0] // 2 if padding is None else padding
    return lax.conv_general_dilated(x, w, (stride, stride), [(padding, padding)] * 2, feature_group_count=groups,
                                    dimension_numbers=("NHWC", "HWIO", "NHWC"))


class BatchNorms:
    """Batch norms by name; the running statistics are read from one dictionary and written to another."""

    def __init__(self, p, statistics):
        self.p, self.old, self.new = p, statistics, {}

    def __call__(self, x, name):
        """x (N, H, W, C), normed with the batch's own statistics."""
        mean, variance, n = x.mean((0, 1, 2)), x.var((0, 1, 2)), x.size // x.shape[-1]
        old_mean, old_variance = self.old[name]
        self.new[name] = lax.stop_gradient((0.9 * old_mean + 0.1 * mean,
                                            0.9 * old_variance + 0.1 * variance * (n / (n - 1))))
        return (x - mean) * (self.p[f"{name}.weight"] * lax.rsqrt(variance + 1e-5)) + self.p[f"{name}.bias"]


def _statistics(p):
    names = [name.removesuffix(".weight") for name in p if name.endswith(".weight")]
    return {name: (jnp.zeros(len(p[f"{name}.bias"])), jnp.ones(len(p[f"{name}.bias"]))) for name in names}


def cnn(**size):
    """W3."""
    x, target, p = data.cnn(**size)
    x, target = jnp.asarray(x.transpose(0, 2, 3, 1)), jnp.asarray(target)

    def loss(p, statistics):
        h, norm = x, BatchNorms(p, statistics)
        for i in (1, 2, 3):
            h = jax.nn.relu(norm(conv(h, p[f"conv{i}"]), f"norm{i}"))
            if i > 1:
                h = lax.reduce_window(h, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        h = h.transpose(0, 3, 1, 2).reshape(len(h), -1)  # features in (C, H, W) order
        return cross_entropy(h @ p["W"] + p["b"], target), norm.new
    return training(loss, _channels_last(p), sgd(1e-3), _statistics(p))


def resnet(**size):
    """W4."""
    x, target, p = data.resnet(**size)
    x, target, width = jnp.asarray(x.transpose(0, 2, 3, 1)), jnp.asarray(target), len(p["stem"])

    def loss(p, statistics):
        norm = BatchNorms(p, statistics)
        h = jax.nn.relu(norm(conv(x, p["stem"]), "norm"))
        for name, _, _, stride in data.resnet_blocks(width):
            a = jax.nn.relu(norm(conv(h, p[f"{name}.conv1"], stride), f"{name}.norm1"))
            a = norm(conv(a, p[f"{name}.conv2"]), f"{name}.norm2")
            h = h if stride == 1 else norm(conv(h, p[f"{name}.conv3"], stride), f"{name}.norm3")
            h = jax.nn.relu(a + h)
        return cross_entropy(h.mean((1, 2)) @ p["W"] + p["b"], target), norm.new
    return training(loss, _channels_last(p), sgd(1e-2), _statistics(p))


def convolution(name):
    """W12; the output is returned too, or XLA would leave the forward pass out."""
    x, w, g, options = data.convolution(name)
    x, w, g = (jnp.asarray(a) for a in (x.transpose(0, 2, 3, 1), w.transpose(2, 3, 1, 0), g.transpose(0, 2, 3, 1)))

    @jax.jit
    def compiled(x, w, g):
        y, backward = jax.vjp(partial(conv, **options), x, w)
        return y, *backward(g)
    return lambda: jax.block_until_ready(compiled(x, w, g))[1:]


# Sequences

def lstm(**size):
    """W5."""
    index, target, p = data.lstm(**size)
    index, target, width = jnp.asarray(index.T), jnp.asarray(target.T), len(p["Wh"])

    def loss(p, statistics):
        def cell(carry, a):
            h, c = carry
            i, f, g, o = jnp.split(a + h @ p["Wh"] + p["bh"], 4, axis=1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h
        start = jnp.zeros((index.shape[1], width))
        _, h = lax.scan(cell, (start, start), p["embedding"][index] @ p["Wx"] + p["bx"])  # (T, B, width)
        return cross_entropy(h @ p["W"] + p["b"], target), {}
    return training(loss, p, adam(), change=clipped)


def gpt(**size):
    """W6."""
    index, target, p = data.gpt(**size)
    index, target = jnp.asarray(index), jnp.asarray(target)
    (batch, length), width = index.shape, p["token"].shape[1]
    mask = jnp.tril(jnp.ones((length, length), bool))
    blocks = [name.removesuffix(".qkv.W") for name in p if name.endswith("qkv.W")]

    def loss(p, statistics):
        def norm(x, name):
            mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
            return (x - mean) * lax.rsqrt(variance + 1e-5) * p[f"{name}.weight"] + p[f"{name}.bias"]

        def linear(x, name):
            return x @ p[f"{name}.W"] + p[f"{name}.b"]
        x = p["token"][index] + p["position"]
        for block in blocks:
            qkv = jnp.split(linear(norm(x, f"{block}.norm1"), f"{block}.qkv"), 3, -1)
            q, k, v = (u.reshape(batch, length, data.HEADS, -1).transpose(0, 2, 1, 3) for u in qkv)
            scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(q.shape[-1])
            y = jax.nn.softmax(jnp.where(mask, scores, -jnp.inf)) @ v
            x = x + linear(y.transpose(0, 2, 1, 3).reshape(batch, length, width), f"{block}.proj")
            h = jax.nn.gelu(linear(norm(x, f"{block}.norm2"), f"{block}.fc"), approximate=True)
            x = x + linear(h, f"{block}.out")
        return cross_entropy(norm(x, "norm") @ p["token"].T, target), {}
    return training(loss, p, adam(beta2=0.99, decay=0.1))


def adam_alone():
    """W11."""
    start, gradient = (jnp.asarray(a) for a, in data.adam())
    state = [start, jnp.zeros_like(start), jnp.zeros_like(start), jnp.zeros(())]
    rule, _ = adam()

    @partial(jax.jit, donate_argnums=(1, 2, 3, 4))
    def compiled(g, p, m, v, t):
        return *rule(t + 1, p, g, m, v), t + 1

    def step() -> float:
        state[:] = jax.block_until_ready(compiled(gradient, *state))
        return float(state[0][0])
    return step


WORKLOADS = {"W1": chain, "W2": mlp, "W3": cnn, "W4": resnet, "W5": lstm, "W6": gpt, "W11": adam_alone,
             **{name: partial(convolution, name) for name in data.CONVOLUTIONS}, "W13": hessian_vector}
