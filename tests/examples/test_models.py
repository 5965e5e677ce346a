"""The examples that train an LSTM and a GPT: they run to their end, and their models are what they say."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd

for extra in ("matplotlib", "tqdm"):
    pytest.importorskip(extra)

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(monkeypatch):
    """Imports an example by its name, as if it were run from its folder."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module


@pytest.fixture
def corpus(example):
    text = example("text")
    numbers = autograd.randint(0, 4, (400,), generator=autograd.Generator().manual_seed(0)).numpy()
    return text.Corpus(numbers[:300], numbers[300:], "abcd")


@pytest.mark.parametrize("name, options, pictures", [
    ("char_lstm", "--steps 2 --every 1 --hidden 4 --characters 5", ["a.png"]),
    ("gpt", "--steps 2 --every 2 --layers 1 --width 8 --context 8 --characters 12", ["a.png"]),
])
def test_an_example_runs_and_says_what_it_reached(name, options, pictures, tmp_path):
    done = subprocess.run([sys.executable, EXAMPLES / f"{name}.py", *options.split(), "--out", tmp_path / "a.png"],
                          capture_output=True, text=True, check=False,
                          env=os.environ | {"PYTHONPATH": str(EXAMPLES.parent)})
    assert done.returncode == 0, done.stderr
    assert "held" in done.stdout.splitlines()[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == pictures


def test_no_paragraph_is_both_trained_on_and_held_out(example):
    corpus = example("text").load()
    training, held_out = (set(corpus.decode(part).split("\n\n")) for part in (corpus.training, corpus.held_out))
    assert len(corpus.held_out) > 20_000
    assert not {p for p in training & held_out if len(p) > 60}


def test_decode_undoes_encode_and_strange_characters_are_named(corpus):
    assert corpus.decode(corpus.encode("badcab")) == "badcab"
    with pytest.raises(ValueError, match="'é'"):
        corpus.encode("é")


def test_a_trigram_has_a_probability_for_everything_and_mixes_as_the_formula_says(example):
    trigram = example("text").Trigram(np.array([0, 1, 2, 0, 1, 0]), 4)
    np.testing.assert_allclose(trigram.probabilities.sum(-1), 1)
    assert trigram.probabilities.min() > 0
    alone = (np.array([3, 2, 1, 0]) + 3 * 0.25) / (6 + 3)  # N(c) and T of the six characters
    after_b = (np.array([1, 0, 1, 0]) + 2 * alone) / (2 + 2)
    after_ab = (np.array([1, 0, 1, 0]) + 2 * after_b) / (2 + 2)
    np.testing.assert_allclose(trigram.probabilities[0, 1], after_ab)
    np.testing.assert_allclose(trigram.probabilities[3, 1], after_b)  # "db" was never seen


def test_an_lstm_read_in_pieces_says_what_it_says_of_the_whole(example):
    model = example("char_lstm").CharLSTM(4, embedding=3, hidden=5, dropout=0)
    x = autograd.randint(0, 4, (6, 2))
    whole, _ = model(x)
    first, state = model(x[:4])
    rest, _ = model(x[4:], state)
    np.testing.assert_allclose(autograd.cat([first, rest]).detach().numpy(), whole.detach().numpy(), atol=1e-6)


def test_streams_are_the_text_read_downwards(example):
    assert example("char_lstm").streams(np.arange(7), 2).tolist() == [[0, 3], [1, 4], [2, 5]]


@pytest.fixture
def gpt(example):
    module = example("gpt")
    return module.GPT(module.Config(4, context=6, layers=2, heads=2, width=8))


def test_a_gpt_sees_everything_before_and_nothing_after(gpt):
    x = autograd.randint(0, 4, (1, 6)).numpy()
    changed = x.copy()
    changed[0, 3] = (x[0, 3] + 1) % 4
    with autograd.no_grad():
        difference = abs(gpt(autograd.tensor(x)) - gpt(autograd.tensor(changed))).numpy()[0].max(-1)
    assert difference[:3].max() == 0
    assert difference[3:].min() > 0


def test_a_gpt_refuses_more_than_its_context(gpt):
    with pytest.raises(ValueError, match="at most 6 characters; it was given 7"):
        gpt(autograd.zeros(1, 7, dtype=np.int64))


def test_a_gpts_output_is_tied_and_only_its_matrices_decay(example, gpt):
    assert gpt.scores.weight is gpt.token.weight
    decayed, others = example("gpt").make_optimizer(gpt, lr=1.0).param_groups
    assert all(p.ndim == 2 for p in decayed["params"]) and decayed["weight_decay"] > 0
    assert all(p.ndim == 1 for p in others["params"]) and others["weight_decay"] == 0
    assert len(decayed["params"]) + len(others["params"]) == len(list(gpt.parameters()))


def test_a_gpts_learning_rate_rises_and_falls(example, gpt):
    module = example("gpt")
    optimizer = module.make_optimizer(gpt, lr=1.0)
    scheduler = module.make_scheduler(optimizer, steps=100)
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    assert np.argmax(rates) == 5 and rates[5] == pytest.approx(1)
    assert np.all(np.diff(rates[:6]) > 0) and np.all(np.diff(rates[5:]) < 0)
    assert scheduler.get_last_lr() == pytest.approx([0.1, 0.1])
