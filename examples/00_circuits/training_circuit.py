"""A neuron learns in its circuit: one example a step, its numbers and its line move.

What comes back to the score is p - t, the probability less the target (CS231n, "Linear classification: Softmax"), so
an example on the right side teaches next to nothing, and one on the wrong side pushes the line. Watch the two weights
cross zero within the first passes. Open the SVG in a browser: it moves. Try lr=20, and no example is ever done with.
"""

import numpy as np

import autograd
import optim
import viz
from autograd import tensor

SYSTEMS = ("computational graph", "backpropagation", "logistic regression")
CLAIM = ("From weights of the wrong sign, 36 single examples bring a neuron from less than 10 % to more than 95 % of "
         "2,000 new points; the gradient of its score is p - t at every step, to 1e-6.")


def clouds(count, generator):
    """Points around (-1, -1) and (1, 1), in turn, and which of the two."""
    labels = np.arange(count) % 2
    return (2.0 * labels - 1)[:, None] + generator.normal(0, 0.6, (count, 2)), labels


def example(run):
    generator = np.random.default_rng(run.seed)
    (points, labels), (new, new_labels) = clouds(12, generator), clouds(2000, generator)
    u, v, b = (tensor(t, dtype=autograd.float64, requires_grad=True) for t in (-0.8, -0.4, 0.2))
    optimizer = optim.SGD([u, v, b], lr=0.5)

    def decide(p):
        return p[:, 0] * u + p[:, 1] * v + b

    def accuracy():
        return 100 * np.mean((decide(autograd.Tensor(new)).detach().numpy() > 0) == new_labels)

    before, film = accuracy(), viz.Animation(points, labels, seconds=0.5)
    for step in run.progress(range(36), quick=4):
        k = step % len(points)
        x1, x2 = tensor(points[k, 0]), tensor(points[k, 1])
        sign = 2.0 * labels[k] - 1
        score = u * x1 + v * x2 + b
        loss = (1 + autograd.exp(-sign * score)).log()
        film.add(viz.draw(loss), decide, f"step {step}: example {k} of {'blue' if labels[k] == 0 else 'orange'}")
        score.retain_grad()
        optimizer.zero_grad()
        loss.backward()
        p = 1 / (1 + np.exp(-score.item()))
        run.holds(abs(score.grad.item() - (p - labels[k])) < 1e-6)
        optimizer.step()
    run.save(film)
    run.result("new points right, before", before, "%")
    run.result("new points right, after 36 examples", accuracy(), "%")
    run.holds(before < 10)
    run.holds(accuracy() > 95)
