"""Transforms of random variables, constraints, and which transform leads to which constraint: beside PyTorch's."""

import math

import numpy as np
import pytest

import autograd
from autograd.testing import gradcheck
from nn import distributions as D
from nn.distributions import constraints as C

torch = pytest.importorskip("torch")
T = torch.distributions
rng = np.random.default_rng(0)
VECTORS = rng.standard_normal((2, 6))
MATRICES = rng.standard_normal((2, 3, 3))
EXPONENTS = np.array([0.5, -2.0, 3.0, 1.0, -0.3, 2.0])

# A name: the transform in a module (whose tensors `t` makes), and x.
TRANSFORMS = {
    "exp": (lambda m, t: m.ExpTransform(), VECTORS),
    "power": (lambda m, t: m.PowerTransform(t(EXPONENTS)), np.exp(VECTORS)),
    "power, wider": (lambda m, t: m.PowerTransform(t(EXPONENTS)), np.exp(VECTORS[:, :1])),
    "sigmoid": (lambda m, t: m.SigmoidTransform(), 5 * VECTORS),
    "softplus": (lambda m, t: m.SoftplusTransform(), VECTORS),
    "tanh": (lambda m, t: m.TanhTransform(), VECTORS),
    "abs": (lambda m, t: m.AbsTransform(), VECTORS),
    "affine": (lambda m, t: m.AffineTransform(2.0, -3.0), VECTORS),
    "affine of tensors": (lambda m, t: m.AffineTransform(t(EXPONENTS), t(EXPONENTS)), VECTORS),
    "affine of vectors": (lambda m, t: m.AffineTransform(t(EXPONENTS), t(EXPONENTS), event_dim=1), VECTORS),
    "affine of vectors by a number": (lambda m, t: m.AffineTransform(1.0, 0.5, event_dim=1), VECTORS),
    "correlations": (lambda m, t: m.CorrCholeskyTransform(), VECTORS),
    "correlation of two": (lambda m, t: m.CorrCholeskyTransform(), VECTORS[:, :1]),
    "softmax": (lambda m, t: m.SoftmaxTransform(), VECTORS),
    "stick": (lambda m, t: m.StickBreakingTransform(), VECTORS),
    "lower": (lambda m, t: m.LowerCholeskyTransform(), MATRICES),
    "definite": (lambda m, t: m.PositiveDefiniteTransform(), MATRICES),
    "reshape": (lambda m, t: m.ReshapeTransform((6,), (3, 2)), VECTORS),
    "independent": (lambda m, t: m.IndependentTransform(m.ExpTransform(), 1), VECTORS),
    "independent twice": (lambda m, t: m.IndependentTransform(m.IndependentTransform(m.TanhTransform(), 1), 1),
                          VECTORS),
    "identity": (lambda m, t: m.identity_transform, VECTORS),
    "composed": (lambda m,
                 t: m.ComposeTransform([m.AffineTransform(1.0, 2.0), m.ExpTransform(), m.PowerTransform(t(-2.0))]),
                 VECTORS),
    "composed, wider": (lambda m,
                        t: m.ComposeTransform([m.ExpTransform(), m.AffineTransform(0.0, t(EXPONENTS), event_dim=1),
                                                         m.SigmoidTransform()]), VECTORS),
    "composed, to matrices": (lambda m, t: m.ComposeTransform([m.TanhTransform(), m.CorrCholeskyTransform()]), VECTORS),
    "composed, to probabilities": (lambda m,
                                   t: m.ComposeTransform([m.StickBreakingTransform(), m.AffineTransform(0.0, 2.0)]),
                                   VECTORS),
    "inverse": (lambda m, t: m.ComposeTransform([m.ExpTransform(), m.AffineTransform(1.0, 2.0)]).inv, np.exp(VECTORS)
                + 1),
    "inverse of a part": (lambda m, t: m.ComposeTransform([m.ExpTransform().inv, m.AffineTransform(1.0, 2.0)]),
                          np.exp(VECTORS)),
    "cat": (lambda m, t: m.CatTransform([m.ExpTransform(), m.AffineTransform(1.0, 2.0)], -1, [2, 4]), VECTORS),
    "cat of vectors": (lambda m,
                       t: m.CatTransform([m.ExpTransform(), m.AffineTransform(1.0, 2.0, event_dim=1)], 1, [2, 4]),
                       VECTORS),
    "cat of rows": (lambda m, t: m.CatTransform([m.ExpTransform(), m.TanhTransform()]), VECTORS),
    "stack": (lambda m, t: m.StackTransform([m.ExpTransform(), m.TanhTransform()]), VECTORS),
    "stack of columns": (lambda m,
                         t: m.StackTransform([m.ExpTransform(), m.TanhTransform(), m.SoftplusTransform()], -1),
                         MATRICES),
    "cumulative": (lambda m, t: m.CumulativeDistributionTransform(m.Normal(t(0.5), t(2.0))), VECTORS),
}
each = pytest.mark.parametrize("name", TRANSFORMS)


