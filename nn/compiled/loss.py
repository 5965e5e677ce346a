"""Losses as loops."""

from typing import Any

import numpy as np

from autograd.compiled.lines import PART, added
from autograd.compiled.loops import all_float32, largest, loop, parallel
from autograd.compiled.mathematics import ZERO, exp, log, maximum
from autograd.compiled.softmax import below, fill_exponentials
from autograd.runtime.formulas import WORK

REGISTER = 16
"""Numbers that are computed at once."""
_NOTHING = np.float32(-1e25)
_no_numbers = np.empty(0, np.float32)


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


# Classes: the exponentials of a row, beside its largest, serve the loss and its gradient

def surprise(input, labels, each):
    if not all_float32(input, each):
        return NotImplemented
    rows, labels = np.ascontiguousarray(input), labels.astype(np.int64, copy=False)
    exponentials, (losses, smooth, totals) = np.empty_like(rows), np.empty((3, len(rows)), np.float32)
    _surprise(len(rows), rows.size * WORK[np.exp], rows, labels, _no_numbers if each is None else each, losses, smooth,
              exponentials, totals)
    if each is None:
        return losses, None, exponentials, totals
    return (losses, smooth, exponentials, totals) if np.isfinite(smooth).all() else NotImplemented


@parallel
def _surprise(first, last, x, labels, each, losses, smooth, exponentials, totals):
    whole = np.float32(added(each))
    for i in range(first, last):
        row, top, apart = x[i], largest(x[i]), 0.0
        totals[i] = fill_exponentials(row, top, exponentials[i])
        for start in range(0, each.size, PART):
            part, counts, partial = row[start:start + PART], each[start:start + PART], ZERO
            for j in range(part.size):
                partial += (part[j] - top) * counts[j]
            apart += partial
        losses[i] = -below(row[np.uint64(labels[i])], top, log(totals[i]))
        smooth[i] = whole * log(totals[i]) - np.float32(apart)


def slopes(exponentials, scales, labels, taken, smooth, each):
    if not all_float32(exponentials, scales, taken, smooth, each):
        return NotImplemented
    rows, labels = np.ascontiguousarray(exponentials), labels.astype(np.int64, copy=False)
    out = np.empty_like(rows)
    _slopes(len(rows), 2 * rows.size, rows, scales, labels, taken, scales if smooth is None else smooth,
            _no_numbers if each is None else each, out)
    return out


@parallel
def _slopes(first, last, exponentials, scales, labels, taken, smooth, each, out):
    for i in range(first, last):
        row, into, scale = exponentials[i], out[i], scales[i]
        if scale == ZERO:
            into[:] = ZERO
        else:
            for j in range(row.size):
                into[j] = row[j] * scale
        into[np.uint64(labels[i])] -= taken[i]
        for j in range(each.size):
            into[j] -= smooth[i] * each[j]
