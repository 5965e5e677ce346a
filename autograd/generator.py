"""A stream of random numbers, the same as PyTorch's: what is drawn from the words of a Mersenne Twister, and how.

The recipes are facts about PyTorch's generator on the CPU, found by comparing its numbers with the words that they come
from (docs/random_numbers.md). Everything is computed in blocks that stay in the cache.
"""

import ctypes
import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd import dtypes
from autograd.creation import check_device
from autograd.runtime import blas, threads
from autograd.runtime.compiled import compilable
from autograd.tensor import Tensor

BLOCK = 1 << 16
LONG = 1 << 28
"""From how many possible integers on one takes two words."""
DEFAULT_SEED = 67280421310721
"""Where a new Generator starts, as PyTorch's does."""
_LAST_53 = np.uint64(2 ** 53 - 1)
STATE = np.dtype([("seed", "<u8"), ("left", "<i4"), ("seeded", "<i4"), ("next", "<u8"), ("words", "<u8", 624),
                  ("cosine", "<f8"), ("sine", "<f8"), ("rho", "<f8"), ("has_sine", "<i8"), ("", "V8")])
"""How PyTorch writes a state down."""


class Generator:
    """A stream of random numbers that can be seeded, and whose state can be saved.

    Seeds, numbers and states are those of PyTorch's generator on the CPU: `get_state()` of one can be given to
    `set_state` of the other, with `numpy.asarray` or `torch.from_numpy` between them.

    Args:
        device: "cpu" or None.
        algorithm: "mt19937", whose numbers are PyTorch's, or "pcg64", NumPy's, which is faster for single-precision
            numbers, dropout above all. `autograd.default_generator.algorithm = "pcg64"` takes it for everything.

    >>> first = autograd.randn(2, generator=Generator().manual_seed(0))
    >>> (autograd.randn(2, generator=Generator().manual_seed(0)) == first).all()
    tensor(True)
    """

    numpy: np.random.Generator
    """A NumPy Generator that draws from the same words."""
    lock: Any
    """NumPy's, for one thread at a time."""
    sine: float | None
    """What the last normal number left over, for the next one."""

    def __init__(self, device: str | None = None, algorithm: str = "mt19937") -> None:
        check_device(device)
        self._seed = DEFAULT_SEED
        self.algorithm = algorithm

    @property
    def algorithm(self) -> str:
        """The name of what makes the words. Setting it starts the stream again, at the same seed."""
        return self._algorithm

    @algorithm.setter
    def algorithm(self, name: str) -> None:
        if name not in ("mt19937", "pcg64"):
            raise ValueError(f'algorithm must be "mt19937", whose numbers are PyTorch\'s, or "pcg64", not {name!r}')
        self._algorithm = name
        self.__dict__.pop("memory", None)
        self.numpy = np.random.Generator(np.random.MT19937() if name == "mt19937" else np.random.PCG64())
        self.lock = self.numpy.bit_generator.lock
        self.manual_seed(self._seed)

    @functools.cached_property
    def memory(self) -> np.ndarray:
        """Where a Mersenne Twister keeps its state: 624 words and its position."""
        numbers = ctypes.c_uint32 * 625
        return np.ctypeslib.as_array(numbers.from_address(self.numpy.bit_generator.ctypes.state_address))

    @property
    def device(self) -> str:
        """Always "cpu"."""
        return "cpu"

    def manual_seed(self, seed: int) -> "Generator":
        """Start the stream at `seed`, of which the Mersenne Twister takes the last 32 bits.

        Raises:
            ValueError: the seed is below -2⁶³ or not below 2⁶⁴.
        """
        seed = operator.index(int(seed))
        if not -2 ** 63 <= seed < 2 ** 64:
            raise ValueError(f"a seed must be at least -2**63 and below 2**64, not {seed}; write seed % 2**64")
        self._seed, self.sine = seed % 2 ** 64, None
        bits = self.numpy.bit_generator
        if isinstance(bits, np.random.MT19937):
            np.random.RandomState(bits).seed(self._seed % 2 ** 32)
        else:
            bits.state = np.random.PCG64(self._seed).state
        return self

    def seed(self) -> int:
        """Start the stream anywhere; returns the seed."""
        entropy: Any = np.random.SeedSequence().entropy
        return self.manual_seed(entropy % 2 ** 63).initial_seed()

    def initial_seed(self) -> int:
        """The seed that the stream was started at; a negative one counts from 2⁶⁴."""
        return self._seed

    def get_state(self) -> Tensor:
        """The state of the stream, for `set_state`: a Tensor of uint8."""
        state: Any = self.numpy.bit_generator.state
        if self._algorithm == "pcg64":
            numbers = ((self._seed, 8), (state["state"]["state"], 16), (state["state"]["inc"], 16),
                       (state["has_uint32"], 4), (state["uinteger"], 4))
            return Tensor(np.frombuffer(b"".join([n.to_bytes(size, "little") for n, size in numbers]), np.uint8).copy())
        saved, position = np.zeros((), STATE), state["state"]["pos"]
        saved["seed"], saved["seeded"], saved["words"] = self._seed, 1, state["state"]["key"]
        saved["left"], saved["next"] = 625 - position, position
        if position == 624 and saved["words"][0] == self._seed % 2 ** 32:  # nothing has been drawn yet
            saved["next"] = 0
        if self.sine is not None:
            saved["sine"], saved["has_sine"] = self.sine, 1
        return Tensor(saved.reshape(1).view(np.uint8))

    def set_state(self, new_state: Tensor) -> None:
        """Go on from a saved state, of this generator or of PyTorch's.

        Raises:
            TypeError: it is not a Tensor of uint8.
            RuntimeError: it is not as long as the state of a generator of this algorithm.
        """
        if not isinstance(new_state, Tensor) or new_state.dtype != np.uint8:
            raise TypeError("the state of a Generator is a Tensor of uint8, what get_state() gives, not "
                            f"{new_state.dtype if isinstance(new_state, Tensor) else type(new_state).__name__}")
        data = np.ascontiguousarray(new_state.detach().numpy()).reshape(-1)
        if data.size != (STATE.itemsize if self._algorithm == "mt19937" else 48):
            raise RuntimeError(f"this is not the state of a Generator of algorithm {self._algorithm!r}: it has "
                               f"{data.size} bytes")
        if self._algorithm == "pcg64":
            seed, state, inc, has, word = [int.from_bytes(data[a:b].tobytes(), "little")
                                           for a, b in ((0, 8), (8, 24), (24, 40), (40, 44), (44, 48))]
            self._seed = seed
            self.numpy.bit_generator.state = {"bit_generator": "PCG64", "state": {"state": state, "inc": inc},
                                              "has_uint32": has, "uinteger": word}
            return
        saved = data.view(STATE)[0]
        self._seed, self.sine = int(saved["seed"]), float(saved["sine"]) if saved["has_sine"] & 1 else None
        position = int(saved["next"]) if saved["left"] > 1 else 624
        self.numpy.bit_generator.state = {"bit_generator": "MT19937", "state": {
            "key": saved["words"].astype(np.uint32), "pos": position}}

    def clone_state(self) -> "Generator":
        """Another Generator that goes on from the same state."""
        return _restored(self._algorithm, self.get_state())

    def __reduce__(self) -> tuple:
        return _restored, (self._algorithm, self.get_state())

    # What is drawn of the words

    def words(self, count: int) -> np.ndarray:
        """The next words, of 32 bits."""
        if self._algorithm == "pcg64":
            return self.numpy.integers(0, 2 ** 32, count, np.uint32)
        return _words(self, count, np.dtype(np.uint32))

    def long_words(self, count: int) -> np.ndarray:
        """The next words of 64 bits, the first half of each being the high one."""
        if self._algorithm == "pcg64":
            return self.numpy.integers(0, 2 ** 64, count, np.uint64)
        return _words(self, count, np.dtype(np.uint64))

    def below(self, bound: int, count: int) -> np.ndarray:
        """Integers below `bound`, which is at most 2⁶⁴, as int64 or uint64."""
        if bound >= LONG:
            words = self.long_words(count)
            return words % np.uint64(bound) if bound < 2 ** 64 else words
        if self._algorithm == "pcg64":
            return self.words(count).astype(np.int64) % bound
        return _below(self, bound, count)

    def uniforms(self, count: int, dtype: np.dtype = dtypes.float64) -> np.ndarray:
        """Numbers uniform on [0, 1), with 24 bits in float32 and float16 and 53 in float64."""
        drawn = dtypes.float64 if dtype == dtypes.float64 else dtypes.float32
        uniform = self.numpy.random(count, drawn) if self._algorithm == "pcg64" else _uniforms(self, count, drawn)
        if dtype == dtypes.float16:
            uniform = uniform.astype(np.float16)
            uniform[uniform == 1] = 0  # where it was rounded up
        return uniform

    def normals(self, count: int, dtype: np.dtype = dtypes.float64, one_by_one: bool = False) -> np.ndarray:
        """Numbers from the standard normal distribution.

        By Box and Muller (1958): in blocks of 16, of which the first half are radii and the second angles; fewer than
        16, or `one_by_one`, in pairs, in float64, and the sine that is left over begins the next ones.
        """
        drawn = dtypes.float64 if dtype == dtypes.float64 else dtypes.float32
        if self._algorithm == "pcg64":
            return self.numpy.standard_normal(count, drawn).astype(dtype, copy=False)
        if count < 16 or one_by_one:
            return self._pairs(count)
        incomplete = count % 16
        used = count + (16 if incomplete else 0) - (incomplete if dtype == dtypes.float16 else 0)
        return _normals(self, used, count, drawn).astype(dtype, copy=False)

    def _pairs(self, count: int) -> np.ndarray:
        kept = [self.sine] if self.sine is not None and count else []
        left = count - len(kept)
        uniform = self.uniforms(left + left % 2)
        radius, angle = np.sqrt(-2 * np.log1p(-uniform[1::2])), 2 * math.pi * uniform[::2]
        pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
        if count:
            self.sine = float(pairs[-1, 1]) if left % 2 else None
        return np.concatenate([kept, pairs.reshape(-1)])[:count]

    def exponentials(self, count: int) -> np.ndarray:
        """Numbers from the exponential distribution of rate 1."""
        if self._algorithm == "pcg64":
            return self.numpy.standard_exponential(count)
        return _in_blocks(np.empty(count), self.long_words, _exponential)

    def chances(self, p: float, count: int) -> np.ndarray:
        """Booleans that are true with probability p: where a uniform number is less."""
        if self._algorithm == "pcg64":
            return self.numpy.random(count, np.float32) < p
        return _chances(self, math.ceil(p * 2 ** 53), count)

    def permutation(self, count: int) -> np.ndarray:
        """The integers below `count` in random order (Fisher and Yates, from the front)."""
        return self.numpy.permutation(count) if self._algorithm == "pcg64" else _permutation(self, count)


