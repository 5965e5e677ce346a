"""Sequences from a model that predicts the next token: greedy, sampled, or by beam search.

The model is a function `step(tokens, state) -> logits, state`: of the last tokens (B,) and whatever it has to remember
it gives the logits (B, V) of the next ones, and what it remembers then. That is the hidden state of a recurrent
network, the keys and values that a Transformer has computed so far, or all tokens so far. A state is a Tensor, or
tuples, lists and dicts of them.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import Generator, Tensor, as_tensor, no_grad
from autograd.errors import ShapeError
from autograd.typing import TensorLike

Step = Callable[[Tensor, Any], tuple[Tensor, Any]]


def greedy(step: Step, start: TensorLike, state: Any = None, *, max_new_tokens: int, eos: int | None = None) -> Tensor:
    """The likeliest token, again and again.

    Args:
        step: the model: see above.
        start: tokens (B,) to begin with, or prompts (B, L), which are given to the model one token after the other.
        state: what the model remembers at the beginning.
        max_new_tokens: at most so many tokens.
        eos: the token that ends a sequence; afterwards it is repeated. It is over when all sequences have ended.

    Returns the tokens (B, n), without `start`.

    >>> following = tensor([[0.0, 5, 0], [0, 0, 5], [0, 0, 5]])
    >>> greedy(lambda tokens, state: (following[tokens], state), tensor([0, 2]), max_new_tokens=3)
    tensor([[1, 2, 2],
            [2, 2, 2]])
    """
    return _one_by_one(step, start, state, max_new_tokens, eos, lambda logits: logits.argmax(-1))


def sample(step: Step, start: TensorLike, state: Any = None, *, max_new_tokens: int, eos: int | None = None,
           temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None,
           generator: Generator | None = None) -> Tensor:
    """Tokens drawn with the probabilities that the model gives them.

    Args:
        step: the model: see above.
        start: tokens (B,) to begin with, or prompts (B, L).
        state: what the model remembers at the beginning.
        max_new_tokens: at most so many tokens.
        eos: the token that ends a sequence; afterwards it is repeated.
        temperature: what logits are divided by: below 1 likely tokens become likelier.
        top_k: only the k likeliest tokens.
        top_p: only the likeliest tokens that together have at least this probability (Holtzman et al. 2020).
        generator: of the random numbers.

    Returns the tokens (B, n), without `start`.
    """
    if temperature <= 0:
        raise ValueError(f"temperature must be above 0, not {temperature}; for the likeliest tokens write greedy(...)")
    if (top_k is not None and top_k < 1) or (top_p is not None and not 0 < top_p <= 1):
        raise ValueError(f"top_k must be at least 1 and top_p above 0 and at most 1, not {top_k} and {top_p}")

    def drawn(logits: np.ndarray) -> np.ndarray:
        probabilities = _softmax(_likeliest(logits / temperature, top_k, top_p))
        return autograd.multinomial(Tensor(probabilities), 1, generator=generator).numpy()[:, 0]
    return _one_by_one(step, start, state, max_new_tokens, eos, drawn)


def _likeliest(logits: np.ndarray, top_k: int | None, top_p: float | None) -> np.ndarray:
    """Logits with minus infinity for all other tokens."""
    if top_k is not None and top_k < logits.shape[1]:
        logits = np.where(logits < np.partition(logits, -top_k, axis=1)[:, -top_k, None], -np.inf, logits)
    if top_p is not None:
        order = np.argsort(-logits, axis=1, kind="stable")
        sorted_ones = np.take_along_axis(_softmax(logits), order, 1)
        beyond = np.cumsum(sorted_ones, axis=1) - sorted_ones >= top_p  # what those before have is enough
        beyond[:, 0] = False
        out = np.zeros_like(beyond)
        np.put_along_axis(out, order, beyond, 1)
        logits = np.where(out, -np.inf, logits)
    return logits


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


@no_grad()
def _one_by_one(step: Step, start: TensorLike, state: Any, count: int, eos: int | None,
                choose: Callable[[np.ndarray], np.ndarray]) -> Tensor:
    last, state = _begun(step, start, state, count)
    ended, found = np.zeros(len(last), np.bool_), np.zeros((len(last), count), np.int64)
    for n in range(count):
        logits, state = _stepped(step, last, state)
        last = np.where(ended, eos, choose(logits)).astype(np.int64) if eos is not None else choose(logits)
        found[:, n] = last
        ended |= last == (-1 if eos is None else eos)
        if ended.all():
            return Tensor(found[:, :n + 1])
    return Tensor(found)


def _begun(step: Step, start: TensorLike, state: Any, count: int) -> tuple[np.ndarray, Any]:
    """The last of the tokens at the beginning, and the state after the others."""
    tokens = as_tensor(start).numpy()
    if tokens.ndim not in (1, 2) or tokens.dtype.kind not in "iu" or not tokens.size:
        raise ShapeError(f"start holds tokens, (B,) or (B, L), not {tokens.dtype} of shape {tokens.shape}; for one "
                         "sequence write tensor([token])")
    if count < 1:
        raise ValueError(f"max_new_tokens must be at least 1, not {count}")
    if tokens.ndim == 1:
        return tokens, state
    for column in tokens.T[:-1]:
        state = step(Tensor(column.copy()), state)[1]
    return tokens[:, -1].copy(), state


def _stepped(step: Step, tokens: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
    """The logits (B, V) of the next tokens, and the state."""
    logits, state = step(Tensor(tokens), state)
    if logits.ndim != 2 or len(logits) != len(tokens):
        raise ShapeError(f"step(tokens, state) must give logits (B, V) and a state, with B = {len(tokens)}, not logits "
                         f"of shape {logits.shape}; of (B, L, V) take logits[:, -1]")
    array = logits.detach().numpy()
    if np.isnan(array).any():
        raise ValueError("the model gives logits that are NaN")
    return array, state


class Beams(NamedTuple):
    """What `beam_search` finds: tokens (B, K, n), best first, and scores (B, K)."""

    tokens: Tensor
    scores: Tensor


@no_grad()
def beam_search(step: Step, start: TensorLike, state: Any = None, *, max_new_tokens: int, eos: int | None = None,
                num_beams: int = 4, length_penalty: float = 1.0, num_return: int = 1, state_dim: int = 0) -> Beams:
    """The best sequences of those that are found by going on with the `num_beams` best beginnings.

    Args:
        step: the model: see above. It is given B · num_beams sequences.
        start: tokens (B,) to begin with, or prompts (B, L).
        state: what the model remembers at the beginning, of B sequences.
        max_new_tokens: at most so many tokens.
        eos: the token that ends a sequence; afterwards it is repeated.
        num_beams: how many beginnings are kept.
        length_penalty: a sequence of n tokens (with eos) has the score log p / n ** length_penalty: 0 prefers short
            ones, 1 is the mean of the logarithms.
        num_return: how many sequences, at most num_beams.
        state_dim: which axis of the tensors in the state counts the sequences: 1 for (h, c) of an LSTM.

    It ends when no beginning that is left can become better than what is found.

    >>> following = tensor([[0.0, 1, 0], [0, 0, 5], [0, 0, 5]])
    >>> tokens, scores = beam_search(lambda tokens, state: (following[tokens], state), tensor([0]), max_new_tokens=3)
    >>> tokens
    tensor([[[1, 2, 2]]])
    """
    if not 1 <= num_return <= num_beams:
        raise ValueError(f"num_return must be from 1 to num_beams = {num_beams}, not {num_return}")
    last, state = _begun(step, start, state, max_new_tokens)
    count, beams = len(last), num_beams
    state = _of_sequences(state, np.repeat(np.arange(count), beams), state_dim, count)
    last = np.repeat(last, beams)
    scores = np.where(np.arange(beams) > 0, -np.inf, np.zeros((count, 1)))  # all beams are one at the beginning
    prefixes = np.zeros((count, beams, 0), np.int64)
    found: list[list[tuple[float, np.ndarray]]] = [[] for _ in range(count)]
    rows = np.arange(count)[:, None]
    for n in range(1, max_new_tokens + 1):
        logits, state = _stepped(step, last, state)
        logits = logits.astype(np.float64)
        logits -= logits.max(1, keepdims=True)
        totals = (logits - np.log(np.exp(logits).sum(1, keepdims=True))).reshape(count, beams, -1) + scores[..., None]
        words = totals.shape[2]
        totals = totals.reshape(count, -1)
        best = _best(totals, 2 * beams)  # at most half of them end
        value = np.take_along_axis(totals, best, 1)
        beam, word = best // words, best % words
        ends = (word == eos) if eos is not None else np.zeros(word.shape, np.bool_)
        for i, rank in zip(*np.nonzero(ends & np.isfinite(value)), strict=True):
            if rank < beams:
                sequence = np.append(prefixes[i, beam[i, rank]], word[i, rank])
                found[i].append((value[i, rank] / n ** length_penalty, sequence))
        going = np.argsort(ends, axis=1, kind="stable")[:, :beams]  # the best of those that don't end
        scores = np.where(ends, -np.inf, value)[rows, going]
        scores = np.pad(scores, ((0, 0), (0, beams - scores.shape[1])), constant_values=-np.inf)
        going = np.pad(going, ((0, 0), (0, beams - going.shape[1])))
        beam, word = beam[rows, going], word[rows, going]
        prefixes = np.concatenate([prefixes[rows, beam], word[..., None]], 2)
        state = _of_sequences(state, (rows * beams + beam).reshape(-1), state_dim, count * beams)
        last = word.reshape(-1)
        reachable = scores.max(1) / (max_new_tokens if length_penalty > 0 else n) ** length_penalty
        if all(_is_over(kept, best_yet, beams) for kept, best_yet in zip(found, reachable, strict=True)):
            break
    for i in range(count):
        found[i] += [(score / n ** length_penalty, prefix) for score, prefix in zip(scores[i], prefixes[i], strict=True)
                     if np.isfinite(score)]
        found[i] = sorted(found[i], key=lambda one: -one[0])[:num_return]
    length = max(len(sequence) for kept in found for _, sequence in kept)
    tokens = np.full((count, num_return, length), 0 if eos is None else eos, np.int64)
    values = np.full((count, num_return), -np.inf)
    for i, kept in enumerate(found):
        for k, (score, sequence) in enumerate(kept):
            tokens[i, k, :len(sequence)], values[i, k] = sequence, score
    return Beams(Tensor(tokens), Tensor(values.astype(autograd.get_default_dtype())))


def _best(totals: np.ndarray, count: int) -> np.ndarray:
    """The places of the greatest in each row, from the greatest on, the first of equals first."""
    count = min(count, totals.shape[1])
    places = np.sort(np.argpartition(-totals, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(-np.take_along_axis(totals, places, 1), axis=1, kind="stable")
    return np.take_along_axis(places, order, 1)


def _is_over(found: list[tuple[float, np.ndarray]], reachable: float, beams: int) -> bool:
    """Whether no beginning can come among the best that are found."""
    return not np.isfinite(reachable) or (len(found) >= beams and sorted(
        [score for score, _ in found], reverse=True)[beams - 1] >= reachable)


def _of_sequences(state: Any, which: np.ndarray, dim: int, count: int) -> Any:
    """The state of some sequences, each maybe several times."""
    if isinstance(state, Tensor):
        if not -state.ndim <= dim < state.ndim or state.shape[dim] != count:
            raise ShapeError(f"axis {dim} of a state of shape {state.shape} doesn't count the {count} sequences; say "
                             "which does: state_dim=1 for the (layers, B, H) of a recurrent network")
        return state.index_select(dim, Tensor(which))
    if isinstance(state, Mapping):
        return {key: _of_sequences(value, which, dim, count) for key, value in state.items()}
    if isinstance(state, tuple) and hasattr(state, "_fields"):
        return type(state)(*[_of_sequences(part, which, dim, count) for part in state])
    if isinstance(state, (tuple, list)):
        return type(state)(_of_sequences(part, which, dim, count) for part in state)
    return state