def both(name):
    make, x = TRANSFORMS[name]
    ours = make(D, lambda v: autograd.tensor(v, dtype=autograd.float64))
    return ours, make(T, lambda v: torch.tensor(v, dtype=torch.float64)), autograd.tensor(x), torch.tensor(x)


@each
def test_maps_inverses_and_volumes_are_pytorchs(name):
    ours, theirs, x, u = both(name)
    y, v = ours(x), theirs(u)
    np.testing.assert_allclose(y, v, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ours.inv(y), theirs.inv(v), rtol=1e-9, atol=1e-12)
    if ours.bijective:
        np.testing.assert_allclose(ours(ours.inv(y)), y, rtol=1e-9, atol=1e-12)
        volume, expected = ours.log_abs_det_jacobian(x, y), theirs.log_abs_det_jacobian(u, v)
        np.testing.assert_allclose(volume, expected, rtol=1e-8, atol=1e-8)  # PyTorch's softplus is x from 20 on
        np.testing.assert_allclose(ours.inv.log_abs_det_jacobian(y, x), -volume, rtol=1e-8, atol=1e-8)
    assert ours.forward_shape(x.shape) == y.shape == tuple(theirs.forward_shape(u.shape))
    assert ours.inverse_shape(y.shape) == tuple(theirs.inverse_shape(v.shape))
    assert ours.bijective is theirs.bijective


@each
def test_their_attributes_are_pytorchs(name):
    ours, theirs, x, _ = both(name)
    for side in ("domain", "codomain"):
        a, b = getattr(ours, side), getattr(theirs, side)
        assert (a.event_dim, a.is_discrete) == (b.event_dim, b.is_discrete)
        assert type(a).__name__ == type(b).__name__
    assert ours.domain.check(x).all()
    if name != "abs":
        assert ours.codomain.check(ours(x)).all()
    for which in ("sign", "event_dim"):
        try:
            expected = getattr(theirs, which)
        except (NotImplementedError, ValueError):
            with pytest.raises((NotImplementedError, ValueError)):
                getattr(ours, which)
        else:
            np.testing.assert_array_equal(getattr(ours, which), expected)


@each
def test_derivatives_are_those_of_differences(name):
    ours, _, x, _ = both(name)
    x = x.clone().requires_grad_()
    assert gradcheck(ours, [x])
    if ours.bijective:
        assert gradcheck(lambda x: ours.log_abs_det_jacobian(x, ours(x)), [x])


@pytest.mark.parametrize("name",
                         ["exp", "sigmoid", "affine of vectors", "stick", "correlations", "reshape", "composed, wider",
                                  "independent"])
