"""What holds at the edges for every operation of the table: where a nan or an infinity may arrive, whose memory a
result has, tensors without axes, axes that there are not.

An operation that is declared with samples is held here without another line.
"""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import autograd
from autograd import Tensor, linalg, tensor
from autograd.sharing import relatives
from autograd.table import TABLE
from autograd.testing import Draw, flatten

pytestmark = pytest.mark.filterwarnings("ignore:.*encountered", "ignore:Mean of empty")

OURS = [op for op in TABLE.values() if op.forward.__module__.startswith("autograd.operations.")]
WITH_SAMPLES = [op for op in OURS if op.samples]
MATRICES = [op for op in WITH_SAMPLES if op.name not in ("vector_norm", "linalg_vector_norm", "vecdot", "vander",
                                                         "linalg_vander")
            and op.forward.__module__.rpartition(".")[2] in ("linalg", "norms", "systems", "matrix_functions")]
"""Where the smallest part is a matrix: all that is made of one depends on all of it."""
IN_PARTS = [op for op in WITH_SAMPLES if op not in MATRICES and op.name != "corrcoef"]  # of all rows together


def each(operations):
    return pytest.mark.parametrize("op", operations, ids=lambda op: op.name)


def on_samples(check, op, examples=6):
    """`check(args, options, rng)` on samples of the operation: small ones, in which a small step makes a difference."""
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck), derandomize=True,
              database=None)
    @given(st.data())
    def run(data):
        args, options = op.samples(Draw(data.draw))
        for x in flatten(args)[0]:
            assume(x.size <= 27 and np.abs(x).max(initial=0) <= 8 and np.abs(x[x != 0]).min(initial=1) > 1e-2)
        check(args, options, np.random.default_rng(data.draw(st.integers(0, 99))))
    run()


class Example:
    """An operation at one point: its results, and which element of the arguments each of their elements depends on."""

    def __init__(self, op, args, options, rng):
        arrays, self.rebuild = flatten(args)
        self.op, self.options = op, options
        self.sizes = [x.size for x in arrays]
        self.shapes = [x.shape for x in arrays]
        off_the_grid = [x + 1e-3 * rng.uniform(-1, 1, x.shape) for x in arrays]
        if op.name in ("softmax", "log_softmax") and arrays[0].shape[options["dim"]] == 1:
            off_the_grid = [x[:0] for x in arrays]  # the only one in its row is 1, whatever x is
            self.sizes, self.shapes = [0], [off_the_grid[0].shape]
        self.point = np.concatenate([x.ravel() for x in off_the_grid]) if arrays else np.zeros(0)

    def arrays(self, point):
        parts = np.split(point, np.cumsum(self.sizes)[:-1]) if self.sizes else []
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def results(self, leaves):
        out = self.op.call(*self.rebuild(leaves), **self.options)
        return [t for t in (out if isinstance(out, (tuple, list)) else [out])
                if isinstance(t, Tensor) and t.dtype.kind == "f"]

    def values(self, point):
        """All elements of all results."""
        found = [np.ravel(t.array) for t in self.results([Tensor(x) for x in self.arrays(point)])]
        return np.concatenate(found) if found else np.zeros(0)

    def gradient(self, point, cotangent, create_graph):
        """Of all elements of the arguments."""
        leaves = [Tensor(x, requires_grad=True) for x in self.arrays(point)]
        outs = self.results(leaves)
        parts = np.split(cotangent, np.cumsum([t.array.size for t in outs])[:-1])
        pairs = [(t, Tensor(part.reshape(t.shape))) for t, part in zip(outs, parts, strict=True) if t.requires_grad]
        if not pairs:
            return np.zeros(point.size)
        gs = autograd.grad([t for t, _ in pairs], leaves, [part for _, part in pairs], create_graph=create_graph,
                           allow_unused=True)
        return np.concatenate([np.zeros(x.array.size) if g is None else np.ravel(g.detach().numpy())
                               for g, x in zip(gs, leaves, strict=True)])

    def reach(self, *steps, to=()):
        """reach[j, i]: whether element j of the results changes when element i of the arguments makes these steps, or
        goes to these numbers."""
        here = self.values(self.point)
        table = np.zeros((here.size, self.point.size), bool)
        for i in range(self.point.size):
            for target in (*(self.point[i] + step for step in steps), *to):
                moved = self.point.copy()
                moved[i] = target
                table[:, i] |= self.values(moved) != here
        return table


# Numbers that are none stay where they belong

