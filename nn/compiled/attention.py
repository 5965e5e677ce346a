"""Attention: a few queries at a time, with their rows of the matrix of weights in the cache."""

import math

import numpy as np
from numba import types

from autograd.compiled.loops import all_float32, largest, loop, loop_of
from autograd.compiled.mathematics import ONE, exp
from autograd.compiled.products import HAS_PRODUCTS
from autograd.runtime.copies import contiguous
from autograd.runtime.threads import in_parallel
from nn.compiled.products import product, transposed_product
from nn.functional.attention import batches, blocks_seen

QUERIES = 32
"""How many queries are looked at together."""
_OF_ITEMS = types.int64, types.int64
_WITH_GAPS, _READ = (types.Array(types.float32, 4, layout, readonly=True) for layout in "AC")
_WRITTEN, _SEEN, _SCALE = types.float32[:, :, :, ::1], types.int64[:, ::1], types.float32


def _heads(array, lead):
    """(*lead, rows, columns) as (batch, heads, rows, columns), with rows as products need them; none of None."""
    if array is None:
        return np.zeros((1, 1, 0, 0), np.float32)
    array = array.reshape(lead[0], math.prod(lead[1:]), *array.shape[-2:])
    between_rows, between_numbers = array.strides[-2:]
    apart = between_numbers == array.itemsize and between_rows >= array.shape[-1] * array.itemsize
    return array if apart else contiguous(array)


def _packed(array, lead):
    """Likewise, without gaps."""
    return contiguous(_heads(array, lead))


def _seen(mask, rows, columns):
    """(first query, last, first key, last) of each block, outside of which all is masked."""
    blocks = [(start, min(start + QUERIES, few.stop), seen.start, seen.stop)
              for few, seen in blocks_seen(mask, rows, columns, QUERIES)
              for start in range(few.start, few.stop, QUERIES)]
    return np.array(blocks, np.int64).reshape(-1, 4)


def attend(query, key, value, *, mask, keep, scale):
    if not HAS_PRODUCTS or not all_float32(query, key, value, mask, keep):
        return NotImplemented
    arrays, lead = batches(query, key, value, mask, keep)
    rows, columns = query.shape[-2], key.shape[-2]
    weights, inverse = np.empty((*lead, rows, columns), query.dtype), np.empty((*lead, rows, 1), query.dtype)
    out, seen = np.empty((*lead, rows, value.shape[-1]), query.dtype), _seen(mask, rows, columns)

    heads = [*[_heads(a, lead) for a in arrays[:3]], *[_packed(a, lead) for a in (*arrays[3:], weights, inverse, out)]]

    def work(part):
        _forward(part.start, part.stop, *heads, seen, np.float32(scale))

    in_parallel(work, lead[0], 4 * weights.size)
    single = all(a is None or a.ndim == 2 for a in (query, key, value, mask, keep))
    return (out[0] if single else out), weights, inverse


@loop
def _transposed(matrix):
    out = np.empty((matrix.shape[1], matrix.shape[0]), np.float32)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = matrix[j, i]
    return out


@loop_of(*_OF_ITEMS, *[_WITH_GAPS] * 3, *[_READ] * 2, *[_WRITTEN] * 3, _SEEN, _SCALE)
def _forward(first, last, query, key, value, mask, keep, weights, inverse, out, seen, scale):
    for b in range(first, last):
        for h in range(weights.shape[1]):
            _forward_head(query[b, h], key[b, h], value[b, h], mask[b % len(mask), h % mask.shape[1]],
                          keep[b % len(keep), h % keep.shape[1]], weights[b, h], inverse[b, h], out[b, h], seen, scale)


