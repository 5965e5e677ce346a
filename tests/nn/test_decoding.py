"""Decoding: what is found is what all sequences say, and states follow their sequences."""

import itertools

import numpy as np
import pytest

import autograd
import nn
from autograd import Tensor
from autograd.errors import ShapeError
from nn.decoding import beam_search, greedy, sample

rng = np.random.default_rng(0)
EOS = 3


class Chain:
    """A model whose next token depends on the last two: its state is the one before."""

    def __init__(self, words=4, seed=0):
        self.logits = Tensor(np.random.default_rng(seed).standard_normal((words, words, words)) * 2)

    def __call__(self, tokens, before):
        before = autograd.zeros(len(tokens), dtype="int64") if before is None else before
        return self.logits[before, tokens], tokens

    def log_p(self, sequence, start):
        before, last, total = 0, start, 0.0
        for token in sequence:
            total += float(self.logits[before, last].log_softmax(-1)[token])
            before, last = last, token
        return total


def every_sequence(words, length, eos):
    """All that end at eos, or go on to the greatest length."""
    for n in range(1, length + 1):
        for sequence in itertools.product(range(words), repeat=n):
            if eos not in sequence[:-1] and (sequence[-1] == eos or n == length):
                yield sequence


def cut(tokens):
    tokens = tokens.tolist()
    return tuple(tokens[:tokens.index(EOS) + 1] if EOS in tokens else tokens)


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 2.0, -0.5])
def test_with_enough_beams_the_best_of_all_sequences_is_found(penalty):
    chain = Chain()
    tokens, scores = beam_search(chain, autograd.tensor([0, 1]), autograd.tensor([0, 0]), max_new_tokens=4, eos=EOS,
                                 num_beams=200, num_return=5, length_penalty=penalty)
    for i, start in enumerate((0, 1)):
        ranked = sorted([(chain.log_p(s, start) / len(s) ** penalty, s) for s in every_sequence(4, 4, EOS)],
                        reverse=True)
        assert [cut(one) for one in tokens[i]] == [s for _, s in ranked[:5]]
        np.testing.assert_allclose(scores[i].numpy(), [score for score, _ in ranked[:5]], rtol=1e-5)


def plain_beam_search(chain, start, length, beams, penalty):
    """One sequence, without any trick: all beginnings are kept to the end."""
    live, done = [((), 0.0)], []
    for _ in range(length):
        grown = sorted([((*s, w), chain.log_p((*s, w), start)) for s, _ in live for w in range(4)],
                       key=lambda one: -one[1])[:2 * beams]
        done += [one for one in grown[:beams] if one[0][-1] == EOS]
        live = [one for one in grown if one[0][-1] != EOS][:beams]
    return max([(p / len(s) ** penalty, s) for s, p in done + live])


@pytest.mark.parametrize("beams", [1, 2, 3])
@pytest.mark.parametrize("penalty", [0.0, 1.0, 3.0])
def test_few_beams_are_a_plain_search(beams, penalty):
    for seed in range(5):
        chain = Chain(seed=seed)
        tokens, scores = beam_search(chain, autograd.tensor([0, 2, 1]), autograd.zeros(3, dtype="int64"), eos=EOS,
                                     max_new_tokens=6, num_beams=beams, length_penalty=penalty)
        for i, start in enumerate((0, 2, 1)):
            score, sequence = plain_beam_search(chain, start, 6, beams, penalty)
            assert cut(tokens[i, 0]) == sequence
            np.testing.assert_allclose(scores[i, 0].item(), score, rtol=1e-5)


def test_one_beam_without_an_end_is_greedy():
    chain, start = Chain(), autograd.tensor([0, 1, 2])
    assert (beam_search(chain, start, max_new_tokens=7, num_beams=1).tokens[:, 0] == greedy(
        chain, start, max_new_tokens=7)).all()


def test_after_the_end_it_is_repeated_and_when_all_have_ended_it_is_over():
    following = autograd.eye(5)[[1, 2, 3, 3, 3]]
    out = greedy(lambda tokens, state: (following[tokens], state), autograd.tensor([0, 2]), max_new_tokens=9, eos=EOS)
    assert out.tolist() == [[1, 2, 3], [3, 3, 3]]


def test_prompts_are_read_token_by_token():
    chain = Chain()
    prompt = autograd.tensor([[0, 2, 1], [1, 1, 0]])
    whole = greedy(chain, prompt, max_new_tokens=5)
    assert (whole == greedy(chain, prompt[:, -1], prompt[:, -2], max_new_tokens=5)).all()


