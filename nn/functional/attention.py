"""Attention."""

import math

import numpy as np

import autograd
from autograd import Tensor, as_tensor, operation
from autograd.errors import ShapeError
from autograd.runtime.buffers import short_buffers
from autograd.runtime.compiled import compilable
from autograd.runtime.threads import in_parallel, pieces
from autograd.samples import call
from autograd.typing import TensorLike
from nn.functional.dropout import keep_mask
from nn.functional.geometry import wide, widened
from nn.functional.linear import linear
from nn.functional.padding import pad

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
        seen = [np.flatnonzero((mask[few] != -np.inf).any(axis=0)) for few in rows]
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
def _attend(query, key, value, *, mask, keep, scale):
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

    with short_buffers(weights.size):
        in_parallel(work, lead[0], 4 * weights.size)
    single = all(a is None or a.ndim == 2 for a in (query, key, value, mask, keep))
    return (out[0] if single else out), weights, inverse


@compilable("nn.compiled.attention")
def _attend_back(g, out, weights, inverse, query, key, value, *, mask, keep, scale):
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

    with short_buffers(weights.size):
        in_parallel(work, lead[0], 4 * weights.size)
    return [gradient[0] if a.ndim == 2 and lead == (1,) else gradient
            for gradient, a in zip(gradients, (query, key, value), strict=True)]


# What is masked is not looked at, whatever it is: 0 times a NaN would be one

def _product_forward(weights, values, *, seen):
    weights = np.where(seen, weights, 0)
    out = weights @ values
    if np.isfinite(out).all():
        return out
    bad = np.flatnonzero(~np.isfinite(values).all(axis=(*range(values.ndim - 2), -1)))
    finite = np.array(values)
    finite[..., bad, :] = 0
    out = weights @ finite
    for s in bad:
        out += np.where(seen[..., s, None], weights[..., s, None] * values[..., s, None, :], 0)
    return out


def _scores_forward(query, key, *, seen):
    return np.where(seen, query @ key.swapaxes(-1, -2), 0)


def _masked_samples(first, second):
    def samples(draw):
        sizes = {letter: draw.integer(1, 3) for letter in "lse"}
        seen = np.arange(sizes["l"] * sizes["s"]).reshape(sizes["l"], sizes["s"]) % 3 > 0
        lead = draw.choice([(), (2,)])
        return call(*[draw.array(shape=(*lead, *[sizes[n] for n in axes])) for axes in (first, second)], seen=seen)
    return samples


def _turned(a):
    return np.swapaxes(a, -1, -2)


masked_product = operation(
    widened(_product_forward), names="_masked_product", samples=_masked_samples("ls", "se"),
    vjps=(lambda g, out, weights, values, seen: masked_scores(g, values, seen=seen),
          lambda g, out, weights, values, seen: masked_product(_turned(weights), g, seen=_turned(seen))),
    doc="weights (..., L, S) times values (..., S, E), without the products that are not seen (..., L, S).")

masked_scores = operation(
    widened(_scores_forward), names="_masked_scores", samples=_masked_samples("le", "se"),
    vjps=(lambda g, out, query, key, seen: masked_product(g, key, seen=seen),
          lambda g, out, query, key, seen: masked_product(_turned(g), query, seen=_turned(seen))),
    doc="query (..., L, E) times key (..., S, E), 0 where it is not seen (..., L, S).")


def _attend_exactly(query, key, value, *, mask, keep, scale):
    """What `_attend` computes, with no product of what is masked."""
    (query, key, value, mask, keep), _ = batches(query, key, value, mask, keep)
    seen = mask != -np.inf
    weights = np.where(seen, _scores_forward(query * scale, key, seen=seen) + mask, -np.inf)
    inverse = _exp_in_place(weights)
    return _product_forward(weights if keep is None else weights * keep, value, seen=seen) * inverse, weights, inverse


def _attend_back_exactly(g, out, weights, inverse, query, key, value, *, mask, keep, scale):
    (query, key, value, mask, keep), lead = batches(query, key, value, mask, keep)
    g, out = (a.reshape((*lead, *a.shape[-2:])) for a in (g, out))
    seen, d_out = mask != -np.inf, g * inverse
    d = _scores_forward(d_out, value, seen=seen)
    dropped = weights if keep is None else weights * keep
    d_value = _product_forward(_turned(dropped), d_out, seen=_turned(seen))
    d = d if keep is None else d * keep
    d = np.where(seen, (d - (d_out * out).sum(axis=-1, keepdims=True)) * weights, 0)
    d_query = _product_forward(d, key, seen=seen) * scale
    return d_query, _product_forward(_turned(d), query * scale, seen=_turned(seen)), d_value


