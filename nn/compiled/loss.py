"""Losses as loops."""

from typing import Any

import numpy as np

from autograd.compiled.loops import all_float32, loop, parallel
from autograd.compiled.mathematics import exp, log, maximum

REGISTER = 16
"""Numbers that are computed at once."""
_NOTHING = np.float32(-1e25)


@loop
def _step(own, beside, further, may_skip, out):
    """log Σ exp over each state, the one beside it, and the one beyond that."""
    for s in range(out.size):
        skipped = further[s] if may_skip[s] else _NOTHING
        top = maximum(maximum(own[s], beside[s]), skipped)
        out[s] = log(exp(own[s] - top) + exp(beside[s] - top) + exp(skipped - top)) + top


@loop
def _enter(reached, emissions, on_path, out):
    for s in range(out.size):
        out[s] = maximum(emissions[s], _NOTHING) + reached[s] if on_path[s] else _NOTHING


@loop
def _share(before, after, loss, on_path, out):
    for s in range(out.size):
        share = exp(before[s] + after[s] + loss)
        out[s] = share if on_path[s] else np.float32(0)


@parallel
def _align(first, last, emissions, skip, leading, on_path, input_lengths, target_lengths, alphas, losses, shares):
    states = skip.shape[1]
    reached, beta = np.empty(states, np.float32), np.empty(states + 2, np.float32)
    for n in range(first, last):
        length, end, alpha = input_lengths[n], 2 * target_lengths[n], alphas[n]
        alpha[:] = _NOTHING  # two more, before the first state
        alpha[0, 2] = 0
        for t in range(length):
            _step(alpha[t, 2:], alpha[t, 1:], alpha[t], skip[n], reached)
            _enter(reached, emissions[t, n], on_path[t, n], alpha[t + 1, 2:])
        final, label = alpha[length, end + 2], alpha[length, end + 1] if end > 0 else _NOTHING
        top = maximum(final, label)
        loss = -(log(exp(final - top) + exp(label - top)) + top)
        losses[n] = loss
        if not loss < -_NOTHING / np.float32(2):
            shares[:, n] = loss if np.isnan(loss) else np.float32(0)
            continue
        shares[length:, n] = 0
        reached[:] = _NOTHING
        reached[max(end - 1, 0):end + 1] = 0
        beta[:] = _NOTHING  # two more, after the last
        for t in range(length - 1, -1, -1):
            _share(alpha[t + 1, 2:], reached, loss, on_path[t, n], shares[t, n])
            _enter(reached, emissions[t, n], on_path[t, n], beta[:states])
            _step(beta, beta[1:], beta[2:], leading[n], reached)


def _wide(array: np.ndarray, states: int) -> np.ndarray:
    """An array with so many states, the last of which are on no path."""
    out = np.zeros((*array.shape[:-1], states), array.dtype)
    out[..., :array.shape[-1]] = array
    return out


def alignments_forward(emissions: np.ndarray, *, skip: np.ndarray, on_path: np.ndarray, input_lengths: np.ndarray,
                       target_lengths: np.ndarray) -> Any:
    if not all_float32(emissions):
        return NotImplemented
    steps, count, states = emissions.shape
    wide = states + -states % REGISTER
    leading = np.zeros(skip.shape, bool)
    leading[:, :-2] = skip[:, 2:]
    given = [_wide(a, wide) for a in (emissions, skip, leading, on_path)]
    lengths = [np.ascontiguousarray(lengths, np.int64) for lengths in (input_lengths, target_lengths)]
    alphas = np.empty((count, steps + 1, wide + 2), np.float32)
    losses, shares = np.empty(count, np.float32), np.empty_like(given[0])
    _align(count, 64 * shares.size, *given, *lengths, alphas, losses, shares)
    return losses, shares[:, :, :states]
