"""RNN, GRU and LSTM: one step after the other, forward, in reverse or both."""


import autograd
from autograd import Tensor
from nn import functional as F

_ALPHA = {"affine": 1.0, "leakyrelu": 0.01, "thresholdedrelu": 1.0, "scaledtanh": 1.0, "hardsigmoid": 0.2, "elu": 1.0}
_BETA = {"affine": 0.0, "scaledtanh": 1.0, "hardsigmoid": 0.5}
_ACTIVATIONS = {
    "relu": lambda x, a, b: x.relu(), "tanh": lambda x, a, b: x.tanh(), "sigmoid": lambda x, a, b: x.sigmoid(),
    "affine": lambda x, a, b: a * x + b, "leakyrelu": lambda x, a, b: F.leaky_relu(x, a),
    "thresholdedrelu": lambda x, a, b: autograd.where(x > a, x, 0.0),
    "scaledtanh": lambda x, a, b: a * (b * x).tanh(), "hardsigmoid": lambda x, a, b: (a * x + b).clamp(0, 1),
    "elu": lambda x, a, b: F.elu(x, a), "softsign": lambda x, a, b: F.softsign(x),
    "softplus": lambda x, a, b: F.softplus(x)}


class _Activations:
    """The functions of one direction, with the limit that their arguments are clipped to."""

    def __init__(self, names, alphas, betas, clip):
        self.clip = clip
        self.calls = []
        for name in names:
            name = name.lower()
            a = alphas.pop(0) if name in _ALPHA and alphas else _ALPHA.get(name)
            b = betas.pop(0) if name in _BETA and betas else _BETA.get(name)
            self.calls.append((_ACTIVATIONS[name], a, b))

    def __call__(self, which: int, x: Tensor) -> Tensor:
        function, a, b = self.calls[which]
        return function(x if self.clip is None else x.clamp(-self.clip, self.clip), a, b)


def _run(step, x, w, r, b, lengths, states, names, *, activations=None, activation_alpha=None, activation_beta=None,
         clip=None, direction="forward", hidden_size=None, layout=0):
    """`step(act, projected, states, r, bias, direction)` over time, in each direction: all outputs, the last states."""
    x = x.transpose(0, 1) if layout else x
    steps, batch, directions, hidden = x.shape[0], x.shape[1], w.shape[0], r.shape[2]
    states = [autograd.zeros(directions, batch, hidden, dtype=x.dtype) if state is None else
              state.transpose(0, 1) if layout else state for state in states]
    alphas, betas = list(activation_alpha or ()), list(activation_beta or ())
    chosen = list(activations or list(names) * directions)
    outputs, last = [], []
    for d in range(directions):
        act = _Activations(chosen[d * len(names):(d + 1) * len(names)], alphas, betas, clip)
        own = [s[d] for s in states]
        bias = autograd.zeros(2 * w.shape[1], dtype=x.dtype) if b is None else b[d]
        projected = x @ w[d].T + bias[:w.shape[1]]
        backwards = direction == "reverse" or d == 1
        rows: list = [None] * steps
        for t in reversed(range(steps)) if backwards else range(steps):
            new = step(act, projected[t], own, r[d], bias[w.shape[1]:], d)
            if lengths is not None:  # a sequence that has ended keeps its state, and puts out 0
                going = (lengths > t).reshape(-1, 1)
                new = [autograd.where(going, after, before) for after, before in zip(new, own, strict=True)]
                rows[t] = autograd.where(going, new[0], 0.0)
            else:
                rows[t] = new[0]
            own = new
        outputs.append(autograd.stack(rows))
        last.append(own)
    whole = autograd.stack(outputs, 1)  # (steps, directions, batch, hidden)
    ends = [autograd.stack(parts) for parts in zip(*last, strict=True)]
    if layout:
        return whole.permute(2, 0, 1, 3), *[end.transpose(0, 1) for end in ends]
    return whole, *ends


def RNN(x, w, r, b=None, sequence_lens=None, initial_h=None, **attributes):
    def step(act, projected, states, r, bias, d):
        return [act(0, projected + states[0] @ r.T + bias)]
    return _run(step, x, w, r, b, sequence_lens, [initial_h], ("Tanh",), **attributes)


def GRU(x, w, r, b=None, sequence_lens=None, initial_h=None, *, linear_before_reset=0, **attributes):
    def step(act, projected, states, r, bias, d):
        h, size = states[0], r.shape[1]
        gates = projected[:, :2 * size] + h @ r[:2 * size].T + bias[:2 * size]
        update, reset = act(0, gates[:, :size]), act(0, gates[:, size:])
        if linear_before_reset:
            inner = reset * (h @ r[2 * size:].T + bias[2 * size:])
        else:
            inner = (reset * h) @ r[2 * size:].T + bias[2 * size:]
        new = act(1, projected[:, 2 * size:] + inner)
        return [(1 - update) * new + update * h]
    return _run(step, x, w, r, b, sequence_lens, [initial_h], ("Sigmoid", "Tanh"), **attributes)


def LSTM(x, w, r, b=None, sequence_lens=None, initial_h=None, initial_c=None, p=None, *, input_forget=0, **attributes):
    def step(act, projected, states, r, bias, d):
        h, c = states
        i, o, f, g = (projected + h @ r.T + bias).chunk(4, 1)
        peek_i, peek_o, peek_f = (0, 0, 0) if p is None else p[d].chunk(3)
        i = act(0, i + peek_i * c)
        f = 1 - i if input_forget else act(0, f + peek_f * c)
        c = f * c + i * act(1, g)
        return [act(0, o + peek_o * c) * act(2, c), c]
    return _run(step, x, w, r, b, sequence_lens, [initial_h, initial_c], ("Sigmoid", "Tanh", "Tanh"), **attributes)


