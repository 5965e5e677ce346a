"""Losses: how far an output is from its target.

Every loss takes `reduction`: "mean", "sum", or "none" for one number an element (or an example).
"""

import math

import numpy as np

import autograd
from autograd import Tensor, operation
from autograd.samples import call


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
    input, target = autograd.as_tensor(input), autograd.as_tensor(target)
    weight = None if weight is None else autograd.as_tensor(weight).detach().to(input.dtype)
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


def nll_loss(input: Tensor, target: Tensor, weight: Tensor | None = None, *, ignore_index: int = -100,
             reduction: str = "mean") -> Tensor:
    """-input[target]: the negative log likelihood, given log probabilities; arguments as in `cross_entropy`."""
    check_reduction(reduction)
    input, target = autograd.as_tensor(input), autograd.as_tensor(target)
    _check_classes("nll_loss", input, target, weight, ignore_index)
    weight = None if weight is None else autograd.as_tensor(weight).detach().numpy()
    scores = _classes_last(input)
    _, counts, labels = _weights(target.numpy().reshape(-1), weight, ignore_index, scores.shape[1], input.dtype)
    picked = scores[np.arange(len(labels)), labels]
    losses = autograd.where(counts != 0, picked * -counts, 0.0)
    if reduction == "none":
        return losses.reshape(target.shape)
    return losses.sum() / counts.sum() if reduction == "mean" else losses.sum()
