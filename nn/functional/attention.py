"""Attention."""

import math

import numpy as np

import autograd
from autograd import as_tensor, operation
from autograd.compiled import compilable
from autograd.samples import call
from autograd.threads import in_parallel, pieces
from nn.functional.dropout import keep_mask

QUERIES = 128
"""How many queries are looked at together, to leave out keys that none of them may look at."""


def batches(query, key, value, mask, keep):
    """The arrays with leading axes of one shape, by which the work is divided, and that shape."""
    given = [a for a in (query, key, value, mask, keep) if a is not None]
    lead = np.broadcast_shapes(*[a.shape[:-2] for a in given]) or (1,)
    matrix = query.shape[-2], key.shape[-2]
    shapes = [query.shape[-2:], key.shape[-2:], value.shape[-2:], matrix, matrix]
    return [None if a is None else np.broadcast_to(a, (*lead, *shape))
            for a, shape in zip((query, key, value, mask, keep), shapes, strict=True)], lead


def blocks_seen(mask, queries, keys, each):
    """Blocks of the score matrix, (slice of queries, slice of keys), outside of which everything is masked.

    A block has `each` queries. Under a causal mask, or a sliding window, that is up to half of it and more.
    """
    if mask is not None and mask.ndim == 2:
        mask = np.broadcast_to(mask, (queries, keys))
        rows = [slice(start, min(start + each, queries)) for start in range(0, queries, each)]
        seen = [np.flatnonzero((mask[few] > -np.inf).any(axis=0)) for few in rows]
        blocks = [(few, slice(s[0], s[-1] + 1) if len(s) else slice(0, 0)) for few, s in zip(rows, seen, strict=True)]
        if any(columns != slice(0, keys) for _, columns in blocks):
            return blocks
    return [(slice(0, queries), slice(0, keys))]


def _of(piece, arrays):
    return [None if a is None else a[piece] for a in arrays]


def _exp_in_place(scores):
    """exp of the scores less the largest of each row, and one over the sum of each row; 0 where all is masked."""
    top = scores.max(axis=-1, keepdims=True, initial=-np.inf)
    scores -= np.where(np.isfinite(top), top, np.zeros_like(top))
    np.exp(scores, out=scores)
    total = scores @ np.ones((scores.shape[-1], 1), scores.dtype)
    return np.divide(1, total, out=np.zeros_like(total), where=total != 0)


@compilable("nn.compiled.attention")
def _forward(query, key, value, *, mask, keep, scale):
    arrays, lead = batches(query, key, value, mask, keep)
    rows, columns = query.shape[-2], key.shape[-2]
    blocks = blocks_seen(mask, rows, columns, QUERIES)
    weights, inverse = np.empty((*lead, rows, columns), query.dtype), np.empty((*lead, rows, 1), query.dtype)
    out = np.empty((*lead, rows, value.shape[-1]), query.dtype)

    def work(part):
        for piece in pieces(part, weights[:1].size):
            q, k, v, m, kept, w, o, r = _of(piece, (*arrays, weights, out, inverse))
            q = q * scale
            for few, seen in blocks:
                scores = np.matmul(q[..., few, :], k[..., seen, :].swapaxes(-1, -2), out=w[..., few, seen])
                if m is not None:
                    scores += m[..., few, seen]
                r[..., few, :] = _exp_in_place(scores)
                np.matmul(scores if kept is None else scores * kept[..., few, seen], v[..., seen, :],
                          out=o[..., few, :])
            o *= r

    in_parallel(work, lead[0], 4 * weights.size)
    single = all(a is None or a.ndim == 2 for a in (query, key, value, mask, keep))
    return (out[0] if single else out), weights, inverse


@compilable("nn.compiled.attention")
def _vjp(g, out, query, key, value, *, mask, keep, scale, needs_input_grad):
    (g,), (out, weights, inverse) = g, out
    (*arrays, _, keep), lead = batches(query, key, value, mask, keep)
    blocks = blocks_seen(mask, query.shape[-2], key.shape[-2], QUERIES)
    g, out = (a.reshape((*lead, *a.shape[-2:])) for a in (g, out))
    gradients = [np.zeros(a.shape, g.dtype) for a in arrays]

    def work(part):
        for piece in pieces(part, weights[:1].size):
            q, k, v, kept, w, r, o, d_out = _of(piece, (*arrays, keep, weights, inverse, out, g))
            d_query, d_key, d_value = _of(piece, gradients)
            # The weights are w r: r goes to the gradient, which is smaller. Σ weights (ḡ·v) = ḡ·out
            q, d_out = q * scale, d_out * r
            through_softmax = (d_out * o).sum(axis=-1, keepdims=True)
            for few, seen in blocks:
                weight, d_few = w[..., few, seen], d_out[..., few, :]
                dropped = weight if kept is None else weight * kept[..., few, seen]
                d_value[..., seen, :] += dropped.swapaxes(-1, -2) @ d_few
                d = d_few @ v[..., seen, :].swapaxes(-1, -2)
                if kept is not None:
                    d *= kept[..., few, seen]
                d -= through_softmax[..., few, :]
                d *= weight
                np.matmul(d, k[..., seen, :], out=d_query[..., few, :])
                d_key[..., seen, :] += d.swapaxes(-1, -2) @ q[..., few, :]
            d_query *= scale

    in_parallel(work, lead[0], 4 * weights.size)
    return [gradient[0] if a.ndim == 2 and lead == (1,) else gradient
            for gradient, a in zip(gradients, (query, key, value), strict=True)]


