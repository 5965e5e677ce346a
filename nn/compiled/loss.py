"""Losses as loops."""

from typing import Any

import numpy as np

from autograd.compiled.lines import PART, WIDTH, added, piece_of, pieces
from autograd.compiled.loops import all_float32, largest, loop, parallel
from autograd.compiled.mathematics import ZERO, exp, log, maximum
from autograd.compiled.softmax import below, fill_exponentials, fill_exponentials_in_columns, fill_tops
from autograd.runtime.copies import contiguous
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


# Classes: the exponentials of all scores, beside the largest, serve the loss and its gradient. The classes of an
# example lie side by side, in a row; or those of several do, in columns.

def surprise(input, labels, each):
    if not all_float32(input, each):
        return NotImplemented
    x, in_rows = _rows_or_columns(input)
    exponentials, (losses, smooth, totals) = np.empty_like(x), np.empty((3, *labels.shape), np.float32)
    over, items = (_surprise, len(x)) if in_rows else (_surprise_in_columns, pieces(x))
    over(items, x.size * WORK[np.exp], x, _in_a_row(labels, x), _no_numbers if each is None else each,
         *[_in_a_row(a, x) for a in (losses, smooth, totals)], exponentials)
    exponentials = _back(exponentials, input.shape)
    if each is None:
        return losses, None, exponentials, totals
    return (losses, smooth, exponentials, totals) if np.isfinite(smooth).all() else NotImplemented


def slopes(exponentials, scales, labels, taken, smooth, each):
    if not all_float32(exponentials, scales, taken, smooth, each):
        return NotImplemented
    x, in_rows = _rows_or_columns(exponentials)
    out = np.empty_like(x)
    over, items = (_slopes, len(x)) if in_rows else (_slopes_in_columns, pieces(x))
    beside = [_in_a_row(a, x) for a in (scales, labels, taken, scales if smooth is None else smooth)]
    over(items, 2 * x.size, x, *beside, _no_numbers if each is None else each, out)
    return _back(out, exponentials.shape)


def _rows_or_columns(x):
    """(N, C, …) as rows (N · places, C), or as columns (N, C, places); and whether it is rows."""
    if x.ndim == 2:
        return contiguous(x), True
    last = x.transpose(0, *range(2, x.ndim), 1)
    if last.flags.c_contiguous:
        return last.reshape(-1, x.shape[1]), True
    return contiguous(x).reshape(*x.shape[:2], -1), False


def _in_a_row(each, x):
    """What there is one of for each example, in the outline of rows or columns."""
    each = each if each.dtype == np.float32 else each.astype(np.int64, copy=False)
    return each if each.shape == x.shape[:1] else each.reshape(len(x), *x.shape[2:])


def _back(x, shape):
    """Rows or columns as (N, C, …)."""
    if x.shape == shape:
        return x
    if x.ndim == 3:
        return x.reshape(shape)
    return x.reshape(shape[0], *shape[2:], shape[1]).transpose(0, len(shape) - 1, *range(1, len(shape) - 1))


@parallel
def _surprise(first, last, x, labels, each, losses, smooth, totals, exponentials):
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


@parallel
def _surprise_in_columns(first, last, x, labels, each, losses, smooth, totals, exponentials):
    whole, tops, aparts = np.float32(added(each)), np.empty(WIDTH, np.float32), np.empty(WIDTH, np.float32)
    for item in range(first, last):
        n, piece = piece_of(item, x)
        total = totals[n, piece]
        top, apart = tops[:total.size], aparts[:total.size]
        fill_tops(x[n], piece, top)
        fill_exponentials_in_columns(x[n], piece, top, exponentials[n], total)
        apart[:] = ZERO
        for c in range(each.size):
            row, count = x[n, c, piece], each[c]
            for j in range(row.size):
                apart[j] += (row[j] - top[j]) * count
        for j in range(total.size):
            rest, column = log(total[j]), np.uint64(piece.start + j)
            losses[n, column] = -below(x[n, np.uint64(labels[n, column]), column], top[j], rest)
            smooth[n, column] = whole * rest - apart[j]


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


@parallel
def _slopes_in_columns(first, last, exponentials, scales, labels, taken, smooth, each, out):
    for item in range(first, last):
        n, piece = piece_of(item, out)
        scale, smoothed = scales[n, piece], smooth[n, piece]
        for c in range(out.shape[1]):
            row, into = exponentials[n, c, piece], out[n, c, piece]
            for j in range(scale.size):
                into[j] = row[j] * scale[j] if scale[j] != ZERO else ZERO
        for j in range(piece.start, piece.stop):
            out[n, np.uint64(labels[n, j]), j] -= taken[n, j]
        for c in range(each.size):
            into = out[n, c, piece]
            for j in range(into.size):
                into[j] -= smoothed[j] * each[c]