def test_volumes_are_determinants(name):
    ours, _, x, _ = both(name)
    x = x[0]

    def flat(x):
        y = ours(x)
        if name == "correlations":
            return y[tuple(np.tril_indices(y.shape[-1], -1))]
        return y.flatten()[:x.numel()]  # of probabilities, all but the last
    jacobian = autograd.functional.jacobian(flat, x).numpy()
    volume = ours.log_abs_det_jacobian(x, ours(x)).sum().item()
    assert np.linalg.slogdet(jacobian)[1] == pytest.approx(volume)


@each
def test_what_is_remembered(name):
    ours, _, x, _ = both(name)
    cached = ours.with_cache()
    assert cached.with_cache(1) is cached
    y = cached(x)
    np.testing.assert_array_equal(y, ours(x))
    if name != "identity":
        if not isinstance(ours, D.ComposeTransform):
            assert cached(x) is y
        assert cached.inv(y) is x or isinstance(ours, D.ComposeTransform)
    assert ours.inv.inv == ours
    assert ours == ours.with_cache(0)
    again, *_ = both(name)
    if name not in ("identity", "cumulative"):
        assert again == ours
    assert ours != D.LowerCholeskyTransform() or name == "lower"


def test_what_is_equal():
    assert D.ExpTransform() == D.ExpTransform() != D.TanhTransform()
    assert D.AffineTransform(0.0, 1.0) == D.AffineTransform(0, autograd.tensor(1.0)) != D.AffineTransform(0.0, 2.0)
    assert D.ExpTransform().inv == D.ExpTransform().inv
    assert D.PowerTransform(2.0) != D.PowerTransform(3.0)
    assert len({D.ExpTransform(), D.TanhTransform()}) == 2
    assert D.ComposeTransform([D.ExpTransform()]) != D.ComposeTransform([])


def test_tanh_has_a_density_where_it_is_rounded_to_one():
    x = autograd.tensor([50.0, -50.0])
    np.testing.assert_allclose(D.TanhTransform().log_abs_det_jacobian(x, x.tanh()), [2 * math.log(2) - 100] * 2,
                               rtol=1e-6)


def test_one_of_ones_own():
    class Cube(D.Transform):
        domain = codomain = C.real
        bijective = True
        sign = 1

        def _call(self, x):
            return x ** 3

        def _inverse(self, y):
            return y.sign() * y.abs() ** (1 / 3)

        def log_abs_det_jacobian(self, x, y):
            return (3 * x ** 2).log()
    p = D.TransformedDistribution(D.Normal(0.0, 1.0), Cube())
    assert p.cdf(8.0).item() == pytest.approx(D.Normal(0.0, 1.0).cdf(2.0).item())
    assert p.icdf(0.9).item() == pytest.approx(D.Normal(0.0, 1.0).icdf(0.9).item() ** 3, rel=1e-5)
    assert p.log_prob(8.0).item() == pytest.approx(D.Normal(0.0, 1.0).log_prob(2.0).item() - math.log(12))
    assert Cube() == Cube()
    assert Cube().with_cache()._cache_size == 1

    class Shift(Cube):
        def __init__(self, by):
            super().__init__()
            self.by = by
    shift = Shift(1)
    same = shift
    assert shift == same != Shift(1)
    with pytest.raises(NotImplementedError, match="with_cache"):
        shift.with_cache()


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: D.ExpTransform(cache_size=2), ValueError, "0 or 1"),
    (lambda: D.Transform()(3), NotImplementedError, "_call"),
                                                        (lambda: D.Transform().sign, NotImplementedError, "increasing"),
    (lambda: D.SoftmaxTransform().log_abs_det_jacobian(3, 3), NotImplementedError, "no density"),
    (lambda: D.StickBreakingTransform().event_dim and D.CorrCholeskyTransform().event_dim, ValueError, "differ"),
    (lambda: D.ReshapeTransform((2,), (3,)), ValueError, "2 elements"),
    (lambda: D.ReshapeTransform((2,), (1, 2))(autograd.zeros(3)), ValueError, r"must be \(2,\)"),
    (lambda: D.StickBreakingTransform()(autograd.zeros(())), ValueError, "1 last axes"),
    (lambda: D.StickBreakingTransform().forward_shape(()), ValueError, "1 last axes"),
    (lambda: D.CorrCholeskyTransform().forward_shape((4,)), ValueError, "1, 3 or 6"),
    (lambda: D.CorrCholeskyTransform().inverse_shape((4, 3)), ValueError, "equally long"),
    (lambda: D.IndependentTransform(D.ExpTransform(), 1)(autograd.zeros(())), ValueError, "1 last axes"),
    (lambda: D.CatTransform([D.ExpTransform()], lengths=[1, 2]), ValueError, "as many lengths"),
    (lambda: D.CatTransform([D.ExpTransform()])(autograd.zeros(2)), ValueError, "must have 1 elements"),
    (lambda: D.StackTransform([D.ExpTransform()])(autograd.zeros(2)), ValueError, "must have 1 elements")])