ROUNDED_TO_1 = {"erf", "ndtr"}
"""Far from 0, where a slope that is not 0 changes no digit."""

@pytest.mark.parametrize("create_graph", [False, True], ids=["first", "to be differentiated"])
@each(IN_PARTS)
def test_what_a_result_does_not_depend_on_gets_exactly_0_whatever_gradient_arrives(op, create_graph):
    def check(args, options, rng):
        example = Example(op, args, options, rng)
        count = example.values(example.point).size
        if not count or (op.name in ROUNDED_TO_1 and np.abs(example.point).max() > 5):
            return
        depends = example.reach(1e-4, -1e-4)
        for planted in (np.inf, -np.inf, np.nan):
            cotangent, place = np.zeros(count), rng.integers(count)
            cotangent[place] = planted
            untouched = ~depends[place]
            found = example.gradient(example.point, cotangent, create_graph)[untouched]
            assert (found == 0).all(), f"g = {planted} at {place} gives {found} where nothing depends on it"
    on_samples(check, op)


NAN_IS_SKIPPED = {"fmax", "fmin", "nan_to_num", "nansum", "nanmean", "nanquantile", "nanmedian"}
NAN_COMES_LAST = {"sort", "msort", "topk", "kthvalue", "mode"}
"""Where nan is in order of size, it moves the others."""


@each(IN_PARTS)
def test_nan_reaches_what_depends_on_it_and_nothing_else(op):
    def check(args, options, rng):
        example = Example(op, args, options, rng)
        here = example.values(example.point)
        if not here.size or not example.point.size:
            return
        place = rng.integers(example.point.size)
        point = example.point.copy()
        point[place] = np.nan
        far = example.reach(1e-4, 30, -30, *rng.uniform(-5, 5, 12), to=(0,))  # beyond the kinks between here and there
        reached = far[:, place]
        if op.name in NAN_COMES_LAST:
            reached = np.ones_like(reached)
        there = example.values(point)
        np.testing.assert_array_equal(there[~reached], here[~reached])
        if op.name not in NAN_IS_SKIPPED | NAN_COMES_LAST:
            assert np.isnan(there[reached]).all(), f"nan at {place}: {there} of {here}, to reach {reached}"
            apart = ~far[reached].any(0)
            g = rng.uniform(0.5, 1, here.size)
            np.testing.assert_allclose(example.gradient(point, g, False)[apart],
                                       example.gradient(example.point, g, False)[apart], rtol=1e-12)
    on_samples(check, op)


@each(MATRICES)
def test_matrices_of_a_stack_know_nothing_of_each_other(op):
    def check(args, options, rng):
        arrays, rebuild = flatten(args)
        if {x.ndim for x in arrays} != {2} or (op.name in ("qr", "svd", "linalg_eigh") and 1 in arrays[0].shape) or (
                op.name.startswith("tensor")):
            return
        leaves = [Tensor(np.stack([x, x * 1.01]), requires_grad=True) for x in arrays]
        outs = op.call(*rebuild(leaves), **options)
        for out in outs if isinstance(outs, tuple) else (outs,):
            if out.requires_grad and out.ndim:
                g = np.zeros(out.shape)
                g[0] = np.inf
                for found in autograd.grad(out, leaves, g, retain_graph=True, allow_unused=True):
                    assert found is None or not found.numpy()[1].any()
    on_samples(check, op, 20)


def of_finite_only(function):
    def checked(x, *args, **kwargs):
        assert np.isfinite(x).all()
        return function(x, *args, **kwargs)
    return checked


@pytest.mark.parametrize("planted", [np.nan, np.inf])
@each(MATRICES)
def test_lapack_never_iterates_over_what_is_no_number(op, planted, monkeypatch):
    """With some such matrices it would not come to an end."""
    for name in ("svd", "svdvals", "eigh", "eigvalsh", "pinv", "eig"):
        monkeypatch.setattr(np.linalg, name, of_finite_only(getattr(np.linalg, name)))

    def check(args, options, rng):
        arrays, rebuild = flatten(args)
        for x in arrays:
            x.flat[rng.integers(x.size)] = planted
        leaves = [Tensor(x, requires_grad=True) for x in arrays]
        try:
            out = op.call(*rebuild(leaves), **options)
            sum(t.sum() for t in (out if isinstance(out, tuple) else [out]) if t.requires_grad).backward()
        except np.linalg.LinAlgError:  # found without iterating: not positive definite, singular
            pass
    on_samples(check, op, 20)


