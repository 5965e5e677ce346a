"""A small GPT on the characters of Python's reference manual.

Shows a progress bar, compares itself with a smoothed trigram model on held-out text, writes text of its own, and saves
the curves to out/gpt.png.

    python examples/gpt.py --steps 1200 --seed 0

Source: Radford et al. (2019), Language Models are Unsupervised Multitask Learners; after Karpathy's nanoGPT.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import text

import autograd
import nn
import optim
from autograd import Tensor
from nn import functional as F


@dataclass
class Config:
    """The size of a GPT."""

    vocabulary: int  # V
    context: int = 64  # T: how many characters it looks back on
    layers: int = 3
    heads: int = 4  # H
    width: int = 96  # D, a multiple of the number of heads


class CausalSelfAttention(nn.Module):
    """Every position looks at itself and those before it."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.query_key_value = nn.Linear(config.width, 3 * config.width)
        self.project = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) to (B, T, D)."""
        x = self.query_key_value(x)  # (B, T, 3·D)
        x = x.unflatten(-1, (3, self.heads, -1))  # (B, T, 3, H, D/H)
        query, key, value = x.permute(2, 0, 3, 1, 4)  # (B, H, T, D/H) each
        x = F.scaled_dot_product_attention(query, key, value, is_causal=True)  # (B, H, T, D/H)
        x = x.transpose(1, 2).flatten(2)  # (B, T, D)
        return self.project(x)


class Block(nn.Module):
    """Attention mixes positions, the perceptron works on each alone; both add to what passes by."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.width)
        self.attention = CausalSelfAttention(config)
        self.mlp_norm = nn.LayerNorm(config.width)
        self.mlp = nn.Sequential(
            nn.Linear(config.width, 4 * config.width), nn.GELU(), nn.Linear(4 * config.width, config.width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) to (B, T, D)."""
        x = x + self.attention(self.attention_norm(x))
        return x + self.mlp(self.mlp_norm(x))


class GPT(nn.Module):
    """Scores of the next character at every position, from the characters up to it."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.token = nn.Embedding(config.vocabulary, config.width)
        self.position = nn.Embedding(config.context, config.width)
        self.blocks = nn.Sequential(*[Block(config) for _ in range(config.layers)])
        self.norm = nn.LayerNorm(config.width)
        self.scores = nn.Linear(config.width, config.vocabulary, bias=False)
        self.scores.weight = self.token.weight  # tied: one matrix says what a character means, coming in and going out
        std = 1 / math.sqrt(config.width)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:  # what adds to the sum of all blocks starts smaller: there are 2·layers of it
                adds = name.endswith(("project.weight", "mlp.2.weight"))
                nn.init.normal_(parameter, std=std / math.sqrt(2 * config.layers) if adds else std)

    def forward(self, x: Tensor) -> Tensor:
        """The scores (B, T, V) after each character of x (B, T)."""
        length = x.shape[1]
        if length > self.config.context:
            raise ValueError(f"GPT looks back on at most {self.config.context} characters; it was given {length}")
        x = self.token(x) + self.position(autograd.arange(length))  # (B, T, D) + (T, D)
        x = self.norm(self.blocks(x))  # (B, T, D)
        return self.scores(x)  # (B, T, V)


def mean_loss(model: GPT, x: Tensor, y: Tensor) -> Tensor:
    """The cross entropy in nats per character, y (B, T) being what comes after each character of x (B, T)."""
    return F.cross_entropy(model(x).flatten(0, 1), y.flatten())  # (B·T, V) and (B·T,)


def bits_per_character(model: GPT, numbers: np.ndarray) -> float:
    """Of a text cut into windows as long as the context: in each, the first characters are guessed from little."""
    length = model.config.context
    count = (len(numbers) - 1) // length
    x = autograd.tensor(numbers[:count * length].reshape(count, length))
    y = autograd.tensor(numbers[1:count * length + 1].reshape(count, length))
    model.eval()
    with autograd.no_grad():
        losses = [mean_loss(model, x[i:i + 32], y[i:i + 32]).item() * len(x[i:i + 32]) for i in range(0, count, 32)]
    model.train()
    return sum(losses) / count / math.log(2)


def make_optimizer(model: GPT, lr: float) -> optim.Optimizer:
    """AdamW that decays matrices only: a small bias or gain is no simpler than a large one."""
    matrices = [p for p in model.parameters() if p.ndim == 2]
    others = [p for p in model.parameters() if p.ndim != 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    return optim.AdamW(groups, lr=lr, betas=(0.9, 0.99))


def make_scheduler(optimizer: optim.Optimizer, steps: int) -> optim.lr_scheduler.LRScheduler:
    """The learning rate rises in a line for a twentieth of the steps, then falls along a cosine to a tenth."""
    warmup, [peak] = max(1, steps // 20), {group["lr"] for group in optimizer.param_groups}
    rise = optim.lr_scheduler.LinearLR(optimizer, start_factor=1 / warmup, total_iters=warmup)
    fall = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=max(1, steps - warmup), eta_min=peak / 10)
    return optim.lr_scheduler.SequentialLR(optimizer, [rise, fall], milestones=[warmup])


def train(model: GPT, corpus: text.Corpus, steps: int, every: int, batch_size: int = 16,
          lr: float = 5e-3) -> dict[str, list[float]]:
    """`text.train` on windows of the text taken at random."""
    optimizer = make_optimizer(model, lr)
    length = model.config.context
    windows = np.lib.stride_tricks.sliding_window_view(corpus.training, length + 1)  # (N - T, T + 1), copying nothing

    def losses() -> Iterator[Tensor]:
        while True:
            batch = autograd.tensor(windows[autograd.randint(0, len(windows), (batch_size,)).numpy()])  # (B, T + 1)
            yield mean_loss(model, batch[:, :-1], batch[:, 1:])
    return text.train(model, optimizer, make_scheduler(optimizer, steps), losses(),
                      lambda: bits_per_character(model, corpus.held_out), steps, every)


def sample(model: GPT, corpus: text.Corpus, prompt: str, count: int, temperature: float = 0.7) -> str:
    """The prompt, continued by `count` characters."""
    numbers = corpus.encode(prompt).tolist()
    model.eval()
    with autograd.no_grad():
        for _ in range(count):
            x = autograd.tensor([numbers[-model.config.context:]])  # (1, T)
            numbers.append(text.draw(model(x)[0, -1], temperature))
    model.train()
    return corpus.decode(numbers)


def main() -> None:
    """Train, compare, write, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--every", type=int, default=100, help="steps between two looks at the held-out text")
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--width", type=int, default=96)
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--characters", type=int, default=500, help="length of the text it writes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out/gpt.png"), help="where the curves go")
    options = parser.parse_args()
    autograd.manual_seed(options.seed)
    corpus = text.load()
    trigram = text.Trigram(corpus.training, len(corpus.vocabulary)).bits_per_character(corpus.held_out)
    print(f"{len(corpus.training):,} characters to train on, {len(corpus.held_out):,} held out, "
          f"{len(corpus.vocabulary)} different ones; trigram model: {trigram:.3f} bits per character held out")
    model = GPT(Config(len(corpus.vocabulary), options.context, options.layers, width=options.width))
    bits = train(model, corpus, options.steps, min(options.every, options.steps))
    text.save_curves(options.out, bits, trigram, min(options.every, options.steps))
    print(sample(model, corpus, "The ", options.characters))
    held_out = bits_per_character(model, corpus.held_out)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"\n{parameters:,} parameters, {options.steps} steps: {held_out:.3f} bits per character held out, "
          f"trigram model {trigram:.3f}; curves in {options.out}")


if __name__ == "__main__":
    main()
