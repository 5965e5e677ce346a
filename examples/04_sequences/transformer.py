"""Self-attention: a Transformer guesses the next letter by looking back, as GPT does.

Each letter asks (query) and answers (key, value); what it gets is the mean of the values before it, weighted by how
well the keys fit its query (Vaswani et al. 2017). Blocks of attention, which mixes places, and of a perceptron, which
works on each alone, add to what passes by; a language model is a stack of them in which nobody sees what comes later
(Radford et al. 2019). Without attention a letter knows only itself. The picture shows bits per letter of text it has
not read, where its heads look, and what it writes. Try one head.
"""

import math

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data, language
from nn import decoding
from nn import functional as F

SYSTEMS = ("self-attention", "Transformer")
CLAIM = ("On held-out text the Transformer needs at least 0.1 bits a letter less than a trigram that has counted the "
         "same text; without attention it needs over 0.5 bits more than with it. No letter sees a later one.")

CONTEXT, WIDTH, HEADS, BLOCKS = 64, 96, 4, 2


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query_key_value, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        """(N, T, WIDTH) to the same; `weights` (N, HEADS, T, T) is where each letter looks."""
        query, key, value = self.query_key_value(x).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(-1, -2) / math.sqrt(WIDTH / HEADS)
        later = autograd.ones(x.shape[1], x.shape[1]).triu(1).bool()
        self.weights = F.softmax(scores.masked_fill(later, -math.inf), -1)
        return self.out((self.weights @ value).transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self, attention):
        super().__init__()
        self.attention = nn.Sequential(nn.LayerNorm(WIDTH), SelfAttention()) if attention else None
        self.perceptron = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(),
                                        nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        if self.attention:
            x = x + self.attention(x)
        return x + self.perceptron(x)


class GPT(nn.Module):
    """Letters (N, T) to scores (N, T, letters) of what follows each."""

    def __init__(self, letters, attention=True):
        super().__init__()
        self.embed, self.positions = nn.Embedding(letters, WIDTH), nn.LearnedPositions(WIDTH, CONTEXT)
        self.blocks = nn.Sequential(*[Block(attention) for _ in range(BLOCKS)])
        self.norm, self.out = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, letters, bias=False)
        nn.init.normal_(self.embed.weight, std=WIDTH ** -0.5)
        self.out.weight = self.embed.weight  # what a letter means, coming in and going out

    def forward(self, x):
        return self.out(self.norm(self.blocks(self.positions(self.embed(x)))))


def bits(model, numbers):
    """Per letter, of windows of a text."""
    windows = autograd.tensor(numbers[:len(numbers) // (CONTEXT + 1) * (CONTEXT + 1)].reshape(-1, CONTEXT + 1))
    with autograd.no_grad():
        losses = [F.cross_entropy(model(part[:, :-1]).flatten(0, 1), part[:, 1:].flatten()).item()
                  for part in windows.chunk(8)]
    return np.mean(losses) / math.log(2)


def train(run, model, numbers, held_out, label):
    """AdamW, warmed up, on windows at random; gives the held-out bits along the way."""
    steps = run.pick(600, 2)
    windows = np.lib.stride_tricks.sliding_window_view(numbers, CONTEXT + 1)
    optimizer = optim.AdamW(model.parameters(), lr=4e-3, betas=(0.9, 0.99), weight_decay=0.1)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps + 1, pct_start=0.1)
    curve = []
    for step in run.progress(steps, label=label):
        if step % 200 == 0:
            curve.append((step, bits(model, held_out)))
        batch = autograd.tensor(windows[run.rng.integers(0, len(windows), 16)])
        loss = F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return [*curve, (steps, bits(model, held_out))]


def write(model, vocabulary, count):
    """A text that begins with "The "."""
    def step(letters, before):
        seen = autograd.cat([before, letters.unsqueeze(1)], 1)[:, -CONTEXT:]
        return model(seen)[:, -1], seen
    prompt = [[vocabulary.index(letter) for letter in "The "]]
    written = decoding.sample(step, prompt, autograd.zeros(1, 0, dtype=np.int64), max_new_tokens=count, temperature=0.6)
    return "The " + "".join([vocabulary[i] for i in written[0].tolist()])


def example(run):
    vocabulary, read, held_out = data.letters(run.pick(None, 20_000))
    trigram = language.Trigram(read, len(vocabulary)).bits(held_out)
    run.result("trigram", trigram, "bits")
    curves = {}
    for name, attention in (("without attention", False), ("Transformer", True)):
        model = GPT(len(vocabulary), attention)
        curves[name] = train(run, model, read, held_out, name)
        run.result(name, curves[name][-1][1], "bits")
    without, reached = (curve[-1][1] for curve in curves.values())
    x = autograd.tensor(held_out[None, :CONTEXT])
    changed = x.clone()
    changed[0, 40] = (x[0, 40] + 1) % len(vocabulary)
    moved = (model(x) - model(changed)).abs().amax(2)[0].detach().numpy() > 0
    run.holds(not moved[:40].any() and moved[40:].all())
    run.holds(reached < trigram - 0.1)
    run.holds(without > reached + 0.5)

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(14, 4.2), width_ratios=(3, 3, 4))
    for name, curve in curves.items():
        left.plot(*zip(*curve, strict=True), "o-", markersize=3, label=name)
    left.axhline(trigram, color="gray", linestyle=":", label="trigram")
    left.set(xlabel="steps", ylabel="bits per held-out letter", title="Guessing the next letter", ylim=(2, 4.5))
    left.legend()
    seen = [vocabulary[i] for i in held_out[20:44]]
    model(autograd.tensor(held_out[None, 20:44]))
    weights = model.blocks[-1].attention[1].weights[0].detach().numpy()
    middle.imshow(weights.max(0), cmap="viridis", vmin=0, vmax=1)
    middle.set_xticks(range(len(seen)), seen, fontsize=7)
    middle.set_yticks(range(len(seen)), seen, fontsize=7)
    middle.set(xlabel="looked at", ylabel="by", title="Last block, the strongest of its heads")
    middle.grid(visible=False)
    language.show_texts(right, {"What it writes": write(model, vocabulary, run.pick(400, 5))})
    run.save(figure)
