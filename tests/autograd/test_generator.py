"""Generators: seeds and states, PyTorch's among them; what is drawn of the words; the faster algorithm."""

import copy
import pickle

import numpy as np
import pytest

import autograd
from autograd import Generator, Tensor, default_generator
from autograd.runtime import blas

DRAWS = [lambda g: g.uniforms(5), lambda g: g.uniforms(5, np.dtype(np.float32)), lambda g: g.normals(5),
         lambda g: g.normals(33, np.dtype(np.float32)), lambda g: g.exponentials(5), lambda g: g.chances(0.5, 40),
         lambda g: g.permutation(20), lambda g: g.below(2 ** 40, 5), lambda g: g.below(100, 5)]


def test_the_words_are_those_of_the_mersenne_twister():
    # the first of seed 5489, as in the reference implementation of Matsumoto and Nishimura (2002)
    assert Generator().manual_seed(5489).words(3).tolist() == [3499211612, 581869302, 3890346734]
    assert Generator().manual_seed(5489 + 2 ** 32).words(1).tolist() == [3499211612]
    high, low = 3499211612, 581869302
    assert Generator().manual_seed(5489).long_words(1).tolist() == [high << 32 | low]
    assert Generator().manual_seed(5489).uniforms(1).tolist() == [((high << 32 | low) & (2 ** 53 - 1)) * 2.0 ** -53]
    assert Generator().manual_seed(5489).below(1000, 2).tolist() == [612, 302]


@pytest.mark.parametrize("algorithm", ["mt19937", "pcg64"])
@pytest.mark.parametrize("draw", DRAWS)
def test_a_state_goes_on_in_every_copy(algorithm, draw):
    generator = Generator(algorithm=algorithm).manual_seed(3)
    generator.normals(1), generator.words(700)  # a sine is kept, and the state has changed as a whole
    state = generator.get_state()
    copies = [generator.clone_state(), copy.deepcopy(generator), pickle.loads(pickle.dumps(generator))]
    other = Generator(algorithm=algorithm)
    other.set_state(state)
    expected = [draw(generator) for _ in range(2)]
    assert not np.array_equal(*expected)
    for twin in (*copies, other):
        assert twin.initial_seed() == 3
        assert twin.algorithm == algorithm
        np.testing.assert_array_equal([draw(twin) for _ in range(2)], expected)


@pytest.mark.parametrize("count", [0, 1, 623, 624, 625, 1248])
def test_states_are_exchanged_with_pytorch(count):
    torch = pytest.importorskip("torch")
    ours, theirs = Generator().manual_seed(17), torch.Generator().manual_seed(17)
    assert ours.get_state().shape == (5056,)
    assert ours.get_state().dtype == np.uint8
    ours.words(count), torch.empty(count, dtype=torch.int32).random_(generator=theirs)
    np.testing.assert_array_equal(ours.get_state().numpy(), theirs.get_state().numpy())
    for _ in range(2):  # with a sine kept, and without
        ours.normals(1), torch.randn(1, generator=theirs)
        theirs.set_state(torch.from_numpy(ours.get_state().numpy()))
        again = Generator()
        again.set_state(Tensor(theirs.get_state().numpy()))
        np.testing.assert_allclose(again.normals(3), torch.randn(3, generator=theirs, dtype=torch.float64), rtol=1e-15)
        ours.normals(3)


@pytest.mark.parametrize("seed", [0, 2 ** 64 - 1, -1, -2 ** 63, np.int64(5), autograd.tensor(5)])
def test_seeds_are_those_of_pytorch(seed):
    assert Generator().manual_seed(seed).initial_seed() == int(seed) % 2 ** 64


def test_a_generator_starts_where_pytorchs_does_and_the_default_one_anywhere():
    assert Generator().initial_seed() == 67280421310721
    assert Generator().words(2).tolist() == Generator().words(2).tolist()
    assert Generator().seed() != Generator().seed()
    assert default_generator.device == "cpu"


@pytest.mark.parametrize(("call", "kind", "part"), [
    (lambda: Generator().manual_seed(2 ** 64), ValueError, "seed % 2**64"),
    (lambda: Generator().manual_seed(-2 ** 63 - 1), ValueError, "at least -2**63"),
    (lambda: Generator(algorithm="philox"), ValueError, "'philox'"),
    (lambda: Generator().set_state({}), TypeError, "what get_state() gives, not dict"),
    (lambda: Generator().set_state(autograd.zeros(5056)), TypeError, "not float32"),
    (lambda: Generator().set_state(autograd.zeros(8, dtype=np.uint8)), RuntimeError, "it has 8 bytes"),
    (lambda: Generator(algorithm="pcg64").set_state(Generator().get_state()), RuntimeError, "'pcg64'"),
])
def test_mistakes_are_refused(call, kind, part):
    with pytest.raises(kind) as info:
        call()
    assert part in str(info.value)


def test_numpy_draws_from_the_same_words_and_from_the_next_seed_on():
    generator = Generator().manual_seed(1)
    numbers = generator.numpy
    first = numbers.random(4)
    assert generator.words(1).tolist() != Generator().manual_seed(1).words(1).tolist()
    generator.manual_seed(1)
    np.testing.assert_array_equal(numbers.random(4), first)


@pytest.mark.parametrize("count", [0, 1, 2, 9, 20_000])
def test_an_order_is_the_same_without_lapack(count, monkeypatch):
    expected = Generator().manual_seed(2).permutation(count)
    monkeypatch.setattr(blas, "swap_rows", None)
    found = Generator().manual_seed(2).permutation(count)
    np.testing.assert_array_equal(found, expected)
    assert sorted(found) == list(range(count))


def test_blocks_leave_no_seam():
    whole, parts = Generator().manual_seed(4), Generator().manual_seed(4)
    for draw in ("uniforms", "exponentials", "long_words", "words"):
        np.testing.assert_array_equal(getattr(whole, draw)(40_000),
                                      np.concatenate([getattr(parts, draw)(n) for n in (1, 16_384, 23_615)]))


@pytest.mark.parametrize("draw", [autograd.rand, autograd.randn])
def test_the_faster_algorithm_by_name(draw):
    before, state = default_generator.algorithm, default_generator.get_state()
    try:
        default_generator.algorithm = "pcg64"
        autograd.manual_seed(0)
        first, saved = draw(40_000), autograd.get_rng_state()
        second = draw(5).tolist()
        autograd.set_rng_state(saved)
        assert draw(5).tolist() == second
        assert abs(first.std().item() - (1 if draw is autograd.randn else 12 ** -0.5)) < 0.02
        autograd.manual_seed(0)
        assert (draw(40_000) == first).all()
        assert autograd.randperm(50).sort().values.tolist() == list(range(50))
    finally:
        default_generator.algorithm = before
        default_generator.set_state(state)