@loop
def _forward_head(query, key, value, mask, keep, weights, inverse, out, seen, scale):
    keys, dropped = _transposed(key), np.empty((QUERIES if keep.size else 0, len(key)), np.float32)
    for block in range(len(seen)):
        first, last, left, right = seen[block]
        scores = weights[first:last, left:right]
        product(query[first:last], keys[:, left:right], scores, 0)
        for i in range(first, last):
            weights[i, :left] = 0
            weights[i, right:] = 0
            row = weights[i, left:right]
            for j in range(len(row)):
                row[j] *= scale
            if mask.size:
                for j in range(len(row)):
                    row[j] += mask[i, left + j]
            top = largest(row)
            top = top if np.isfinite(top) else np.float32(0)
            total = np.float32(0)
            for j in range(len(row)):
                row[j] = exp(row[j] - top)
                total += row[j]
            inverse[i, 0] = ONE / total if total != 0 else np.float32(0)
        if keep.size:
            for i in range(last - first):
                for j in range(right - left):
                    dropped[i, j] = weights[first + i, left + j] * keep[first + i, left + j]
            product(dropped[:last - first, :right - left], value[left:right], out[first:last], 0)
        else:
            product(scores, value[left:right], out[first:last], 0)
        for i in range(first, last):
            for j in range(out.shape[1]):
                out[i, j] *= inverse[i, 0]


def attend_back(g, out, weights, inverse, query, key, value, *, mask, keep, scale):
    if not HAS_PRODUCTS or not all_float32(g, query, key, value, keep):
        return NotImplemented
    (q, k, v, _, keep), lead = batches(query, key, value, mask, keep)
    seen, gradients = _seen(mask, query.shape[-2], key.shape[-2]), [np.empty(a.shape, g.dtype) for a in (q, k, v)]
    g, out = (a.reshape((*lead, *a.shape[-2:])) for a in (g, out))

    heads = [*[_heads(a, lead) for a in (q, k, v, g)],
             *[_packed(a, lead) for a in (keep, weights, inverse, out, *gradients)]]

    def work(part):
        _back(part.start, part.stop, *heads, seen, np.float32(scale))

    in_parallel(work, lead[0], 4 * weights.size)
    return [gradient[0] if a.ndim == 2 and lead == (1,) else gradient
            for gradient, a in zip(gradients, (query, key, value), strict=True)]


@loop_of(*_OF_ITEMS, *[_WITH_GAPS] * 4, *[_READ] * 4, *[_WRITTEN] * 3, _SEEN, _SCALE)
def _back(first, last, query, key, value, g, keep, weights, inverse, out, d_query, d_key, d_value, seen, scale):
    for b in range(first, last):
        for h in range(weights.shape[1]):
            _back_head(query[b, h], key[b, h], value[b, h], keep[b % len(keep), h % keep.shape[1]], weights[b, h],
                       inverse[b, h], out[b, h], g[b, h], d_query[b, h], d_key[b, h], d_value[b, h], seen, scale)


@loop
def _back_head(query, key, value, keep, weights, inverse, out, g, d_query, d_key, d_value, seen, scale):
    values, dropped = _transposed(value), np.empty((QUERIES if keep.size else 0, len(key)), np.float32)
    d_scores, d_out = np.empty((QUERIES, len(key)), np.float32), np.empty((QUERIES, g.shape[1]), np.float32)
    d_key[:] = 0
    d_value[:] = 0
    for block in range(len(seen)):
        first, last, left, right = seen[block]
        weight, d = weights[first:last, left:right], d_scores[:last - first, :right - left]
        d_few = d_out[:last - first]
        for i in range(last - first):  # the weights are w / Σ w: the sum goes to the gradient, which is smaller
            for j in range(g.shape[1]):
                d_out[i, j] = g[first + i, j] * inverse[first + i, 0]
        if keep.size:
            for i in range(last - first):
                for j in range(right - left):
                    dropped[i, j] = weights[first + i, left + j] * keep[first + i, left + j]
            transposed_product(dropped[:last - first, :right - left], d_few, d_value[left:right], 1)
        else:
            transposed_product(weight, d_few, d_value[left:right], 1)
        product(d_few, values[:, left:right], d, 0)
        for i in range(last - first):
            through_softmax = np.float32(0)  # Σ weights (ḡ·v) = ḡ·out
            for j in range(g.shape[1]):
                through_softmax += d_out[i, j] * out[first + i, j]
            row, of_row = d_scores[i, :right - left], weights[first + i, left:right]
            if keep.size:
                for j in range(len(row)):
                    row[j] *= keep[first + i, left + j]
            for j in range(len(row)):
                row[j] = (row[j] - through_softmax) * of_row[j] * scale
        product(d, key[left:right], d_query[first:last], 0)
        transposed_product(d, query[first:last], d_key[left:right], 1)