# What is drawn of a Mersenne Twister; the compiled forms do the same

def _in_blocks(out: np.ndarray, draw: Callable[[int], np.ndarray], make: Callable[[Any, Any], Any]) -> np.ndarray:
    """`out`, each block of it by `make(words, block)`, while the next words are drawn."""
    if len(out) <= BLOCK:
        make(draw(len(out)), out)
    else:
        threads.in_turn(lambda part: draw(part.stop - part.start), lambda part, words: make(words, out[part]),
                        threads.pieces(slice(0, len(out)), 1, BLOCK))
    return out


@compilable("autograd.compiled.generator")
def _words(generator: Generator, count: int, dtype: np.dtype) -> np.ndarray:
    if dtype == np.uint64:
        return generator.numpy.integers(0, 2 ** 64, count, np.uint64)
    return generator.numpy.bit_generator.random_raw(count).astype(np.uint32)


@compilable("autograd.compiled.generator")
def _uniforms(generator: Generator, count: int, dtype: np.dtype) -> np.ndarray:
    draw = generator.long_words if dtype == dtypes.float64 else generator.words
    return _in_blocks(np.empty(count, dtype), draw, _uniform)


@compilable("autograd.compiled.generator")
def _chances(generator: Generator, bound: int, count: int) -> np.ndarray:
    """Where a uniform number is below bound · 2⁻⁵³."""
    return _in_blocks(np.empty(count, np.bool_), generator.long_words,
                      lambda words, part: np.less(words & _LAST_53, np.uint64(bound), part))


