"""einops on Tensors, whichever is imported first."""

import subprocess
import sys

import numpy as np
import pytest

import autograd
from autograd import Tensor

torch = pytest.importorskip("torch")


EINOPS = [
    lambda e, x: e.rearrange(x, "a b c -> (c a) b"), lambda e, x: e.rearrange(x, "a b (c d) -> a d b c", d=2),
    lambda e, x: e.rearrange([x, x], "n a b c -> a n b c"), lambda e, x: e.repeat(x, "a b c -> a (b r) c s", r=2, s=3),
    lambda e, x: e.einsum(x, x, "a b c, a d c -> a b d"), lambda e, x: e.pack([x, x], "a * c")[0],
    lambda e, x: e.rearrange(x, "a b c -> a 1 b c"),
    *[lambda e, x, name=name: e.reduce(x, "a b c -> b", name) for name in ("sum", "mean", "max", "min", "prod")],
]


@pytest.mark.parametrize("number", range(len(EINOPS)))
def test_einops(number):
    einops = pytest.importorskip("einops")
    values = np.random.default_rng(0).standard_normal((2, 3, 4))
    x, y = Tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    ours, theirs = EINOPS[number](einops, x), EINOPS[number](einops, y)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy())
    (ours * ours).sum().backward()
    (theirs * theirs).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy())


@pytest.mark.parametrize("order", ["import einops, autograd",
                                   "import autograd; assert 'einops' not in sys.modules; import einops"])
def test_einops_may_be_imported_before_or_after(order):
    pytest.importorskip("einops")
    program = f"import sys; {order}; print(einops.rearrange(autograd.zeros(2, 3), 'a b -> b a').shape)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False,
                          cwd=autograd.__path__[0] + "/..")
    assert done.stdout == "(3, 2)\n", done.stderr
