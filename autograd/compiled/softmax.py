"""Softmax and its kin: a row is gone over several times while it is in the cache."""

import numpy as np

from autograd.compiled.lines import PART, Lines, added
from autograd.compiled.loops import all_float32, largest, loop, parallel
from autograd.compiled.mathematics import INFINITY, ONE, ZERO, exp, function, log
from autograd.runtime.formulas import WORK


def softmax(x, *, dim, dtype=None):
    return _forward(_softmax, x, dim, dtype)


def log_softmax(x, *, dim, dtype=None):
    return _forward(_log_softmax, x, dim, dtype)


def _forward(over_rows, x, dim, dtype):
    if not all_float32(x) or dtype not in (None, np.float32):
        return NotImplemented
    lines = Lines(x, dim)
    if not lines.length:
        return NotImplemented
    rows = lines.of(x)
    out = np.empty((x.size // lines.length, lines.length), np.float32)
    over_rows(len(out), x.size * WORK[np.exp], rows, out)
    return lines.back(out)


def softmax_vjp(g, out, x, dim, dtype):
    return _back(_softmax_back, g, out, dim, 2)


def log_softmax_vjp(g, out, x, dim, dtype):
    return _back(_log_softmax_back, g, out, dim, WORK[np.exp])


def _back(over_rows, g, out, dim, work):
    if not all_float32(g, out):
        return NotImplemented
    lines = Lines(out, dim)
    if not lines.length:
        return NotImplemented
    dx = np.empty((out.size // lines.length, lines.length), np.float32)
    over_rows(len(dx), out.size * work, lines.of(g), lines.of(out), dx)
    return lines.back(dx)


def logsumexp(x, *, dim, keepdim=False):
    if not all_float32(x):
        return NotImplemented
    lines = Lines(x, dim)
    if not lines.length:
        return NotImplemented
    out = np.empty(x.size // lines.length, np.float32)
    _logsumexp(out.size, x.size * WORK[np.exp], lines.of(x), out)
    return lines.back_from_ends(out, keepdim)


def logsumexp_vjp(g, out, x, dim, keepdim):
    if not all_float32(g, out, x) or np.isinf(out).any():
        return NotImplemented
    lines = Lines(x, dim)
    if not lines.length:
        return NotImplemented
    dx = np.empty((x.size // lines.length, lines.length), np.float32)
    _logsumexp_back(len(dx), x.size * WORK[np.exp], lines.ends(g), lines.ends(out), lines.of(x), dx)
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