def test_mistakes_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


# Constraints

POINTS = [-math.inf, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.5, math.inf, math.nan]
NUMBERS = {
    "boolean": lambda c: c.boolean, "nonnegative_integer": lambda c: c.nonnegative_integer, "real": lambda c: c.real,
    "positive_integer": lambda c: c.positive_integer, "positive": lambda c: c.positive,
           "nonnegative": lambda c: c.nonnegative,
    "unit_interval": lambda c: c.unit_interval, "greater_than": lambda c: c.greater_than(0.5),
    "greater_than_eq": lambda c: c.greater_than_eq(0.5), "less_than": lambda c: c.less_than(0.5),
    "interval": lambda c: c.interval(-0.5, 0.5), "half_open_interval": lambda c: c.half_open_interval(-0.5, 0.5),
    "integer_interval": lambda c: c.integer_interval(0, 2)}
VECTOR_POINTS = np.array([[0.5, 0.5, 0], [0, 1, 0], [1, 1, 0], [-0.5, 1, 0.5], [0.2, 0.2, 0.2], [2, 1, 0],
                          [math.nan, 0, 1]])
VECTOR_KINDS = {
    "one_hot": lambda c: c.one_hot, "simplex": lambda c: c.simplex, "multinomial": lambda c: c.multinomial(2),
    "real_vector": lambda c: c.real_vector, "independent": lambda c: c.independent(c.positive, 1),
    "stack": lambda c: c.stack([c.positive, c.real, c.boolean], -1),
                "cat": lambda c: c.cat([c.positive, c.boolean], -1, [1, 2])}
ANGLE = np.array([[1.0, 0.0], [math.sin(0.3), math.cos(0.3)]])
MATRIX_POINTS = np.array([[[1, 0], [0, 1]], [[2, 1], [1, 2]], [[1, 2], [2, 1]], [[1, 0], [1, 1]], [[1, 0], [1, -1]],
                          [[1, 1], [1, 1]], [[1, 0.5], [0, 1]], ANGLE], float)
MATRIX_KINDS = {name: (lambda c, name=name: getattr(c, name)) for name in (
    "square", "symmetric", "positive_semidefinite", "positive_definite", "lower_triangular", "lower_cholesky",
    "corr_cholesky")}
CONSTRAINTS = {**{name: (make, np.array(POINTS)) for name, make in NUMBERS.items()},
               **{name: (make, VECTOR_POINTS) for name, make in VECTOR_KINDS.items()},
               **{name: (make, MATRIX_POINTS) for name, make in MATRIX_KINDS.items()}}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraints_are_pytorchs(name):
    make, points = CONSTRAINTS[name]
    ours, theirs = make(C), make(T.constraints)
    for values in ([points] if name.startswith("positive_") and points.ndim == 3 else [points, *points]):
        if name == "positive_semidefinite":
            values = values[[0, 1, 2]]  # at exactly 0, eigenvalues are rounded
        if name.startswith("positive_") and values.ndim == 3:  # PyTorch stops at the first that isn't symmetric
            for value in values:
                assert bool(ours.check(autograd.tensor(value))) == bool(theirs.check(torch.tensor(value)))
        else:
            np.testing.assert_array_equal(ours.check(autograd.tensor(values)), theirs.check(torch.tensor(values)))
    assert (ours.event_dim, ours.is_discrete) == (theirs.event_dim, theirs.is_discrete)
    assert repr(ours) == repr(theirs) or name == "multinomial"
    assert str(ours) != repr(ours)