# The operation

@widened
def _forward(query, key, value, *, mask, keep, scale):
    arrays, options = (query, key, value), {"mask": mask, "keep": keep, "scale": scale}
    out, weights, inverse = _attend(*arrays, **options)
    if mask is not None and not np.isfinite(out).all():
        exact, weights, inverse = _attend_exactly(*arrays, **options)
        out = exact.reshape(out.shape)
    return out, weights, inverse


def _vjp(g, out, query, key, value, *, mask, keep, scale, needs_input_grad):
    arrays, options = (g[0], *out, query, key, value), {"mask": mask, "keep": keep, "scale": scale}
    arrays = [wide(a) for a in arrays]
    gradients = _attend_back(*arrays, **options)
    if mask is not None and not all(np.isfinite(gradient).all() for gradient in gradients):
        exact = _attend_back_exactly(*arrays, **options)
        gradients = [one.reshape(other.shape) for one, other in zip(exact, gradients, strict=True)]
    return gradients


def attention_weights(query, key, mask, scale):
    """softmax(Q Kᵀ scale + mask), Tensors, and what is seen: where the mask, array or Tensor, is not -inf."""
    if mask is None:
        return autograd.softmax((query * scale) @ key.swapaxes(-1, -2), -1), None
    seen = as_tensor(mask).detach() != -np.inf
    seen = seen.broadcast_to(np.broadcast_shapes(seen.shape, (query.shape[-2], key.shape[-2])))
    scores = masked_scores(query * scale, key, seen=seen) + mask
    return autograd.softmax(autograd.where(seen, scores, -np.inf), -1), seen


def attended(weights, value, seen):
    """The sum of values by weights, of those that are seen."""
    return weights @ value if seen is None else masked_product(weights, value, seen=seen)


def _composition(query, key, value, *, mask, keep, scale):
    weights, seen = attention_weights(query, key, mask, scale)
    if seen is not None:
        weights = autograd.where(seen.any(axis=-1, keepdims=True), weights, 0.0)
    return (attended(weights if keep is None else weights * keep, value, seen),)


def _samples(draw):
    lead = draw.choice([(), (2,), (1, 2)])
    queries, keys, width, depth = (draw.integer(1, 3) for _ in range(4))
    mask = draw.choice([None, causal(queries, keys, np.float32)])
    keep = draw.choice([None, (np.arange(queries * keys).reshape(queries, keys) % 3 > 0).astype(np.float32)])
    return call(draw.array(shape=(*lead, queries, width)), draw.array(shape=(*lead, keys, width)),
                draw.array(shape=(*lead, keys, depth)), mask=mask, keep=keep, scale=0.5)


_attention = operation(_forward, joint_vjp=_vjp, composition=_composition, outputs="output", names="_attention",
                       samples=_samples, multiply_adds=lambda shapes, out, options:  # of both products
                       math.prod(out[:-1]) * shapes[1][-2] * (shapes[0][-1] + out[-1]))


def additive(mask, dtype, hides):
    """A mask as numbers to be added to the scores: of a boolean one, minus infinity where it is `hides`."""
    mask = as_tensor(mask).detach()
    if mask.dtype == bool:
        return autograd.where(mask if hides else ~mask, dtype.type(-np.inf), dtype.type(0)).to(dtype)
    if mask.dtype.kind != "f":
        raise TypeError(f"an attention mask must be boolean ({hides}: not allowed) or floating, not {mask.dtype}")
    return mask.to(dtype)


def causal(rows, columns, dtype):
    """The mask, to be added to the scores, with which query i looks at keys 0 to i only."""
    return autograd.triu(autograd.full((rows, columns), -np.inf, dtype=dtype), 1)