def _composition(query, key, value, *, mask, keep, scale):
    scores = (query * scale) @ key.swapaxes(-1, -2)
    attention = autograd.softmax(scores if mask is None else scores + mask, -1)
    return ((attention if keep is None else attention * keep) @ value,)


def _samples(draw):
    lead = draw.choice([(), (2,), (1, 2)])
    queries, keys, width, depth = (draw.integer(1, 3) for _ in range(4))
    mask = draw.choice([None, np.triu(np.full((queries, keys), -np.inf, np.float32), 1)])
    keep = draw.choice([None, (np.arange(queries * keys).reshape(queries, keys) % 3 > 0).astype(np.float32)])
    return call(draw.array(shape=(*lead, queries, width)), draw.array(shape=(*lead, keys, width)),
                draw.array(shape=(*lead, keys, depth)), mask=mask, keep=keep, scale=0.5)


_attention = operation(_forward, joint_vjp=_vjp, composition=_composition, outputs="output", names="_attention",
                       samples=_samples)


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None,
                                 enable_gqa=False):
    """softmax(Q Kᵀ scale + mask) V (Vaswani et al. 2017).

    Args:
        query: (..., L, E).
        key: (..., S, E).
        value: (..., S, V).
        attn_mask: broadcasts to (..., L, S): boolean, False where a query must not look at a key; or floating, added to
            the scores. A row that may look at nothing gives 0.
        dropout_p: the probability with which a weight is dropped (always, also in eval: pass 0 there).
        is_causal: query i looks at keys 0 to i only.
        scale: default 1 / √E.
        enable_gqa: key and value have fewer heads (axis -3) than the query, each shared by a group of query heads.

    Returns:
        (..., L, V).
    """
    query, key, value = as_tensor(query), as_tensor(key), as_tensor(value)
    name = "scaled_dot_product_attention"
    if (min(query.ndim, key.ndim, value.ndim) < 2 or query.shape[-1] != key.shape[-1]
            or key.shape[-2] != value.shape[-2]):
        raise ValueError(f"{name}: query (..., L, E), key (..., S, E) and value (..., S, V) must agree in E and S; "
                         "their "
                         f"shapes are {query.shape}, {key.shape} and {value.shape}")
    if enable_gqa and key.shape[-3] != query.shape[-3]:
        heads, shared = query.shape[-3], key.shape[-3]
        if heads % shared:
            raise ValueError(f"{name}: {heads} query heads cannot be shared among {shared} key heads")
        which = np.repeat(np.arange(shared), heads // shared)
        key, value = key[..., which, :, :], value[..., which, :, :]
    rows, columns = query.shape[-2], key.shape[-2]
    scale = 1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale

    def keep(mask):
        if dropout_p:
            lead = np.broadcast_shapes(query.shape[:-2], key.shape[:-2], () if mask is None else mask.shape[:-2])
            return keep_mask((*lead, rows, columns), dropout_p, query.dtype)
        return None

    additive = None
    if attn_mask is not None:
        if is_causal:
            raise ValueError(f"{name}: give attn_mask or is_causal, not both")
        attn_mask = as_tensor(attn_mask)
        if attn_mask.requires_grad:  # a learned bias: through elementary operations
            return _composition(query, key, value, mask=attn_mask, keep=keep(attn_mask), scale=scale)[0]
        additive = attn_mask.numpy()
        if additive.dtype == bool:
            additive = np.where(additive, query.dtype.type(0), query.dtype.type(-np.inf))
        elif additive.dtype.kind != "f":
            raise TypeError(f"{name}: attn_mask must be boolean or floating, not {additive.dtype}")
        try:
            np.broadcast_shapes(additive.shape[-2:], (rows, columns))
        except ValueError:
            raise ValueError(f"{name}: attn_mask has shape {additive.shape}; it must broadcast to (..., {rows}, "
                             f"{columns})"
                             ) from None
    elif is_causal:
        additive = np.triu(np.full((rows, columns), -np.inf, query.dtype), 1)
    return _attention(query, key, value, mask=additive, keep=keep(additive), scale=scale)[0]
