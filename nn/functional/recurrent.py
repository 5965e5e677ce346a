"""Recurrent layers: a whole sequence as one operation.

Inputs of all steps go through one product before the loop, weight gradients through one after it; what remains in the
loop is the product with the hidden state and a few elementwise functions. Gates are kept as they are after their
nonlinearity, since the derivatives of sigmoid and tanh are polynomials in their values.

Shapes: T steps, B sequences, I inputs, H hidden units; G = 1, 3 or 4 blocks of H rows in the weights.
"""

import math

import numpy as np

import autograd
from autograd import Tensor, operation, sigmoid
from autograd.operations.joining import equal_parts
from autograd.runtime.compiled import compilable
from autograd.runtime.elementwise import as_loop
from autograd.runtime.products import in_columns, matmul, product
from autograd.runtime.sums import added
from autograd.runtime.threads import in_parallel, pieces
from autograd.samples import call
from autograd.tensor import Outline
from autograd.typing import TensorLike
from nn.functional.linear import linear


def _steps(x, w, bias):
    """The inputs' share of the gates of all steps: (T, B, G·H)."""
    out = matmul(x.reshape(-1, x.shape[-1]), w.T)
    if bias is not None:
        out += bias
    return out.reshape(*x.shape[:2], len(w))


def _before(out, h):
    """The hidden state that each step starts from."""
    return np.concatenate([h[None], out[:-1]])


def _ends(lengths, count):
    """The index of the last valid step of each sequence, and which sequence it is."""
    return (-1, slice(None)) if lengths is None else (lengths - 1, np.arange(count))


def _with_final(g_out, g_final, lengths):
    """The gradients that reach the hidden states from outside: through the output and through the final state."""
    g_out = g_out.copy()
    g_out[_ends(lengths, g_out.shape[1])] += g_final
    return g_out


def _gradients(d_input, d_hidden, dh, x, before, w_ih, needs):
    """The gradients of (x, h, w_ih, w_hh, b_ih, b_hh).

    d_input and d_hidden (T, B, G·H) are those of W_ih x + b_ih and of W_hh h + b_hh, dh that of the initial h.
    """
    ours, theirs = (d.reshape(-1, d.shape[-1]) for d in (d_input, d_hidden))
    b_ih = added(ours, 0) if needs[4] or needs[5] else None
    b_hh = b_ih.copy() if needs[5] and d_input is d_hidden else added(theirs, 0) if needs[5] else None
    return [matmul(ours, w_ih).reshape(x.shape) if needs[0] else None, dh,
            matmul(ours.T, x.reshape(-1, x.shape[-1])) if needs[2] else None,
            matmul(theirs.T, before.reshape(-1, before.shape[-1])) if needs[3] else None,
            b_ih if needs[4] else None, b_hh]


# One step: what the cells are, and, step by step, the composition of the layers. What is elementwise is one operation,
# which keeps the gates as they have opened.

@as_loop
def _open_lstm(i, f, g, o, c):
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    cell = f * c + i * g
    squashed = np.tanh(cell)
    return o * squashed, cell, i, f, g, o, squashed


@as_loop
def _open_lstm_vjp(g_h, g_cell, i, f, g, o, squashed, c):
    d_cell = g_cell + g_h * o * (1 - squashed * squashed)
    return (d_cell * g * i * (1 - i), d_cell * c * f * (1 - f), d_cell * i * (1 - g * g), g_h * squashed * o * (1 - o),
            d_cell * f)


def _lstm_gates_forward(gates, c):
    return _open_lstm(*equal_parts(gates, 4, -1), c)


def _lstm_gates_vjp(g, kept, gates: Outline, c, *, needs_input_grad):
    d_gates, d_c = np.empty(gates.shape, gates.dtype), np.empty_like(c)
    _open_lstm_vjp(*g, *kept, c, out=(*equal_parts(d_gates, 4, -1), d_c))
    return [d_gates, d_c]


def _lstm_gates_composition(gates, c):
    i, f, g, o = autograd.tensor_split(gates, 4, -1)
    c = sigmoid(f) * c + sigmoid(i) * autograd.tanh(g)
    return sigmoid(o) * autograd.tanh(c), c


@as_loop
def _open_gru(r, z, new, hidden_r, hidden_z, hidden_new, h):
    r, z = sigmoid(r + hidden_r), sigmoid(z + hidden_z)
    new = np.tanh(new + r * hidden_new)
    return new + z * (h - new), r, z, new


