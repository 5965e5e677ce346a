"""Pretrained: a network that has learned to read English aloud, and which letters it reads while it speaks.

Two GRUs turn letters into phonemes (Sutskever et al. 2014): one reads the whole word, the other speaks it from what the
first remembers, a vector. The weights are those of the package g2p_en. Nothing tells the network which letter a sound
comes from, there is no attention; yet the gradient shows it: the picture has how much each phoneme depends on each
letter, brightest along the diagonal. Try words that don't exist.
"""

import re

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
from autograd import Tensor
from examples import data
from nn import decoding

SYSTEMS = ("pretrained networks", "grapheme to phoneme", "seq2seq")
CLAIM = ("Over 200 words, the places of phonemes and of the letters they depend on are correlated by more than 0.6; in "
         "a network with random weights that is made to say the same by less than 0.3.")

LETTERS = ["<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz"]
ARPABET = """<pad> <unk> <s> </s>
    AA0 AA1 AA2 AE0 AE1 AE2 AH0 AH1 AH2 AO0 AO1 AO2 AW0 AW1 AW2 AY0 AY1 AY2 B CH D DH EH0 EH1 EH2 ER0 ER1 ER2 EY0 EY1
    EY2 F G HH IH0 IH1 IH2 IY0 IY1 IY2 JH K L M N NG OW0 OW1 OW2 OY0 OY1 OY2 P R S SH T TH UH0 UH1 UH2 UW UW0 UW1 UW2
    V W Y Z ZH"""  # vowels with their stress: none, primary, secondary
SOUNDS = ARPABET.split()
START, END = SOUNDS.index("<s>"), SOUNDS.index("</s>")


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc_emb, self.dec_emb = nn.Embedding(len(LETTERS), 256), nn.Embedding(len(SOUNDS), 256)
        self.enc, self.dec = nn.GRU(256, 256, batch_first=True), nn.GRU(256, 256, batch_first=True)
        self.fc = nn.Linear(256, len(SOUNDS))

    def pretrained(self):
        """With the weights of g2p_en."""
        kept = np.load(data.package_file("g2p_en", "g2p_en/checkpoint20.npz"))
        kinds = {"emb": "weight", "w": "weight", "b": "bias", "w_ih": "weight_ih_l0", "w_hh": "weight_hh_l0",
                 "b_ih": "bias_ih_l0", "b_hh": "bias_hh_l0"}
        state = {}
        for name in kept.files:
            layer, _, kind = name.partition("_")
            state[f"{layer}_emb.weight" if kind == "emb" else f"{layer}.{kinds[kind]}"] = Tensor(kept[name])
        self.load_state_dict(state)
        return self

    def read(self, embedded, lengths):
        """What it remembers of words (N, L, 256) at their ends: (1, N, 256)."""
        states, _ = self.enc(embedded)
        return states[np.arange(len(lengths)), lengths - 1].unsqueeze(0)

    def step(self, sounds, memory):
        """Scores of the next sound, of all that were given so far: (N,) or (N, L)."""
        out, memory = self.dec(self.dec_emb(sounds if sounds.ndim == 2 else sounds[:, None]), memory)
        return self.fc(out if sounds.ndim == 2 else out[:, 0]), memory


def tokens(words):
    """Letters (N, L) with an end after each word, filled up, and how many are of the word."""
    out = np.zeros((len(words), max(map(len, words)) + 1), np.int64)
    for row, word in zip(out, words, strict=True):
        row[:len(word) + 1] = [LETTERS.index(letter) for letter in word] + [LETTERS.index("</s>")]
    return Tensor(out), np.array([len(word) + 1 for word in words])


def speak(model, words):
    """Tokens of sounds, one list a word."""
    letters, lengths = tokens(words)
    with autograd.no_grad():
        memory = model.read(model.enc_emb(letters), lengths)
        spoken = decoding.greedy(model.step, autograd.full((len(words),), START), memory, max_new_tokens=20, eos=END)
    return [row[:row.index(END)] if END in row else row for row in spoken.tolist()]


def influence(model, word, spoken):
    """How much the score of each sound depends on each letter: (sounds, letters), each row's largest is 1."""
    letters, lengths = tokens([word])
    embedded = model.enc_emb(letters).detach().requires_grad_()
    scores, _ = model.step(Tensor([[START, *spoken]]), model.read(embedded, lengths))
    rows = [autograd.grad(scores[0, i, sound], embedded, retain_graph=True)[0][0] for i, sound in enumerate(spoken)]
    shares = np.linalg.norm(np.stack([row.numpy() for row in rows]), axis=2)[:, :-1]
    return shares / shares.max(1, keepdims=True)


def example(run):
    words = sorted({*re.findall(r"\b[a-z]{4,12}\b", data.manual())})
    words = [words[k] for k in run.rng.permutation(len(words))[:run.pick(200, 5)]]
    model = Reader().pretrained()
    spoken, correlation = speak(model, words), {}
    for name, reader in (("pretrained", model), ("random", Reader())):
        places = []
        for word, sounds in run.progress([*zip(words, spoken, strict=True)], quick=5, label=name):
            shares = influence(reader, word, sounds)
            middle = shares @ np.arange(len(word)) / shares.sum(1)
            places += [(i / len(sounds), m / len(word)) for i, m in enumerate(middle)]
        correlation[name] = np.corrcoef(np.array(places).T)[0, 1]
        run.result(f"correlation, {name}", correlation[name])
    run.holds(correlation["pretrained"] > 0.6)
    run.holds(correlation["random"] < 0.3)

    shown = ["photograph", "thought", "knowledge", "gradient"]
    figure, axes = plt.subplots(1, 4, figsize=(14, 3.8))
    for axis, word, sounds in zip(axes, shown, speak(model, shown), strict=True):
        axis.imshow(influence(model, word, sounds), cmap="viridis", vmin=0, aspect="auto")
        axis.set_xticks(range(len(word)), word)
        axis.set_yticks(range(len(sounds)), [SOUNDS[sound] for sound in sounds])
        axis.set(xlabel="letter", title=f"“{word}”")
        axis.grid(visible=False)
    axes[0].set_ylabel("phoneme")
    run.save(figure)
