"""English text for the examples that model language, and a trigram model, which they have to beat.

The text is Python's own reference manual, as `help("while")` shows it: it comes with Python (`pydoc_data.topics`) and
differs a little from version to version.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from pydoc_data.topics import topics
from typing import NamedTuple

import numpy as np

import autograd
import viz
from autograd import Tensor


class Corpus(NamedTuple):
    """Text as numbers: character i of the vocabulary is the number i.

    Args:
        training: (N,) integers.
        held_out: (M,) integers.
        vocabulary: every character of both, sorted.
    """

    training: np.ndarray
    held_out: np.ndarray
    vocabulary: str

    def encode(self, text: str) -> np.ndarray:
        """The numbers of the characters: (len(text),)."""
        unknown = set(text) - set(self.vocabulary)
        if unknown:
            raise ValueError(f"the text has characters that the vocabulary does not: {sorted(unknown)}")
        return np.array([self.vocabulary.index(character) for character in text], np.int64)

    def decode(self, numbers: Sequence[int] | np.ndarray) -> str:
        """The characters of the numbers, as one string."""
        return "".join([self.vocabulary[number] for number in numbers])


def load(held_out: float = 0.1) -> Corpus:
    """The manual's paragraphs without its tables and grammar rules, the last tenth of the text held out.

    Topics repeat one another, so each paragraph is taken once: else a part of what is held out would be trained on.
    """
    paragraphs = dict.fromkeys("\n\n".join(topics.values()).split("\n\n"))
    text = "\n\n".join([paragraph for paragraph in paragraphs if "|" not in paragraph and "::=" not in paragraph])
    characters, numbers = np.unique(list(text), return_inverse=True)
    training, rest = np.split(numbers, [round(len(numbers) * (1 - held_out))])
    return Corpus(training, rest, "".join(characters))


class Trigram:
    """The probability of a character after the two before it, P(c | a b), by counting and Witten-Bell smoothing.

    Where a context h was seen N(h) times, followed by T(h) different characters, it is mixed with the context h' that
    is one character shorter:

        P(c | h) = (N(h c) + T(h) P(c | h')) / (N(h) + T(h))

    down to the uniform distribution. Nothing is left to choose, so nothing is tuned.

    Source: Witten, Bell (1991), The Zero-Frequency Problem; in this form Chen, Goodman (1998), section 2.4.

    Args:
        numbers: (N,) integers, the text to count in.
        size: of the vocabulary, V.
    """

    def __init__(self, numbers: np.ndarray, size: int) -> None:
        self.probabilities = np.full(size, 1 / size)  # of c; then of c after b, (V, V); then after a b, (V, V, V)
        for order in range(3):
            ends = [numbers[i:len(numbers) - order + i] for i in range(order + 1)]
            counts = np.zeros((size,) * (order + 1))
            np.add.at(counts, tuple(ends), 1)
            seen, different = counts.sum(-1, keepdims=True), (counts > 0).sum(-1, keepdims=True)
            unseen = seen == 0  # a context never seen says what the shorter one says
            mixed = (counts + different * self.probabilities) / np.where(unseen, 1, seen + different)
            self.probabilities = np.where(unseen, self.probabilities, mixed)

    def bits_per_character(self, numbers: np.ndarray) -> float:
        """The mean of -log₂ P(c | a b) over every character of a text but the first two."""
        return float(-np.log2(self.probabilities[numbers[:-2], numbers[1:-1], numbers[2:]]).mean())


def draw(scores: Tensor, temperature: float) -> int:
    """A character's number, drawn with probabilities softmax(scores / temperature); scores (V,)."""
    return autograd.multinomial(autograd.softmax(scores / temperature, dim=-1), 1).item()


def save_curves(path: Path, bits: Mapping[str, Sequence[float]], trigram: float, every: int) -> None:
    """Bits per character during training, one point each `every` steps, and those of the trigram model."""
    points = len(next(iter(bits.values())))
    figure = viz.curves({"bits per character": {**bits, "trigram, held out": [trigram] * points}}, x=f"{every} steps")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
