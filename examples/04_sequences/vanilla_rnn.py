"""The vanilla RNN by hand, its backward pass as well, and why it forgets what an LSTM remembers.

h = tanh(W_xh x + W_hh h' + b_h) at each step. In the backward pass the gradient goes through W_hhᵀ and tanh' once a
step, so that it vanishes or explodes (Bengio et al. 1994); in an LSTM it goes along the cell state, multiplied by the
forget gate only (Hochreiter & Schmidhuber 1997). The network by hand, as in Karpathy's min-char-rnn, learns "hello",
where l is followed by l and by o. The picture shows gradients on their way back, and what it expects after each letter.
Try an LSTM that begins with its forget gate closed.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
from nn import functional as F

SYSTEMS = ("vanilla RNN", "LSTM")
CLAIM = ("Gradients by hand are the engine's to 1e-10, and with them the RNN learns to write hello. Over 50 steps the "
         "gradient falls below 1e-6 with small recurrent weights and grows beyond 1e3 with large ones; that of an LSTM "
         "whose forget gate is open stays between 0.01 and 100.")


def forward_backward(weights, inputs, targets):
    """The loss, and its gradient by each of the weights."""
    W_xh, W_hh, W_hy, b_h, b_y = weights
    x, h, p, loss = np.eye(W_xh.shape[1])[inputs], {-1: np.zeros(len(b_h))}, {}, 0
    for t in range(len(inputs)):
        h[t] = np.tanh(W_xh @ x[t] + W_hh @ h[t - 1] + b_h)
        scores = W_hy @ h[t] + b_y
        p[t] = np.exp(scores - scores.max()) / np.exp(scores - scores.max()).sum()
        loss -= np.log(p[t][targets[t]])
    dW_xh, dW_hh, dW_hy, db_h, db_y = gradients = [np.zeros_like(weight) for weight in weights]
    dh_later = 0
    for t in reversed(range(len(inputs))):
        dscores = p[t].copy()
        dscores[targets[t]] -= 1
        dW_hy += np.outer(dscores, h[t])
        db_y += dscores
        dh = W_hy.T @ dscores + dh_later  # it is read by the scores, and by the next state
        dsum = (1 - h[t] ** 2) * dh
        dW_xh += np.outer(dsum, x[t])
        dW_hh += np.outer(dsum, h[t - 1])
        db_h += dsum
        dh_later = W_hh.T @ dsum
    return loss, gradients


def engines_gradients(weights, inputs, targets):
    """The same by recording."""
    W_xh, W_hh, W_hy, b_h, b_y = tensors = [autograd.tensor(weight, requires_grad=True) for weight in weights]
    h, loss = autograd.zeros(len(b_h), dtype=np.float64), 0
    for i, target in zip(inputs, targets, strict=True):
        h = (W_xh[:, i] + W_hh @ h + b_h).tanh()
        loss = loss - F.log_softmax(W_hy @ h + b_y, 0)[target]
    return autograd.grad(loss, tensors)


def write(weights, first, count):
    """What the network goes on with, and the probabilities from which it chose."""
    W_xh, W_hh, W_hy, b_h, b_y = weights
    h, written, probabilities = np.zeros(len(b_h)), [first], []
    for _ in range(count):
        h = np.tanh(W_xh[:, written[-1]] + W_hh @ h + b_h)
        scores = np.exp(W_hy @ h + b_y)
        probabilities.append(scores / scores.sum())
        written.append(scores.argmax())
    return written, probabilities


def on_the_way_back(cell, x):
    """|dL/dh| at each step, for L the sum of the last state; of an LSTM, of its cell state."""
    states = [tuple(autograd.zeros(1, 64, requires_grad=True) for _ in range(1 + isinstance(cell, nn.LSTMCell)))]
    for x_t in x:
        state = cell(x_t, states[-1] if len(states[-1]) == 2 else states[-1][0])
        states.append(state if isinstance(state, tuple) else (state,))
    gradients = autograd.grad(states[-1][-1].sum(), [state[-1] for state in states[:-1]])
    return np.array([gradient.norm().item() for gradient in gradients])


def example(run):
    letters, text = "helo", [0, 1, 2, 2, 3]
    weights = [run.rng.normal(0, 0.3, shape) for shape in ((16, 4), (16, 16), (4, 16), 16, 4)]
    by_hand = forward_backward(weights, text[:-1], text[1:])[1]
    recorded = engines_gradients(weights, text[:-1], text[1:])
    difference = max(abs(a - b.numpy()).max() for a, b in zip(by_hand, recorded, strict=True))
    for _ in range(200):
        for weight, gradient in zip(weights, forward_backward(weights, text[:-1], text[1:])[1], strict=True):
            weight -= 0.1 * gradient
    run.result("gradients differ by", difference)
    run.holds(difference < 1e-10)
    written, probabilities = write(weights, 0, 4)
    run.holds("".join([letters[i] for i in written]) == "hello")

    x, flow = autograd.randn(50, 1, 8), {}
    for name, cell, scale in (("RNN, W_hh of 0.5 / √64", nn.RNNCell(8, 64), 0.5 / 8),
                              ("RNN, W_hh of 3 / √64", nn.RNNCell(8, 64), 3 / 8),
                              ("LSTM, forget gate open", nn.LSTMCell(8, 64), 1 / 8)):
        nn.init.normal_(cell.weight_hh, std=scale)
        if isinstance(cell, nn.LSTMCell):
            with autograd.no_grad():
                cell.bias_ih[64:128] = 3.0
        flow[name] = on_the_way_back(cell, x)
    kept = {name: norms[0] / norms[-1] for name, norms in flow.items()}
    for name, share in kept.items():
        run.result(f"gradient after 50 steps, {name}", share)
    small, large, lstm = kept.values()
    run.holds(small < 1e-6)
    run.holds(large > 1e3)
    run.holds(0.01 < lstm < 100)

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4))
    for name, norms in flow.items():
        left.semilogy(range(50, 0, -1), norms / norms[-1], label=name)
    left.set(xlabel="steps back", ylabel="|gradient|, that of the last step being 1",
             title="Gradients on their way back")
    left.legend()
    image = right.imshow(probabilities, cmap="viridis", vmin=0, vmax=1)
    right.set_xticks(range(4), letters)
    right.set_yticks(range(4), ["h", "he", "hel", "hell"])
    right.set(xlabel="probability of the next letter", ylabel="read so far", title="What the RNN by hand has learned")
    right.grid(visible=False)
    figure.colorbar(image)
    run.save(figure)
