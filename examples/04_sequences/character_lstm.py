"""A character model: an LSTM reads Python's manual letter by letter and guesses the next, by truncated backpropagation.

The text is too long to be differentiated through as a whole. Each step reads the next few letters and starts from the
state in which the step before ended, but sends no gradient back into it (Karpathy 2015). What is remembered reaches
further than what is differentiated: the same network that begins each piece with an empty state does worse. The picture
shows bits per letter of text it has not read, beside a trigram's, and what the network writes before it is trained,
soon after, and at the end. Try temperature=0.3, or 1.2.
"""

import math

from matplotlib import pyplot as plt

import autograd
import nn
import optim
from examples import data, language
from nn import decoding
from nn import functional as F

SYSTEMS = ("character model", "truncated backpropagation", "LSTM")
CLAIM = ("On held-out text the LSTM needs 0.2 bits a letter less than a trigram that has counted the same text, and at "
         "least 0.1 less than one that begins each piece of 16 letters with an empty state.")

LENGTH, STREAMS = 16, 32


class CharacterLSTM(nn.Module):
    def __init__(self, letters):
        super().__init__()
        self.embed, self.lstm, self.out = nn.Embedding(letters, 48), nn.LSTM(48, 160), nn.Linear(160, letters)

    def forward(self, x, state=None):
        """Letters (T, N) to scores (T, N, letters) of the next ones, and the state afterwards."""
        states, state = self.lstm(self.embed(x), state)
        return self.out(states), state


def streams(numbers, count=STREAMS):
    """The text cut into long pieces side by side, (L, count): each column is read downwards."""
    length = len(numbers) // count
    return autograd.tensor(numbers[:length * count].reshape(count, length).T)


def loss_and_state(model, x, state=None):
    scores, state = model(x[:-1], state)
    return F.cross_entropy(scores.flatten(0, 1), x[1:].flatten()), state


def bits(model, numbers, remember):
    """Per letter, of a text read from beginning to end, or in pieces of which each begins with an empty state."""
    with autograd.no_grad():
        return loss_and_state(model, streams(numbers, STREAMS if remember else len(numbers) // LENGTH))[0].item() / \
            math.log(2)


def train(run, model, text, remember, watch):
    """Read the streams piece by piece; `watch(step)` is called now and then."""
    steps = run.pick(800, 2)
    optimizer = optim.Adam(model.parameters(), lr=5e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    start, state = 0, None
    for step in run.progress(steps, label="LSTM" if remember else "LSTM, empty states"):
        if step % 200 == 0:
            watch(step)
        if start + LENGTH >= len(text):
            start, state = 0, None
        loss, state = loss_and_state(model, text[start:start + LENGTH + 1], state)
        start, state = start + LENGTH, tuple(part.detach() for part in state) if remember else None
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    watch(steps)


def write(model, vocabulary, count, temperature=0.6):
    """A text that begins with "The "."""
    def step(letters, state):
        scores, state = model(letters.unsqueeze(0), state)
        return scores[0], state
    prompt = [[vocabulary.index(letter) for letter in "The "]]
    written = decoding.sample(step, prompt, max_new_tokens=count, temperature=temperature)[0]
    return "The " + "".join([vocabulary[i] for i in written.tolist()])


def example(run):
    vocabulary, read, held_out = data.letters(run.pick(None, 20_000))
    trigram = language.Trigram(read, len(vocabulary)).bits(held_out)
    run.result("trigram", trigram, "bits")
    curves, texts = {}, {}
    for name, remember in (("state carried on", True), ("empty state for each piece", False)):
        model, curve = CharacterLSTM(len(vocabulary)), []

        def watch(step, model=model, curve=curve, remember=remember):
            curve.append((step, bits(model, held_out, remember)))
            if remember and step in (0, 200, run.pick(800, 2)):
                texts[step] = write(model, vocabulary, 180)
        train(run, model, streams(read), remember, watch)
        curves[name] = curve
        run.result(name, curve[-1][1], "bits")
    carried, empty = (curve[-1][1] for curve in curves.values())
    run.holds(carried < trigram - 0.2)
    run.holds(carried < empty - 0.1)

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2))
    for name, curve in curves.items():
        left.plot(*zip(*curve, strict=True), "o-", markersize=3, label=name)
    left.axhline(trigram, color="gray", linestyle=":", label="trigram")
    left.set(xlabel="steps", ylabel="bits per held-out letter", title="Guessing the next letter", ylim=(2, 4.5))
    left.legend()
    language.show_texts(right, {f"after {step} steps": text for step, text in texts.items()})
    run.save(figure)
