"""What family an operation belongs to, and which settings stand in its box."""

import autograd
import nn
from autograd import Graph, Tensor
from nn import functional as F
from viz.families import common_family, family, settings


def last(y: Tensor) -> tuple[str, str]:
    node = next(node for node in reversed(Graph(y).nodes) if node.name != "output")
    return family(node), settings(node)


def test_families_and_settings():
    x, w = autograd.randn(2, 8, 9, 9).requires_grad_(), autograd.randn(4, 4, 3, 5)
    assert last(F.conv2d(x, w, stride=(2, 1), padding=1, groups=2)) == (
        "convolution", "3 × 5, stride 2 × 1, padding 1, groups 2")
    assert last(F.conv2d(x, autograd.randn(4, 8, 1, 1))) == ("convolution", "1 × 1")
    assert last(F.max_pool2d(x, 3, stride=2)) == ("pooling", "3 × 3, stride 2")
    assert last(F.layer_norm(x, (9,)))[0] == "normalization"
    q = autograd.randn(2, 4, 5, 6).requires_grad_()
    assert last(F.scaled_dot_product_attention(q, q, q)) == ("attention", "4 heads")
    assert last(x.reshape(-1)) == ("shape", "") and last(x.mean(dim=1)) == ("reduction", "dim 1")
    assert last(x.relu()) == ("elementwise", "") and last(x + 1)[0] == last(x.exp())[0] == "elementwise"
    assert last(x @ x) == ("matrix product", "") and last(F.cross_entropy(x[0, 0], Tensor([1] * 9)))[0] == "loss"


def test_a_module_of_one_family_has_its_color():
    x = autograd.randn(2, 4).requires_grad_()
    assert common_family(Graph(nn.Linear(4, 4)(x.reshape(2, 4))).nodes) == "matrix product"
    assert common_family(Graph(nn.Linear(4, 4)(x).relu()).nodes) == ""