def scaled_dot_product_attention(query: TensorLike, key: TensorLike, value: TensorLike,
                                 attn_mask: TensorLike | None = None, dropout_p: float = 0.0, is_causal: bool = False,
                                 scale: float | None = None, enable_gqa: bool = False) -> Tensor:
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
    if (min(query.ndim, key.ndim, value.ndim) < 2 or query.shape[-1] != key.shape[-1]
            or key.shape[-2] != value.shape[-2]):
        raise ShapeError("query (..., L, E), key (..., S, E) and value (..., S, V) must agree in E and S; their "
                         f"shapes are {query.shape}, {key.shape} and {value.shape}")
    if enable_gqa and key.shape[-3] != query.shape[-3]:
        heads, shared = query.shape[-3], key.shape[-3]
        if heads % shared:
            raise ValueError(f"{heads} query heads cannot be shared among {shared} key heads")
        which = np.repeat(np.arange(shared), heads // shared)
        key, value = key[..., which, :, :], value[..., which, :, :]
    rows, columns = query.shape[-2], key.shape[-2]
    scale = 1 / math.sqrt(max(query.shape[-1], 1)) if scale is None else scale

    def keep(mask):
        if dropout_p:
            lead = np.broadcast_shapes(query.shape[:-2], key.shape[:-2], () if mask is None else mask.shape[:-2])
            return keep_mask((*lead, rows, columns), dropout_p, query.dtype)
        return None

    mask = None
    if attn_mask is not None:
        if is_causal:
            raise ValueError("give attn_mask or is_causal, not both")
        attn_mask = as_tensor(attn_mask)
        if attn_mask.requires_grad:  # a learned bias: through elementary operations
            return _composition(query, key, value, mask=attn_mask, keep=keep(attn_mask), scale=scale)[0]
        mask = additive(attn_mask, query.dtype, False)
        try:
            np.broadcast_shapes(mask.shape[-2:], (rows, columns))
        except ValueError:
            raise ShapeError(f"attn_mask has shape {mask.shape}; it must broadcast to "
                             f"(..., {rows}, {columns})") from None
    elif is_causal:
        mask = causal(rows, columns, query.dtype)
    return _attention(query, key, value, mask=mask, keep=keep(mask), scale=scale)[0]


# Several heads

def multihead(query, key, value, heads, weights, bias, bias_k, bias_v, add_zero_attn, p, out_weight, out_bias, padding,
              need_weights, attn_mask, average, is_causal, batch_first=False, static_k=None, static_v=None):
    """What `multi_head_attention_forward` does; `weights` are the three of the projections, or one above the other."""
    single, e = query.ndim == 2, out_weight.shape[0]
    widths = (e, *[weights[i].shape[1] if len(weights) == 3 else e for i in (1, 2)])
    for what, x, width in zip(("query", "key", "value"), (query, key, value), widths, strict=True):
        if x.ndim != (2 if single else 3) or x.shape[-1] != width:
            raise ShapeError(f"{what} must have {2 if single else 3} axes, the last of length {width}; its shape "
                             f"is {x.shape}")
    if len(weights) == 1 and query is key is value:  # one product for all three
        both = linear(query, weights[0], bias)
        projected = [both[..., i * e:(i + 1) * e] for i in range(3)]
    else:
        weights = [weights[0][i * e:(i + 1) * e] for i in range(3)] if len(weights) == 1 else weights
        projected = [linear(x, w, None if bias is None else bias[i * e:(i + 1) * e])
                     for i, (x, w) in enumerate(zip((query, key, value), weights, strict=True))]

    def split(x):  # -> (B, heads, length, width)
        x = x.unsqueeze(1) if single else x.transpose(0, 1) if batch_first else x
        length, batch = x.shape[:2]
        return x.reshape((length, batch, heads, e // heads)).permute((1, 2, 0, 3))

    def extended(x, learned):  # with the learned key or value and zeros after those given
        parts = [x] if learned is None else [x, learned.reshape(1, heads, 1, -1).expand(batch, heads, 1, e // heads)]
        if add_zero_attn:
            parts.append(autograd.zeros(batch, heads, 1, e // heads, dtype=x.dtype))
        return autograd.cat(parts, 2) if parts[1:] else x

    q, k, v = map(split, projected)
    (batch, _, rows, _) = q.shape
    k, v = (x if static is None else static.reshape((batch, heads, *static.shape[1:]))
            for x, static in ((k, static_k), (v, static_v)))
    given = k.shape[2]
    mask = _mask_of_heads(padding, attn_mask, is_causal, (batch, heads, rows, given), q.dtype)
    k, v = extended(k, bias_k), extended(v, bias_v)
    if mask is not None:  # nothing hides what was appended
        mask = pad(mask, (0, k.shape[2] - given)) if k.shape[2] > given else mask
    weights = None
    if need_weights:
        weights, seen = attention_weights(q, k, mask, 1 / math.sqrt(e // heads))
        if seen is not None:  # who may look at nothing has weights 0 / 0
            seen = seen | ~seen.any(axis=-1, keepdims=True)
        weights = weights * keep_mask(weights.shape, p, q.dtype) if p else weights
        out = attended(weights, v, seen)
        weights = weights.mean(1) if average else weights
        weights = weights[0] if single else weights
    else:
        out = scaled_dot_product_attention(q, k, v, mask, p)
    out = linear(out.permute((2, 0, 1, 3)).reshape((rows, batch, e)), out_weight, out_bias)  # (L, B, E)
    return out[:, 0] if single else out.transpose(0, 1) if batch_first else out, weights


def _mask_of_heads(padding, attn, is_causal, shape, dtype):
    """Both masks as one, which is added to the scores (B, heads, L, S); None for none."""
    batch, heads, rows, columns = shape
    padding, attn = (None if mask is None else additive(mask, dtype, True) for mask in (padding, attn))
    if attn is None and is_causal:
        attn = causal(rows, columns, dtype)
    if attn is not None:
        if attn.shape not in ((rows, columns), (batch * heads, rows, columns)):
            raise ShapeError(f"attn_mask must have shape {(rows, columns)} or "
                             f"{(batch * heads, rows, columns)}, not {attn.shape}")
        attn = attn.reshape(-1, heads, rows, columns) if attn.ndim == 3 else attn
    if padding is not None:
        if padding.shape not in ((batch, columns), (columns,)[:1 if batch == 1 else 0]):
            raise ShapeError(f"key_padding_mask must have shape {(batch, columns)}, not {padding.shape}")
        padding = padding.reshape(-1, 1, 1, columns)
    return attn if padding is None else padding if attn is None else attn + padding


def multi_head_attention_forward(
        query: Tensor, key: Tensor, value: Tensor, embed_dim_to_check: int, num_heads: int,
        in_proj_weight: Tensor | None, in_proj_bias: Tensor | None, bias_k: Tensor | None, bias_v: Tensor | None,
        add_zero_attn: bool, dropout_p: float, out_proj_weight: Tensor, out_proj_bias: Tensor | None,
        training: bool = True, key_padding_mask: Tensor | None = None, need_weights: bool = True,
        attn_mask: Tensor | None = None, use_separate_proj_weight: bool = False, q_proj_weight: Tensor | None = None,
        k_proj_weight: Tensor | None = None, v_proj_weight: Tensor | None = None, static_k: Tensor | None = None,
        static_v: Tensor | None = None, average_attn_weights: bool = True,
        is_causal: bool = False) -> tuple[Tensor, Tensor | None]:
    """What `nn.MultiheadAttention` computes, with the parameters given; sequences come first: (L, B, E).

    Args:
        query: (L, B, E) or (L, E).
        key: (S, B, kdim), likewise.
        value: (S, B, vdim), likewise.
        embed_dim_to_check: E.
        num_heads: must divide E.
        in_proj_weight: the weights of the three projections above each other, (3E, E).
        in_proj_bias: (3E,) or None.
        bias_k: (1, 1, E), a key that is appended, or None.
        bias_v: (1, 1, E), a value that is appended, or None.
        add_zero_attn: append a key and a value of zeros.
        dropout_p: the probability with which attention weights are dropped in training.
        out_proj_weight: (E, E).
        out_proj_bias: (E,) or None.
        training: whether there is dropout.
        key_padding_mask: see `nn.MultiheadAttention.forward`.
        need_weights: whether to return the attention weights.
        attn_mask: see `nn.MultiheadAttention.forward`.
        use_separate_proj_weight: take the next three in the place of in_proj_weight.
        q_proj_weight: (E, E).
        k_proj_weight: (E, kdim).
        v_proj_weight: (E, vdim).
        static_k: (B · heads, S, E / heads), keys that stand in the place of the projected ones.
        static_v: likewise, values.
        average_attn_weights: return the weights averaged over heads.
        is_causal: with no attn_mask, let query i look at keys 0 to i only.

    Returns:
        The output, of the query's shape, and the weights (B, L, S), or None.
    """
    weights = [q_proj_weight, k_proj_weight, v_proj_weight] if use_separate_proj_weight else [in_proj_weight]
    if any(weight is None for weight in weights):
        raise ValueError("use_separate_proj_weight=True needs q_proj_weight, k_proj_weight and v_proj_weight, "
                         "False needs in_proj_weight")
    if query.shape[-1:] != (embed_dim_to_check,) or embed_dim_to_check % num_heads:
        raise ShapeError(f"the query has shape {query.shape}; its last axis must be embed_dim_to_check="
                         f"{embed_dim_to_check}, and num_heads={num_heads} must divide that")
    return multihead(query, key, value, num_heads, weights, in_proj_bias, bias_k, bias_v, add_zero_attn,
                     dropout_p if training else 0.0, out_proj_weight, out_proj_bias, key_padding_mask, need_weights,
                     attn_mask, average_attn_weights, is_causal, static_k=static_k, static_v=static_v)
