"""Special functions to the last digits: values computed with 50 digits (mpmath), SciPy on dense grids."""

import numpy as np
import pytest

import autograd
from autograd import Tensor, special

EXACT = {
    "erf": {1e-300: 1.1283791670955126e-300, 1e-08: 1.12837916709551256e-8, 0.25: 0.276326390168236933,
            0.46875: 0.492613473217937992, 0.5: 0.520499877813046538, 1.0: 0.842700792949714869,
            3.9: 0.999999965207751403},
    "erfc": {-2.0: 1.99532226501895273, 0.46875: 0.507386526782062008, 0.5: 0.479500122186953462,
             1.0: 0.157299207050285131, 4.0: 1.54172579002800189e-8, 10.0: 2.08848758376254476e-45,
             20.0: 5.39586561160790093e-176, 26.5: 2.21090766426373428e-307},
    "erfcx": {-2.0: 108.940904389977972, 0.25: 0.770346547730996744, 1.0: 0.427583576155807004,
              10.0: 0.0561409927438225859, 50.0: 0.0112815362653237725, 1e10: 5.64189583547756287e-11},
    "erfinv": {1e-10: 8.86226925452758046e-11, 0.25: 0.225312055012178105, 0.5: 0.476936276204469873,
               0.999: 2.32675376551352449, 1 - 2**-40: 5.05125408524938997},
    "ndtri": {1e-300: -37.0470962993611992, 1e-20: -9.26234008979840758, 0.01: -2.32634787404084109,
              0.25: -0.674489750196081743, 0.9: 1.28155156554460059},
    "log_ndtr": {-1e5: -5000000012.431864, -40.0: -804.608442013753788, -1.5: -2.70594440082388981,
                 0.5: -0.368946415288656393},
    "gammaln": {1e-300: 690.775527898213705, 0.1: 2.2527126517342059, 0.5: 0.572364942924700087,
                0.999999: 5.77216487385565238e-7, 1.000001: -5.77214842387414665e-7, 1.5: -0.120782237635245222,
                1.999: -0.000422461800692107284, 2.001: 0.000423106734800116991, 3.5: 1.20097360234707422,
                7.99: 8.50501160608848111, 8.01: 8.54532442974773293, 100.0: 359.134205369575399,
                1e300: 6.89775527898213741e+302, -0.5: 1.2655121234846454, -7.25: -7.54188344347575002},
    "digamma": {1e-300: -9.99999999999999975e+299, 0.1: -10.4237549404110762, 0.5: -1.96351002602142348,
                1.0: -0.577215664901532861, 1.4616: -0.0000311062512303416497, 1.4617: 0.0000656593922936764955,
                2.5: 0.703156640645243187, 7.99: 2.0143092220462238, 8.01: 2.01697196390651929,
                1e10: 23.0258509298904568, -7.25: 5.18997721495628789},
    "i0": {0.001: 1.00000025000001563, 0.5: 1.06348337074132352, -3.0: 4.88079258586502409,
           10.0: 2815.71662846625447, 19.9: 39513376.5200668238, 20.1: 48017874.107136503,
           50.0: 2.93255378384933633e+20, 700.0: 1.52959334767187374e+302},
    "i0e": {0.001: 0.999000749583515559, 0.5: 0.645035270449150068, -3.0: 0.243000354161825398,
            10.0: 0.127833337163428607, 19.9: 0.0900085888643895973, 20.1: 0.089553763620613444,
            50.0: 0.0565616266474541925, 700.0: 0.0150812956515313576},
    "i1": {0.001: 0.000500000062500002615, 0.5: 0.257894305390896316, -3.0: -3.9533702174026094,
           10.0: 2670.98830370125465, 19.9: 38507423.8748622828, 20.1: 46807739.5330298828,
           50.0: 2.9030785901035568e+20, 700.0: 1.52850039023390069e+302},
    "i1e": {0.001: 0.000499500312354221347, 0.5: 0.156420803184871697, -3.0: -0.196826713297300854,
            10.0: 0.121262681384455519, 19.9: 0.0877171021317061011, 20.1: 0.087296851843201592,
            50.0: 0.0559931238928953996, 700.0: 0.0150705194447168469},
}
POLYGAMMA = [(1, 0.1, 101.433299150792748), (1, 2.5, 0.490357756100234865), (1, -0.75, 18.9751069322848885),
             (2, 0.1, -2001.86145737834367), (2, 30.0, -0.00114876520372859984), (3, -1.25, 1558.2209125348506),
             (5, 4.0, 0.0415583846359543789)]

INCOMPLETE_GAMMA = [
    (0.001, 1.5, 0.999899847040342986, 0.000100152959657014385),
    (0.01, 1e-12, 0.762906419580833234, 0.237093580419166766),
    (0.5, 0.25, 0.520499877813046538, 0.479500122186953462),
    (1.0, 1.0, 0.632120558828557678, 0.367879441171442322),
    (2.5, 30.0, 0.99999999998784543, 1.21545697771830389e-11),
    (3.0, 0.1, 0.000154653070264671679, 0.999845346929735328),
    (15.0, 20.0, 0.895135718892015328, 0.104864281107984672),
    (17.0, 11.0, 0.0559243524658256132, 0.944075647534174387),
    (100.0, 60.0, 1.48152763264604679e-6, 0.999998518472367354),
    (10000.0, 10100.0, 0.841348750447179622, 0.158651249552820378),
]
ZETA = [(1.0001, 1.0, 10000.577222947539), (2.0, 1.0, 1.64493406684822644), (3.5, 0.1, 3163.10342121763884),
        (2.0, -0.25, 18.5418796476716065), (4.0, -7.75, 259.75698676526776), (50.0, 3.0, 1.3929563579707038e-24),
        (1.5, 1000000.0, 0.002000000500000125)]


