"""Pretrained: a small network hears whether somebody speaks, whatever else is to be heard.

The weights are those of the package silero-vad. A convolution with sines and cosines makes a spectrum of each 32 ms of
sound, four more look at it, and an LSTM remembers what was before. It listens to a telephone call (that of the package
pyannote.audio, with who speaks when), over which noise, tones, whistles and buzzing have been laid that are up to one
and a half times as loud as the voices. How loud it is then says little; and what the network says, too, if its memory
is taken away after each 32 ms. The picture shows all three. Try other sounds.
"""

import numpy as np
from matplotlib import pyplot as plt
from sklearn.metrics import roc_auc_score

import autograd
import nn
from autograd import Tensor
from examples import data
from nn import functional as F

SYSTEMS = ("pretrained networks", "voice activity")
CLAIM = ("By the network over 97 % of pairs of a moment with speech and one without are put in order, by loudness less "
         "than 80 %, by the network without its memory less than 90 %.")

RATE, CHUNK, BEFORE = 16_000, 512, 64  # samples a second, in a chunk, and before it that are looked at again


class VoiceActivity(nn.Module):
    """How likely somebody speaks in each chunk (N, count) of sounds (N, length)."""

    def __init__(self):
        super().__init__()
        self.register_buffer("waves", autograd.zeros(258, 1, 256))
        self.encoder = nn.Sequential(
            nn.Conv1d(129, 128, 3, padding=1), nn.ReLU(), nn.Conv1d(128, 64, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv1d(64, 64, 3, stride=2, padding=1), nn.ReLU(), nn.Conv1d(64, 128, 3, padding=1), nn.ReLU())
        self.rnn = nn.LSTM(128, 128, batch_first=True)
        self.score = nn.Sequential(nn.ReLU(), nn.Linear(128, 1), nn.Sigmoid())

    def pretrained(self):
        """With the weights of silero-vad."""
        kept = nn.load(data.package_file("silero-vad", "silero_vad/data/silero_vad.jit"))
        names = {"waves": "stft.forward_basis_buffer", "score.1.weight": "decoder.decoder.2.weight",
                 "score.1.bias": "decoder.decoder.2.bias"}
        names |= {f"encoder.{2 * i}.{kind}": f"encoder.{i}.reparam_conv.{kind}"
                  for i in range(4) for kind in ("weight", "bias")}
        names |= {f"rnn.{kind}_l0": f"decoder.rnn.{kind}" for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        state = {name: kept[f"_model.{theirs}"] for name, theirs in names.items()}
        self.load_state_dict(state | {"score.1.weight": state["score.1.weight"].squeeze(2)})  # of a convolution
        return self.requires_grad_(False)

    def forward(self, sound, remember=True):
        chunks = F.pad(sound, (BEFORE, -sound.shape[1] % CHUNK)).unfold(1, BEFORE + CHUNK, CHUNK)
        padded = F.pad(chunks.flatten(0, 1).unsqueeze(1), (0, BEFORE), mode="reflect")
        real, imaginary = F.conv1d(padded, self.waves, stride=128).chunk(2, 1)
        heard = self.encoder((real ** 2 + imaginary ** 2).sqrt()).squeeze(2)
        states, _ = self.rnn(heard.reshape(*chunks.shape[:2], 128) if remember else heard.unsqueeze(1))
        return self.score(states).reshape(chunks.shape[:2])


def other_sounds(count, length, rng):
    """Noise, tones, whistles and buzzing, each for half a second, (count, length); their loudness is 0 to 1.5."""
    t = np.arange(RATE // 2) / RATE

    def piece():
        kind, pitch = rng.integers(4), rng.uniform(100, 1000)
        wave = np.sin(2 * np.pi * pitch * (t + 3 * t ** 2 if kind == 2 else t))
        wave = rng.standard_normal(len(t)) if kind == 0 else np.sign(wave) if kind == 3 else wave
        return wave / wave.std() * rng.uniform(0, 1.5)
    pieces = [np.concatenate([piece() for _ in range(0, length, len(t))])[:length] for _ in range(count)]
    return np.stack(pieces).astype(np.float32)


def example(run):
    sound, turns = data.conversation()
    sound = sound[run.pick(0, 5 * RATE):run.pick(len(sound), 10 * RATE)]
    moments = (np.arange(-(-len(sound) // CHUNK)) + 0.5) * CHUNK / RATE + run.pick(0, 5)
    speaks = np.any([(start <= moments) & (moments < end) for _, start, end in turns], 0)
    level = sound[speaks.repeat(CHUNK)[:len(sound)]].std()
    mixed = sound + level * other_sounds(run.pick(8, 1), len(sound), run.rng)
    net, x = VoiceActivity().pretrained(), Tensor(mixed)
    chunks = np.pad(mixed, ((0, 0), (0, -len(sound) % CHUNK))).reshape(len(mixed), -1, CHUNK)
    says = {"network": net(x).numpy(), "network without memory": net(x, remember=False).numpy(),
            "loudness": chunks.std(2) / level}
    order = {name: np.mean([roc_auc_score(speaks, row) for row in rows]) for name, rows in says.items()}
    for name, share in order.items():
        run.result(f"in order by {name}", 100 * share, "%")
    run.result("right with the threshold 0.5", 100 * ((says["network"] > 0.5) == speaks).mean(), "%")
    run.holds(order["network"] > 0.97 and order["loudness"] < 0.8 and order["network without memory"] < 0.9)

    figure, axes = plt.subplots(4, 1, sharex=True, figsize=(12, 6.5))
    seconds = moments[0] + np.arange(len(sound)) / RATE
    axes[0].plot(seconds, mixed[0], color="0.6", linewidth=0.3, label="with other sounds")
    axes[0].plot(seconds, sound, color="C0", linewidth=0.3, label="telephone call")
    axes[0].set(title="what is heard", ylabel="pressure")
    for line in axes[0].legend(loc="upper right", ncols=2).get_lines():
        line.set_linewidth(2)
    for axis, (name, rows) in zip(axes[1:], says.items(), strict=True):
        axis.plot(moments, rows[0], color="C0", linewidth=0.8)
        axis.fill_between(moments, 0, rows[0].max(), where=speaks, color="C1", alpha=0.3, linewidth=0, step="mid",
                          label="somebody speaks")
        axis.set(title=f"{name}: {order[name]:.1%} of pairs in order", ylabel="probability", ylim=0)
    axes[1].legend(loc="upper left")
    axes[3].set(xlabel="seconds", ylabel="of the voices'", xlim=(seconds[0], seconds[-1]))
    run.save(figure)
