"""Updates in plain NumPy, in place, for the libraries that have no optimizers of their own."""

import math

import numpy as np


class SGD:
    """With momentum 0.9."""

    def __init__(self, parameters, lr):
        self.parameters, self.lr = parameters, lr
        self.velocities = [np.zeros_like(p) for p in parameters]

    def step(self, gradients):
        """p -= lr v, v = 0.9 v + g."""
        for p, g, v in zip(self.parameters, gradients, self.velocities, strict=True):
            v *= 0.9
            v += g
            p -= self.lr * v


class Adam:
    """AdamW where `decay` is given; it takes parameters with two axes."""

    def __init__(self, parameters, lr=1e-3, beta2=0.999, decay=0.0):
        self.parameters, self.lr, self.beta2, self.decay, self.t = parameters, lr, beta2, decay, 0
        self.first, self.second = ([np.zeros_like(p) for p in parameters] for _ in range(2))

    def step(self, gradients):
        """Kingma and Ba 2015, algorithm 1."""
        self.t += 1
        correction1, correction2 = 1 - 0.9 ** self.t, math.sqrt(1 - self.beta2 ** self.t)
        for p, g, m, v in zip(self.parameters, gradients, self.first, self.second, strict=True):
            m *= 0.9
            m += 0.1 * g
            v *= self.beta2
            v += (1 - self.beta2) * g * g
            update = np.sqrt(v)
            update /= correction2
            update += 1e-8
            np.divide(m, update, out=update)
            update *= self.lr / correction1
            if self.decay and p.ndim >= 2:
                p *= 1 - self.lr * self.decay
            p -= update


def clip(gradients, limit=1.0):
    """Scale the gradients together to a norm of at most `limit`."""
    norm = math.sqrt(sum(float(np.vdot(g, g)) for g in gradients))
    return [g * np.float32(min(1.0, limit / (norm + 1e-6))) for g in gradients]
