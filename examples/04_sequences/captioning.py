"""Captioning: a network sees a scene of digits and says "a three and a five", with attention and without.

Convolutions read the image; an RNN writes the caption, a word after the other. Without attention it begins with all
that the image is to it, one vector (Vinyals et al. 2015; Karpathy & Fei-Fei 2015). With attention it looks again before
each word, at places weighted by how well they fit what it is about to say (Xu et al. 2015). The picture shows where it
looks while it names the digits from left to right. Nobody has told it where they are. Try three digits, most=3.
"""

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data
from nn import decoding
from nn import functional as F

SYSTEMS = ("captioning", "captioning with attention")
CLAIM = ("After the same training more than 75 % of captions of scenes made of held-out digits are right in every word "
         "with attention, and at least 20 % fewer without.")

WORDS = ["<end>", "<start>", "a", "an", "and", "zero", "one", "two", "three", "four", "five", "six", "seven", "eight",
         "nine"]
LENGTH, WIDTH = 6, 64


def tokens(captions):
    """(N, LENGTH), filled up with <end>."""
    out = np.zeros((len(captions), LENGTH), np.int64)
    for row, caption in zip(out, captions, strict=True):
        words = caption.split()
        row[:len(words)] = [WORDS.index(word) for word in words]
    return autograd.tensor(out)


class Captioner(nn.Module):
    def __init__(self, attention):
        super().__init__()
        self.attention = attention

        def block(inputs, outputs):
            return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        self.see = nn.Sequential(nn.AvgPool2d(2), *block(1, 16), nn.MaxPool2d(2), *block(16, WIDTH), nn.MaxPool2d(2),
                                 *block(WIDTH, WIDTH))
        self.positions = nn.LearnedPositions(WIDTH, 36)
        nn.init.normal_(self.positions.weight, std=0.5)
        self.begin = nn.Sequential(nn.Flatten(), nn.Linear(36 * WIDTH, WIDTH), nn.LayerNorm(WIDTH), nn.Tanh())
        self.key = nn.Linear(WIDTH, WIDTH)
        self.embed, self.write = nn.Embedding(len(WORDS), 32), nn.GRUCell(32 + WIDTH, WIDTH)
        self.out = nn.Linear(2 * WIDTH, len(WORDS))

    def read(self, images):
        """What is at each of 6 x 6 places, (N, 36, WIDTH), what of it is looked for, and the state to begin with."""
        places = self.positions(self.see(images).flatten(2).transpose(1, 2))
        return places, self.key(places), self.begin(places)

    def step(self, word, state):
        """Scores of the next word, and the state; `weights` keeps where it looked."""
        places, keys, hidden = state
        seen = autograd.zeros_like(hidden)
        if self.attention:
            self.weights = F.softmax(keys @ hidden.unsqueeze(2) / WIDTH ** 0.5, 1)  # (N, 36, 1)
            seen = (self.weights * places).sum(1)
        hidden = self.write(autograd.cat([self.embed(word), seen], 1), hidden)
        return self.out(autograd.cat([hidden, seen], 1)), (places, keys, hidden)


def train(run, model, images, captions):
    steps = run.pick(450, 2)
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in run.progress(steps, label="with attention" if model.attention else "without"):
        batch = run.rng.integers(0, len(images), 64)
        caption = captions[batch]
        state, loss, word = model.read(images[batch]), 0, autograd.full((64,), WORDS.index("<start>"))
        for i in range(LENGTH):  # it is given what it should have written
            scores, state = model.step(word, state)
            word = caption[:, i]
            loss = loss + F.cross_entropy(scores, word) / LENGTH
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model.eval()


def example(run):
    train_set, held_out = data.digits(run.seed)
    scenes, test = (data.digit_scenes(digits, run.pick(count, 50), run.rng, most=2)
                    for digits, count in ((train_set, 4000), (held_out, 500)))
    x, y = autograd.tensor(scenes.images), tokens(data.captions(scenes))
    seen, wanted = autograd.tensor(test.images), tokens(data.captions(test))
    start = autograd.full((len(seen),), WORDS.index("<start>"))
    right = {}
    for attention in (False, True):
        model = train(run, Captioner(attention), x, y)
        written = decoding.greedy(model.step, start, model.read(seen), max_new_tokens=LENGTH)
        right[attention] = (written == wanted).all(1).float().mean().item()
        run.result("captions right, with attention" if attention else "captions right, without", 100 * right[attention],
                   "%")
    run.holds(right[True] > 0.8)
    run.holds(right[False] < right[True] - 0.2)

    two = [i for i, labels in enumerate(test.labels) if len(labels) == 2][:2]
    figure, rows = plt.subplots(2, LENGTH, figsize=(10, 3.7))
    for row, k in zip(rows, two, strict=True):
        state, word = model.read(seen[k:k + 1]), start[:1]
        row[0].imshow(test.images[k, 0])
        row[0].set_title("image")
        for axis in row[1:]:
            scores, state = model.step(word, state)
            word = scores.argmax(1)
            looked = model.weights.detach().numpy().reshape(6, 6)
            axis.imshow(test.images[k, 0])
            axis.imshow(np.kron(looked, np.ones((8, 8))), cmap="viridis", alpha=0.6)
            axis.set_title(WORDS[word.item()])
        for axis in row:
            axis.set(xticks=[], yticks=[])
    figure.suptitle("Where it looks before it writes each word")
    run.save(figure)
