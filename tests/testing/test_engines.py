"""Functions of other engines, through their adapters; three bugs of custom gradients that were reported in public."""

import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import Phase, settings

from autograd.testing import Engine, GradientError, check_function, gradient_test, module_test, strategies

QUIET = settings(database=None, derandomize=True)
FAST = settings(QUIET, phases=[Phase.generate])
MATRIX = strategies.arrays((None, 3))


# A bare pair of NumPy functions

def affine(x, w):
    return x @ w


@pytest.mark.parametrize(("vjp", "message"), [
    (lambda g, x, w: (g @ w.T, x.T @ g), None),
    (lambda g, x, w: (g @ w.T, 2 * x.T @ g), r"d output.* / d input 1.* is .* by the vjp"),
    (lambda g, x, w: (g @ w.T, x[:8].T @ g[:8]), "by the vjp"),
    (lambda g, x, w: (g @ w.T, x.T @ g * (1 if np.ptp(g) or g.size < 2 else 2)), "gradient is the same number"),
    (lambda g, x, w: (np.multiply(g, 1, out=g) @ w.T, x.T @ g), "somebody writes to them"),
])
def test_a_pair_of_numpy_functions(vjp, message):
    test = gradient_test((affine, vjp), MATRIX, strategies.arrays((3, 2)), engine="numpy", settings=FAST)
    if message is None:
        return test()
    with pytest.raises(GradientError, match=message):
        test()


def test_of_a_pair_the_message_names_the_batch():
    def vjp(g, x, w):
        return g @ w.T, x[:8].T @ g[:8]
    with pytest.raises(GradientError, match=r"circumstance: only when the (length of the first|number of elem)"):
        gradient_test((affine, vjp), MATRIX, strategies.arrays((3, 2)), engine="numpy", settings=QUIET)()


# An engine of one's own

class Squares(Engine):
    """The smallest: it knows one function, x², and its derivative."""

    name, rules = "squares", "the rule of squares"

    def __init__(self, factor=2):
        self.factor = factor

    def tensor(self, array):
        return array

    def array(self, tensor):
        return np.asarray(tensor)

    def differentiate(self, function, arrays):
        x, = arrays
        values = function(x)
        return list(values) if isinstance(values, tuple) else [values], lambda us: [
            sum(self.factor * u * x for u in us if u is not None)]


def test_an_adapter_is_one_small_class():
    gradient_test(lambda x: x * x, engine=Squares(), settings=FAST)()
    with pytest.raises(GradientError, match="is 3 by the rule of squares and 2 by central differences"):
        gradient_test(lambda x: x * x, engine=Squares(3), settings=QUIET)()
    with pytest.raises(ValueError, match="write one of 'gradcircuit', 'torch', 'jax'"):
        gradient_test(lambda x: x, engine="tensorflow")


def test_hips_autograd_needs_a_directory_of_its_own(tmp_path):
    with pytest.raises(ModuleNotFoundError, match="pip install --target"):
        gradient_test(lambda x: x, engine="hips")
    package = tmp_path / "autograd"  # in its place, a package of its form: y = x * x
    package.mkdir()
    (package / "__init__.py").write_text("square = lambda x: x * x\n")
    (package / "builtins.py").write_text("from builtins import tuple\n")
    (package / "core.py").write_text(
        "def make_vjp(f, xs):\n    return lambda g: (2 * sum(g if isinstance(g, tuple) else [g]) * xs[0],), f(xs)\n")
    (tmp_path / "their_functions.py").write_text("import autograd\ndef f(x):\n    return autograd.square(x)\n")
    from autograd.testing import Hips
    engine = Hips(str(tmp_path))
    sys.path.insert(0, str(tmp_path))
    try:
        f = engine.load("their_functions:f")
    finally:
        sys.path.remove(str(tmp_path))
    gradient_test(f, engine=engine, order=1, settings=FAST, max_examples=20)()
    import autograd
    assert hasattr(autograd, "Tensor")


def test_nothing_of_another_engine_is_imported():
    program = ("import sys; from autograd.testing import gradient_test; "
               "sys.exit(any(name in sys.modules for name in ('torch', 'jax')))")
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# PyTorch

@pytest.fixture
def torch():
    return pytest.importorskip("torch")


def test_functions_and_modules_of_pytorch(torch):
    gradient_test(lambda x: torch.tanh(x), engine="torch", settings=FAST, max_examples=20)()
    module_test(lambda: torch.nn.Linear(3, 2), MATRIX, engine="torch", settings=FAST, max_examples=5)()
    module_test(lambda: torch.nn.BatchNorm1d(3), strategies.arrays((4, 3)), engine="torch", settings=FAST,
                max_examples=5)()