def test_draws_have_the_models_probabilities():
    logits = autograd.tensor([[2.0, 1.0, 0.0, -1.0]])
    def drawn(**options):
        tokens = sample(lambda t, s: (logits.expand(len(t), -1), s), autograd.zeros(20000, dtype="int64"),
                        max_new_tokens=1, generator=autograd.Generator().manual_seed(0), **options)
        return np.bincount(tokens.numpy()[:, 0], minlength=4) / 20000

    def softmax(x):
        return np.exp(x) / np.exp(x).sum()
    p = softmax(logits.numpy()[0])  # .64 .24 .09 .03
    np.testing.assert_allclose(drawn(), p, atol=0.01)
    np.testing.assert_allclose(drawn(temperature=0.5), softmax(2 * logits.numpy()[0]), atol=0.01)
    np.testing.assert_allclose(drawn(top_k=2), [*p[:2] / p[:2].sum(), 0, 0], atol=0.01)
    np.testing.assert_allclose(drawn(top_p=0.7), [*p[:2] / p[:2].sum(), 0, 0], atol=0.01)
    np.testing.assert_allclose(drawn(top_p=0.6), [1, 0, 0, 0])
    np.testing.assert_allclose(drawn(top_p=1.0), p, atol=0.01)
    np.testing.assert_allclose(drawn(top_k=3, top_p=0.9), [*p[:2] / p[:2].sum(), 0, 0], atol=0.01)  # .90 of three


class Recurrent(nn.Module):
    """An LSTM, whose state has the batch in its second axis."""

    def __init__(self):
        super().__init__()
        self.embed, self.cell, self.head = nn.Embedding(6, 8), nn.LSTM(8, 8, 2), nn.Linear(8, 6)

    def step(self, tokens, state):
        out, state = self.cell(self.embed(tokens)[None], state)
        return 3 * self.head(out[0]), state

    def log_p(self, sequences):
        out, _ = self.cell(self.embed(sequences[:, :-1]).transpose(0, 1))
        return (3 * self.head(out)).log_softmax(-1).transpose(0, 1)


class Attending(nn.Module):
    """Causal attention that keeps what it has seen: its state is a dict with the batch in front."""

    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(6, 8), nn.Linear(8, 6)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def step(self, tokens, state):
        x = self.embed(tokens)[:, None]
        seen = x if state is None else autograd.cat([state["seen"], x], dim=1)
        out, _ = self.attention(x, seen, seen)
        return 3 * self.head(out[:, 0]), {"seen": seen}

    def log_p(self, sequences):
        x = self.embed(sequences[:, :-1])
        mask = autograd.ones(x.shape[1], x.shape[1], dtype=bool).triu(1)
        return (3 * self.head(self.attention(x, x, x, attn_mask=mask)[0])).log_softmax(-1)


@pytest.mark.parametrize(("model", "dim"), [(Recurrent, 1), (Attending, 0)])
def test_states_go_with_their_sequences(model, dim):
    autograd.manual_seed(1)
    model = model()
    prompt = autograd.tensor([[0, 2], [1, 4], [5, 5]])
    tokens, scores = beam_search(model.step, prompt, max_new_tokens=5, num_beams=3, num_return=3, length_penalty=0.0,
                                 state_dim=dim)
    sequences = autograd.cat([prompt.repeat_interleave(3, 0), tokens.reshape(9, 5)], dim=1)
    log_p = model.log_p(sequences).gather(2, sequences[:, 1:, None])[:, -5:, 0].sum(1)
    np.testing.assert_allclose(scores.numpy().reshape(-1), log_p.detach().numpy(), rtol=1e-4)
    assert (scores[:, 0] >= scores[:, 1]).all()
    best = greedy(model.step, prompt, max_new_tokens=5)
    sequences = autograd.cat([prompt, best], dim=1)
    assert (model.log_p(sequences).argmax(-1)[:, 1:] == best).all()


def test_nothing_is_recorded():
    chain = Chain()
    chain.logits.requires_grad_()
    assert not beam_search(chain, autograd.tensor([0]), max_new_tokens=2).scores.requires_grad


def test_misuse_is_refused():
    chain, start = Chain(), autograd.tensor([0])
    for call, error, message in [
            (lambda: greedy(chain, autograd.tensor([0.5]), max_new_tokens=2), ShapeError, "tokens"),
            (lambda: greedy(chain, start, max_new_tokens=0), ValueError, "at least 1"),
            (lambda: sample(chain, start, max_new_tokens=2, temperature=0), ValueError, "greedy"),
            (lambda: sample(chain, start, max_new_tokens=2, top_p=0.0), ValueError, "top_p"),
            (lambda: beam_search(chain, start, max_new_tokens=2, num_return=9), ValueError, "num_beams = 4"),
            (lambda: beam_search(Recurrent().step, start, (autograd.zeros(2, 1, 8),) * 2, max_new_tokens=2), ShapeError,
             "state_dim=1"),
            (lambda: greedy(lambda t, s: (autograd.zeros(1, 5, 4), s), start, max_new_tokens=2), ShapeError,
             r"logits\[:, -1\]"),
            (lambda: greedy(lambda t, s: (autograd.full((1, 4), np.nan), s), start, max_new_tokens=2), ValueError,
             "NaN")]:
        with pytest.raises(error, match=message):
            call()
