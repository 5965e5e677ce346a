"""Recurrent networks: one direction of one layer, over time (T, B, I)."""

import numpy as np

SIMPLE: dict = {}


def _sequence(write, operator, order, x, states, w_ih, w_hh, b_ih, b_hh, lengths, **attributes):
    """The operator, whose gates stand in another order: ours are those of PyTorch."""
    if lengths is not None:
        raise write.refused("a packed sequence; give it the padded one")
    hidden = w_hh.shape[-1]
    axis = np.array([0])

    def arranged(w):
        """(gates · H, ...) in ONNX's order."""
        if order is None:
            return w
        rows = np.concatenate([np.arange(k * hidden, (k + 1) * hidden) for k in order])
        return write("Gather", w, rows, axis=0)
    weights = [write("Unsqueeze", arranged(w), axis) for w in (w_ih, w_hh)]
    bias = None
    if b_ih is not None:
        bias = write("Unsqueeze", write("Concat", arranged(b_ih), arranged(b_hh), axis=0), axis)
    initial = [write("Unsqueeze", state, axis) for state in states]
    out, *final = write(operator, x, *weights, bias, None, *initial, outputs=1 + len(states), hidden_size=hidden,
                        **attributes)
    return (write("Squeeze", out, np.array([1])), *[write("Squeeze", state, axis) for state in final])


def rnn_sequence(write, x, h, w_ih, w_hh, b_ih, b_hh, *, nonlinearity, lengths):
    kind = "Tanh" if nonlinearity == "tanh" else "Relu"
    return _sequence(write, "RNN", None, x, (h,), w_ih, w_hh, b_ih, b_hh, lengths, activations=[kind])


def lstm_sequence(write, x, h, c, w_ih, w_hh, b_ih, b_hh, *, lengths):
    return _sequence(write, "LSTM", (0, 3, 1, 2), x, (h, c), w_ih, w_hh, b_ih, b_hh, lengths)


def gru_sequence(write, x, h, w_ih, w_hh, b_ih, b_hh, *, lengths):
    return _sequence(write, "GRU", (1, 0, 2), x, (h,), w_ih, w_hh, b_ih, b_hh, lengths, linear_before_reset=1)
