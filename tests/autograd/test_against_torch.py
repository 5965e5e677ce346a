"""Every operation that PyTorch has under the same name, compared with it: values, dtypes, shapes, two gradients.

An operation that is declared with samples is compared here without another line.
"""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

import autograd
from autograd import Tensor
from autograd.operations import comparisons, error_function, gamma, pointwise
from autograd.table import TABLE
from autograd.testing import Draw, flatten

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

CALLED_DIFFERENTLY = {
    "floor_divide": lambda x, y: torch.div(x, y, rounding_mode="floor"),  # floor_divide itself cannot be differentiated
    "_power": torch.pow,
    "_power_of_number": torch.pow,
    "_to": lambda x, dtype: x.to(dtype),
    "_type": None,
    "_max_along": torch.max,
    "_min_along": torch.min,
    "_median_along": torch.median,
    "_var": torch.var,
    "_polygamma": lambda x, n: torch.polygamma(n, x),
    "_einsum": lambda *tensors, equation: torch.einsum(equation, *tensors),
    "_unfold": torch.Tensor.unfold,
    "_fold": lambda w, shape, dimension, size, step: torch.ops.aten.unfold_backward(w, shape, dimension, size, step),
    "cdist": lambda x, y, p: torch.linalg.vector_norm(x.unsqueeze(-2) - y.unsqueeze(-3), p, -1),  # cdist and pdist
    "pdist": lambda x, p: torch.linalg.vector_norm(  # have no second derivative there
        x[torch.triu_indices(len(x), len(x), 1)[0]] - x[torch.triu_indices(len(x), len(x), 1)[1]], p, -1),
    "ldexp": lambda x, other: x * torch.exp2(other),  # ldexp's gradient takes log(2) in single precision
    "multi_dot": torch.linalg.multi_dot,
    "_solve": torch.linalg.solve,
    "_svd": None,  # singular vectors are unique only up to their signs
    "_scatter": None,
    "scatter": None,  # where an index is repeated, PyTorch gives overwritten values a gradient too
    "index_copy": None,
    "take_along_dim": lambda x, index, dim: torch.take_along_dim(x, index, dim),
    "_linalg_norm": torch.linalg.norm,
    "_matrix_norm": torch.linalg.matrix_norm,
    "_linalg_lu": torch.linalg.lu,
    "_linalg_vander": torch.linalg.vander,
    "_eig": None,  # eigenvectors, too
    "_eigvals": lambda x: torch.linalg.eigvals(x).real,
    "_lstsq": torch.linalg.lstsq,
    "_cond": lambda x, p: torch.linalg.cond(x, p) if p in (None, 2, -2) else (
        torch.linalg.matrix_norm(x, p) * torch.linalg.matrix_norm(torch.linalg.inv(x), p)),  # which it cannot itself
    "svd": None,
    "igamma": None,  # PyTorch has no derivative in the shape
    "igammac": None,
    "_householder_product": None,  # PyTorch's derivative assumes that tau v'v is not 1
    # PyTorch's derivatives are not 0 in the other triangle, which is not read.
    "cholesky_inverse": lambda x, upper: torch.cholesky_inverse(x.triu() if upper else x.tril(), upper),
    "cholesky_solve": lambda b, x, upper: torch.cholesky_solve(b, x.triu() if upper else x.tril(), upper),
    "_linalg_vector_norm": torch.linalg.vector_norm,
}
"""Where a name of ours means a function of another name in PyTorch, or None where it means another function."""


def of_torch(op):
    """PyTorch's function for an operation of the table, or None."""
    for name, key in TABLE.items():
        if key is op and name in CALLED_DIFFERENTLY:
            return CALLED_DIFFERENTLY[name]
    for place in (torch, torch.special, torch.linalg, torch.nn.functional, torch.Tensor):
        if hasattr(place, op.name):
            return getattr(place, op.name)
    return None


OURS = [op for op in TABLE.values() if not op.forward.__module__.startswith("nn.")]
"""What autograd declares, whichever tests ran before: nn's operations are compared as layers."""
COMPARED = [op for op in OURS if op.samples and of_torch(op)]


def as_torch(value):
    """Arguments and options for PyTorch."""
    if isinstance(value, (np.ndarray, np.generic)):
        return torch.tensor(np.array(value))
    if isinstance(value, np.dtype):
        return getattr(torch, value.name)
    return type(value)(map(as_torch, value)) if isinstance(value, (list, tuple)) else value


def results(out):
    return list(out) if isinstance(out, (tuple, list)) else [out]


def random_like(shape, dtype, seed):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def in_ours(function, arrays):
    """Results, gradients and second derivatives, as arrays."""
    leaves = [Tensor(x.copy(), requires_grad=True) for x in arrays]
    outs = [out if isinstance(out, Tensor) else Tensor(out) for out in results(function(*leaves))]

    def gradients(ys, inputs, seed):
        ys = [y for y in ys if y is not None and y.requires_grad]
        if not ys:
            return [None] * len(inputs)
        return autograd.grad(ys, inputs, [Tensor(random_like(y.shape, y.dtype, seed + i)) for i, y in enumerate(ys)],
                             create_graph=True, allow_unused=True)
    first = gradients(outs, leaves, 1)
    second = gradients(first, leaves, 5)
    return [[None if t is None else np.asarray(t.array) for t in ts] for ts in (outs, first, second)]