@compilable("autograd.compiled.generator")
def _below(generator: Generator, bound: int, count: int) -> np.ndarray:
    divisor = np.uint32(bound)
    return _in_blocks(np.empty(count, np.int64), generator.words,
                      lambda words, part: np.subtract(words, words // divisor * divisor, part))  # faster than %


@compilable("autograd.compiled.generator")
def _normals(generator: Generator, used: int, count: int, dtype: np.dtype) -> np.ndarray:
    """`count` normal numbers from `used` uniform ones: the last 16 make the last 16, if a block would be incomplete."""
    full = count - count % 16
    if count > BLOCK:
        out, begun = np.empty(count, dtype), full - 16
        draw = generator.long_words if dtype == dtypes.float64 else generator.words
        _in_blocks(out[:begun], draw, lambda words, part: _box_muller(_uniform(words, part)))
        out[begun:] = _normals(generator, used - begun, count - begun, dtype)
        return out
    out = generator.uniforms(used, dtype)
    if full == count:
        _box_muller(out)
        return out
    out[full:full + 16] = out[-16:].copy()
    _box_muller(out[:full + 16])
    out[count - 16:count] = out[full:full + 16].copy()
    return out[:count]


@compilable("autograd.compiled.generator")
def _permutation(generator: Generator, count: int) -> np.ndarray:
    out = np.arange(count)
    draw: Any = generator.long_words if count >= LONG else generator.words
    for start in range(0, count - 1, BLOCK):
        partners = draw(min(BLOCK, count - 1 - start))
        ahead = np.arange(len(partners), dtype=partners.dtype)
        partners %= partners.dtype.type(count - start) - ahead
        partners += ahead
        _swap(out[start:], partners.astype(np.int64))
    return out


def _uniform(words: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Numbers on [0, 1) of the last bits of words, written into `out`."""
    if out.dtype == np.float64:
        words &= _LAST_53
        return np.multiply(words.view(np.int64), 2.0 ** -53, out)
    words &= np.uint32(2 ** 24 - 1)
    return np.multiply(words.view(np.int32), np.float32(2 ** -24), out, dtype=np.float32, casting="unsafe")


def _exponential(words: np.ndarray, out: np.ndarray) -> None:
    np.log1p(np.negative(_uniform(words, out), out), out)
    np.negative(out, out)


@compilable("autograd.compiled.generator")
def _box_muller(block: np.ndarray) -> None:
    """Normal numbers in the place of uniform ones: of each 16 the cosines, then the sines."""
    eights = block.view(np.dtype((np.void, 8 * block.itemsize)))  # are copied as one, which is fast
    radius, angle = [eights[half::2].copy().view(block.dtype) for half in (0, 1)]
    np.log(np.subtract(1, radius, radius), radius)
    radius *= -2
    np.sqrt(radius, radius)
    angle *= block.dtype.type(2 * math.pi)
    eights[::2] = (np.cos(angle) * radius).view(eights.dtype)
    eights[1::2] = (np.sin(angle) * radius).view(eights.dtype)


def _swap(row: np.ndarray, partners: np.ndarray) -> None:
    """Exchange row[i] and row[partners[i]], for one i after the other.

    This is what LAPACK does with the rows of a matrix; without it Python does it, some twenty times slower.
    """
    if blas.swap_rows is None:
        values: Any = row.tolist()
        others: Any = partners.tolist()
        for i, other in enumerate(others):
            values[i], values[other] = values[other], values[i]
        row[:] = values
        return
    integer = ctypes.c_int64 if blas.swap_rows.__name__.endswith("64_") else ctypes.c_int32
    pivots = (partners + 1).astype(integer, copy=False)
    one, length, count = integer(1), integer(len(row)), integer(len(pivots))
    blas.swap_rows(ctypes.byref(one), ctypes.c_void_p(row.ctypes.data), ctypes.byref(length), ctypes.byref(one),
                   ctypes.byref(count), ctypes.c_void_p(pivots.ctypes.data), ctypes.byref(one))


def _restored(algorithm: str, state: Tensor) -> Generator:
    generator = Generator(algorithm=algorithm)
    generator.set_state(state)
    return generator


default_generator = Generator()
default_generator.seed()
"""What every random function draws from unless it is given a generator of its own."""