@as_loop
def _open_gru_vjp(g, r, z, new, hidden_new, h):
    d_z, d_new = g * (h - new) * z * (1 - z), g * (1 - z) * (1 - new * new)
    d_r = d_new * hidden_new * r * (1 - r)
    return d_r, d_z, d_new, d_r, d_z, d_new * r, g * z


def _gru_gates_forward(ours, theirs, h):
    return _open_gru(*equal_parts(ours, 3, -1), *equal_parts(theirs, 3, -1), h)


def _gru_gates_vjp(g, kept, ours: Outline, theirs, h, *, needs_input_grad):
    d_ours, d_theirs, d_h = np.empty(ours.shape, ours.dtype), np.empty(ours.shape, ours.dtype), np.empty_like(h)
    _open_gru_vjp(*g, *kept, equal_parts(theirs, 3, -1)[2], h,
                  out=(*equal_parts(d_ours, 3, -1), *equal_parts(d_theirs, 3, -1), d_h))
    return [d_ours, d_theirs, d_h]


def _gru_gates_composition(ours, theirs, h):
    (r, z, new), (hidden_r, hidden_z, hidden_new) = (autograd.tensor_split(a, 3, -1) for a in (ours, theirs))
    r, z = sigmoid(r + hidden_r), sigmoid(z + hidden_z)
    new = autograd.tanh(new + r * hidden_new)
    return (new + z * (h - new),)


def _gate_samples(gates, products):
    def samples(draw):
        count, hidden = draw.integer(1, 3), draw.integer(1, 3)
        return call(*[draw.array(shape=(count, gates * hidden)) for _ in range(products)],
                    draw.array(shape=(count, hidden)))
    return samples


_lstm_gates = operation(
    _lstm_gates_forward, joint_vjp=_lstm_gates_vjp, composition=_lstm_gates_composition, outputs="h c",
    names="_lstm_gates", samples=_gate_samples(4, 1), flops=lambda shapes, out, options: 9 * math.prod(shapes[1]),
    doc="h' and c' of the sums (B, 4H) in the gates, and c (B, H).")

_gru_gates = operation(
    _gru_gates_forward, joint_vjp=_gru_gates_vjp, composition=_gru_gates_composition, outputs="h", names="_gru_gates",
    samples=_gate_samples(3, 2), flops=lambda shapes, out, options: 10 * math.prod(shapes[2]),
    doc="h' of W_ih x + b_ih and W_hh h + b_hh (B, 3H), and h (B, H).")


def _of_one_batch(*rows: TensorLike) -> list[Tensor]:
    """Rows (..., *), with the axes before that all of them have together."""
    tensors = [autograd.as_tensor(each) for each in rows]
    leads = [tensor.shape[:-1] for tensor in tensors]
    if len(set(leads)) == 1:
        return tensors
    lead = autograd.broadcast_shapes(*leads)
    return [tensor.expand((*lead, tensor.shape[-1])) for tensor in tensors]