KINKS = {
    "relu": lambda x: autograd.relu(x), "abs": abs, "maximum": lambda x: autograd.maximum(x, 1.0),
    "minimum": lambda x: autograd.minimum(x, -1.0), "fmax": lambda x: autograd.fmax(x, 1.0),
    "fmin": lambda x: autograd.fmin(x, -1.0), "clamp": lambda x: x.clamp(1, 2), "clamp_min": lambda x: x.clamp_min(1),
    "clamp_max": lambda x: x.clamp_max(-1), "clamp by tensors": lambda x: x.clamp(tensor(1.0), tensor(2.0)),
    "bound of clamp": lambda x: tensor(5.0).clamp(x, x + 9), "sign": autograd.sign, "round": autograd.round,
    "x ** 0": lambda x: x ** 0,
    "x ** tensor(0)": lambda x: x ** tensor(0.0),
    "0 ** x": lambda x: tensor(0.0) ** (x + 1),
    "where": lambda x: autograd.where(x > 0, x, 1.0), "masked_fill": lambda x: x.masked_fill(x == 0, 3),
    "nan_to_num": lambda x: autograd.nan_to_num(x + np.inf),
    "remainder": lambda x: autograd.remainder(tensor(1.0), x + 4),
    "fmod": lambda x: autograd.fmod(tensor(1.0), x + 4), "hypot": lambda x: autograd.hypot(x, 0.0),
    "atan2": lambda x: autograd.atan2(x, 0.0), "floor_divide": lambda x: x // 2, "trunc": autograd.trunc,
    "std of equals": lambda x: autograd.stack([x, x]).std(0),
    **{f"norm {p}": lambda x, p=p: linalg.vector_norm(x[..., None], p, -1)
       for p in (0, 0.5, 1, 1.5, 2, 3, math.inf, -math.inf)},
    "what is written over": lambda x: autograd.index_fill(x.reshape(-1), 0, tensor([0]), 3.0),
}


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("g", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("name", KINKS)
def test_where_nothing_rises_the_gradient_is_exactly_0(name, g, create_graph):
    for shape in ((), (1,), (1, 1)):
        x = Tensor(np.zeros(shape), requires_grad=True)
        y = KINKS[name](x)
        if y.requires_grad:
            (found,) = autograd.grad(y, x, np.full(y.shape, g), create_graph=create_graph, allow_unused=True)
            assert found is None or not found.detach().numpy().any(), found


# Dtypes

ROUNDED_DOWN = {"scatter_reduce", "index_reduce"}
"""Their means of integers, as PyTorch's."""
REFUSED = ("Integers to negative integer powers", "quantiles are those of float32 and float64")


@each(WITH_SAMPLES)
def test_whole_numbers_give_the_same_as_integers_and_as_fractions(op):
    """Nothing is rounded, since an array of integers was made for fractions."""
    def check(args, options, rng):
        arrays, rebuild = flatten(args)
        whole = [np.rint(x).astype(np.int64) for x in arrays]

        def values(kinds):
            out = op.call(*rebuild([tensor(x.astype(kind)) for x, kind in zip(whole, kinds, strict=True)]), **options)
            return [t.array for t in (out if isinstance(out, (tuple, list)) else [out])]
        try:
            expected = values([np.float64] * len(whole))
        except (np.linalg.LinAlgError, RuntimeError, IndexError):  # rounded, they may be singular
            return
        for kinds in ([np.int64] * len(whole), [np.int64, *[np.float64] * len(whole)][:len(whole)]):
            try:
                found = values(kinds)
            except RuntimeError as error:
                assert any(words in str(error) for words in REFUSED), error
                continue
            for a, b in zip(found, expected, strict=True):
                if op.name in ROUNDED_DOWN and a.dtype.kind == "i":
                    b = np.floor(b)
                np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    on_samples(check, op, 15)


# Memory

VIEWS = {"to", "astype", "type", "type_as", "positive", "contiguous", "ravel", "reshape_as", "unflatten", "movedim",
         "t", "expand_as", "broadcast_tensors", "meshgrid", "split", "chunk", "tensor_split", "unbind", "select",
         "narrow", "atleast_1d", "atleast_2d", "atleast_3d", "hsplit", "vsplit", "dsplit", "split_with_sizes"}
"""What PyTorch gives as views, or as the tensor itself, beside the operations that are declared as views."""


def shares(result, arrays):
    return any(np.shares_memory(t.array, x) for t in (result if isinstance(result, (tuple, list)) else [result])
               if isinstance(t, Tensor) for x in arrays if x.size)


@each([op for op in WITH_SAMPLES if not op.view and op.name not in VIEWS])
def test_only_views_share_memory(op):
    def check(args, options, rng):
        arrays, rebuild = flatten(args)
        given = [autograd.from_numpy(x) for x in arrays]
        out = op.call(*rebuild(given), **options)
        assert not shares(out, arrays)
        kin = [id(other) for t in (out if isinstance(out, (tuple, list)) else [out]) for other in relatives(t)]
        assert not {*map(id, given)} & {*kin}  # of empty ones, too
    on_samples(check, op, 15)


LITTLE_TO_DO = {
    "sort": lambda m, x: x.sort(0)[0], "topk": lambda m, x: x.topk(1, 0)[0], "max": lambda m, x: x.max(0)[0],
    "min": lambda m, x: x.min(0)[0],
    "median": lambda m, x: x.median(0)[0],
    "kthvalue": lambda m, x: x.kthvalue(1, 0)[0],
    "cummax": lambda m, x: x.cummax(0)[0], "cummin": lambda m, x: x.cummin(0)[0], "cumsum": lambda m, x: x.cumsum(0),
    "cumprod": lambda m, x: x.cumprod(0), "logcumsumexp": lambda m, x: x.logcumsumexp(0), "sum": lambda m, x: x.sum(0),
    "prod": lambda m, x: x.prod(0), "mean": lambda m, x: x.mean(0), "amax": lambda m, x: x.amax(0),
    "logsumexp": lambda m, x: x.logsumexp(0), "norm": lambda m, x: x.norm(dim=0), "nansum": lambda m, x: x.nansum(0),
    "flip": lambda m, x: x.flip(0), "roll": lambda m, x: x.roll(0), "tile": lambda m, x: x.tile((1,)),
    "repeat": lambda m, x: x.repeat(1, 1), "take": lambda m, x: x.take(m.tensor([0])), "clamp": lambda m, x: x.clamp(0),
    "repeat_interleave": lambda m, x: x.reshape(1, -1).repeat_interleave(3, 0),
    "diag": lambda m, x: x.reshape(1).diag(),
    "repeat_interleave once": lambda m, x: x.reshape(1).repeat_interleave(1, 0),
    "diff": lambda m, x: x.reshape(1).diff(n=0), "matrix_power": lambda m, x: x.reshape(1, 1).matrix_power(1),
    "cat": lambda m, x: m.cat([x.reshape(1)]), "stack": lambda m, x: m.stack([x]), "hstack": lambda m, x: m.hstack([x]),
    "tril": lambda m, x: x.reshape(1, 1).tril(), "rot90": lambda m, x: x.reshape(1, 1).rot90(0),
    "gather": lambda m, x: x.gather(0, m.zeros_like(x).long()), "masked_fill": lambda m, x: x.masked_fill(x < 0, 0.0),
    "index_select": lambda m, x: x.index_select(0, m.tensor([0])), "masked_select": lambda m, x: x.masked_select(x > 0),
    "take_along_dim": lambda m, x: x.reshape(1).take_along_dim(m.tensor([0]), 0), "round": lambda m, x: x.round(),
    "where": lambda m, x: m.where(x > 0, x, x), "nan_to_num": lambda m, x: x.nan_to_num(), "abs": lambda m, x: x.abs(),
    "add 0": lambda m, x: x + 0, "x ** 1": lambda m, x: x ** 1, "clone": lambda m, x: x.clone(),
    "softmax": lambda m, x: x.softmax(0), "dist": lambda m, x: m.dist(x, x * 0),
    "sum over no axes": lambda m, x: x.sum(()), "relu": lambda m, x: x.relu(), "positive": lambda m, x: +x,
    "flatten": lambda m, x: x.flatten(), "ravel": lambda m, x: x.ravel(), "squeeze": lambda m, x: x.squeeze(0),
    "transpose": lambda m, x: x.transpose(0, 0),
    "movedim": lambda m, x: x.movedim(0, 0),
    "float": lambda m, x: x.double(),
    "contiguous": lambda m, x: x.contiguous(),
    "expand": lambda m, x: x.expand(3),
    "unfold": lambda m, x: x.unfold(0, 1, 1),
}


@pytest.mark.parametrize("shape", [(), (1,)])
@pytest.mark.parametrize("name", LITTLE_TO_DO)
def test_memory_is_shared_where_pytorch_shares_it_even_if_there_is_little_to_do(name, shape):
    torch = pytest.importorskip("torch")
    x, y = Tensor(np.full(shape, 3.0)), torch.full(shape, 3.0, dtype=torch.float64)
    ours, theirs = (LITTLE_TO_DO[name](m, z) for m, z in ((autograd, x), (torch, y)))
    assert ours.shape == tuple(theirs.shape)
    assert ours.tolist() == theirs.tolist()
    assert shares(ours, [x.array]) is (theirs.data_ptr() == y.data_ptr())


# Axes: those of a tensor without any, and those that there are not

DIMS = {"dim", "dims", "dim0", "dim1", "dim2", "dimension", "start_dim", "end_dim"}


def dims_of(op):
    """The parameters that are axes (the `dims` of tensordot may be their number)."""
    named = {"movedim": {"source", "destination"}, "tensordot": set()}.get(op.name, DIMS)
    return [name for name in op.signature.parameters if name in named]


def spoilt(value, bad):
    """An axis, or the first of several, replaced by one that there is not."""
    return (bad, *value[1:]) if isinstance(value, (tuple, list)) and len(value) else bad


@each([op for op in WITH_SAMPLES if dims_of(op)])
def test_an_axis_that_there_is_not_is_an_index_error_that_says_which_there_are(op):
    def check(args, options, rng):
        arrays, rebuild = flatten(args)
        given = dict(zip([p for p in op.signature.parameters if p not in options], rebuild(list(map(Tensor, arrays))),
                         strict=False))
        for name in dims_of(op):
            for bad in (arrays[0].ndim + 3, -arrays[0].ndim - 4):
                wrong = {**options, name: spoilt({**given, **options}.get(name), bad)}
                call = (rebuild(list(map(Tensor, arrays))), wrong) if op.variadic else ((), {**given, **wrong})
                with pytest.raises(IndexError, match=rf"(?s){bad} is out of range.*it may be -?\d+ to \d"):
                    op.call(*call[0], **call[1])
    on_samples(check, op, 3)


def of(m, values):
    return m.tensor(values)


NO_AXES = {
    **{name: lambda m, x, d, name=name: getattr(m, name)(x, dim=d) for name in (
        "sum", "mean", "nansum", "nanmean", "amax", "amin", "all", "any", "count_nonzero", "prod", "var", "std",
        "argmax", "argmin", "argsort", "sort", "max", "min", "median", "logsumexp", "softmax", "log_softmax", "cumsum",
        "cumprod", "logcumsumexp", "cummax", "cummin", "squeeze", "unsqueeze", "norm")},
    **{name + " kept": lambda m, x, d, name=name: getattr(m, name)(x, dim=d, keepdim=True) for name in (
        "sum", "mean", "nansum", "amax", "amin", "prod", "var", "argmax", "max", "min", "median", "logsumexp", "norm")},
    **{name + " of several": lambda m, x, d, name=name: getattr(m, name)(x, dim=(d,)) for name in (
        "sum", "mean", "amax", "var", "std", "logsumexp", "norm")},
    "kthvalue": lambda m, x, d: m.kthvalue(x, 1, d), "topk": lambda m, x, d: m.topk(x, 1, d),
    "var_mean": lambda m, x, d: m.var_mean(x, d, correction=0),
    "std_mean": lambda m, x, d: m.std_mean(x, d, correction=0),
    "flatten": lambda m, x, d: m.flatten(x, d, d), "transpose": lambda m, x, d: m.transpose(x, d, 0),
    "movedim": lambda m, x, d: m.movedim(x, d, 0), "unfold": lambda m, x, d: x.unfold(d, 1, 1),
    "flip": lambda m, x, d: m.flip(x, (d,)),
    "stack": lambda m, x, d: m.stack([x, x], d),
    "diff": lambda m, x, d: x.diff(dim=d),
    "gather": lambda m, x, d: m.gather(x, d, of(m, 0)), "gather two": lambda m, x, d: m.gather(x, d, of(m, [0, 0])),
    "scatter": lambda m, x, d: m.scatter(x, d, of(m, 0), x * 3), "select": lambda m, x, d: m.select(x, d, 0),
    "scatter_add": lambda m, x, d: m.scatter_add(x, d, of(m, 0), x * 3), "split": lambda m, x, d: m.split(x, 1, d),
    "index_select": lambda m, x, d: m.index_select(x, d, of(m, [0])), "chunk": lambda m, x, d: m.chunk(x, 1, d),
    "index_add": lambda m, x, d: m.index_add(x, d, of(m, [0]), x * 2), "narrow": lambda m, x, d: m.narrow(x, d, 0, 1),
    "index_copy": lambda m, x, d: m.index_copy(x, d, of(m, [0]), x * 2), "unbind": lambda m, x, d: m.unbind(x, d),
    "index_fill": lambda m, x, d: m.index_fill(x, d, of(m, [0]), 5.0), "cat": lambda m, x, d: m.cat([x, x], d),
    "tensor_split": lambda m, x, d: m.tensor_split(x, 1, d), "diagonal": lambda m, x, d: m.diagonal(x, 0, d, 0),
    "vector_norm": lambda m, x, d: m.linalg.vector_norm(x, 3, d),
    "linalg.norm": lambda m, x, d: m.linalg.norm(x, None, d),
    "rot90": lambda m, x, d: m.rot90(x, 1, (d, 0)), "cross": lambda m, x, d: m.linalg.cross(x, x, dim=d),
    "trapezoid": lambda m, x, d: m.trapezoid(x, dim=d), "diag_embed": lambda m, x, d: m.diag_embed(x, 0, d, 0),
    **{name: lambda m, x, d, name=name: getattr(m, name)(x, 0.5, d) for name in ("quantile", "nanquantile")},
    **{name: lambda m, x, d, name=name: getattr(m, name)(x, dim=d) for name in ("nanmedian", "mode")},
    "unique": lambda m, x, d: m.unique(x.detach(), dim=d),
    "unique_consecutive": lambda m, x, d: m.unique_consecutive(x.detach(), dim=d),
    "scatter_reduce": lambda m, x, d: m.scatter_reduce(x, d, of(m, 0), x * 3, "amax"),
    "index_reduce": lambda m, x, d: m.index_reduce(x, d, of(m, [0]), x * 2, "mean"),
    "select_scatter": lambda m, x, d: m.select_scatter(x, x * 2, d, 0),
    "slice_scatter": lambda m, x, d: m.slice_scatter(x, x * 2, d),
    "diagonal_scatter": lambda m, x, d: m.diagonal_scatter(x, x * 2, 0, d, 0),
    "split_with_sizes": lambda m, x, d: m.split_with_sizes(x, [1], d),
    "cumulative_trapezoid": lambda m, x, d: m.cumulative_trapezoid(x, dim=d),
    "aminmax": lambda m, x, d: m.aminmax(x, dim=d), "gradient": lambda m, x, d: m.gradient(x, dim=d),
    "renorm": lambda m, x, d: m.renorm(x, 2, d, 1.0),
    "tensordot": lambda m, x, d: m.tensordot(x, x, ([d], [d])), "permute": lambda m, x, d: m.permute(x, (d,)),
}
MORE_THAN_PYTORCH = {"roll", "repeat_interleave", "unflatten", "take_along_dim"}
"""These too take a tensor without axes as one with a single axis."""


def test_every_dim_is_tried_on_a_tensor_without_axes():
    offered = {op.name for key, op in TABLE.items() if op in OURS and dims_of(op) and not key.startswith("_")}
    assert offered <= NO_AXES.keys() | MORE_THAN_PYTORCH


def outcome(m, call, dim):
    """Results and gradient, or that it is refused."""
    x = m.tensor(2.0, requires_grad=True)
    try:
        out = call(m, x, dim)
    except (IndexError, RuntimeError, ValueError) as error:
        assert "internal" not in str(error).lower()
        return "refused"
    outs = list(out) if isinstance(out, (tuple, list)) else [out]
    tracked = [t for t in outs if t.requires_grad]
    if tracked:
        sum((t * t).sum() for t in tracked).backward()
    return [(tuple(t.shape), t.tolist()) for t in outs], 0 if x.grad is None else x.grad.item()


@pytest.mark.parametrize("dim", [0, -1, 1, -2])
@pytest.mark.parametrize("name", NO_AXES)
def test_a_tensor_without_axes_has_axis_0_and_minus_1_as_in_pytorch(name, dim):
    torch = pytest.importorskip("torch")
    ours, theirs = (outcome(m, NO_AXES[name], dim) for m in (autograd, torch))
    np.testing.assert_equal(ours, theirs)


@pytest.mark.parametrize("dim", [0, -1])
def test_more_takes_a_tensor_without_axes_than_in_pytorch(dim):
    x = tensor(2.0)
    assert x.roll(1, dim).tolist() == 2
    assert x.repeat_interleave(2, dim).tolist() == [2, 2]
    assert x.unflatten(dim, (1, 1)).tolist() == [[2]]
    assert x.take_along_dim(tensor(0), dim).tolist() == 2
