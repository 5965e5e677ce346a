"""Random numbers: repeated by a seed, streams of their own, of the right distribution, in place."""

import numpy as np
import pytest

import autograd
from autograd import Tensor, no_grad, tensor

SHAPED = [
    (lambda: autograd.rand(2, 3), np.float32), (lambda: autograd.rand((2, 3), dtype=np.float64), np.float64),
    (lambda: autograd.randn(2, 3), np.float32), (lambda: autograd.randint(5, (2, 3)), np.int64),
    (lambda: autograd.randint(2, 5, (2, 3), dtype=np.int32), np.int32),
    (lambda: autograd.randint(high=5, size=(2, 3)), np.int64),
    (lambda: autograd.rand_like(autograd.zeros(2, 3)), np.float32), (lambda: autograd.normal(0.0, 1.0, (2, 3)),
    np.float32),
    (lambda: autograd.randn_like(autograd.zeros(2, 3), dtype=np.float64), np.float64),
    (lambda: autograd.randint_like(autograd.zeros(2, 3), 5), np.float32),
    (lambda: autograd.normal(autograd.zeros(3), autograd.ones(2, 1)), np.float32),
    (lambda: autograd.bernoulli(autograd.full((2, 3), 0.5)), np.float32),
    (lambda: autograd.multinomial(autograd.ones(2, 5), 3), np.int64), (lambda: autograd.zeros(2, 3).normal_(),
    np.float32),
    (lambda: autograd.zeros(2, 3, dtype=np.float64).uniform_(-1, 1), np.float64),
    (lambda: autograd.zeros(2, 3).bernoulli_(0.5), np.float32), (lambda: autograd.zeros(2, 3).exponential_(),
    np.float32),
    (lambda: autograd.zeros(2, 3, dtype=np.int64).random_(5), np.int64),
]


@pytest.mark.parametrize(("draw", "dtype"), SHAPED)
def test_a_seed_repeats_every_draw(draw, dtype):
    autograd.manual_seed(3)
    first = draw()
    state = autograd.get_rng_state()
    second = draw()
    assert first.shape == (2, 3)
    assert first.dtype == dtype
    autograd.manual_seed(3)
    assert draw().tolist() == first.tolist()
    autograd.set_rng_state(state)
    assert draw().tolist() == second.tolist()
    assert first.tolist() != second.tolist() or dtype != np.float32


def test_generators_are_streams_of_their_own():
    a, b = (autograd.Generator().manual_seed(1) for _ in range(2))
    autograd.manual_seed(0)
    expected = autograd.rand(3).tolist()
    autograd.manual_seed(0)
    assert autograd.randn(3, generator=a).tolist() == autograd.randn(3, generator=b).tolist()
    assert autograd.rand(3).tolist() == expected
    assert a.initial_seed() == 1
    assert autograd.manual_seed(-1).initial_seed() == 2 ** 64 - 1


def test_float64_has_all_its_digits():
    x = autograd.rand(100, dtype=np.float64).numpy()
    assert np.any(x.astype(np.float32) != x)


def moments(x):
    return x.double().numpy().mean(), x.double().numpy().std()


@pytest.mark.parametrize(("draw", "mean", "std"), [
    (lambda: autograd.rand(40_000), 0.5, 12 ** -0.5), (lambda: autograd.randn(40_000), 0, 1),
    (lambda: autograd.normal(2.0, 3.0, (40_000,)), 2, 3), (lambda: autograd.zeros(40_000).normal_(2, 3), 2, 3),
    (lambda: autograd.zeros(40_000).uniform_(1, 3), 2, 2 * 12 ** -0.5),
    (lambda: autograd.zeros(40_000).exponential_(2), 0.5, 0.5),
    (lambda: autograd.bernoulli(autograd.full((40_000,), 0.25)), 0.25, 0.1875 ** 0.5),
    (lambda: autograd.randint(0, 2, (40_000,)), 0.5, 0.5),
])
def test_distributions_have_their_moments(draw, mean, std):
    autograd.manual_seed(0)
    found_mean, found_std = moments(draw())
    assert abs(found_mean - mean) < 5 * std / 200  # five standard errors
    assert abs(found_std - std) < 0.03 * std


@pytest.mark.parametrize("replacement", [True, False])
def test_multinomial_draws_in_proportion(replacement):
    autograd.manual_seed(0)
    weights = tensor([1.0, 0.0, 3.0, 6.0])
    rows = weights.expand(20_000, 4)
    draws = autograd.multinomial(rows, 2, replacement).numpy()
    first = np.bincount(draws[:, 0], minlength=4) / 20_000
    np.testing.assert_allclose(first, [0.1, 0, 0.3, 0.6], atol=0.015)
    assert (draws[:, 0] == draws[:, 1]).any() == replacement
    assert autograd.multinomial(weights, 3).shape == (3,)
    assert 1 not in draws


