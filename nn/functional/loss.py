"""Losses: how far an output is from its target.

Every loss takes `reduction`: "mean", "sum", or "none" for one number an element (or an example).
"""

import math
import warnings

import numpy as np

import autograd
from autograd import Tensor, as_tensor, operation
from autograd.samples import call
from nn.functional.activation import logsigmoid, relu, softplus
from nn.functional.normalization import normalize


def reduced(losses, reduction):
    """The mean or the sum of losses, or the losses themselves.

    Raises:
        ValueError: `reduction` is none of the three.
    """
    check_reduction(reduction)
    return losses if reduction == "none" else losses.mean() if reduction == "mean" else losses.sum()


def check_reduction(reduction):
    """Refuse a reduction that does not exist."""
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', not {reduction!r}")


# Classification

def _check_classes(name, input, target, weight, ignore_index):
    """Refuse a target of class indices that does not fit scores of shape (N, C, ...) or (C,)."""
    if not input.ndim:
        raise ValueError(f"{name}: input has no axes; it must have shape (N, C), (N, C, ...) or (C,), C being "
                         "the classes")
    classes = input.shape[min(input.ndim - 1, 1)]
    expected = input.shape[:1] + input.shape[2:] if input.ndim > 1 else ()
    if target.shape != expected:
        raise ValueError(f"{name}: for an input of shape {input.shape} ({classes} classes) the target must have shape "
                         f"{expected} (class indices) or {input.shape} (class probabilities), not {target.shape}")
    if target.dtype.kind not in "iu":
        raise TypeError(f"{name}: class indices must be integers, the target is {target.dtype}; write target.long(), "
                        f"or give class probabilities, of shape {input.shape}")
    if weight is not None and weight.shape != (classes,):
        raise ValueError(f"{name}: weight must have one entry a class, shape ({classes},), not {weight.shape}")
    indices = np.asarray(target.array)
    wrong = (indices != ignore_index) & ((indices < 0) | (indices >= classes))
    if wrong.any():
        raise IndexError(f"{name}: target {indices[wrong][0]} is out of range: there are {classes} classes, 0 to "
                         f"{classes - 1}" + (f", or {ignore_index} to be ignored" if ignore_index >= -1 else ""))


def _classes_last(x):
    """(N, C, d1, ...) -> (N·d1·…, C)."""
    if x.ndim == 2:
        return x
    if x.ndim == 1:
        return x.reshape((1, -1))
    return autograd.permute(x, (0, *range(2, x.ndim), 1)).reshape((-1, x.shape[1]))


def _weights(target, weight, ignore_index, classes, dtype):
    """What each class counts, what each example counts, and its class (0 where it is ignored)."""
    each = np.ones(classes, dtype) if weight is None else weight.astype(dtype, copy=False)
    counted = target != ignore_index
    labels = np.where(counted, target, 0)
    return each, each[labels] * counted, labels


def _cross_entropy_forward(input, target, *, weight, ignore_index, reduction, label_smoothing):
    top = input.max(axis=1, keepdims=True)
    probabilities = np.exp(input - top)
    total = probabilities.sum(axis=1, keepdims=True)
    probabilities /= total
    log_total = (top + np.log(total))[:, 0]
    classes = input.shape[1]
    each, counts, labels = _weights(target, weight, ignore_index, classes, input.dtype)
    losses = counts * (log_total - input[np.arange(len(labels)), labels])
    if label_smoothing:
        smooth = (target != ignore_index) * (each.sum() * log_total - input @ each)
        losses = (1 - label_smoothing) * losses + label_smoothing / classes * smooth
    if reduction != "none":
        losses = losses.sum()
    if reduction == "mean":
        with np.errstate(invalid="ignore", divide="ignore"):  # every example ignored: nan, as in PyTorch
            losses = losses / counts.sum()
    return losses, probabilities


