"""Losses: extreme scores, nothing to learn from, CTC, penalties."""

import importlib.util
import math
import warnings

import numpy as np
import pytest

import autograd
from nn import functional as F

rng = np.random.default_rng(0)
needs_numba = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")


def tensor(*shape, requires_grad=False):
    return autograd.tensor(rng.standard_normal(shape), requires_grad=requires_grad)


def test_cross_entropy_of_extreme_scores():
    scores = autograd.tensor([[1e4, 0.0, -1e4], [0.0, 1e4, 0.0]], requires_grad=True)
    loss = F.cross_entropy(scores, autograd.tensor([0, 0]), reduction="none")
    assert loss.tolist() == [0.0, 1e4]
    loss.sum().backward()
    np.testing.assert_array_equal(scores.grad.numpy(), [[0, 0, 0], [-1, 1, 0]])


@pytest.mark.parametrize("options", [
    {}, {"reduction": "none", "label_smoothing": 0.2}, {"weight": True, "ignore_index": 3},
    {"weight": True, "ignore_index": 3, "label_smoothing": 0.1, "reduction": "sum"}], ids=str)
@pytest.mark.parametrize("layout", [(0, 1, 2, 3), (0, 2, 3, 1), (1, 0, 2, 3)])
@pytest.mark.parametrize("compiled", [False, pytest.param(True, marks=needs_numba)])
def test_classes_are_summed_over_where_they_lie(options, layout, compiled):
    """Scores of the pixels of images, in any memory order: as those of each pixel by itself."""
    shape, draw = (3, 5, 20, 13), np.random.default_rng(0)
    scores = draw.standard_normal(shape, np.float32).transpose(layout).copy().transpose(np.argsort(layout))
    scores[0, :, 3, 3] = np.inf  # of the ignored class
    target = draw.integers(0, 5, (3, 20, 13))
    target[0, 3, 3] = 3
    options = options | ({"weight": autograd.tensor(np.arange(1, 6, dtype=np.float32))} if "weight" in options else {})
    autograd.set_compiled(compiled)
    found = []
    for images in (True, False):
        x = autograd.tensor(scores, requires_grad=True)
        rows = x if images else x.permute(0, 2, 3, 1).reshape(-1, 5)
        with np.errstate(invalid="ignore"):
            loss = F.cross_entropy(rows, autograd.tensor(target if images else target.reshape(-1)), **options)
            loss.sum().backward()
        found.append((loss.detach().numpy().reshape(-1), x.grad.numpy()))
    autograd.set_compiled(False)
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_cross_entropy_with_every_example_ignored_is_nan_as_in_pytorch():
    assert math.isnan(F.cross_entropy(tensor(2, 3), autograd.tensor([-100, -100])).item())
    assert F.cross_entropy(tensor(2, 3), autograd.tensor([-100, -100]), reduction="sum").item() == 0


@pytest.mark.parametrize(("options", "lengths"), [
    ({}, ([6, 5], [3, 1])), ({"reduction": "sum"}, ([6, 3], [3, 1])),
    ({"reduction": "none", "blank": 2}, ([6, 4], [2, 2])), ({"zero_infinity": True}, ([6, 2], [3, 3]))])
def test_ctc_is_pytorchs(options, lengths, as_pytorch):
    """After log_softmax: PyTorch's derivative in log_probs itself is, by design, that in the scores before."""
    scores, targets = np.random.default_rng(0).standard_normal((6, 2, 4)), np.array([[1, 3, 3], [3, 1, 1]])

    def program(library, layers):
        x = library.tensor(scores, requires_grad=True)
        loss = layers.functional.ctc_loss(layers.functional.log_softmax(x, -1), library.tensor(targets),
                                          *map(library.tensor, lengths), **options)
        loss.sum().backward()
        return loss, x.grad
    as_pytorch(program)


def test_penalties():
    w = [autograd.tensor([1.0, -2.0], requires_grad=True), autograd.tensor([[3.0]], requires_grad=True)]
    assert F.l1_penalty(w).item() == 6
    assert F.l2_penalty(w).item() == 14
    assert F.elastic_net_penalty(w, 0.25).item() == 0.25 * 6 + 0.75 * 14


def test_shapes_that_are_broadcast_get_pytorchs_warning_and_equal_ones_get_none():
    with pytest.warns(UserWarning, match=r"mse_loss.*\(2, 1\).*\(2,\).*broadcast"):
        F.mse_loss(autograd.zeros(2, 1), autograd.zeros(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        F.mse_loss(autograd.zeros(2), autograd.zeros(2))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.25}, {"weight": [0.0, 1.0, 2.5]}], ids=repr)
@pytest.mark.parametrize("shape", [(3,), (4, 3), (0, 3), (2, 3, 5), (2, 3, 2, 2)])
def test_cross_entropy_of_probabilities_is_pytorchs(shape, options, reduction):
    """And so are its derivatives in the scores and in the probabilities, of which some are 0."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    scores, q = rng.standard_normal(shape), rng.random(shape) * (rng.random(shape) > 0.3)
    q += q.sum(min(len(shape) - 1, 1), keepdims=True) == 0  # where nothing counts, nothing is looked at
    found = []
    for library, functional in ((autograd, F), (torch, torch.nn.functional)):
        x, target = (library.tensor(a).requires_grad_() for a in (scores, q))
        more = {name: library.tensor(value, dtype=library.float64) if name == "weight" else value
                for name, value in options.items()}
        loss = functional.cross_entropy(x, target, reduction=reduction, **more)
        loss.sum().backward()
        found.append([a.detach().numpy() for a in (loss, x.grad, target.grad)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12, strict=True)


def test_what_has_no_probability_is_not_looked_at():
    x = autograd.tensor([[0.0, -math.inf, 1.0], [math.nan, 0.0, 1.0]], requires_grad=True)
    loss = F.cross_entropy(x, autograd.tensor([[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]), reduction="none")
    loss.backward(autograd.tensor([1.0, math.inf]))
    np.testing.assert_allclose(loss.detach().numpy(), [math.log(1 + math.e) - 0.5, 0], rtol=1e-6)
    half = 1 / (1 + math.e) - 0.5
    np.testing.assert_allclose(x.grad.numpy(), [[half, 0, -half], [0, 0, 0]], atol=1e-6)


def test_cosine_similarity_differentiates_a_row_shorter_than_eps_as_a_product():
    x, y = autograd.tensor([[3.0, 4.0]], requires_grad=True), autograd.tensor([[0.0, 2.0]])
    F.cosine_similarity(x, y, eps=10.0).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [[0, 0.02]], rtol=1e-6)
