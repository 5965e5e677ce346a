"""Softmax and its kin: a row is gone over several times while it is in the cache."""

import numpy as np

from autograd.compiled.lines import PART, WIDTH, added, lines_or_columns, piece_of, pieces
from autograd.compiled.loops import all_float32, largest, loop, parallel
from autograd.compiled.mathematics import INFINITY, ONE, ZERO, exp, function, log, maximum
from autograd.runtime.formulas import WORK


def softmax(x, *, dim, dtype=None):
    return _forward(_softmax, _softmax_in_columns, x, dim, dtype)


def log_softmax(x, *, dim, dtype=None):
    return _forward(_log_softmax, _log_softmax_in_columns, x, dim, dtype)


def _forward(over_rows, over_columns, x, dim, dtype):
    if not all_float32(x) or not (dtype is None or dtype == np.float32):
        return NotImplemented
    lines = lines_or_columns(x, dim)
    if lines is None:
        return NotImplemented
    given = lines.of(x)
    out = np.empty(lines.shape, np.float32)
    _over(over_rows, over_columns, out, x.size * WORK[np.exp], given, out)
    return lines.back(out)


def _over(over_rows, over_columns, outline, work, *arrays):
    if outline.ndim == 2:
        over_rows(len(outline), work, *arrays)
    else:
        over_columns(pieces(outline), work, *arrays)


def softmax_vjp(g, out, x, dim, dtype):
    return _back(_softmax_back, _softmax_back_in_columns, g, out, dim, 2)


def log_softmax_vjp(g, out, x, dim, dtype):
    return _back(_log_softmax_back, _log_softmax_back_in_columns, g, out, dim, WORK[np.exp])


def _back(over_rows, over_columns, g, out, dim, work):
    if not all_float32(g, out):
        return NotImplemented
    lines = lines_or_columns(out, dim)
    if lines is None:
        return NotImplemented
    dx = np.empty(lines.shape, np.float32)
    _over(over_rows, over_columns, dx, out.size * work, lines.of(g), lines.of(out), dx)
    return lines.back(dx)


def logsumexp(x, *, dim, keepdim=False):
    if not all_float32(x):
        return NotImplemented
    lines = lines_or_columns(x, dim)
    if lines is None:
        return NotImplemented
    given = lines.of(x)
    out = np.empty((len(given), *given.shape[2:]), np.float32)
    _over(_logsumexp, _logsumexp_in_columns, given, x.size * WORK[np.exp], given, out)
    return lines.back_from_ends(out, keepdim)


def logsumexp_vjp(g, out, x, dim, keepdim):
    if not all_float32(g, out, x) or np.isinf(out).any():
        return NotImplemented
    lines = lines_or_columns(x, dim)
    if lines is None:
        return NotImplemented
    dx = np.empty(lines.shape, np.float32)
    _over(_logsumexp_back, _logsumexp_back_in_columns, dx, x.size * WORK[np.exp], lines.ends(g), lines.ends(out),
          lines.of(x), dx)
    return lines.back(dx)


@loop
def _top(row):
    """The largest number, and 0 where that is -inf: -inf minus it is -inf, and not nan."""
    top = largest(row)
    return ZERO if top == -INFINITY else top


@loop
def fill_exponentials(row, top, out):
    """Fills `out` with exp(row - top), and returns its sum."""
    total = 0.0
    for start in range(0, row.size, PART):
        part, into, partial = row[start:start + PART], out[start:start + PART], ZERO
        for j in range(part.size):
            value = exp(part[j] - top)
            into[j] = value
            partial += value
        total += partial
    return np.float32(total)


@loop
def _sum_ofexponentials(row, top):
    total = 0.0
    for start in range(0, row.size, PART):
        part, partial = row[start:start + PART], ZERO
        for j in range(part.size):
            partial += exp(part[j] - top)
        total += partial
    return np.float32(total)


@parallel
def _softmax(first, last, x, out):
    for i in range(first, last):
        row = out[i]
        scale = ONE / fill_exponentials(x[i], _top(x[i]), row)
        for j in range(row.size):
            row[j] *= scale


@function
def below(x, top, rest):
    """In this order: the top may be so large that the rest vanishes beside it."""
    return (x - top) - rest


@parallel
def _log_softmax(first, last, x, out):
    for i in range(first, last):
        row, into = x[i], out[i]
        top = _top(row)
        rest = log(_sum_ofexponentials(row, top))
        for j in range(row.size):
            into[j] = below(row[j], top, rest)


@parallel
def _softmax_back(first, last, g, out, dx):
    for i in range(first, last):
        slopes, row, into, total = g[min(i, len(g) - 1)], out[i], dx[i], ZERO
        for j in range(row.size):
            total += slopes[j] * row[j]
        for j in range(row.size):
            into[j] = (slopes[j] - total) * row[j]


@parallel
def _log_softmax_back(first, last, g, out, dx):
    for i in range(first, last):
        slopes, row, into = g[min(i, len(g) - 1)], out[i], dx[i]
        total = np.float32(added(slopes))
        for j in range(row.size):
            into[j] = slopes[j] - exp(row[j]) * total