@pytest.mark.parametrize("name", EXACT)
def test_all_digits_are_right(name):
    x, expected = np.array(list(EXACT[name].items())).T
    np.testing.assert_allclose(getattr(special, name)(Tensor(x)).array, expected, rtol=1e-15)


@pytest.mark.parametrize(("n", "x", "expected"), POLYGAMMA)
def test_polygamma(n, x, expected):
    np.testing.assert_allclose(special.polygamma(n, Tensor(np.array(x))).item(), expected, rtol=2e-15)


@pytest.mark.parametrize(("a", "x", "lower", "upper"), INCOMPLETE_GAMMA)
def test_incomplete_gamma_functions(a, x, lower, upper):
    a, x = Tensor(np.array(a)), Tensor(np.array(x))
    np.testing.assert_allclose([special.gammainc(a, x).item(), special.gammaincc(a, x).item()], [lower, upper],
                               rtol=3e-14)


def test_incomplete_gamma_functions_beside_scipy():
    scipy_special, rng = pytest.importorskip("scipy.special"), np.random.default_rng(0)
    a = 10 ** rng.uniform(-4, 4, 3000)
    for x in (a * 10 ** rng.uniform(-2, 0.6, 3000), scipy_special.gammaincinv(a, rng.uniform(1e-9, 1 - 1e-9, 3000))):
        for name in ("gammainc", "gammaincc"):
            found = getattr(special, name)(Tensor(a), Tensor(x)).numpy()
            np.testing.assert_allclose(found, getattr(scipy_special, name)(a, x), rtol=1e-11, atol=1e-150)


def test_incomplete_gamma_functions_at_their_edges_are_pytorchs():
    torch = pytest.importorskip("torch")
    edges = np.array([0, 1, 2.5, np.inf, -1, np.nan])
    a, x = (axis.ravel() for axis in np.meshgrid(edges, edges))
    known = ~np.isnan(a + np.where(np.isinf(x), 0, x))  # PyTorch gives numbers for some NaN
    a, x = a[known], x[known]
    for name in ("gammainc", "gammaincc"):
        np.testing.assert_allclose(getattr(special, name)(Tensor(a), Tensor(x)).numpy(),
                                   getattr(torch.special, name)(torch.tensor(a), torch.tensor(x)).numpy())


@pytest.mark.parametrize(("x", "q", "expected"), ZETA)
def test_zeta(x, q, expected):
    np.testing.assert_allclose(special.zeta(x, Tensor(np.array(q))).item(), expected, rtol=2e-15)


def test_zeta_at_its_edges_and_its_derivatives_are_pytorchs():
    torch = pytest.importorskip("torch")
    edges = [-1, 0, 0.5, 1, 2, 2.5, 3, 7], [-2, -1.75, -0.5, 0, 0.25, 1, 3, 100]
    x, q = (axis.ravel().astype(float) for axis in np.meshgrid(*edges))
    mine, theirs = Tensor(q, requires_grad=True), torch.tensor(q, requires_grad=True)
    ours, expected = special.zeta(Tensor(x), mine), torch.special.zeta(torch.tensor(x), theirs)
    np.testing.assert_allclose(ours.detach().numpy(), expected.detach().numpy(), rtol=1e-13)
    for _ in range(2):
        ours, = autograd.grad(ours.sum(), mine, create_graph=True)
        expected, = torch.autograd.grad(expected.sum(), theirs, create_graph=True)
        regular = np.isfinite(expected.detach().numpy())
        np.testing.assert_allclose(ours.detach().numpy()[regular], expected.detach().numpy()[regular], rtol=1e-12)
    with pytest.raises(NotImplementedError, match="in x is not known"):
        special.zeta(Tensor(2.0, requires_grad=True), 1.0).backward()


@pytest.mark.parametrize(("name", "low", "high"), [
    ("erf", -6, 6), ("erfc", -6, 26), ("erfcx", -5, 60), ("erfinv", -1, 1), ("ndtr", -30, 10), ("ndtri", 0, 1),
    ("log_ndtr", -50, 5), ("gammaln", 0, 30), ("gammaln", 0, 1e5), ("psi", 0, 30), ("i0", -50, 50),
    ("i0e", -500, 900), ("i1", -50, 50), ("i1e", -500, 900), ("expit", -700, 40), ("entr", 0, 5)])
def test_dense_grid_beside_scipy(name, low, high):
    scipy_special = pytest.importorskip("scipy.special")
    x = np.linspace(low, high, 2001)[1:-1]
    np.testing.assert_allclose(getattr(special, name)(Tensor(x)).array, getattr(scipy_special, name)(x), rtol=3e-13,
                               atol=1e-15)


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("shape", [(), (0,), (2, 3)])
def test_shapes_and_dtypes(name, shape):
    for dtype, expected in [(np.float16, np.float16), (np.float32, np.float32), (np.float64, np.float64),
                            (np.int64, np.float32), (np.bool_, np.float32)]:
        out = getattr(special, name)(Tensor(np.zeros(shape, dtype)))
        assert out.shape == shape
        assert out.dtype == expected


def test_every_name_is_one_of_torch():
    torch_special = pytest.importorskip("torch").special
    assert [name for name in special.__all__ if not hasattr(torch_special, name)] == []


@pytest.mark.parametrize("name", ["erf", "erfc", "erfinv", "gammaln", "digamma", "i0"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_number_without_axes_is_one_of_many(name, dtype):
    function = getattr(autograd.special, name)
    assert function(autograd.tensor(dtype(0.25))).item() == function(autograd.tensor([dtype(0.25)]))[0].item()