def detached(x):
    return x.detach() * 1 + 0 * x


def test_the_pasted_program_runs_and_speaks_of_pytorch(torch):
    with pytest.raises(GradientError, match=r"by backward and .* by central differences") as caught:
        gradient_test(detached, engine="torch", settings=QUIET)()
    assert ".numpy(), item()" in str(caught.value)
    program = next(note for note in caught.value.__notes__ if note.startswith("To see")).partition("\n\n")[2]
    assert 'engine="torch"' in program.replace("'", '"')
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert re.search(r"GradientError: order 1: .* by backward", shown.stderr), shown.stderr


def test_without_second_derivatives_the_first_are_tested(torch):
    from torch.autograd.function import once_differentiable

    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            return 2 * g * ctx.saved_tensors[0]
    gradient_test(lambda x: Square.apply(x), engine="torch", settings=FAST, max_examples=10)()


def test_reported_the_incoming_gradient_is_read_as_if_it_were_contiguous(torch):
    """Dao-AILab/flash-attention#355: a kernel took the memory of `dout` one number after the other."""
    class Kernel(torch.autograd.Function):
        @staticmethod
        def forward(ctx, q):
            ctx.save_for_backward(q)
            return q * q

        @staticmethod
        def backward(ctx, dout):
            q, = ctx.saved_tensors
            memory = torch.as_strided(dout, q.shape, q.contiguous().stride()) if dout.untyped_storage().nbytes() >= (
                dout.storage_offset() + q.numel()) * dout.element_size() else dout
            return 2 * q * memory
    with pytest.raises(GradientError, match="laid out in memory"):
        gradient_test(lambda q: Kernel.apply(q), strategies.arrays((None, 3)), engine="torch", order=1, settings=FAST)()


def test_reported_intermediate_results_are_saved_for_backward(torch):
    """pytorch/pytorch#104040: what forward saves that is neither input nor output has no history."""
    class Sinc(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            cosine = torch.cos(x)
            ctx.save_for_backward(x, cosine)
            return torch.sin(x) + x

        @staticmethod
        def backward(ctx, g):
            _, cosine = ctx.saved_tensors
            return g * (cosine + 1)
    with pytest.raises(GradientError, match="order 2: d gradient of input 0"):
        gradient_test(lambda x: Sinc.apply(x), engine="torch", settings=FAST)()


def test_reported_the_rule_writes_to_the_incoming_gradient(torch):
    """pytorch/pytorch#75312: `.sum()` sends one number in memory for all elements, and g[1] = 123 changes each."""
    class Masked(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * (torch.arange(x.numel()).reshape(x.shape) != 1)

        @staticmethod
        def backward(ctx, g):
            if g.numel() > 1:
                g.reshape(-1)[1] = 0
            return g
    with pytest.raises(GradientError, match="somebody writes to them"):
        gradient_test(lambda x: Masked.apply(x), engine="torch", order=1, settings=FAST)()


def test_jax():
    jax = pytest.importorskip("jax")

    @jax.custom_vjp
    def square(x):
        return x * x
    square.defvjp(lambda x: (x * x, x), lambda x, g: (g * x,))
    gradient_test(lambda x: jax.numpy.tanh(x), strategies.arrays((2,)), engine="jax", settings=FAST, max_examples=5)()
    with pytest.raises(GradientError, match=r"is .* by jax\.vjp and"):
        gradient_test(lambda x: square(x), strategies.arrays((2,)), engine="jax", settings=FAST, max_examples=5)()


def test_jax_reported_a_rule_that_does_not_undo_broadcasting():
    """jax-ml/jax#3056: the tangent of a custom_jvp broadcasts, and the gradient of a number comes out as a vector."""
    jax = pytest.importorskip("jax")
    a = np.array([1.0, 2.0])

    @jax.custom_vjp
    def f(x):
        return a * x
    f.defvjp(lambda x: (a * x, None), lambda _, g: ((a * g)[0],))
    with pytest.raises(GradientError, match=r"by jax\.vjp"):
        gradient_test(lambda x: f(x), strategies.arrays(()), engine="jax", settings=FAST, max_examples=5)()


def test_check_function_takes_an_engine_too(torch):
    assert check_function(lambda x: torch.exp(x), [np.array([1.0, 2.0])], engine="torch")