def rnn_cell(x: TensorLike, h: TensorLike, w_ih: TensorLike, w_hh: TensorLike, b_ih: TensorLike | None = None,
             b_hh: TensorLike | None = None, nonlinearity: str = "tanh") -> Tensor:
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu of it."""
    return (autograd.tanh if nonlinearity == "tanh" else autograd.relu)(linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh))


def lstm_cell(x: TensorLike, h: TensorLike, c: TensorLike, w_ih: TensorLike, w_hh: TensorLike,
              b_ih: TensorLike | None = None, b_hh: TensorLike | None = None) -> tuple[Tensor, Tensor]:
    """One step of a long short-term memory (Hochreiter & Schmidhuber 1997): (h', c').

    i, f, o = σ(…), g = tanh(…) of W_ih x + b_ih + W_hh h + b_hh, in the order i, f, g, o;
    c' = f c + i g; h' = o tanh(c').
    """
    gates = linear(x, w_ih, b_ih) + linear(h, w_hh, b_hh)
    return tuple(_lstm_gates(*_of_one_batch(gates, c)))


def gru_cell(x: TensorLike, h: TensorLike, w_ih: TensorLike, w_hh: TensorLike, b_ih: TensorLike | None = None,
             b_hh: TensorLike | None = None) -> Tensor:
    """One step of a gated recurrent unit (Cho et al. 2014), with the reset gate after the product, as in PyTorch.

    r, z = σ(W_ih x + b_ih + W_hh h + b_hh), n = tanh(W_in x + b_in + r (W_hn h + b_hn)), in the order r, z, n;
    h' = (1 - z) n + z h.
    """
    return _gru_gates(*_of_one_batch(linear(x, w_ih, b_ih), linear(h, w_hh, b_hh), h)).h


def _final(states, lengths):
    if lengths is None:
        return states[-1]
    return autograd.stack(states)[lengths - 1, np.arange(len(lengths))]


def _rnn_composition(x, h, w_ih, w_hh, b_ih, b_hh, *, nonlinearity, lengths):
    states = []
    for t in range(len(x)):
        h = rnn_cell(x[t], h, w_ih, w_hh, b_ih, b_hh, nonlinearity)
        states.append(h)
    return autograd.stack(states), _final(states, lengths)


def lstm_step_by_step(x, h, c, w_ih, w_hh, b_ih, b_hh, w_hr=None, *, lengths):
    """An LSTM from elementary operations; with w_hr its hidden state is W_hr o tanh(c') (Sak et al. 2014)."""
    states, cells = [], []
    for t in range(len(x)):
        h, c = lstm_cell(x[t], h, c, w_ih, w_hh, b_ih, b_hh)
        h = h if w_hr is None else linear(h, w_hr)
        states.append(h)
        cells.append(c)
    return autograd.stack(states), _final(states, lengths), _final(cells, lengths)


def _gru_composition(x, h, w_ih, w_hh, b_ih, b_hh, *, lengths):
    states = []
    for t in range(len(x)):
        h = gru_cell(x[t], h, w_ih, w_hh, b_ih, b_hh)
        states.append(h)
    return autograd.stack(states), _final(states, lengths)


# Elman networks

def _rnn_forward(x, h, w_ih, w_hh, b_ih, b_hh, *, nonlinearity, lengths):
    out = _steps(x, w_ih, None if b_ih is None else b_ih + b_hh)
    activate = (lambda a: np.tanh(a, out=a)) if nonlinearity == "tanh" else lambda a: np.maximum(a, 0, out=a)
    w, theirs = in_columns(w_hh.T, len(h)), np.empty_like(out[0])
    for t in range(len(x)):
        out[t] += product(h, w, out=theirs)
        h = activate(out[t])
    return out, out[_ends(lengths, x.shape[1])].copy()


def _rnn_vjp(g, out, x, h, w_ih, w_hh, b_ih, b_hh, *, nonlinearity, lengths, needs_input_grad):
    states, _ = out
    d = _with_final(*g, lengths)
    slope = 1 - states * states if nonlinearity == "tanh" else None
    w, dh = in_columns(w_hh, len(h)), np.empty_like(d[0])
    for t in reversed(range(len(d))):
        if slope is None:
            d[t][states[t] <= 0] = 0
        else:
            d[t] *= slope[t]
        product(d[t], w, out=dh)
        if t:
            d[t - 1] += dh
    return _gradients(d, d, dh, x, _before(states, h), w_ih, needs_input_grad)


# Long short-term memory

def work_of_steps(gates, depth):
    """About how many numbers' time all steps take: each gate is a product of this depth, and a nonlinearity."""
    return gates.size * (8 + depth // 16)


@compilable("nn.compiled.recurrent")
def _lstm_steps(inputs, h, c, ours, theirs, scale, gates, out, cells, squashed):
    """All steps forward: fills gates (T, B, 4H), out, cells and squashed = tanh(cells) (T, B, H)."""
    n, shift = h.shape[1], 1 - scale

    def run(sequences):
        h_t, c_t = h[sequences], c[sequences]
        added, scratch = np.empty((len(h_t), 4 * n), h.dtype), np.empty((len(h_t), n), h.dtype)
        for few in pieces(slice(0, len(inputs)), added.size):
            product(inputs[few, sequences], ours, out=gates[few, sequences])
            for t in range(few.start, few.stop):
                gate = gates[t, sequences]
                gate += product(h_t, theirs, out=added)
                np.tanh(gate, out=gate)
                gate *= scale
                gate += shift
                i, f, g, o = (gate[:, k * n:(k + 1) * n] for k in range(4))
                c_t = np.multiply(f, c_t, out=cells[t, sequences])
                c_t += np.multiply(i, g, out=scratch)
                h_t = np.multiply(o, np.tanh(c_t, out=squashed[t, sequences]), out=out[t, sequences])

    in_parallel(run, len(h), work_of_steps(gates, n + inputs.shape[2]))


def _lstm_forward(x, h, c, w_ih, w_hh, b_ih, b_hh, *, lengths):
    steps, count = x.shape[:2]
    n = h.shape[1]
    # σ(a) = tanh(a / 2) / 2 + 1/2: with the rows of i, f, o halved, one tanh serves all four gates
    scale = np.repeat(np.array([0.5, 0.5, 1, 0.5], x.dtype), n)
    inputs, weights = x, w_ih
    if b_ih is not None:  # as a column of the weights
        inputs = np.concatenate([x, np.ones((steps, count, 1), x.dtype)], axis=2)
        weights = np.concatenate([w_ih, (b_ih + b_hh)[:, None]], axis=1)
    ours, theirs = (in_columns((w * scale[:, None]).T, count) for w in (weights, w_hh))
    gates = np.empty((steps, count, 4 * n), x.dtype)
    out, cells, squashed = np.empty((3, steps, count, n), x.dtype)
    _lstm_steps(inputs, h, c, ours, theirs, scale, gates, out, cells, squashed)
    ends = _ends(lengths, count)
    return out, out[ends].copy(), cells[ends].copy(), gates, cells, squashed


@compilable("nn.compiled.recurrent")
def _lstm_steps_back(d_out, g_cell, ends, gates, cells_before, squashed, w, d, dh, dc):
    """All steps back: fills d (T, B, 4H), the gradient of the gates, and dh and dc (B, H), which are zeros at first.

    g_cell is the gradient of the last cells, which are those of the steps `ends` (B,).
    """
    n, last = dc.shape[1], {t: (ends == t)[:, None] for t in np.unique(ends)}

    def run(sequences):
        dc_t, dh_t = dc[sequences], dh[sequences]
        scratch = np.empty_like(dc_t)
        for few in reversed(pieces(slice(0, len(d)), len(dc_t) * 4 * n)):
            # What dc (for i, f, g) and dh (for o, and for c) are multiplied by, for all these steps at once
            factors = d[few, sequences].reshape(few.stop - few.start, -1, 4, n, copy=False)
            i, f, g, o = (gates[few, sequences, k * n:(k + 1) * n] for k in range(4))
            tanh_c = squashed[few, sequences]
            np.multiply(g, i * (1 - i), out=factors[:, :, 0])
            np.multiply(cells_before[few, sequences], f * (1 - f), out=factors[:, :, 1])
            np.multiply(i, 1 - g * g, out=factors[:, :, 2])
            np.multiply(tanh_c, o * (1 - o), out=factors[:, :, 3])
            through_cell = o * (1 - tanh_c * tanh_c)
            for t in reversed(range(few.start, few.stop)):
                factor = factors[t - few.start]
                dh_t += d_out[t, sequences]
                if t in last:
                    dc_t += np.where(last[t][sequences], g_cell[sequences], 0)
                dc_t += np.multiply(dh_t, through_cell[t - few.start], out=scratch)
                factor[:, :3] *= dc_t[:, None]
                factor[:, 3] *= dh_t
                dc_t *= f[t - few.start]
                product(d[t, sequences], w, out=dh_t)

    in_parallel(run, len(dh), work_of_steps(d, n))


def _lstm_vjp(g, out, x, h, c, w_ih, w_hh, b_ih, b_hh, *, lengths, needs_input_grad):
    states, _, _, gates, cells, squashed = out
    g_out, g_final, g_cell = g
    steps, count, n = states.shape
    d_out, cells_before = _with_final(g_out, g_final, lengths), _before(cells, c)
    dh, dc = np.zeros((2, count, n), x.dtype)
    ends = np.full(count, steps - 1) if lengths is None else lengths - 1
    d, w = np.empty((steps, count, 4 * n), x.dtype), in_columns(w_hh, len(h))
    _lstm_steps_back(d_out, g_cell, ends, gates, cells_before, squashed, w, d, dh, dc)
    dx, dh, *weights = _gradients(d, d, dh, x, _before(states, h), w_ih, (*needs_input_grad[:2], *needs_input_grad[3:]))
    return [dx, dh, dc, *weights]


# Gated recurrent units

def _gru_forward(x, h, w_ih, w_hh, b_ih, b_hh, *, lengths):
    steps, count = x.shape[:2]
    n = h.shape[1]
    gates = _steps(x, w_ih, b_ih)
    hidden = np.empty((steps, count, n), x.dtype)  # W_hn h + b_hn, which the reset gate multiplies
    out = np.empty_like(hidden)
    w, theirs = in_columns(w_hh.T, len(h)), np.empty_like(gates[0])
    for t in range(steps):
        product(h, w, out=theirs)
        if b_hh is not None:
            theirs += b_hh
        hidden[t] = theirs[:, 2 * n:]
        rz = gates[t, :, :2 * n]
        rz += theirs[:, :2 * n]
        rz *= 0.5
        np.tanh(rz, out=rz)
        rz *= 0.5
        rz += 0.5
        r, z, new = (gates[t, :, k * n:(k + 1) * n] for k in range(3))
        new += r * hidden[t]
        np.tanh(new, out=new)
        h = np.add(new, z * (h - new), out=out[t])
    return out, out[_ends(lengths, count)].copy(), gates, hidden


def _gru_vjp(g, out, x, h, w_ih, w_hh, b_ih, b_hh, *, lengths, needs_input_grad):
    states, _, gates, hidden = out
    n = states.shape[-1]
    before = _before(states, h)
    r, z, new = (gates[..., k * n:(k + 1) * n] for k in range(3))
    d_out = _with_final(*g, lengths)
    d_input, d_hidden = np.empty_like(gates), np.empty_like(gates)
    # What dh is multiplied by, for all steps at once: n first, since r is reached through it
    to_new, to_z = (1 - z) * (1 - new * new), (before - new) * z * (1 - z)
    to_hidden = to_new * r
    to_r = to_new * hidden * r * (1 - r)
    w, through_gates = in_columns(w_hh, len(h)), np.empty_like(h)
    for t in reversed(range(len(d_out))):
        dh = d_out[t]
        d = d_hidden[t]
        np.multiply(dh, to_r[t], out=d[:, :n])
        np.multiply(dh, to_z[t], out=d[:, n:2 * n])
        np.multiply(dh, to_hidden[t], out=d[:, 2 * n:])
        np.multiply(dh, to_new[t], out=d_input[t, :, 2 * n:])
        dh = dh * z[t] + product(d, w, out=through_gates)
        if t:
            d_out[t - 1] += dh
    d_input[..., :2 * n] = d_hidden[..., :2 * n]
    return _gradients(d_input, d_hidden, dh, x, before, w_ih, needs_input_grad)


# The declarations

def _samples(gates, states, **options):
    def samples(draw):
        steps, count, inputs, hidden = (draw.integer(1, 2) for _ in range(4))
        arrays = [draw.array(shape=(steps, count, inputs))]
        arrays += [draw.array(shape=(count, hidden), low=-1, high=1) for _ in range(states)]
        arrays += [draw.array(shape=(gates * hidden, columns), low=-1, high=1) for columns in (inputs, hidden)]
        biases = [draw.array(shape=(gates * hidden,), low=-1, high=1) if draw.boolean() else None] * 2
        lengths = np.array([draw.integer(1, steps) for _ in range(count)]) if draw.boolean() else None
        return call(*arrays, *biases, **{key: draw.choice(value) for key, value in options.items()}, lengths=lengths)
    return samples


def _multiply_adds(shapes, out, options):
    """x (T, B, *) meets the matrices of input and state at each step."""
    return math.prod(shapes[0][:2]) * sum(math.prod(s) for s in shapes[1:] if s and len(s) == 2 and s != shapes[1])


rnn_sequence = operation(
    _rnn_forward, joint_vjp=_rnn_vjp, composition=_rnn_composition, outputs="output h_n", names="rnn_sequence",
    methods="", samples=_samples(1, 1, nonlinearity=["tanh"]), multiply_adds=_multiply_adds)

lstm_sequence = operation(
    _lstm_forward, joint_vjp=_lstm_vjp, composition=lstm_step_by_step, outputs="output h_n c_n", names="lstm_sequence",
    methods="", samples=_samples(4, 2), multiply_adds=_multiply_adds)

gru_sequence = operation(
    _gru_forward, joint_vjp=_gru_vjp, composition=_gru_composition, outputs="output h_n", names="gru_sequence",
    methods="", samples=_samples(3, 1), multiply_adds=_multiply_adds)