def _cross_entropy_vjp(g, out, input, target, *, weight, ignore_index, reduction, label_smoothing, needs_input_grad):
    # loss = -Σ q log p, with q = row at the label and smooth · weight everywhere, has the gradient p Σq - q
    (g,), (_, probabilities) = g, out
    classes = probabilities.shape[1]
    each, counts, labels = _weights(target, weight, ignore_index, classes, probabilities.dtype)
    if reduction == "mean":
        g = g / counts.sum()
    row = g * counts * (1 - label_smoothing)
    smooth = g * (target != ignore_index) * (label_smoothing / classes)
    gradient = probabilities * (row + smooth * each.sum())[:, None]
    gradient[np.arange(len(labels)), labels] -= row
    if label_smoothing:
        gradient -= np.outer(smooth, each)
    return gradient, None


def _cross_entropy_composition(input, target, *, weight, ignore_index, reduction, label_smoothing):
    classes = input.shape[1]
    each, counts, labels = _weights(target, weight, ignore_index, classes, input.dtype)
    q = np.eye(classes, dtype=input.dtype)[labels] * counts[:, None] * (1 - label_smoothing)
    q += np.outer(target != ignore_index, each) * (label_smoothing / classes)
    losses = -(q * autograd.log_softmax(input, 1)).sum(1)
    return (losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.sum() / counts.sum(),)


def _cross_entropy_samples(draw):
    n, classes = draw.integer(1, 4), draw.integer(1, 4)
    target = np.arange(n) * 7 % classes
    target[-1] = draw.choice([target[-1], -100 if n > 1 else target[-1]])
    weight = draw.choice([None, np.linspace(0.5, 2, classes)])
    return call(draw.array(shape=(n, classes)), target, weight=weight, ignore_index=-100,
                reduction=draw.choice(["mean", "sum", "none"]), label_smoothing=draw.choice([0.0, 0.25]))


_cross_entropy = operation(
    _cross_entropy_forward, joint_vjp=_cross_entropy_vjp, composition=_cross_entropy_composition, outputs="loss",
    names="_cross_entropy", samples=_cross_entropy_samples)


def cross_entropy(input, target, weight=None, *, ignore_index=-100, reduction="mean", label_smoothing=0.0):
    """-log softmax(input)[target], from scores to the loss in one step.

    Args:
        input: scores (logits) of shape (N, C), (N, C, d1, …) or (C,): C classes.
        target: class indices, integers of input's shape without C; or class probabilities, of input's shape.
        weight: what each class counts, (C,).
        ignore_index: examples of this class count nothing.
        reduction: "mean" (over what the examples' classes weigh), "sum" or "none".
        label_smoothing: how much of each target is spread over all classes, 0 to 1 (Szegedy et al. 2015).

    Raises:
        ValueError: shapes do not fit.
        IndexError: a class index is out of range.

    >>> cross_entropy(autograd.zeros(2, 10), autograd.tensor([3, 7]))    # log 10
    tensor(2.3026)
    """
    check_reduction(reduction)
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"cross_entropy: label_smoothing must be between 0 and 1, not {label_smoothing}")
    input, target = as_tensor(input), as_tensor(target)
    weight = None if weight is None else as_tensor(weight).detach().to(input.dtype)
    if target.shape == input.shape and target.dtype.kind == "f":
        return _cross_entropy_of_probabilities(input, target, weight, reduction, label_smoothing)
    _check_classes("cross_entropy", input, target, weight, ignore_index)
    losses = _cross_entropy(_classes_last(input), target.reshape(-1), weight=weight, ignore_index=ignore_index,
                            reduction=reduction, label_smoothing=label_smoothing)[0]
    return losses.reshape(target.shape) if reduction == "none" else losses


def _cross_entropy_of_probabilities(input, target, weight, reduction, label_smoothing):
    axis = min(input.ndim - 1, 1)
    classes = input.shape[axis]
    q = target * (1 - label_smoothing) + label_smoothing / classes if label_smoothing else target
    if weight is not None:
        q = q * weight.reshape([-1 if i == axis else 1 for i in range(input.ndim)])
    losses = -(q * autograd.log_softmax(input, axis)).sum(axis)
    if reduction == "mean":
        return losses.sum() / math.prod(losses.shape)
    return reduced(losses, reduction)