def in_torch(function, arrays):
    leaves = [torch.tensor(x, requires_grad=True) for x in arrays]
    outs = [out if isinstance(out, torch.Tensor) else torch.tensor(out) for out in results(function(*leaves))]

    def gradients(ys, inputs, seed):
        ys = [y for y in ys if y is not None and y.requires_grad]
        if not ys:
            return [None] * len(inputs)
        cotangents = [torch.tensor(random_like(tuple(y.shape), str(y.dtype).split(".")[1], seed + i))
                      for i, y in enumerate(ys)]
        return torch.autograd.grad(ys, inputs, cotangents, create_graph=True, allow_unused=True)
    first = gradients(outs, leaves, 1)
    second = gradients(first, leaves, 5)
    return [[None if t is None else t.detach().numpy(force=True) for t in ts] for ts in (outs, first, second)]


def assert_same(ours, theirs, what, rtol, near=()):
    """`near`: what PyTorch gives at arguments with other last digits, by which its own rounding shows."""
    for i, (a, b, *others) in enumerate(zip(ours, theirs, *near, strict=True)):
        if a is None and b is None:
            continue
        a, b = (np.zeros_like(b) if a is None else a), (np.zeros_like(a) if b is None else b)  # None: no dependence
        assert a.shape == b.shape, f"{what} {i}: shape {a.shape} here, {b.shape} in PyTorch"
        assert a.dtype == b.dtype, f"{what} {i}: {a.dtype} here, {b.dtype} in PyTorch"
        if a.dtype.kind == "f":
            scale = 1 + np.abs(np.nan_to_num(b, posinf=0, neginf=0)).max(initial=0)
            with np.errstate(all="ignore"):
                own = 10 * np.nan_to_num([np.abs(b - other) for other in others if other is not None],
                                         posinf=0).max(initial=0)
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * scale + own, err_msg=f"{what} {i}")
        else:
            np.testing.assert_array_equal(a, b, err_msg=f"{what} {i}")


def call_torch(function, args, options):
    """PyTorch's answer, by its names of the options or, where it has others, by their order."""
    args, options = [as_torch(x) for x in args], {key: as_torch(value) for key, value in options.items()}
    try:
        return function(*args, **options)
    except TypeError:
        return function(*args, *options.values())


@pytest.mark.parametrize("op", COMPARED, ids=lambda op: op.name)
def test_operation(op):
    function, compared, refusals = of_torch(op), 0, set()

    @settings(max_examples=25, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    @given(st.data())
    def check(data):
        nonlocal compared
        args, options = op.samples(Draw(data.draw))
        dtype = data.draw(st.sampled_from([np.float64, np.float32]))
        arrays, rebuild = flatten(args)
        arrays = [x.astype(dtype) for x in arrays]
        try:
            theirs, *near, wide = [
                in_torch(lambda *ts: call_torch(function, rebuild(ts), options), given) for given in (
                    *[[x * dtype(1 + steps * np.finfo(dtype).eps) for x in arrays] for steps in (0, 7, -23, 61)],
                    [x.astype(np.float64) for x in arrays])]
        except (RuntimeError, TypeError, IndexError, NotImplementedError) as error:  # an argument that only we accept
            refusals.add(str(error))
            reject()
        if any((np.isnan(their) & ~np.isnan(there)).any() for their, there in zip(theirs[0], wide[0], strict=True)):
            reject()  # on the way, PyTorch's float32 has overflowed
        ours = in_ours(lambda *ts: op.call(*rebuild(ts), **options), arrays)
        compared += 1
        for got, expected in zip(ours[0], theirs[0], strict=True):  # so that view() takes what it takes in PyTorch
            assert got is None or got.flags.c_contiguous or not expected.flags.c_contiguous
        rtol = 1e-9 if dtype == np.float64 else 2e-4
        assert_same(ours[0], theirs[0], "result", rtol)
        if op.name == "sinc" and any(np.abs(x[x != 0]).min(initial=1) < 0.01 for x in arrays):
            return  # PyTorch's derivatives cancel there: at 0.0005 the second is 0.1 off
        first = [their if mine is None or their is None else np.where(np.isnan(their) & np.isinf(mine), mine, their)
                 for mine, their in zip(ours[1], theirs[1], strict=True)]  # what overflows may be inf - inf
        assert_same(ours[1], first, "gradient of argument", rtol)
        # PyTorch's second derivative is NaN at some points that have one (sinc at 0); differences check ours there. And
        # sums that have overflowed are infinite or NaN by the order of their terms.
        second = [mine if their is None or mine is None
                  else np.where(np.isnan(their) | ~(np.isfinite(their) | np.isfinite(mine)), mine, their)
                  for mine, their in zip(ours[2], theirs[2], strict=True)]
        assert_same(ours[2], second, "second derivative in argument", rtol, [second for _, _, second in near])
    check()
    assert compared >= 5, f"PyTorch accepted only {compared} of the samples; it said {sorted(refusals)[:3]}"


EXTREMES = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.0, 20.0, -20.0, 100.0, -100.0, 1e-300, -1e-300, 1e300, -1e300, 5e-324,
            1e-40, 1e30, np.inf, -np.inf, np.nan]