def test_all_of_pytorchs_constraints_are_there():
    assert set(C.__all__) == set(T.constraints.__all__)


def test_dependent_constraints():
    assert C.is_dependent(D.Uniform.support)
    assert not C.is_dependent(D.Uniform(0.0, 1.0).support)
    assert C.dependent(is_discrete=True, event_dim=1).event_dim == 1
    assert C.dependent(is_discrete=True).is_discrete
    for name in ("event_dim", "is_discrete"):
        with pytest.raises(NotImplementedError, match=name):
            getattr(C.dependent, name)
    with pytest.raises(ValueError, match="by itself"):
        C.dependent.check(autograd.zeros(1))
    with pytest.raises(ValueError, match="at least 0"):
        C.independent(C.real, -1)
    with pytest.raises(ValueError, match="1 axes"):
        C.real_vector.check(autograd.zeros(()))
    with pytest.raises(ValueError, match="lengths"):
        C.cat([C.real], lengths=[1, 2])
    mixture = D.MixtureSameFamily(D.Categorical([1.0, 1.0]), D.Uniform(autograd.tensor([0.0, 1.0]), 2.0))
    assert mixture.support.check(autograd.tensor([0.5, 1.5])).tolist() == [False, True]


@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
@pytest.mark.parametrize("name", [*CONSTRAINTS, "cat of numbers", "stack of numbers"])
def test_registries_lead_where_pytorchs_lead(name, registry):
    make = {"cat of numbers": lambda c: c.cat([c.positive, c.unit_interval], -1, [2, 4]),
            "stack of numbers": lambda c: c.stack([c.positive, c.less_than(3.0)], -2)}.get(name) or CONSTRAINTS[name][0]
    constraint = make(C)
    x = MATRICES if constraint.event_dim == 2 and name != "corr_cholesky" else VECTORS
    try:
        theirs = getattr(T, registry)(make(T.constraints))
    except NotImplementedError:
        with pytest.raises(NotImplementedError, match="register"):
            getattr(D, registry)(constraint)
        return
    ours = getattr(D, registry)(constraint)
    y = ours(autograd.tensor(x))
    np.testing.assert_allclose(y, theirs(torch.tensor(x)), rtol=1e-12)
    assert ours.bijective is theirs.bijective
    if not name.startswith(("cat", "stack")):
        assert constraint.check(y).all()
        np.testing.assert_allclose(ours.inv(y), theirs.inv(torch.tensor(y.numpy())), rtol=1e-8, atol=1e-10)


def test_a_constraint_of_ones_own_can_be_registered():
    class Even(C.Constraint):
        def check(self, value):
            return value % 2 == 0
    registry = D.ConstraintRegistry()
    registry.register(C.positive, lambda constraint: D.SoftplusTransform())
    assert registry(C.greater_than(0.0)) == D.SoftplusTransform()

    @registry.register(Even)
    def make(constraint):
        return D.AffineTransform(0, 2)
    assert registry(Even()) == D.AffineTransform(0, 2)
    with pytest.raises(TypeError, match="Constraint"):
        registry.register(int, make)


def test_bounds_that_are_learned_have_gradients():
    """From a constraint's bounds, by way of the transform that leads to it."""
    low = autograd.tensor([1.0, 2.0], dtype=autograd.float64, requires_grad=True)
    x = autograd.tensor([0.3, -0.4], dtype=autograd.float64)
    for support in (lambda low: D.Uniform(low, 5.0).support, lambda low: D.Pareto(low, 1.0).support):
        assert gradcheck(lambda low, support=support: D.biject_to(support(low))(x), [low])