def nll_loss(input, target, weight=None, *, ignore_index=-100, reduction="mean"):
    """-input[target]: the negative log likelihood, given log probabilities; arguments as in `cross_entropy`."""
    check_reduction(reduction)
    input, target = as_tensor(input), as_tensor(target)
    _check_classes("nll_loss", input, target, weight, ignore_index)
    weight = None if weight is None else as_tensor(weight).detach().numpy()
    scores = _classes_last(input)
    _, counts, labels = _weights(target.numpy().reshape(-1), weight, ignore_index, scores.shape[1], input.dtype)
    picked = scores[np.arange(len(labels)), labels]
    losses = autograd.where(counts != 0, picked * -counts, 0.0)
    if reduction == "none":
        return losses.reshape(target.shape)
    return losses.sum() / counts.sum() if reduction == "mean" else losses.sum()


def multi_margin_loss(input, target, p=1, margin=1.0, weight=None, *, reduction="mean"):
    """The multiclass SVM's hinge: the sum over j ≠ y of max(0, margin - x_y + x_j)^p, over the number of classes.

    Args:
        input: scores, (N, C) or (C,).
        target: class indices, (N,) or ().
        p: 1, or 2 for the squared hinge.
        margin: by how much the right score is to exceed the others.
        weight: what each class counts, (C,).
        reduction: "mean", "sum" or "none".
    """
    input, target = as_tensor(input), as_tensor(target)
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: p must be 1 or 2, not {p}")
    if input.ndim > 2:
        raise ValueError(f"multi_margin_loss: input must have shape (N, C) or (C,), not {input.shape}")
    _check_classes("multi_margin_loss", input, target, weight, -1 << 62)
    x, labels = _classes_last(input), target.numpy().reshape(-1)
    rows = np.arange(len(labels))
    hinge = relu(x - x[rows, labels].unsqueeze(1) + margin)
    if p == 2:
        hinge = hinge * hinge
    others = np.ones(x.shape, x.dtype)
    others[rows, labels] = 0
    if weight is not None:
        others *= as_tensor(weight).detach().numpy()[labels][:, None].astype(x.dtype)
    return reduced(((hinge * others).sum(1) / x.shape[1]).reshape(target.shape), reduction)


# Elementwise differences

def _pair(name, input, target):
    """Both as Tensors; PyTorch's warning if their shapes differ."""
    input, target = as_tensor(input), as_tensor(target)
    if input.shape != target.shape:
        warnings.warn(f"{name}: the input has shape {input.shape} and the target {target.shape}; they are broadcast, "
                      "which "
                      "is rarely meant: give them one shape", stacklevel=3)
    return input, target


def _same_shape(name, input, target):
    input, target = as_tensor(input), as_tensor(target)
    if input.shape != target.shape:
        raise ValueError(f"{name}: the target must have the input's shape {input.shape}, not {target.shape}")
    return input, target


def mse_loss(input, target, reduction="mean"):
    """(x - y)²."""
    input, target = _pair("mse_loss", input, target)
    difference = input - target
    return reduced(difference * difference, reduction)


def l1_loss(input, target, reduction="mean"):
    """|x - y|."""
    input, target = _pair("l1_loss", input, target)
    return reduced((input - target).abs(), reduction)


def huber_loss(input, target, reduction="mean", delta=1.0):
    """d² / 2 where d = |x - y| is below delta, else delta (d - delta / 2) (Huber 1964)."""
    if delta <= 0:
        raise ValueError(f"huber_loss: delta must be positive, not {delta}")
    input, target = _pair("huber_loss", input, target)
    d = (input - target).abs()
    near = d.array < delta
    return reduced(autograd.where(near, 0.5 * d * d, delta * (d - 0.5 * delta)), reduction)