EXCUSED = {
    "heaviside": lambda x, y, theirs: np.isnan(x),  # PyTorch says 0
    "fmod": lambda x, y, theirs: np.isnan(theirs),  # PyTorch's quotient overflows; NumPy's remainder is exact
    "remainder": lambda x, y, theirs: np.isnan(theirs),
    "entr": lambda x, theirs: theirs == 0,  # the sign of zero
    "sign": lambda x, theirs: np.isnan(x),  # PyTorch says 0
    "ndtr": lambda x, theirs: theirs == 0,  # PyTorch loses the tail
    "relu": lambda x, theirs: x == 0,  # the sign of zero
}
"""Where we differ from PyTorch for the better, or in what nobody sees."""


def tensors_of(op):
    """The arguments that have no default."""
    return [p for p in op.signature.parameters.values() if p.default is p.empty]


def takes_floats(op):
    """Whether PyTorch computes an operation from one or two floating tensors alone."""
    if not of_torch(op) or op.outputs or len(tensors_of(op)) > 2 or any(
            p.kind is p.KEYWORD_ONLY for p in tensors_of(op)):
        return False
    try:
        of_torch(op)(*[torch.ones(1)] * len(tensors_of(op)))
    except (RuntimeError, TypeError, NotImplementedError):
        return False
    return True


POINTWISE = {function.operation for file in (pointwise, comparisons, error_function, gamma)
             for function in vars(file).values() if hasattr(function, "operation")}


@pytest.mark.filterwarnings("ignore:.*encountered")
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("op", [op for op in OURS if op in POINTWISE and takes_floats(op)],
                         ids=lambda op: op.name)
def test_extreme_values(op, dtype):
    values = np.array([x for x in EXTREMES if dtype == np.float64 or abs(x) != 1e300], dtype)
    arrays = [values] if len(tensors_of(op)) == 1 else [x.ravel() for x in np.meshgrid(values, values)]
    theirs = np.asarray(of_torch(op)(*map(torch.tensor, arrays)))
    ours = np.asarray(op.call(*map(Tensor, arrays)))
    assert ours.dtype == theirs.dtype
    if ours.dtype.kind == "f":
        precision = np.finfo(dtype)
        same = np.isclose(ours, theirs, rtol=300 * precision.eps, equal_nan=True,
                          atol=precision.tiny if len(arrays) == 1 else precision.eps)
        if len(arrays) == 1:
            same &= (theirs != 0) | (np.signbit(ours) == np.signbit(theirs))
    else:
        same = ours == theirs
    if op.name in EXCUSED:
        same |= EXCUSED[op.name](*arrays, theirs)
    wrong = [(*(float(x[i]) for x in arrays), ours[i], theirs[i]) for i in np.flatnonzero(~same)]
    assert not wrong, f"(arguments, here, PyTorch): {wrong[:12]}"


LESS_EXACT_IN_TORCH = ("atan2", "sinc", "digamma")  # at tiny arguments; trigamma has nine digits


@pytest.mark.filterwarnings("ignore:.*encountered")
@pytest.mark.parametrize("op", [op for op in OURS if op in POINTWISE and takes_floats(op) and op.samples
                                and op.name not in LESS_EXACT_IN_TORCH], ids=lambda op: op.name)
def test_gradients_at_extreme_values(op):
    """Wherever PyTorch's gradient is finite; at nan it is anything."""
    values = np.array(EXTREMES[:-1])
    arrays = [values] if len(tensors_of(op)) == 1 else [x.ravel() for x in np.meshgrid(values, values)]
    inputs = [Tensor(x, requires_grad=True) for x in arrays]
    leaves = [torch.tensor(x, requires_grad=True) for x in arrays]
    out = of_torch(op)(*leaves)
    if out.requires_grad:
        out.backward(torch.ones_like(out))
        op.call(*inputs).backward(np.ones(out.shape))
        for i, (x, leaf) in enumerate(zip(inputs, leaves, strict=True)):
            ours, theirs = (0 * values if t.grad is None else np.asarray(t.grad.detach()) for t in (x, leaf))
            same = np.isclose(ours, theirs, rtol=1e-12, atol=1e-290) | ~np.isfinite(theirs)
            wrong = [(*(float(x[j]) for x in arrays), ours[j], theirs[j]) for j in np.flatnonzero(~same)]
            assert not wrong, f"argument {i}: (arguments, here, PyTorch): {wrong[:12]}"
