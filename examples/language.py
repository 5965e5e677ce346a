"""What language models of several chapters are compared with, and how their texts are shown."""

import textwrap
from collections.abc import Mapping

import numpy as np


class Trigram:
    """The probability of a token after the two before it, P(c | a b), by counting and Witten-Bell smoothing.

    Where a context h was seen N(h) times, followed by T(h) different tokens, it is mixed with the context h' that is
    one token shorter, down to the uniform distribution: P(c | h) = (N(h c) + T(h) P(c | h')) / (N(h) + T(h)). Nothing
    is left to choose, so nothing is tuned (Witten & Bell 1991; in this form Chen & Goodman 1998).

    Args:
        numbers: (N,) integers, the text to count in.
        size: how many different tokens there are, V.
    """

    def __init__(self, numbers: np.ndarray, size: int) -> None:
        self.probabilities = np.full(size, 1 / size)  # of c; then of c after b, (V, V); then after a b, (V, V, V)
        for order in range(3):
            ends = [numbers[i:len(numbers) - order + i] for i in range(order + 1)]
            counts = np.zeros((size,) * (order + 1))
            np.add.at(counts, tuple(ends), 1)
            seen, different = counts.sum(-1, keepdims=True), (counts > 0).sum(-1, keepdims=True)
            mixed = (counts + different * self.probabilities) / np.maximum(seen + different, 1)
            self.probabilities = np.where(seen == 0, self.probabilities, mixed)

    def bits(self, numbers: np.ndarray) -> float:
        """The mean of -log₂ P(c | a b) over every token of a text but the first two."""
        return float(-np.log2(self.probabilities[numbers[:-2], numbers[1:-1], numbers[2:]]).mean())


def show_texts(axes, texts: Mapping[str, str], width: int = 64) -> None:
    """Print texts of a language model, each under its title."""
    lines = []
    for title, text in texts.items():
        lines += [title, *["  " + line for part in text.split("\n") for line in textwrap.wrap(part, width)], ""]
    axes.text(0, 1, "\n".join(lines).replace("$", r"\$"), transform=axes.transAxes, va="top", family="monospace",
              fontsize=8)
    axes.set_axis_off()
