"""Pretrained: a network that knows voices again, and whose gradient reaches all the way back.

An LSTM of three layers hears a second and a half of speech, as a spectrum each 10 ms; what it says at the end is a
direction, the same for the same voice whatever is said (Wan et al. 2018). The weights are those of the package
Resemblyzer. It listens to a telephone call of two women (that of the package pyannote.audio, with who speaks when). It
must remember 160 steps for that: the gradient of what it says is as large at the first as at the last. In the same
network with the weights that it began with, nothing would arrive. The picture shows the call, how much each piece is
like each woman's first, all pairs, and the gradient. Try shorter pieces: FRAMES.
"""

import numpy as np
from matplotlib import pyplot as plt
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.metrics import roc_auc_score

import autograd
import nn
from autograd import Tensor
from examples import data
from nn import functional as F

SYSTEMS = ("pretrained networks", "speaker embedding", "gradient flow")
CLAIM = ("Of pieces that don't overlap, over 93 % of pairs of one voice are closer than pairs of both; by mean spectra "
         "or with random weights less than 65 %. The gradient at the first tenth of a second is over 20 % of that at "
         "the last; with random weights less than a millionth.")

FRAMES = 160  # of 10 ms


class VoiceEncoder(nn.Module):
    """Directions (N, 256) of voices in spectra (N, time, 40)."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(40, 256, num_layers=3, batch_first=True)
        self.linear = nn.Linear(256, 256)

    def pretrained(self):
        """With the weights of Resemblyzer."""
        kept = nn.load(data.package_file("Resemblyzer", "resemblyzer/pretrained.pt"))["model_state"]
        self.load_state_dict({name: kept[name] for name in self.state_dict()})
        return self

    def forward(self, spectra):
        _, (last, _) = self.lstm(spectra)
        return F.normalize(F.relu(self.linear(last[-1])), dim=1)


def mel_spectra(sound):
    """Energies in 40 bands that are as wide as ears tell them apart, each 10 ms: (time, 40)."""
    steps = np.linspace(0, 15 + 27 * np.log(8) / np.log(6.4), 42)  # equal up to 1000 Hz, then equal ratios
    edges = np.where(steps < 15, 200 / 3 * steps, 1000 * 6.4 ** ((steps - 15) / 27))
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    hertz = np.linspace(0, 8000, 201)
    bands = np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle)).clip(0) * 2 / (high - low)
    pieces = sliding_window_view(np.pad(sound, 200), 400)[::160] * np.hanning(401)[:-1]
    return (np.abs(np.fft.rfft(pieces)) ** 2 @ bands.T).astype(np.float32)


def pieces_of(turns, starts):
    """Which pieces (from these frames) are of one voice nearly alone, and whose it is, 0 or 1."""
    names = sorted({name for name, _, _ in turns})
    speaks = np.zeros((2, starts.max() + FRAMES + 1))
    for name, start, end in turns:
        speaks[names.index(name), round(100 * start):round(100 * end)] = 1
    share = np.stack([speaks[:, k:k + FRAMES].mean(1) for k in starts])
    alone = (share.max(1) > 0.7) & (share.min(1) < 0.1)
    return alone, share.argmax(1)


def reaching(net, spectra):
    """How large the gradient of what is said, in random directions, is at each step: (time,)."""
    x = spectra.clone().requires_grad_()
    (net(x) * autograd.randn(len(x), 256)).sum().backward()
    return x.grad.norm(dim=2).mean(0).numpy()


def example(run):
    sound, turns = data.conversation()
    spectra = mel_spectra(sound * 0.0316 / sound.std())  # as loud as what it was taught
    starts = np.sort(run.rng.permutation(len(spectra) - FRAMES)[:run.pick(300, 60)])
    alone, voices = pieces_of(turns, starts)
    starts, voices = starts[alone], voices[alone]
    pieces = Tensor(np.stack([spectra[k:k + FRAMES] for k in starts]))
    pretrained, random = VoiceEncoder().pretrained(), VoiceEncoder()
    with autograd.no_grad():
        says = {"network": pretrained(pieces), "random weights": random(pieces),
                "mean spectra": F.normalize(pieces.mean(1).log() - pieces.mean(1).log().mean(0), dim=1)}
    pairs = np.triu(np.abs(starts[:, None] - starts) >= FRAMES)
    same, closer = voices[:, None] == voices, {}
    for name, directions in says.items():
        closer[name] = roc_auc_score(same[pairs], (directions @ directions.T).numpy()[pairs])
        run.result(f"pairs in order by {name}", 100 * closer[name], "%")
    run.holds(closer["network"] > 0.93 and max(closer["random weights"], closer["mean spectra"]) < 0.65)
    flow = {"network": reaching(pretrained, pieces[::4]), "random weights": reaching(random, pieces[::4])}
    for name, sizes in flow.items():
        share = sizes[:10].mean() / sizes[-10:].mean()
        run.result(f"gradient at the start, of that at the end, {name}", share)
        run.holds(share > 0.2 if name == "network" else share < 1e-6)

    figure, axes = plt.subplots(1, 3, figsize=(14, 3.8), width_ratios=[2, 1, 1.2])
    alike = (says["network"] @ says["network"].T).numpy()
    middles = (starts + FRAMES / 2) / 100
    for voice in (0, 1):
        axes[0].plot(middles, alike[np.flatnonzero(voices == voice)[0]], "o", markersize=3, color=f"C{voice}",
                     label=f"like the first piece of {'AB'[voice]}")
    for name, start, end in turns:
        voice = int(name == max(turns)[0])
        axes[0].plot([start, end], [0.45 - 0.03 * voice] * 2, color=f"C{voice}", linewidth=5, solid_capstyle="butt")
    axes[0].set(xlabel="seconds", ylabel="cosine", title="whose voice it is (bars: who speaks)")
    axes[0].legend(loc="upper right")
    order = np.argsort(voices, kind="stable")
    axes[1].imshow(alike[order][:, order], cmap="viridis")
    middle = np.flatnonzero(voices[order])[0]
    axes[1].set_xticks([middle / 2, (middle + len(order)) / 2], "AB")
    axes[1].set_yticks([middle / 2, (middle + len(order)) / 2], "AB")
    axes[1].set_title(f"{closer['network']:.1%} of pairs in order")
    axes[1].grid(visible=False)
    for name, sizes in flow.items():
        axes[2].semilogy((np.arange(FRAMES) - FRAMES) / 100, sizes / sizes[-1] + 1e-30, label=name)
    axes[2].set(xlabel="seconds before the end", ylabel="of that at the end", title="size of the gradient")
    axes[2].legend()
    run.save(figure)