def test_random_numbers_in_place_change_memory_and_lose_no_history():
    x = autograd.zeros(3, requires_grad=True)
    memory = x.array
    with no_grad():
        assert x.uniform_(1, 2) is x
    assert x.array is memory
    assert np.all(memory >= 1)
    y = x * 2
    y.normal_()
    y.sum().backward()
    assert x.grad.tolist() == [0, 0, 0]
    assert isinstance(y, Tensor)


def test_a_block_leaves_no_trace():
    autograd.manual_seed(3)
    expected = autograd.randn(3).tolist()
    autograd.manual_seed(3)
    with autograd.random.fork_rng():
        autograd.randn(7)
    with pytest.raises(ZeroDivisionError), autograd.random.fork_rng():
        autograd.rand(1 // 0)
    assert autograd.randn(3).tolist() == expected
    with autograd.random.fork_rng(enabled=False):
        assert autograd.randn(3).tolist() != expected
    assert autograd.randn(3).tolist() != expected


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int32, np.int64, np.float16, np.float32])
def test_integers_up_to_the_end_of_the_dtype(dtype):
    most = 2 ** (np.finfo(dtype).nmant + 1) if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    values = autograd.empty(4000, dtype=dtype).random_().numpy().astype(np.float64)
    assert 0 <= values.min() < most / 4
    assert most * 3 / 4 < values.max() <= most
    assert set(autograd.empty(200, dtype=dtype).random_(3, 6).tolist()) == {3, 4, 5}
    near = autograd.empty(200, dtype=dtype).random_(most - 1, None).numpy().astype(np.float64)
    assert set(near.tolist()) == {float(most - 1), float(most)}


def test_uniform_numbers_stay_below_the_end():
    autograd.manual_seed(0)
    for dtype in (np.float16, np.float32, np.float64):
        x = autograd.empty(300_000, dtype=dtype).uniform_(2 ** 20 if dtype is not np.float16 else 1024,
                                                          2 ** 20 + 1 if dtype is not np.float16 else 1032)
        assert x.max() < (2 ** 20 + 1 if dtype is not np.float16 else 1032)
        assert autograd.rand(300_000, dtype=dtype).max() < 1
    assert autograd.empty(3).uniform_(2, 2).tolist() == [2, 2, 2]
    assert 0 <= autograd.empty(1).uniform_(**{"from": 0, "to": 1}).item() < 1


@pytest.mark.parametrize(("call", "kind", "part"), [
    (lambda x: x.normal_(0, -1), ValueError, "at least 0, not -1"),
    (lambda x: x.uniform_(2, 1), ValueError, "2 is greater than 1"),
    (lambda x: x.exponential_(0), ValueError, "above 0, not 0"),
    (lambda x: x.geometric_(0), ValueError, "below 1, not 0"),
    (lambda x: x.geometric_(1), ValueError, "below 1, not 1"),
    (lambda x: x.cauchy_(0, 0), ValueError, "above 0, not 0"),
    (lambda x: x.log_normal_(0, 0), ValueError, "above 0, not 0"),
    (lambda x: x.bernoulli_(1.5), ValueError, "between 0 and 1"),
    (lambda x: x.random_(3, 3), ValueError, "no integer from low=3 to below high=3"),
    (lambda x: x.byte().random_(300), ValueError, "from 0 to 255, not all"),
    (lambda x: x.uniform_(0, 1, low=3), TypeError, "not low"),
    (lambda x: x.random_(0, 1, low=3), TypeError, "not low"),
    *[(lambda x, name=name: getattr(x.long(), name)(), TypeError, f"{name}() draws floating-point numbers")
      for name in ("normal_", "uniform_", "exponential_", "cauchy_", "log_normal_")],
    (lambda x: autograd.rand(3, dtype=np.int64), TypeError, "random_() for integers"),
    (lambda x: autograd.randn_like(x.long()), TypeError, "draws floating-point numbers"),
    (lambda x: autograd.randperm(-1), ValueError, "at least 0, not -1"),
    (lambda x: autograd.randint(5, 5, (2,)), ValueError, "low=5"),
])
def test_mistakes_are_refused(call, kind, part):
    with pytest.raises(kind) as info:
        call(autograd.zeros(3))
    assert part in str(info.value)


@pytest.mark.parametrize("shape", [(1000,), (7, 31), (1, 300), (33, 2, 5)])
@pytest.mark.parametrize("dtype", [autograd.float16, autograd.float32, autograd.float64])
@pytest.mark.parametrize("algorithm", ["mt19937", "pcg64"])
@pytest.mark.parametrize("draw", ["normal_", "uniform_"])
def test_a_large_tensor_is_filled_by_parts_with_the_same_numbers(shape, dtype, algorithm, draw, monkeypatch):
    numbers = []
    for part in (1, 50, 10_000):
        monkeypatch.setattr(autograd.random, "PART", part)
        generator = autograd.Generator(algorithm=algorithm).manual_seed(3)
        filled = getattr(autograd.empty(*shape, dtype=dtype), draw)(0.5, 2.5, generator=generator)
        numbers.append([*filled.reshape(-1).tolist(), *autograd.rand(3, generator=generator).tolist()])
    assert numbers[0] == numbers[1] == numbers[2]
