"""Losses: how far an output is from its target.

Every loss takes `reduction`: "mean", "sum", or "none" for one number an element (or an example); `size_average` and
`reduce` are PyTorch's older way to say it. What is ignored or weighs 0 doesn't count, whatever it is: nan, too.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np

import autograd
from autograd import Tensor, as_tensor, operation, relu, sigmoid, xlogy
from autograd.errors import ShapeError, warn
from autograd.linalg import vector_norm
from autograd.operations import single
from autograd.operations.norms import length
from autograd.operations.pointwise import above, floating
from autograd.operations.shaping import bare
from autograd.operations.softmax import _log_softmax_vjp
from autograd.runtime.buffers import short_buffers
from autograd.runtime.compiled import compilable
from autograd.runtime.copies import filled
from autograd.runtime.sums import added
from autograd.runtime.tracing import Symbol
from autograd.samples import call
from autograd.typing import TensorLike
from nn.functional.activation import softplus_anywhere
from nn.functional.precision import in_float32
from nn.functional.weighted import counting, times, weighted


def reduced(losses, reduction, size_average=None, reduce=None):
    """The mean or the sum of losses, or the losses themselves.

    Raises:
        ValueError: `reduction` is none of the three.
    """
    reduction = chosen(reduction, size_average, reduce)
    return losses if reduction == "none" else mean(losses, losses.numel()) if reduction == "mean" else losses.sum()


def chosen(reduction, size_average=None, reduce=None):
    """The reduction, by its name or in the older way.

    Raises:
        ValueError: there is none of that name.
        TypeError: it was given by position, where `size_average` is.
    """
    if size_average is not None or reduce is not None:
        if isinstance(size_average, str) or isinstance(reduce, str):
            raise TypeError(f"size_average={size_average!r}, reduce={reduce!r}: these are booleans; the name of a "
                            "reduction goes to `reduction`, e.g. reduction='sum'")
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
        warn(f"size_average and reduce are PyTorch's older form; write reduction={reduction!r}")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', not {reduction!r}")
    return reduction


def mean(losses, total):
    """The sum of losses over a total; of nothing it is nan, as in PyTorch, and has the gradient 0."""
    return losses.sum() / total if total else autograd.where(np.False_, losses.sum(), math.nan)


# Classification

def _check_classes(name, input, target, weight, ignore_index):
    """Refuse a target of class indices that does not fit scores of shape (N, C, ...) or (C,)."""
    if not input.ndim:
        raise ShapeError("input has no axes; it must have shape (N, C), (N, C, ...) or (C,), C being the classes")
    classes = input.shape[min(input.ndim - 1, 1)]
    expected = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    probabilities = f" or {input.shape} (class probabilities)"
    if input.dtype.kind != "f" and target.dtype.kind == "f":
        raise TypeError(f"the scores come first and are floating, but are {input.dtype} here, and the target is "
                        f"{target.dtype}: write {name}(scores, target)")
    if target.shape == input.shape and target.dtype.kind in "iub" and name == "cross_entropy":
        raise TypeError(f"the target has the input's shape {input.shape}, so it would hold class probabilities, but "
                        f"these are {target.dtype}; write target.float(), or give the indices of the classes: "
                        "target.argmax(1)")
    if target.shape != expected:
        raise ShapeError(f"for an input of shape {input.shape} ({classes} classes) the target must have shape "
                         f"{expected} (class indices)" + probabilities * (name == "cross_entropy") +
                         f", not {target.shape}")
    if target.dtype.kind not in "iu":
        raise TypeError(f"class indices must be integers, the target is {target.dtype}; write target.long(), "
                        f"or give class probabilities, of shape {input.shape}")
    if weight is not None and weight.shape != (classes,):
        raise ShapeError(f"weight must have one entry per class, shape ({classes},), not {weight.shape}")
    indices = np.asarray(target.array)
    if not indices.size or 0 <= np.minimum.reduce(indices, None) <= np.maximum.reduce(indices, None) < classes:
        return
    wrong = (indices != ignore_index) & ((indices < 0) | (indices >= classes))
    if wrong.any():
        raise IndexError(f"target {indices[wrong][0]} is out of range: there are {classes} classes, 0 to "
                         f"{classes - 1}" + (f", or {ignore_index} to be ignored" if ignore_index >= -1 else ""))


def _at(labels):
    """Where in scores (N, C, …) those of the labels (N, …) stand."""
    if labels.ndim == 1:  # as what follows, in less time
        return np.arange(len(labels)), labels
    first, *others = np.ogrid[tuple([slice(n) for n in labels.shape])]
    return first, labels, *others


def _examples(target, weight, ignore_index, dtype):
    """What each example counts (None if that is 1 for all), and its class (0 where it is ignored)."""
    counted = target != ignore_index
    everything = np.logical_and.reduce(counted, None)
    labels = target if everything else np.where(counted, target, 0)
    if weight is not None:
        return weight.astype(dtype, copy=False)[labels] * counted, labels
    return None if everything else counted.astype(dtype), labels


def _counting(losses, counts):
    return losses if counts is None else times(losses, counts)


def _over_examples(losses, counts, reduction):
    """Losses, reduced; the mean is over what the examples count."""
    if reduction == "none":
        return losses
    total = np.add.reduce(losses, None)
    if reduction == "sum":
        return total
    with np.errstate(invalid="ignore", divide="ignore"):  # every example ignored: nan, as in PyTorch
        return total / losses.dtype.type(losses.size if counts is None else counts.sum())


def _over_examples_vjp(g, counts, labels, reduction):
    return g / ((labels.size if counts is None else counts.sum()) or 1) if reduction == "mean" else g


def _of_each(g, counts, share, labels, dtype):
    """share · g · counts, for each example; 0 where one of these is, whatever g is."""
    if counts is None:
        return np.full(labels.shape, g * share if share else 0, dtype)
    return times(g, counts * dtype.type(share))


def _each_class(input, weight, label_smoothing):
    """What each class counts when labels are smoothed."""
    return None if not label_smoothing else np.ones(input.shape[1], input.dtype) if weight is None else weight.astype(
        input.dtype, copy=False)


@compilable("nn.compiled.loss")
def _surprise(input, labels, each):
    """Of (N, C, …), p being its softmax over C: -log p of the label, Σ each · -log p; exp(x - its largest), its sum."""
    with np.errstate(invalid="ignore"), short_buffers(input.size):
        below = input - input.max(axis=1, keepdims=True)  # inf - inf: nan, as it should be; nothing in a row ignored
        exponentials = np.exp(below)
        totals = added(exponentials, 1)
        log_totals = np.log(totals)
        losses = log_totals - below[_at(labels)]
        if each is None:
            return losses, None, exponentials, totals
        smooth = each.sum() * log_totals - np.moveaxis(below, 1, -1) @ each
    if not np.isfinite(smooth).all():  # what counts 0 may be infinite
        smooth = times(log_totals[:, None] - below, _along_classes(each, input.ndim)).sum(axis=1)
    return losses, smooth, exponentials, totals


@compilable("nn.compiled.loss")
def _slopes(exponentials, scales, labels, taken, smooth, each):
    """scale · exponentials - taken at the label - smooth · each, of which a scale of 0 leaves out what it scales."""
    with short_buffers(exponentials.size):
        gradient = exponentials * scales[:, None]
    if not scales.all():
        np.copyto(gradient, 0, where=(scales == 0)[:, None])
    gradient[_at(labels)] -= taken
    if each is not None:
        gradient -= smooth[:, None] * _along_classes(each, gradient.ndim)
    return gradient


def _along_classes(each, ndim):
    return each.reshape(-1, *[1] * (ndim - 2))


def _cross_entropy_forward(input, target, *, weight, ignore_index, reduction, label_smoothing):
    counts, labels = _examples(target, weight, ignore_index, input.dtype)
    losses, smooth, exponentials, totals = _surprise(input, labels, _each_class(input, weight, label_smoothing))
    losses = _counting(losses, counts)
    if label_smoothing:
        smooth = _counting(smooth, _examples(target, None, ignore_index, input.dtype)[0])
        losses = (1 - label_smoothing) * losses + smooth * (label_smoothing / input.shape[1])
    return _over_examples(losses, counts, reduction), exponentials, totals


def _cross_entropy_vjp(g, out, input, target, *, weight, ignore_index, reduction, label_smoothing, needs_input_grad):
    # loss = -Σ q log p, with q = taken at the label and smooth · each everywhere, has the gradient p Σq - q
    (g,), (_, exponentials, totals), dtype = g, out, input.dtype
    counts, labels = _examples(target, weight, ignore_index, dtype)
    g = _over_examples_vjp(g, counts, labels, reduction)
    taken = scales = _of_each(g, counts, 1 - label_smoothing, labels, dtype)
    each, smooth = _each_class(input, weight, label_smoothing), None
    if label_smoothing:
        counted = _examples(target, None, ignore_index, dtype)[0]
        smooth = _of_each(g, counted, label_smoothing / len(each), labels, dtype)
        scales = taken + smooth * each.sum()
    scales = scales / totals if counts is None else times(1 / totals, scales)
    return _slopes(exponentials, scales, labels, taken, smooth, each), None


def _cross_entropy_composition(input, target, *, weight, ignore_index, reduction, label_smoothing):
    classes = input.shape[1]
    each = np.ones(classes, input.dtype) if weight is None else weight.astype(input.dtype)
    counted = target != ignore_index
    labels = np.where(counted, target, 0)
    counts = each[labels] * counted
    q = np.eye(classes, dtype=input.dtype)[labels] * counts[..., None] * (1 - label_smoothing)
    q += counted[..., None] * each * (label_smoothing / classes)
    q = np.moveaxis(q, -1, 1)
    scores = autograd.where(q.any(axis=1, keepdims=True), input, 0.0)
    losses = -weighted(autograd.log_softmax(scores, 1), q).sum(1)
    return (losses if reduction == "none" else losses.sum() if reduction == "sum" else mean(losses, counts.sum()),)


def _label_samples(draw, **options):
    n, classes, size = draw.integer(1, 4), draw.integer(1, 4), draw.choice([(), (2, 1)])
    target = np.arange(n * math.prod(size)).reshape(n, *size) * 7 % classes
    target[-1] = draw.choice([target[-1], np.full(size, -100) if n > 1 else target[-1]])
    weight = draw.choice([None, np.linspace(0.5, 2, classes)])
    return call(draw.array(shape=(n, classes, *size)), target, weight=weight, ignore_index=-100,
                reduction=draw.choice(["mean", "sum", "none"]), **options)


_cross_entropy = operation(
    _cross_entropy_forward, joint_vjp=_cross_entropy_vjp, composition=_cross_entropy_composition, outputs="loss",
    names="_cross_entropy",
    samples=lambda draw: _label_samples(draw, label_smoothing=draw.choice([0.0, 0.25])))


@in_float32
def cross_entropy(input: TensorLike, target: TensorLike, weight: TensorLike | None = None,
                  size_average: bool | None = None, ignore_index: int = -100, reduce: bool | None = None,
                  reduction: str = "mean", label_smoothing: float = 0.0) -> Tensor:
    """-log softmax(input)[target], from scores to the loss in one step.

    Args:
        input: scores (logits) of shape (N, C), (N, C, d1, …) or (C,): C classes.
        target: class indices, integers of input's shape without C; or class probabilities, of input's shape.
        weight: what each class counts, (C,).
        ignore_index: examples of this class count nothing.
        reduction: "mean" (over what the examples' classes weigh), "sum" or "none".
        size_average, reduce: PyTorch's older form of `reduction`.
        label_smoothing: how much of each target is spread over all classes, 0 to 1 (Szegedy et al. 2015).

    Raises:
        ValueError: shapes do not fit.
        IndexError: a class index is out of range.

    >>> cross_entropy(autograd.zeros(2, 10), autograd.tensor([3, 7]))    # log 10
    tensor(2.3026)
    """
    reduction = chosen(reduction, size_average, reduce)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be between 0 and 1, not {label_smoothing}")
    input, target = as_tensor(input), as_tensor(target)
    weight = None if weight is None else as_tensor(weight).detach().to(input.dtype)
    if target.shape == input.shape and target.dtype.kind == "f":
        return _of_classes(_cross_entropy_of_probabilities, input, _probabilities(target, weight, label_smoothing),
                           reduction=reduction)
    _check_classes("cross_entropy", input, target, weight, ignore_index)
    return _of_classes(_cross_entropy, input, target, weight=weight, ignore_index=ignore_index, reduction=reduction,
                       label_smoothing=label_smoothing)


def _of_classes(loss, input, target, **options):
    """A loss of scores (N, C, …) and classes (N, …), or of one row of scores (C,)."""
    if input.ndim > 1:
        return loss(input, target, **options)[0]
    losses = loss(input.unsqueeze(0), target.unsqueeze(0), **options)[0]
    return losses.squeeze(0) if losses.ndim else losses


def _of_probabilities_forward(input, q, *, reduction):
    log_p = autograd.log_softmax(_where_any(q, input), 1)
    return _over_examples(-times(log_p, q).sum(axis=1), None, reduction), log_p


def _where_any(q, input):
    """The scores, with 0 in a row where nothing counts."""
    counted = q.any(axis=1, keepdims=True)
    return input if counted.all() else autograd.where(counted, input, 0.0)


def _of_probabilities_vjp(g, out, input, q, *, reduction, needs_input_grad):
    g, log_p = -_over_examples_vjp(g[0], None, q[:, :1], reduction), out[1]
    g = g[:, None] if reduction == "none" else g
    return _log_softmax_vjp(times(g, q), log_p, input, 1, None), g * log_p if needs_input_grad[1] else None


def _of_probabilities_composition(input, q, *, reduction):
    scores = _where_any(bare(q), input)
    return (reduced(-weighted(autograd.log_softmax(scores, 1), q).sum(1), reduction),)


_cross_entropy_of_probabilities = operation(
    _of_probabilities_forward, joint_vjp=_of_probabilities_vjp, composition=_of_probabilities_composition,
    outputs="loss", names="_cross_entropy_of_probabilities",
    samples=lambda draw: call(draw.array((3, 2)), draw.array((3, 2), low=0.25, high=1),
                              reduction=draw.choice(["mean", "sum", "none"])))


def _probabilities(target, weight, label_smoothing):
    """What each class of each example counts."""
    classes = min(target.ndim - 1, 1)
    if label_smoothing:
        target = target * (1 - label_smoothing) + label_smoothing / target.shape[classes]
    return target if weight is None else target * _along_classes(weight, target.ndim + 1 - classes)


def _nll_forward(input, target, *, weight, ignore_index, reduction):
    counts, labels = _examples(target, weight, ignore_index, input.dtype)
    losses = _counting(-input[_at(labels)], counts)
    return (_over_examples(losses, counts, reduction),)


def _nll_vjp(g, out, input, target, *, weight, ignore_index, reduction, needs_input_grad):
    counts, labels = _examples(target, weight, ignore_index, input.dtype)
    g, gradient = _over_examples_vjp(g[0], counts, labels, reduction), filled(input.shape, 0, input.dtype)
    gradient[_at(labels)] = _of_each(-g, counts, 1, labels, input.dtype)
    return gradient, None


def _nll_composition(input, target, *, weight, ignore_index, reduction):
    counts, labels = _examples(target, weight, ignore_index, input.dtype)
    losses = -input[_at(labels)]
    losses = losses if counts is None else weighted(losses, counts)
    total = labels.size if counts is None else counts.sum()
    return (losses if reduction == "none" else losses.sum() if reduction == "sum" else mean(losses, total),)


_nll_loss = operation(
    _nll_forward, joint_vjp=_nll_vjp, composition=_nll_composition, outputs="loss", names="_nll_loss",
    samples=_label_samples)


@in_float32
def nll_loss(input: TensorLike, target: TensorLike, weight: TensorLike | None = None, size_average: bool | None = None,
             ignore_index: int = -100, reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """-input[target]: the negative log likelihood, given log probabilities; arguments as in `cross_entropy`."""
    reduction = chosen(reduction, size_average, reduce)
    input, target = as_tensor(input), as_tensor(target)
    weight = None if weight is None else as_tensor(weight).detach().to(input.dtype)
    _check_classes("nll_loss", input, target, weight, ignore_index)
    return _of_classes(_nll_loss, input, target, weight=weight, ignore_index=ignore_index, reduction=reduction)


def _hinges(input, labels, margin, counts):
    """By how much each class comes too close to the label's; 0 of the label itself, and of what doesn't count."""
    at = _at(labels)
    with np.errstate(invalid="ignore"):
        hinges = input - input[at][:, None]
    hinges += margin
    hinges[at] = 0
    if counts is not None:
        hinges[counts == 0] = 0
    return above(hinges, 0)


def _weights(labels, weight, dtype):
    return None if weight is None else weight.astype(dtype, copy=False)[labels]


def _multi_margin_forward(input, target, *, p, margin, weight, reduction):
    counts = _weights(target, weight, input.dtype)
    hinges = _hinges(input, target, margin, counts)
    losses = (hinges if p == 1 else hinges * hinges).sum(axis=1) / input.dtype.type(input.shape[1])
    return _over_examples(_counting(losses, counts), None, reduction), hinges


def _multi_margin_vjp(g, out, input, target, *, p, margin, weight, reduction, needs_input_grad):
    counts, hinges = _weights(target, weight, input.dtype), out[1]
    g = _of_each(_over_examples_vjp(g[0], None, target, reduction), counts, p / input.shape[1], target, input.dtype)
    gradient = times(g[:, None], hinges != 0 if p == 1 else hinges)
    gradient[_at(target)] = -added(gradient, 1)
    return gradient, None


def _multi_margin_composition(input, target, *, p, margin, weight, reduction):
    at, others = _at(target), np.ones(input.shape, input.dtype)
    others[at] = 0
    if weight is not None:
        others *= weight[target][:, None].astype(input.dtype)
    hinges = relu(counting(input - input[at].unsqueeze(1) + margin, others))
    losses = weighted(hinges if p == 1 else hinges * hinges, others).sum(1) / input.shape[1]
    return (reduced(losses, reduction),)


_multi_margin = operation(
    _multi_margin_forward, joint_vjp=_multi_margin_vjp, composition=_multi_margin_composition, outputs="loss",
    names="_multi_margin", samples=lambda draw: call(
        draw.array((3, 4), distinct=True), np.array([1, 0, 3]), p=draw.choice([1, 2]), margin=10.0,
        weight=draw.choice([None, np.linspace(0, 2, 4)]), reduction=draw.choice(["mean", "sum", "none"])))


@in_float32
def multi_margin_loss(input: TensorLike, target: TensorLike, p: float = 1, margin: float = 1.0,
                      weight: TensorLike | None = None, size_average: bool | None = None, reduce: bool | None = None,
                      reduction: str = "mean") -> Tensor:
    """The multiclass SVM's hinge: the sum over j ≠ y of max(0, margin - x_y + x_j)^p, over the number of classes.

    Args:
        input: scores, (N, C) or (C,).
        target: class indices, (N,) or ().
        p: 1, or 2 for the squared hinge.
        margin: by how much the right score is to exceed the others.
        weight: what each class counts, (C,).
        size_average, reduce: PyTorch's older form of `reduction`.
        reduction: "mean", "sum" or "none".
    """
    input, target = as_tensor(input), as_tensor(target)
    if p not in (1, 2):
        raise ValueError(f"p must be 1 or 2, not {p}")
    if input.ndim > 2:
        raise ShapeError(f"input must have shape (N, C) or (C,), not {input.shape}")
    _check_classes("multi_margin_loss", input, target, weight, -1 << 62)
    return _of_classes(_multi_margin, input, target, p=p, margin=margin,
                       reduction=chosen(reduction, size_average, reduce),
                       weight=None if weight is None else as_tensor(weight).detach())


# Elementwise differences

def _pair(name, input, target):
    """Both as Tensors; PyTorch's warning if their shapes differ."""
    input, target = as_tensor(input), as_tensor(target)
    if input.shape != target.shape:
        warn(f"{name}: the input has shape {input.shape} and the target {target.shape}; they are broadcast, which is "
             "rarely meant: give them one shape")
    return input, target


def _check_weight(weight, input):
    if weight is not None and as_tensor(weight).shape != input.shape:
        raise ShapeError(f"weight must have the input's shape {input.shape}, not {as_tensor(weight).shape}")


def _same_shape(input, target):
    input, target = as_tensor(input), as_tensor(target)
    if input.shape != target.shape:
        raise ShapeError(f"the target must have the input's shape {input.shape}, not {target.shape}")
    return input, target


@in_float32
def mse_loss(input: TensorLike, target: TensorLike, size_average: bool | None = None, reduce: bool | None = None,
             reduction: str = "mean", weight: TensorLike | None = None) -> Tensor:
    """(x - y)²; with weights the mean is over what they add up to."""
    input, target = _pair("mse_loss", input, target)
    _check_weight(weight, input)
    return _weighted_reduction(counting(input - target, weight).square(), weight, reduction, size_average, reduce)


@in_float32
def l1_loss(input: TensorLike, target: TensorLike, size_average: bool | None = None, reduce: bool | None = None,
            reduction: str = "mean", weight: TensorLike | None = None) -> Tensor:
    """|x - y|; with weights the mean is over what they add up to."""
    input, target = _pair("l1_loss", input, target)
    _check_weight(weight, input)
    losses = counting(input - target, weight).abs()
    return _weighted_reduction(losses, weight, reduction, size_average, reduce)


def _weighted_reduction(losses, weight, reduction, size_average, reduce):
    losses = losses if weight is None else weighted(losses, weight)
    if weight is not None and chosen(reduction, size_average, reduce) == "mean":
        return losses.sum() / as_tensor(weight).sum()
    return reduced(losses, reduction, size_average, reduce)


def _huber_forward(d, *, delta, slope):
    near = np.clip(d, -delta, delta)
    return _share(near, delta, slope) * (d - 0.5 * near)


def _share(near, delta, slope):
    """slope · near / delta: near / delta is at most 1, however small delta is."""
    near = near if delta == 1 else near / delta
    return near if slope == 1 else near * slope


_huber = operation(
    _huber_forward, vjps=lambda g, out, d, delta, slope: g * _share(np.clip(d, -delta, delta), delta, slope),
    names="_huber", samples=lambda draw: call(draw.array(away_from=(-0.5, 0, 0.5)), delta=0.5,
                                              slope=draw.choice([0.5, 1.0])),
    doc="slope d² / (2 delta) where |d| is below delta, beyond the line slope (|d| - delta / 2).")


@in_float32
def huber_loss(input: TensorLike, target: TensorLike, reduction: str = "mean", delta: float = 1.0,
               weight: TensorLike | None = None) -> Tensor:
    """d² / 2 where d = |x - y| is below delta, else delta (d - delta / 2) (Huber 1964)."""
    if delta <= 0:
        raise ValueError(f"delta must be positive, not {delta}")
    input, target = _pair("huber_loss", input, target)
    _check_weight(weight, input)
    difference = counting(input - target, weight)
    losses = _huber(difference, delta=float(delta), slope=float(delta))
    return reduced(losses if weight is None else weighted(losses, weight), reduction)


@in_float32
def smooth_l1_loss(input: TensorLike, target: TensorLike, size_average: bool | None = None, reduce: bool | None = None,
                   reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """d² / (2 beta) where d = |x - y| is below beta, else d - beta / 2 (Girshick 2015); the L1 loss for beta = 0."""
    if beta < 0:
        raise ValueError(f"beta must not be negative, it is {beta}")
    input, target = _pair("smooth_l1_loss", input, target)
    difference = input - target
    losses = _huber(difference, delta=float(beta), slope=1.0) if beta else difference.abs()
    return reduced(losses, reduction, size_average, reduce)


# Distributions

LEAST_LOG = -100.0
"""Where `binary_cross_entropy` cuts logarithms off, as PyTorch does."""


def _cut_log(x):
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(x), LEAST_LOG)


_log = operation(_cut_log, vjps=lambda g, out, x: np.where(out > LEAST_LOG, g / np.where(out > LEAST_LOG, x, 1), 0),
                 names="_log_cut_off", samples=lambda draw: call(draw.array(low=0.25, high=1)))

_bce = operation(
    lambda x, y: -(y * _log(x) + (1 - y) * _log(1 - x)), names="_bce",
    vjps=(lambda g, out, x, y: g * ((x - y) / np.maximum((1 - x) * x, 1e-12)),
          lambda g, out, x, y: g * (_log(1 - x) - _log(x))),
    samples=lambda draw: call(*draw.broadcastable(2, low=0.125, high=0.875)))


@in_float32
def binary_cross_entropy(input: TensorLike, target: TensorLike, weight: TensorLike | None = None,
                         size_average: bool | None = None, reduce: bool | None = None,
                         reduction: str = "mean") -> Tensor:
    """-(y log x + (1 - y) log(1 - x)) for probabilities x; logarithms are cut off at -100, as in PyTorch."""
    input, target = _same_shape(input, target)
    for name, t in (("input", input), ("target", target)):
        if t.numel() and not 0 <= t.array.min() <= t.array.max() <= 1:
            raise ValueError(f"the {name} must be probabilities, but it reaches from "
                             f"{t.array.min()} to {t.array.max()}; for scores use binary_cross_entropy_with_logits")
    losses = _bce(counting(input, weight), target)
    return reduced(losses if weight is None else weighted(losses, weight), reduction, size_average, reduce)


def _logits_forward(x, y, pos_weight):
    smaller = single.log1p(np.exp(-np.abs(x)))
    if pos_weight is None and not isinstance(x, Symbol) and np.isfinite(x).all():  # -log σ(x) = max(-x, 0) + smaller
        return above(-x, 0) * y + above(x, 0) * (1 - y) + smaller
    return (times(above(-x, 0) + smaller, y if pos_weight is None else y * pos_weight)
            + times(above(x, 0) + smaller, 1 - y))


def _logits_slope(x, y, pos_weight):
    if pos_weight is None:
        return sigmoid(x) - y
    return (1 - y) * sigmoid(x) - y * pos_weight * sigmoid(-x)


def _logits_slope_in_target(x, pos_weight):
    return -x if pos_weight is None else pos_weight * softplus_anywhere(-x) - softplus_anywhere(x)


_bce_with_logits = operation(
    _logits_forward, names="_bce_with_logits",
    vjps=(lambda g, out, x, y, pos_weight: g * _logits_slope(x, y, pos_weight),
          lambda g, out, x, y, pos_weight: g * _logits_slope_in_target(x, pos_weight),
          lambda g, out, x, y, pos_weight: g * y * softplus_anywhere(-x)),
    samples=lambda draw: call(*draw.broadcastable(2), draw.choice([None, np.array(1.5)])))


@in_float32
def binary_cross_entropy_with_logits(input: TensorLike, target: TensorLike, weight: TensorLike | None = None,
                                     size_average: bool | None = None, reduce: bool | None = None,
                                     reduction: str = "mean", pos_weight: TensorLike | None = None) -> Tensor:
    """-(y log σ(x) + (1 - y) log(1 - σ(x))), without overflow; `pos_weight` multiplies the first term."""
    input, target = _same_shape(input, target)
    losses = _bce_with_logits(counting(input, weight), target, pos_weight)
    return reduced(losses if weight is None else weighted(losses, weight), reduction, size_average, reduce)


_x_log_x = operation(lambda x: xlogy(x, x), vjps=lambda g, out, x: g * (np.log(x) + 1), names="_x_log_x",
                     samples=lambda draw: call(draw.array(low=0.25, high=3)), doc="x log x: 0 at 0, and nan below.")


@in_float32
def kl_div(input: TensorLike, target: TensorLike, size_average: bool | None = None, reduce: bool | None = None,
           reduction: str = "mean", log_target: bool = False) -> Tensor:
    """y (log y - x) for log probabilities x and probabilities y (log y if `log_target`).

    "batchmean", the sum over the size of the batch, is the mathematical divergence; "mean" divides by all elements.
    """
    input, target = as_tensor(input), as_tensor(target)
    if log_target:
        impossible = np.isneginf(target.array)
        losses = weighted(autograd.where(impossible, 0.0, target - input), target.exp())
    else:
        losses = _x_log_x(target) - weighted(input, target)
    missing = np.isnan(input.array)
    losses = autograd.where(missing, input, losses) if missing.any() else losses  # where the target is 0, too
    if reduction == "batchmean" and size_average is None and reduce is None:
        return mean(losses, input.shape[0])
    return reduced(losses, reduction, size_average, reduce)


@in_float32
def poisson_nll_loss(input: TensorLike, target: TensorLike, log_input: bool = True, full: bool = False,
                     size_average: bool | None = None, eps: float = 1e-8, reduce: bool | None = None,
                     reduction: str = "mean") -> Tensor:
    """exp(x) - y x, or x - y log(x + eps) without `log_input`; `full` adds Stirling's log y! where y > 1."""
    input, target = as_tensor(input), as_tensor(target)
    losses = input.exp() - weighted(input, target) if log_input else input - weighted((input + eps).log(), target)
    if full:
        small = target.array <= 1
        large = autograd.where(small, 1.0, target)
        stirling = large * large.log() - large + 0.5 * (2 * math.pi * large).log()
        losses = losses + autograd.where(small, 0.0, stirling)
    return reduced(losses, reduction, size_average, reduce)


@in_float32
def gaussian_nll_loss(input: TensorLike, target: TensorLike, var: TensorLike, full: bool = False, eps: float = 1e-6,
                      reduction: str = "mean") -> Tensor:
    """(log v + (x - y)² / v) / 2 with v = max(var, eps); `full` adds log(2π) / 2 (Nix & Weigend 1994)."""
    input, target = as_tensor(input), as_tensor(target)
    var = as_tensor(var if np.ndim(var) or isinstance(var, Tensor) else autograd.full((), var, dtype=input.dtype))
    if var.shape == input.shape[:-1] and var.ndim:
        var = var.unsqueeze(-1)
    if var.ndim and (var.ndim != input.ndim or any(n not in (1, m) for n, m in zip(var.shape, input.shape,
                                                                                   strict=True))):
        raise ShapeError(f"var has shape {var.shape}; for an input of shape {input.shape} it must "
                         "have that shape, or 1 along some axes, or lack the last one")
    if var.numel() and var.array.min() < 0:
        raise ValueError(f"var must not be negative, its smallest entry is {var.array.min()}")
    var = var + np.maximum(eps - var.array, 0).astype(var.dtype)  # the gradient passes as if nothing were cut off
    difference = input - target
    losses = 0.5 * (var.log() + difference * difference / var)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


# Margins and similarities

def _cosine_forward(x1, x2, *, dim, eps):
    norms = [length(x, 2, dim, True) for x in (x1, x2)]
    one, other = (floating(x) / np.maximum(norm, eps) for x, norm in zip((x1, x2), norms, strict=True))
    return (one * other).sum(dim), one, other, *norms


def _cosine_vjp(g, out, x1, x2, *, dim, eps, needs_input_grad):
    g, (cosine, one, other, *norms) = np.expand_dims(g[0], dim), out
    cosine = np.expand_dims(cosine, dim)
    return [g * (b - a * (cosine * (norm >= eps))) / np.maximum(norm, eps)  # a norm below eps is no longer one of x
            for a, b, norm in zip((one, other), (other, one), norms, strict=True)]


def _cosine_composition(x1, x2, *, dim, eps):
    one, other = (x / autograd.clamp(vector_norm(x, 2, dim, True), min=eps) for x in (x1, x2))
    return ((one * other).sum(dim),)


_cosine = operation(
    _cosine_forward, joint_vjp=_cosine_vjp, composition=_cosine_composition, outputs="cosine", names="_cosine",
    samples=lambda draw: call(draw.array((2, 3), low=0.5), draw.array((2, 3), low=0.5), dim=draw.choice([0, 1]),
                              eps=draw.choice([1e-8, 100.0])))


@in_float32
def cosine_similarity(x1: TensorLike, x2: TensorLike, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1 · x2 / (max(‖x1‖, eps) max(‖x2‖, eps)) along `dim`, after broadcasting."""
    return _cosine(*autograd.broadcast_tensors(as_tensor(x1), as_tensor(x2)), dim=dim, eps=eps)[0]


@in_float32
def pairwise_distance(x1: TensorLike, x2: TensorLike, p: float = 2.0, eps: float = 1e-6,
                      keepdim: bool = False) -> Tensor:
    """‖x1 - x2 + eps‖_p over the last axis."""
    return vector_norm(as_tensor(x1) - x2 + eps, p, -1, keepdim)


@in_float32
def cosine_embedding_loss(input1: TensorLike, input2: TensorLike, target: TensorLike, margin: float = 0.0,
                          size_average: bool | None = None, reduce: bool | None = None,
                          reduction: str = "mean") -> Tensor:
    """1 - cos where target is 1, max(0, cos - margin) where it is -1; each squared norm is 1e-12 larger in cos."""
    target = as_tensor(target)
    both = autograd.broadcast_tensors(as_tensor(input1), as_tensor(input2))
    if target.shape != both[0].shape[:-1]:
        raise ShapeError(f"inputs of shapes {input1.shape} and {input2.shape} need a target of "
                         f"shape {both[0].shape[:-1]}, not {target.shape}")
    both = [counting(x, np.abs(target.array[..., None]) == 1) for x in both]
    one, other = (x / autograd.hypot(vector_norm(x, 2, -1, True), np.asarray(1e-6, x.dtype)) for x in both)
    cosine = (one * other).sum(-1)
    losses = (autograd.where(target.array == 1, 1 - cosine, 0.0)
              + autograd.where(target.array == -1, (cosine - margin).clamp(min=0), 0.0))
    return reduced(losses, reduction, size_average, reduce)


@in_float32
def margin_ranking_loss(input1: TensorLike, input2: TensorLike, target: TensorLike, margin: float = 0.0,
                        size_average: bool | None = None, reduce: bool | None = None,
                        reduction: str = "mean") -> Tensor:
    """max(0, -y (x1 - x2) + margin): y = 1 wants x1 larger, y = -1 wants x2 larger."""
    losses = (-as_tensor(target) * (as_tensor(input1) - input2) + margin).clamp(min=0)
    return reduced(losses, reduction, size_average, reduce)


def triplet_margin_loss(anchor: TensorLike, positive: TensorLike, negative: TensorLike, margin: float = 1.0,
                        p: float = 2.0, eps: float = 1e-6, swap: bool = False, size_average: bool | None = None,
                        reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """max(0, d(anchor, positive) - d(anchor, negative) + margin) (Schroff et al. 2015).

    `swap` takes the smaller of d(anchor, negative) and d(positive, negative).
    """
    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=lambda a, b: pairwise_distance(a, b, p, eps), margin=margin,
        swap=swap, reduction=chosen(reduction, size_average, reduce))


@in_float32
def triplet_margin_with_distance_loss(anchor: TensorLike, positive: TensorLike, negative: TensorLike, *,
                                      distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
                                      margin: float = 1.0, swap: bool = False, reduction: str = "mean") -> Tensor:
    """`triplet_margin_loss` with a distance of your own."""
    anchor, positive, negative = map(as_tensor, (anchor, positive, negative))
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise ShapeError("anchor, positive and negative must have the same number of axes; their "
                         f"shapes are {anchor.shape}, {positive.shape} and {negative.shape}")
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = autograd.minimum(far, distance(positive, negative))
    return reduced((margin + near - far).clamp(min=0), reduction)


@in_float32
def hinge_embedding_loss(input: TensorLike, target: TensorLike, margin: float = 1.0, size_average: bool | None = None,
                         reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """x where target is 1, max(0, margin - x) where it is -1."""
    input, target = as_tensor(input), as_tensor(target)
    losses = (autograd.where(target.array == -1, 0.0, input)
              + autograd.where(target.array == 1, 0.0, (margin - input).clamp(min=0)))
    return reduced(losses, reduction, size_average, reduce)


@in_float32
def soft_margin_loss(input: TensorLike, target: TensorLike, size_average: bool | None = None,
                     reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """log(1 + exp(-y x)) for y = ±1."""
    input, target = _same_shape(input, target)
    return reduced(softplus_anywhere(-target * input), reduction, size_average, reduce)


@in_float32
def multilabel_soft_margin_loss(input: TensorLike, target: TensorLike, weight: TensorLike | None = None,
                                size_average: bool | None = None, reduce: bool | None = None,
                                reduction: str = "mean") -> Tensor:
    """The mean over classes of the binary cross entropy with logits."""
    input, target = _same_shape(input, target)
    losses = _bce_with_logits(counting(input, weight), target, None)
    losses = (losses if weight is None else weighted(losses, weight)).mean(-1)
    return reduced(losses, reduction, size_average, reduce)


@in_float32
def multilabel_margin_loss(input: TensorLike, target: TensorLike, size_average: bool | None = None,
                           reduce: bool | None = None, reduction: str = "mean") -> Tensor:
    """The sum of max(0, 1 - x_y + x_j) over labels y and other classes j, over the number of classes.

    input (N, C) or (C,); target of the same shape: each row the labels, ended by the first -1.
    """
    input, target = _same_shape(input, target)
    if input.ndim not in (1, 2):
        raise ShapeError(f"input must have shape (N, C) or (C,), not {input.shape}")
    x, labels = input if input.ndim > 1 else input.unsqueeze(0), target.numpy().reshape(-1, target.shape[-1])
    n, classes = x.shape
    valid = np.cumprod(labels >= 0, axis=1).astype(bool)
    picked = np.where(valid, labels, 0)
    if picked.max(initial=-1) >= classes:
        raise IndexError(f"target {picked.max()} is out of range: there are {classes} classes, 0 to {classes - 1}")
    is_label = np.zeros((n, classes), bool)
    rows = np.broadcast_to(np.arange(n)[:, None], picked.shape)
    is_label[rows[valid], picked[valid]] = True
    counted = (valid[:, :, None] & ~is_label[:, None, :]).astype(x.dtype)
    hinge = relu(counting(1 - x[rows, picked].unsqueeze(2) + x.unsqueeze(1), counted))  # (N, labels, C)
    losses = weighted(hinge, counted).sum((1, 2)) / classes
    return reduced(losses if input.ndim == 2 else losses.squeeze(0), reduction, size_average, reduce)


# Sequences

def _nothing(dtype):
    """A logarithm of 0 that is finite, so that no derivative is nan."""
    return np.asarray(-1e30 if dtype == np.float64 else -1e25, dtype)


def _ends(states, input_lengths, target_lengths):
    """Which states (N, states) a whole alignment may end in: the last blank, and the last label if there is one."""
    last = 2 * target_lengths[:, None]
    return (np.arange(states) == last) | ((np.arange(states) == last - 1) & (last > 0))


@compilable("nn.compiled.loss")
def _alignments_forward(emissions, *, skip, on_path, input_lengths, target_lengths):
    """The losses, and what share of all alignments goes through each state (Graves et al. 2006, section 4.1).

    Alignments are counted from the start and, of the same examples in reverse, from the end: both are the same steps.
    """
    (steps, count, states), minus = emissions.shape, _nothing(emissions.dtype)
    emissions = np.where(on_path, np.maximum(emissions, minus), minus)
    examples, time, state = np.arange(count)[:, None], np.arange(steps)[:, None], np.arange(states)
    mirrored_time = np.maximum(input_lengths - 1 - time, 0)[:, :, None]  # (T, N, 1)
    mirrored_state = np.maximum(2 * target_lengths[:, None] - state, 0)  # (N, states)
    of_mirrored = mirrored_time, examples, mirrored_state
    both = np.concatenate([emissions, emissions[of_mirrored]], axis=1)
    may_skip = np.concatenate([skip, skip[examples, np.minimum(mirrored_state + 2, states - 1)]])
    missing = np.zeros((3, 2 * count, states), emissions.dtype)  # for a state, the one before and two before
    missing[0] = np.where(may_skip, 0, minus)
    missing[0, :, :2] = minus

    alphas = np.full((steps + 1, 2 * count, states + 2), minus)  # log of how many are in a state after a step,
    alphas[0, :, 2] = 0
    arriving = np.empty(both.shape, emissions.dtype)  # and without what the state itself contributes
    windows = np.lib.stride_tricks.sliding_window_view(alphas, states, axis=2).transpose(0, 2, 1, 3)
    parts, top, total = np.empty_like(missing), np.empty_like(both[:1])[0], np.empty_like(both[:1])[0]
    for t in range(steps):
        np.add(windows[t], missing, out=parts)
        np.maximum(parts[0], parts[1], out=top)
        np.maximum(top, parts[2], out=top)
        parts -= top
        np.exp(parts, out=parts)
        np.add(parts[0], parts[1], out=total)
        total += parts[2]
        np.add(np.log(total, out=total), top, out=arriving[t])
        np.add(arriving[t], both[t], out=alphas[t + 1, :, 2:])
    final = alphas[input_lengths, np.arange(count), 2:]
    final = np.where(_ends(states, input_lengths, target_lengths), final, minus)
    top = final.max(axis=1)
    losses = -(np.log(np.exp(final - top[:, None]).sum(axis=1)) + top)
    with np.errstate(over="ignore", invalid="ignore"):  # where there is no alignment
        shares = np.exp(alphas[1:, :count, 2:] + arriving[:, count:][of_mirrored] + losses[:, None])
    return losses, np.where(on_path & (losses < -minus / 2)[:, None] | np.isnan(losses)[:, None], shares, 0)


def _alignments_vjp(g, out, emissions, *, skip, on_path, input_lengths, target_lengths, needs_input_grad):
    (g,), (_, shares) = g, out
    return (shares * -g[:, None],)


def _alignments_step_by_step(emissions, *, skip, on_path, input_lengths, target_lengths):
    """The same from elementary operations."""
    (steps, count, states), dtype, minus = emissions.shape, emissions.dtype, _nothing(emissions.dtype)
    gap = autograd.full((count, 1), minus.item(), dtype=dtype)
    alpha = autograd.where(np.arange(states) < 1, np.zeros((count, states), dtype), minus)  # after no step
    alphas = [alpha]
    for t in range(steps):
        before = autograd.cat([gap, alpha[:, :-1]], 1)
        two_before = autograd.where(skip, autograd.cat([gap, before[:, :-1]], 1), minus)
        arriving = autograd.logsumexp(autograd.stack([alpha, before, two_before]), 0)
        alpha = autograd.where(on_path[t], emissions[t] + arriving, minus)
        alphas.append(alpha)
    final = autograd.stack(alphas)[input_lengths, np.arange(count)]  # (N, states)
    return (-autograd.logsumexp(autograd.where(_ends(states, input_lengths, target_lengths), final, minus), 1),)


def _alignment_samples(draw):
    skip, on_path = np.zeros((1, 5), bool), np.zeros((4, 1, 5), bool)
    skip[0, 3] = draw.boolean()
    lengths, labels = np.array([draw.choice([3, 4])]), np.array([2])
    return call(draw.array(shape=on_path.shape), skip=skip, on_path=_on_path(4, skip, lengths, labels),
                input_lengths=lengths, target_lengths=labels)


_alignments = operation(
    _alignments_forward, joint_vjp=_alignments_vjp, composition=_alignments_step_by_step, outputs="losses",
    names="_alignments", samples=_alignment_samples)


@in_float32
def ctc_loss(log_probs: TensorLike, targets: TensorLike, input_lengths: TensorLike | Sequence[int],
             target_lengths: TensorLike | Sequence[int], blank: int = 0, reduction: str = "mean",
             zero_infinity: bool = False) -> Tensor:
    """-log of the probability of all alignments of a target with an input (Graves et al. 2006).

    Args:
        log_probs: log probabilities, (T, N, C) or (T, C).
        targets: labels without blanks, (N, S), or all of them one after the other.
        input_lengths: how many steps of each example count, (N,).
        target_lengths: how many labels of each example count, (N,).
        blank: the class that stands for no label.
        reduction: "mean" first divides each loss by its target's length.
        zero_infinity: 0 instead of infinity (and no gradient) where the target does not fit the input.
    """
    chosen(reduction)
    log_probs = as_tensor(log_probs)
    single = log_probs.ndim == 2
    if single:
        log_probs = log_probs.unsqueeze(1)
    steps, count, classes = log_probs.shape
    targets, input_lengths, target_lengths = (np.atleast_1d(np.asarray(as_tensor(a).array))
                                              for a in (targets, input_lengths, target_lengths))
    if not input_lengths.shape == target_lengths.shape == (count,) or not all(0 <= n <= steps for n in input_lengths):
        raise ShapeError(f"log_probs has shape {log_probs.shape}, so input_lengths and target_lengths must "
                         f"have {count} entries, the former from 0 to {steps}; they are {input_lengths} and "
                         f"{target_lengths}")
    labels = _padded_targets(targets, target_lengths, blank, classes)
    # blanks around all labels; each state is reached from itself, the one before, and, if the label differs, two before
    states = np.full((count, 2 * labels.shape[1] + 1), blank)
    states[:, 1::2] = labels
    skip = np.zeros(states.shape, bool)
    skip[:, 2:] = (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])
    on_path = _on_path(steps, skip, input_lengths, target_lengths)  # (T, N, 2S + 1)
    # What lies on no path from the start to the end is neither looked at nor given a gradient
    emissions = autograd.where(on_path, log_probs[:, np.arange(count)[:, None], states], 0.0)
    losses = _alignments(emissions, skip=skip, on_path=on_path, input_lengths=input_lengths,
                         target_lengths=target_lengths)[0]
    minus, dtype = _nothing(log_probs.dtype), log_probs.dtype
    impossible = losses.array > -minus / 2
    losses = autograd.where(impossible, 0.0 if zero_infinity else math.inf, losses)
    if reduction == "mean":
        losses = losses / np.maximum(target_lengths, 1).astype(dtype)
    return losses.squeeze(0) if single and reduction == "none" else reduced(losses, reduction)


def _on_path(steps, skip, input_lengths, target_lengths):
    """Which states can be reached at each step, and lead to the end in time: (T, N, 2S + 1)."""
    earliest = np.zeros(skip.shape, int)  # steps before a state; to skip a blank saves one
    earliest[:, 3::2] = np.cumsum(2 - skip[:, 3::2], axis=1)
    earliest[:, 2::2] = earliest[:, 1::2] + 1
    state, last = np.arange(skip.shape[1]), 2 * target_lengths[:, None]
    whole = np.take_along_axis(earliest, np.maximum(last - 1, 0), axis=1)
    remaining = whole - earliest
    remaining[:, :-1:2] = remaining[:, 1::2] + 1
    time = np.arange(steps)[:, None, None]
    return (time >= earliest) & (state <= last) & (time + np.where(state < last, remaining, 0) < input_lengths[:, None])


def _padded_targets(targets, lengths, blank, classes):
    """The labels of each example, filled up with blanks: (N, S), from that, or from all of them in a row."""
    longest = int(lengths.max(initial=0))
    counted = np.arange(longest) < lengths[:, None]
    expected = (int(lengths.sum()),) if targets.ndim == 1 else targets.shape
    if lengths.min(initial=0) < 0 or targets.shape != expected or (targets.ndim == 2 and (
            targets.shape[0] != len(lengths) or targets.shape[1] < longest)) or targets.ndim > 2:
        raise ShapeError(f"targets of shape {targets.shape} don't hold target_lengths {lengths}; they must "
                         f"have shape ({len(lengths)}, at least {longest}), or ({lengths.sum()},) one after the other")
    padded = np.full(counted.shape, blank)
    padded[counted] = targets if targets.ndim == 1 else targets[:, :longest][counted]
    if padded.size and not 0 <= padded.min() <= padded.max() < classes:
        raise IndexError(f"targets from {padded.min()} to {padded.max()} are out of range: there are "
                         f"{classes} classes, 0 to {classes - 1}")
    return padded


# Penalties on parameters

def l1_penalty(parameters: Iterable[Tensor]) -> Tensor:
    """The sum of |w| over all parameters."""
    return sum((w.abs().sum() for w in parameters), start=0.0)


def l2_penalty(parameters: Iterable[Tensor]) -> Tensor:
    """The sum of w² over all parameters."""
    return sum(((w * w).sum() for w in parameters), start=0.0)


def elastic_net_penalty(parameters: Iterable[Tensor], l1_ratio: float = 0.5) -> Tensor:
    """l1_ratio Σ|w| + (1 - l1_ratio) Σw² (Zou & Hastie 2005)."""
    parameters = list(parameters)
    return l1_ratio * l1_penalty(parameters) + (1 - l1_ratio) * l2_penalty(parameters)
