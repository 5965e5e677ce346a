"""English text for the examples that model language, and a trigram model, which they have to beat.

The text is Python's own reference manual, as `help("while")` shows it: it comes with Python (`pydoc_data.topics`) and
differs a little from version to version.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from pydoc_data.topics import topics
from typing import NamedTuple

import numpy as np

import autograd
import nn
import optim
import viz
from autograd import Tensor

try:
    import matplotlib  # noqa: F401  (viz.curves draws with it; better to miss it now than after training)
    from tqdm import trange
except ModuleNotFoundError as error:
    raise SystemExit(f"this example needs {error.name}, which is not installed: pip install 'gradcircuit[examples]'"
                     ) from error


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


def train(model: nn.Module, optimizer: optim.Optimizer, scheduler: optim.lr_scheduler.LRScheduler,
          losses: Iterable[Tensor], held_out: Callable[[], float], steps: int, every: int) -> dict[str, list[float]]:
    """Bits per character, one number each `every` steps: the mean of the training batches since, and held out.

    Args:
        model: what is trained.
        optimizer: of its parameters.
        scheduler: of the learning rate.
        losses: those of one batch after another, in nats per character.
        held_out: measures the bits per held-out character.
        steps: how many batches.
        every: how many between two looks at the held-out text.
    """
    recent: list[float] = []
    bits: dict[str, list[float]] = {"training": [], "held out": []}
    with trange(1, steps + 1, unit="step") as bar:
        for step, loss in zip(bar, losses, strict=False):
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            recent.append(loss.item() / math.log(2))
            if step % every == 0:
                bits["training"].append(float(np.mean(recent)))
                bits["held out"].append(held_out())
                recent.clear()
                bar.set_description(", ".join(f"{name} {values[-1]:.3f}" for name, values in bits.items()) + " bits")
    return bits


def draw(scores: Tensor, temperature: float) -> int:
    """A character's number, drawn with probabilities softmax(scores / temperature); scores (V,)."""
    return autograd.multinomial(autograd.softmax(scores / temperature, dim=-1), 1).item()


def save_curves(path: Path, bits: Mapping[str, Sequence[float]], trigram: float, every: int) -> None:
    """Bits per character during training, one point each `every` steps, and those of the trigram model."""
    points = len(next(iter(bits.values())))
    figure = viz.curves({"bits per character": {**bits, "trigram, held out": [trigram] * points}}, x=f"{every} steps")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
