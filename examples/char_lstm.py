"""A character LSTM on Python's reference manual, trained by truncated backpropagation through time.

Shows a progress bar, compares itself with a smoothed trigram model on held-out text, writes text of its own, and saves
the curves to out/char_lstm.png.

    python examples/char_lstm.py --steps 1200 --seed 0

Source: Karpathy (2015), The Unreasonable Effectiveness of Recurrent Neural Networks.
"""

import argparse
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import text

import autograd
import nn
import optim
from autograd import Tensor
from nn import functional as F

State = tuple[Tensor, Tensor]


class CharLSTM(nn.Module):
    """Scores of the next character from all characters before it.

    Args:
        vocabulary: the number of characters, V.
        embedding: width of a character's vector, E.
        hidden: width of the state, H.
        dropout: probability with which an element of the LSTM's output is dropped in training.
    """

    def __init__(self, vocabulary: int, embedding: int = 64, hidden: int = 192, dropout: float = 0.1) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.lstm = nn.LSTM(embedding, hidden)
        self.dropout = nn.Dropout(dropout)
        self.scores = nn.Linear(hidden, vocabulary)

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """The scores (T, B, V) after each character of x (T, B), and the state to go on from."""
        x = self.embedding(x)  # (T, B, E)
        x, state = self.lstm(x, state)  # (T, B, H), two of (1, B, H)
        return self.scores(self.dropout(x)), state  # (T, B, V)


def streams(numbers: np.ndarray, count: int) -> np.ndarray:
    """The text cut into `count` long pieces side by side, (N // count, count): each column is read downwards."""
    length = len(numbers) // count
    return numbers[:length * count].reshape(count, length).T


def mean_loss(model: CharLSTM, x: Tensor, y: Tensor, state: State | None) -> tuple[Tensor, State]:
    """The cross entropy in nats per character of y after x, both (T, B), and the state to go on from."""
    scores, state = model(x, state)  # (T, B, V)
    return F.cross_entropy(scores.flatten(0, 1), y.flatten()), state  # (T·B, V) and (T·B,)


def bits_per_character(model: CharLSTM, numbers: np.ndarray, count: int = 32) -> float:
    """Of a text read in `count` streams from beginning to end."""
    text_streams = autograd.tensor(streams(numbers, count))  # (N // count, count)
    model.eval()
    with autograd.no_grad():
        loss, _ = mean_loss(model, text_streams[:-1], text_streams[1:], None)
    model.train()
    return loss.item() / math.log(2)


def train(model: CharLSTM, corpus: text.Corpus, steps: int, every: int, length: int = 64, batch_size: int = 32,
          lr: float = 4e-3) -> dict[str, list[float]]:
    """`text.train` on the text cut into streams.

    Each step reads the next `length` characters of every stream. It starts from the state in which the step before
    ended, so the model remembers more than it is differentiated through: that is the truncation.
    """
    optimizer = optim.Adam(model.parameters(), lr=lr)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    training = autograd.tensor(streams(corpus.training, batch_size))

    def losses() -> Iterator[Tensor]:
        state, start = None, 0
        while True:
            if start + length >= len(training):  # the text is at its end: begin again, remembering nothing
                state, start = None, 0
            x, y = training[start:start + length], training[start + 1:start + length + 1]  # (T, B) each
            loss, (h, c) = mean_loss(model, x, y, state)
            state, start = (h.detach(), c.detach()), start + length
            yield loss
    return text.train(model, optimizer, scheduler, losses(), lambda: bits_per_character(model, corpus.held_out), steps,
                      every)


def sample(model: CharLSTM, corpus: text.Corpus, prompt: str, count: int, temperature: float = 0.7) -> str:
    """The prompt, continued by `count` characters."""
    numbers = corpus.encode(prompt).tolist()
    model.eval()
    with autograd.no_grad():
        x, state = autograd.tensor(numbers).unsqueeze(1), None  # (T, 1)
        for _ in range(count):
            scores, state = model(x, state)  # (T, 1, V)
            numbers.append(text.draw(scores[-1, 0], temperature))
            x = autograd.tensor([[numbers[-1]]])  # (1, 1): the state knows the rest
    model.train()
    return corpus.decode(numbers)


def main() -> None:
    """Train, compare, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--every", type=int, default=100, help="steps between two looks at the held-out text")
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--characters", type=int, default=500, help="length of the text it writes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out/char_lstm.png"), help="where the curves go")
    options = parser.parse_args()
    autograd.manual_seed(options.seed)
    corpus = text.load()
    trigram = text.Trigram(corpus.training, len(corpus.vocabulary)).bits_per_character(corpus.held_out)
    print(f"{len(corpus.training):,} characters to train on, {len(corpus.held_out):,} held out, "
          f"{len(corpus.vocabulary)} different ones; trigram model: {trigram:.3f} bits per character held out")
    model = CharLSTM(len(corpus.vocabulary), hidden=options.hidden)
    bits = train(model, corpus, options.steps, min(options.every, options.steps))
    text.save_curves(options.out, bits, trigram, min(options.every, options.steps))
    print(sample(model, corpus, "The ", options.characters))
    held_out = bits_per_character(model, corpus.held_out)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"\n{parameters:,} parameters, {options.steps} steps: {held_out:.3f} bits per character held out, "
          f"trigram model {trigram:.3f}; curves in {options.out}")


if __name__ == "__main__":
    main()