def smooth_l1_loss(input, target, reduction="mean", beta=1.0):
    """d² / (2 beta) where d = |x - y| is below beta, else d - beta / 2 (Girshick 2015); the L1 loss for beta = 0."""
    if beta < 0:
        raise ValueError(f"smooth_l1_loss: beta must not be negative, it is {beta}")
    if not beta:
        return l1_loss(input, target, reduction)
    return huber_loss(input, target, reduction, beta) / beta


# Distributions

def binary_cross_entropy(input, target, weight=None, reduction="mean"):
    """-(y log x + (1 - y) log(1 - x)) for probabilities x; logarithms are cut off at -100, as in PyTorch."""
    input, target = _same_shape("binary_cross_entropy", input, target)
    if input.numel() and not 0 <= input.array.min() <= input.array.max() <= 1:
        raise ValueError("binary_cross_entropy: the input must be probabilities, but it reaches from "
                         f"{input.array.min()} "
                         f"to {input.array.max()}; for scores use binary_cross_entropy_with_logits")

    def log(x):  # a derivative of 0 where it is cut off
        return autograd.where(x.array > math.exp(-100), x, math.exp(-100)).log()
    losses = -(target * log(input) + (1 - target) * log(1 - input))
    return reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(input, target, weight=None, reduction="mean", pos_weight=None):
    """-(y log σ(x) + (1 - y) log(1 - σ(x))), without overflow; `pos_weight` multiplies the first term."""
    input, target = _same_shape("binary_cross_entropy_with_logits", input, target)
    if pos_weight is None:
        losses = softplus(input) - input * target
    else:
        losses = (1 - target) * input - (1 + (pos_weight - 1) * target) * logsigmoid(input)
    return reduced(losses if weight is None else losses * weight, reduction)


def kl_div(input, target, reduction="mean", log_target=False):
    """y (log y - x) for log probabilities x and probabilities y (log y if `log_target`).

    "batchmean", the sum over the size of the batch, is the mathematical divergence; "mean" divides by all elements.
    """
    input, target = as_tensor(input), as_tensor(target)
    if log_target:
        losses = target.exp() * (target - input)
    else:
        positive = target.array > 0
        safe = autograd.where(positive, target, 1.0)
        losses = autograd.where(positive, target * safe.log(), 0.0) - target * input
    if reduction == "batchmean":
        return losses.sum() / input.shape[0]
    return reduced(losses, reduction)


def poisson_nll_loss(input, target, log_input=True, full=False, eps=1e-8, reduction="mean"):
    """exp(x) - y x, or x - y log(x + eps) without `log_input`; `full` adds Stirling's log y! where y > 1."""
    input, target = as_tensor(input), as_tensor(target)
    losses = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        large = autograd.where(target.array > 1, target, 1.0)
        stirling = large * large.log() - large + 0.5 * (2 * math.pi * large).log()
        losses = losses + autograd.where(target.array > 1, stirling, 0.0)
    return reduced(losses, reduction)


def gaussian_nll_loss(input, target, var, full=False, eps=1e-6, reduction="mean"):
    """(log v + (x - y)² / v) / 2 with v = max(var, eps); `full` adds log(2π) / 2 (Nix & Weigend 1994)."""
    input, target = as_tensor(input), as_tensor(target)
    var = as_tensor(var if isinstance(var, Tensor) else autograd.full((), var, dtype=input.dtype))
    if var.shape == input.shape[:-1] and var.ndim:
        var = var.unsqueeze(-1)
    if var.numel() and var.array.min() < 0:
        raise ValueError(f"gaussian_nll_loss: var must not be negative, its smallest entry is {var.array.min()}")
    var = var + np.maximum(eps - var.array, 0).astype(var.dtype)  # the gradient passes as if nothing were cut off
    difference = input - target
    losses = 0.5 * (var.log() + difference * difference / var)
    return reduced(losses + 0.5 * math.log(2 * math.pi) if full else losses, reduction)


