"""Attention: a few queries at a time, with their rows of the matrix of weights in the cache."""

import math

import numpy as np

from autograd.threads import in_parallel
from nn.compiled.loops import HAS_PRODUCTS, ONE, all_float32, exp, largest, loop, product, transposed_product
from nn.functional.attention import batches, blocks_seen

QUERIES = 32
"""How many queries are looked at together."""


def _part_of(part, *arrays):
    """A part of arrays (*lead, rows, columns), contiguous and with one leading axis; none of what is None."""
    return [np.zeros((0, 0, 0), np.float32) if a is None else
            np.ascontiguousarray(a[part]).reshape(math.prod(a[part].shape[:-2]), *a.shape[-2:]) for a in arrays]


def _seen(mask, rows, columns):
    """(first query, last, first key, last) of each block, outside of which all is masked."""
    blocks = [(start, min(start + QUERIES, few.stop), seen.start, seen.stop)
              for few, seen in blocks_seen(mask, rows, columns, QUERIES)
              for start in range(few.start, few.stop, QUERIES)]
    return np.array(blocks, np.int64).reshape(-1, 4)


def forward(query, key, value, *, mask, keep, scale):
    if not HAS_PRODUCTS or not all_float32(query, key, value, mask, keep):
        return NotImplemented
    arrays, lead = batches(query, key, value, mask, keep)
    rows, columns = query.shape[-2], key.shape[-2]
    weights, inverse = np.empty((*lead, rows, columns), query.dtype), np.empty((*lead, rows, 1), query.dtype)
    out, seen = np.empty((*lead, rows, value.shape[-1]), query.dtype), _seen(mask, rows, columns)

    def work(part):
        _forward(*_part_of(part, *arrays, weights, inverse, out), seen, np.float32(scale))

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


@loop
def _forward(query, key, value, mask, keep, weights, inverse, out, seen, scale):
    dropped = np.empty((QUERIES if keep.size else 0, key.shape[1]), np.float32)
    for n in range(len(query)):
        keys = _transposed(key[n])
        for block in range(len(seen)):
            first, last, left, right = seen[block]
            scores = weights[n, first:last, left:right]
            product(query[n, first:last], keys[:, left:right], scores, 0)
            for i in range(first, last):
                weights[n, i, :left] = 0
                weights[n, i, right:] = 0
                row = weights[n, i, left:right]
                for j in range(len(row)):
                    row[j] *= scale
                if mask.size:
                    for j in range(len(row)):
                        row[j] += mask[n, i, left + j]
                top = largest(row)
                top = top if np.isfinite(top) else np.float32(0)
                total = np.float32(0)
                for j in range(len(row)):
                    row[j] = exp(row[j] - top)
                    total += row[j]
                inverse[n, i, 0] = ONE / total if total != 0 else np.float32(0)
            if keep.size:
                for i in range(last - first):
                    for j in range(right - left):
                        dropped[i, j] = weights[n, first + i, left + j] * keep[n, first + i, left + j]
                product(dropped[:last - first, :right - left], value[n, left:right], out[n, first:last], 0)
            else:
                product(scores, value[n, left:right], out[n, first:last], 0)
            for i in range(first, last):
                for j in range(out.shape[2]):
                    out[n, i, j] *= inverse[n, i, 0]


def vjp(g, out, query, key, value, *, mask, keep, scale, needs_input_grad):
    (g,), (out, weights, inverse) = g, out
    if not HAS_PRODUCTS or not all_float32(g, query, key, value, keep):
        return NotImplemented
    (q, k, v, _, keep), lead = batches(query, key, value, mask, keep)
    seen, gradients = _seen(mask, query.shape[-2], key.shape[-2]), [np.zeros(a.shape, g.dtype) for a in (q, k, v)]
    g, out = (a.reshape((*lead, *a.shape[-2:])) for a in (g, out))

    def work(part):
        _back(*_part_of(part, q, k, v, keep, weights, inverse, out, g, *gradients), seen, np.float32(scale))

    in_parallel(work, lead[0], 4 * weights.size)
    return [gradient[0] if a.ndim == 2 and lead == (1,) else gradient
            for gradient, a in zip(gradients, (query, key, value), strict=True)]


@loop
def _back(query, key, value, keep, weights, inverse, out, g, d_query, d_key, d_value, seen, scale):
    d_scores, d_out = np.empty((QUERIES, key.shape[1]), np.float32), np.empty((QUERIES, g.shape[2]), np.float32)
    dropped = np.empty((QUERIES if keep.size else 0, key.shape[1]), np.float32)
    for n in range(len(query)):
        values = _transposed(value[n])
        for block in range(len(seen)):
            first, last, left, right = seen[block]
            weight, d = weights[n, first:last, left:right], d_scores[:last - first, :right - left]
            d_few = d_out[:last - first]
            for i in range(last - first):  # the weights are w / Σ w: the sum goes to the gradient, which is smaller
                for j in range(g.shape[2]):
                    d_out[i, j] = g[n, first + i, j] * inverse[n, first + i, 0]
            if keep.size:
                for i in range(last - first):
                    for j in range(right - left):
                        dropped[i, j] = weights[n, first + i, left + j] * keep[n, first + i, left + j]
                transposed_product(dropped[:last - first, :right - left], d_few, d_value[n, left:right], 1)
            else:
                transposed_product(weight, d_few, d_value[n, left:right], 1)
            product(d_few, values[:, left:right], d, 0)
            for i in range(last - first):
                through_softmax = np.float32(0)  # Σ weights (ḡ·v) = ḡ·out
                for j in range(g.shape[2]):
                    through_softmax += d_out[i, j] * out[n, first + i, j]
                row, of_row = d_scores[i, :right - left], weights[n, first + i, left:right]
                if keep.size:
                    for j in range(len(row)):
                        row[j] *= keep[n, first + i, left + j]
                for j in range(len(row)):
                    row[j] = (row[j] - through_softmax) * of_row[j] * scale
            product(d, key[n, left:right], d_query[n, first:last], 0)
            transposed_product(d, query[n, first:last], d_key[n, left:right], 1)