@parallel
def _logsumexp(first, last, x, out):
    for i in range(first, last):
        top = largest(x[i])
        top = top if abs(top) < INFINITY else ZERO
        out[i] = log(_sum_ofexponentials(x[i], top)) + top


@parallel
def _logsumexp_back(first, last, g, out, x, dx):
    for i in range(first, last):
        row, into, slope, total = x[i], dx[i], g[i], out[i]
        for j in range(row.size):
            into[j] = slope * exp(row[j] - total)


# In columns: `lines` is (length, inner), of which a piece is gone along at once

@loop
def fill_tops(lines, piece, out):
    """The largest number of each column."""
    out[:] = -INFINITY
    for i in range(len(lines)):
        row = lines[i, piece]
        for j in range(out.size):
            out[j] = maximum(out[j], row[j])


@loop
def _fill_finite_tops(lines, piece, out, infinite):
    """Likewise, and 0 where that is -inf, or inf."""
    fill_tops(lines, piece, out)
    for j in range(out.size):
        if out[j] == -INFINITY or (infinite and out[j] == INFINITY):
            out[j] = ZERO


@loop
def fill_exponentials_in_columns(lines, piece, tops, out, totals):
    """Fills `out` with exp(lines - tops), and `totals` with its sums."""
    totals[:] = ZERO
    for i in range(len(lines)):
        row, into = lines[i, piece], out[i, piece]
        for j in range(tops.size):
            value = exp(row[j] - tops[j])
            into[j] = value
            totals[j] += value


@loop
def _fill_sums_of_exponentials(lines, piece, tops, totals):
    totals[:] = ZERO
    for i in range(len(lines)):
        row = lines[i, piece]
        for j in range(tops.size):
            totals[j] += exp(row[j] - tops[j])


@parallel
def _softmax_in_columns(first, last, x, out):
    tops, totals = np.empty(WIDTH, np.float32), np.empty(WIDTH, np.float32)
    for item in range(first, last):
        n, piece = piece_of(item, x)
        top, total = tops[:piece.stop - piece.start], totals[:piece.stop - piece.start]
        _fill_finite_tops(x[n], piece, top, False)
        fill_exponentials_in_columns(x[n], piece, top, out[n], total)
        for j in range(total.size):
            total[j] = ONE / total[j]
        for i in range(x.shape[1]):
            row = out[n, i, piece]
            for j in range(total.size):
                row[j] *= total[j]


@parallel
def _log_softmax_in_columns(first, last, x, out):
    tops, rests = np.empty(WIDTH, np.float32), np.empty(WIDTH, np.float32)
    for item in range(first, last):
        n, piece = piece_of(item, x)
        top, rest = tops[:piece.stop - piece.start], rests[:piece.stop - piece.start]
        _fill_finite_tops(x[n], piece, top, False)
        _fill_sums_of_exponentials(x[n], piece, top, rest)
        for j in range(rest.size):
            rest[j] = log(rest[j])
        for i in range(x.shape[1]):
            row, into = x[n, i, piece], out[n, i, piece]
            for j in range(rest.size):
                into[j] = below(row[j], top[j], rest[j])


@parallel
def _softmax_back_in_columns(first, last, g, out, dx):
    totals = np.empty(WIDTH, np.float32)
    for item in range(first, last):
        n, piece = piece_of(item, out)
        total = totals[:piece.stop - piece.start]
        total[:] = ZERO
        for i in range(out.shape[1]):
            slope, row = g[n, i, piece], out[n, i, piece]
            for j in range(total.size):
                total[j] += slope[j] * row[j]
        for i in range(out.shape[1]):
            slope, row, into = g[n, i, piece], out[n, i, piece], dx[n, i, piece]
            for j in range(total.size):
                into[j] = (slope[j] - total[j]) * row[j]


@parallel
def _log_softmax_back_in_columns(first, last, g, out, dx):
    totals = np.empty(WIDTH, np.float32)
    for item in range(first, last):
        n, piece = piece_of(item, out)
        total = totals[:piece.stop - piece.start]
        total[:] = ZERO
        for i in range(out.shape[1]):
            slope = g[n, i, piece]
            for j in range(total.size):
                total[j] += slope[j]
        for i in range(out.shape[1]):
            slope, row, into = g[n, i, piece], out[n, i, piece], dx[n, i, piece]
            for j in range(total.size):
                into[j] = slope[j] - exp(row[j]) * total[j]


@parallel
def _logsumexp_in_columns(first, last, x, out):
    tops = np.empty(WIDTH, np.float32)
    for item in range(first, last):
        n, piece = piece_of(item, x)
        top, into = tops[:piece.stop - piece.start], out[n, piece]
        _fill_finite_tops(x[n], piece, top, True)
        _fill_sums_of_exponentials(x[n], piece, top, into)
        for j in range(into.size):
            into[j] = log(into[j]) + top[j]


@parallel
def _logsumexp_back_in_columns(first, last, g, out, x, dx):
    for item in range(first, last):
        n, piece = piece_of(item, x)
        slope, total = g[n, piece], out[n, piece]
        for i in range(x.shape[1]):
            row, into = x[n, i, piece], dx[n, i, piece]
            for j in range(slope.size):
                into[j] = slope[j] * exp(row[j] - total[j])