# Margins and similarities

def cosine_similarity(x1, x2, dim=1, eps=1e-8):
    """x1 · x2 / (‖x1‖ ‖x2‖) along `dim`."""
    return (normalize(x1, dim=dim, eps=eps) * normalize(x2, dim=dim, eps=eps)).sum(dim)


def pairwise_distance(x1, x2, p=2.0, eps=1e-6, keepdim=False):
    """‖x1 - x2 + eps‖_p over the last axis."""
    d = as_tensor(x1) - x2 + eps
    if p == 2:
        return (d * d).sum(-1, keepdim=keepdim).sqrt()
    return (d.abs() ** p).sum(-1, keepdim=keepdim) ** (1 / p)


def cosine_embedding_loss(input1, input2, target, margin=0.0, reduction="mean"):
    """1 - cos where target is 1, max(0, cos - margin) where it is -1."""
    target = as_tensor(target)
    cosine = cosine_similarity(input1, input2, -1)
    return reduced(autograd.where(target.array == 1, 1 - cosine, relu(cosine - margin)), reduction)


def margin_ranking_loss(input1, input2, target, margin=0.0, reduction="mean"):
    """max(0, -y (x1 - x2) + margin): y = 1 wants x1 larger, y = -1 wants x2 larger."""
    return reduced(relu(-as_tensor(target) * (as_tensor(input1) - input2) + margin), reduction)


