"""The forms that numba compiles draw what NumPy's draw."""

import importlib.util
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
from autograd import dtypes
from autograd.generator import Generator

pytestmark = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")

DRAWS = {
    "words": lambda g, n: g.words(n),
    "long words": lambda g, n: g.long_words(n),
    "uniforms": lambda g, n: g.uniforms(n, dtypes.float32),
    "float64 uniforms": lambda g, n: g.uniforms(n),
    "float16 uniforms": lambda g, n: g.uniforms(n, dtypes.float16),
    "chances": lambda g, n: g.chances(0.3, n),
    "few chances": lambda g, n: g.chances(1e-4, n),
    "below 1": lambda g, n: g.below(1, n),
    "below 10": lambda g, n: g.below(10, n),
    "below many": lambda g, n: g.below(2 ** 28 - 1, n),
    "below more": lambda g, n: g.below(2 ** 40, n),
    "an order": lambda g, n: g.permutation(n),
    "exponentials": lambda g, n: g.exponentials(n),
    "normals": lambda g, n: g.normals(n, dtypes.float32),
    "float16 normals": lambda g, n: g.normals(n, dtypes.float16),
    "float64 normals": lambda g, n: g.normals(n),
    "normals one by one": lambda g, n: g.normals(n, dtypes.float32, one_by_one=True),
    "by NumPy": lambda g, n: g.numpy.random(n, np.float32),
}


@pytest.fixture
def switch():
    """Turns compiled forms on and off; in the end they are as before."""
    before = autograd.is_compiled()
    yield autograd.set_compiled
    autograd.set_compiled(before)


@settings(max_examples=60)
@given(seed=st.integers(0, 2 ** 32), draws=st.lists(
    st.tuples(st.sampled_from(sorted(DRAWS)), st.integers(0, 3000) | st.sampled_from([65_536, 65_537, 140_000]),
              st.booleans()), max_size=5))
def test_any_mixture_of_draws_is_the_same(seed, draws):
    """Whichever of them are compiled: both go on from the same word."""
    before = autograd.is_compiled()
    plain, mixed = Generator().manual_seed(seed), Generator().manual_seed(seed)
    try:
        for name, count, compiled in draws:
            autograd.set_compiled(False)
            expected = DRAWS[name](plain, count)
            autograd.set_compiled(compiled)
            found = DRAWS[name](mixed, count)
            assert found.dtype == expected.dtype
            if name.endswith("normals") and compiled:
                # a radius amplifies the last bit of log near 0, where its square root is steep
                np.testing.assert_allclose(found, expected, rtol=2e-6 if found.dtype != np.float16 else 1e-3, atol=1e-6)
            else:
                np.testing.assert_array_equal(found, expected)
    finally:
        autograd.set_compiled(before)
    assert (plain.get_state() == mixed.get_state()).all()


def test_normal_numbers_are_as_exact_as_numpys(switch):
    uniform = Generator().manual_seed(0).uniforms(2 ** 20, dtypes.float32).astype(np.float64).reshape(-1, 2, 8)
    radius, angle = np.sqrt(-2 * np.log(1 - uniform[:, 0])), (np.float32(2 * np.pi) * uniform[:, 1].astype(np.float32))
    exact = np.stack([radius * np.cos(angle.astype(np.float64)), radius * np.sin(angle.astype(np.float64))], 1).ravel()
    for compiled in (False, True):
        switch(compiled)
        found = Generator().manual_seed(0).normals(2 ** 20, dtypes.float32)
        assert np.abs(found - exact).max() < 6e-7


def test_a_generator_that_gets_another_algorithm_and_back(switch):
    switch(True)
    generator = Generator().manual_seed(3)
    first = generator.uniforms(700)
    generator.algorithm = "pcg64"
    assert (generator.uniforms(700) != first).any()
    generator.algorithm = "mt19937"
    np.testing.assert_array_equal(generator.uniforms(700), first)


def test_threads_share_out_the_words_among_them(switch):
    """No word is drawn twice, none is left out."""
    switch(True)
    generator, parts = Generator().manual_seed(5), []
    threads = [threading.Thread(target=lambda: parts.append(generator.words(30_011))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    together = np.concatenate(parts)
    np.testing.assert_array_equal(np.sort(together), np.sort(Generator().manual_seed(5).words(len(together))))