def triplet_margin_loss(anchor, positive, negative, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction="mean"):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin) (Schroff et al. 2015).

    `swap` takes the smaller of d(anchor, negative) and d(positive, negative).
    """
    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=lambda a, b: pairwise_distance(a, b, p, eps), margin=margin,
        swap=swap, reduction=reduction)


def triplet_margin_with_distance_loss(anchor, positive, negative, *, distance_function=None, margin=1.0, swap=False,
                                      reduction="mean"):
    """`triplet_margin_loss` with a distance of your own."""
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = autograd.minimum(far, distance(positive, negative))
    return reduced(relu(near - far + margin), reduction)


def hinge_embedding_loss(input, target, margin=1.0, reduction="mean"):
    """x where target is 1, max(0, margin - x) where it is -1."""
    input, target = as_tensor(input), as_tensor(target)
    return reduced(autograd.where(target.array == 1, input, 0.0)
                   + autograd.where(target.array == -1, relu(margin - input), 0.0), reduction)


def soft_margin_loss(input, target, reduction="mean"):
    """log(1 + exp(-y x)) for y = ±1."""
    input, target = _same_shape("soft_margin_loss", input, target)
    return reduced(softplus(-as_tensor(target) * input), reduction)


def multilabel_soft_margin_loss(input, target, weight=None, reduction="mean"):
    """The mean over classes of the binary cross entropy with logits."""
    input, target = _same_shape("multilabel_soft_margin_loss", input, target)
    losses = softplus(input) - target * input
    return reduced((losses if weight is None else losses * weight).mean(-1), reduction)


def multilabel_margin_loss(input, target, reduction="mean"):
    """The sum of max(0, 1 - x_y + x_j) over labels y and other classes j, over the number of classes.

    input (N, C) or (C,); target of the same shape: each row the labels, ended by the first -1.
    """
    input, target = _same_shape("multilabel_margin_loss", input, target)
    x, labels = _classes_last(input), target.numpy().reshape(-1, target.shape[-1])
    n, classes = x.shape
    valid = np.cumprod(labels >= 0, axis=1).astype(bool)
    picked = np.where(valid, labels, 0)
    is_label = np.zeros((n, classes), bool)
    rows = np.broadcast_to(np.arange(n)[:, None], picked.shape)
    is_label[rows[valid], picked[valid]] = True
    hinge = relu(1 - x[rows, picked].unsqueeze(2) + x.unsqueeze(1))  # (N, labels, C)
    counted = (valid[:, :, None] & ~is_label[:, None, :]).astype(x.dtype)
    losses = (hinge * counted).sum((1, 2)) / classes
    return reduced(losses if input.ndim == 2 else losses.squeeze(0), reduction)


# Sequences

def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank=0, reduction="mean", zero_infinity=False):
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
    check_reduction(reduction)
    log_probs = as_tensor(log_probs)
    single = log_probs.ndim == 2
    if single:
        log_probs = log_probs.unsqueeze(1)
    steps, count, _ = log_probs.shape
    targets, input_lengths, target_lengths = (np.atleast_1d(np.asarray(as_tensor(a).array))
                                              for a in (targets, input_lengths, target_lengths))
    if input_lengths.shape != (count,) or target_lengths.shape != (count,) or input_lengths.max(initial=0) > steps:
        raise ValueError(f"ctc_loss: log_probs has shape {log_probs.shape}, so input_lengths and target_lengths must "
                         "have "
                         f"{count} entries, the former at most {steps}; they are {input_lengths} and {target_lengths}")
    longest = int(target_lengths.max(initial=0))
    if targets.ndim == 1:
        ends = np.cumsum(target_lengths)
        padded = np.zeros((count, longest), np.int64)
        for i, (end, n) in enumerate(zip(ends, target_lengths, strict=True)):
            padded[i, :n] = targets[end - n:end]
        targets = padded
    # blanks around all labels; each state is reached from itself, the one before, and, if the label differs, two before
    states = np.full((count, 2 * longest + 1), blank)
    states[:, 1::2] = targets[:, :longest]
    skip = np.zeros(states.shape, bool)
    skip[:, 2:] = (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2])
    minus = -1e30 if log_probs.dtype == np.float64 else -1e25  # finite, so that no derivative is nan
    dtype = log_probs.dtype
    emissions = log_probs[:, np.arange(count)[:, None], states]  # (T, N, 2S + 1)
    start = np.where(np.arange(states.shape[1]) < 2, 0, minus).astype(dtype)
    alpha = emissions[0] + start
    no_skip = np.where(skip, 0, minus).astype(dtype)
    gap = autograd.full((count, 1), minus, dtype=dtype)
    alphas = [alpha]
    for t in range(1, steps):
        before = autograd.cat([gap, alpha[:, :-1]], 1)
        two_before = autograd.cat([gap, before[:, :-1]], 1) + no_skip
        alpha = emissions[t] + autograd.logsumexp(autograd.stack([alpha, before, two_before]), 0)
        alphas.append(alpha)
    final = autograd.stack(alphas)[input_lengths - 1, np.arange(count)]  # (N, 2S + 1)
    last = 2 * target_lengths
    ends = autograd.stack([final[np.arange(count), last],
                           final[np.arange(count), np.maximum(last - 1, 0)]
                           + np.where(target_lengths > 0, 0, minus).astype(dtype)])
    losses = -autograd.logsumexp(ends, 0)
    impossible = losses.array > -minus / 2
    losses = autograd.where(impossible, 0.0 if zero_infinity else math.inf, losses)
    if reduction == "mean":
        return (losses / np.maximum(target_lengths, 1).astype(dtype)).mean()
    if single and reduction == "none":
        return losses.squeeze(0)
    return reduced(losses, reduction)


# Penalties on parameters

def l1_penalty(parameters):
    """The sum of |w| over all parameters."""
    return sum((w.abs().sum() for w in parameters), start=0.0)


def l2_penalty(parameters):
    """The sum of w² over all parameters."""
    return sum(((w * w).sum() for w in parameters), start=0.0)


def elastic_net_penalty(parameters, l1_ratio=0.5):
    """l1_ratio Σ|w| + (1 - l1_ratio) Σw² (Zou & Hastie 2005)."""
    parameters = list(parameters)
    return l1_ratio * l1_penalty(parameters) + (1 - l1_ratio) * l2_penalty(parameters)
