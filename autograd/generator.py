"""A stream of random numbers, the same as PyTorch's: what is drawn from the words of a Mersenne Twister, and how.

The recipes are facts about PyTorch's generator on the CPU, found by comparing its numbers with the words that they come
from (docs/random_numbers.md). Everything is computed in blocks that stay in the cache.
"""

import ctypes
import math
import operator
from typing import Any

import numpy as np

from autograd import dtypes
from autograd.creation import check_device
from autograd.runtime import blas
from autograd.tensor import Tensor

BLOCK = 1 << 14
LONG = 1 << 28
"""From how many possible integers on one takes two words."""
DEFAULT_SEED = 67280421310721
"""Where a new Generator starts, as PyTorch's does."""
STATE = np.dtype([("seed", "<u8"), ("left", "<i4"), ("seeded", "<i4"), ("next", "<u8"), ("words", "<u8", 624),
                  ("cosine", "<f8"), ("sine", "<f8"), ("rho", "<f8"), ("has_sine", "<i8"), ("", "V8")])
"""How PyTorch writes a state down."""
_TWO_WORDS = np.uint64(32)


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
        self.numpy = np.random.Generator(np.random.MT19937() if name == "mt19937" else np.random.PCG64())
        self.manual_seed(self._seed)

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
        """The next words, 32 bits each, as uint64."""
        bits = self.numpy.bit_generator
        return bits.random_raw(count) if self._algorithm == "mt19937" else self.numpy.integers(
            0, 2 ** 32, count, np.uint32).astype(np.uint64)

    def long_words(self, count: int) -> np.ndarray:
        """The next words of 64 bits, the first half of each being the high one."""
        out = np.empty(count, np.uint64)
        for start in range(0, count, BLOCK):
            part = out[start:start + BLOCK]
            words = self.words(2 * len(part))
            np.left_shift(words[::2], _TWO_WORDS, part)
            part |= words[1::2]
        return out

    def below(self, bounds: Any, count: int) -> np.ndarray:
        """Integers below `bounds` (a number up to 2⁶⁴), as uint64."""
        words = self.long_words(count) if bounds >= LONG else self.words(count)
        if bounds < 2 ** 64:
            words %= np.uint64(bounds)
        return words

    def uniforms(self, count: int, dtype: np.dtype = dtypes.float64) -> np.ndarray:
        """Numbers uniform on [0, 1), with 24 bits in float32 and float16 and 53 in float64."""
        double = dtype == np.float64
        if self._algorithm == "pcg64":
            return self._rounded(self.numpy.random(count, np.float64 if double else np.float32), dtype)
        out = np.empty(count, np.float64 if double else np.float32)
        for start in range(0, count, BLOCK):
            part = out[start:start + BLOCK]
            if double:
                words = self.words(2 * len(part))
                numbers = words[::2] << _TWO_WORDS
                numbers |= words[1::2]
                numbers &= np.uint64(2 ** 53 - 1)
                np.multiply(numbers.view(np.int64), 2.0 ** -53, out=part)
            else:
                small = self.words(len(part)).astype(np.uint32)
                small &= np.uint32(2 ** 24 - 1)
                np.multiply(small.view(np.int32), np.float32(2 ** -24), out=part, dtype=np.float32, casting="unsafe")
        return self._rounded(out, dtype)

    def _rounded(self, uniform: np.ndarray, dtype: np.dtype) -> np.ndarray:
        """In float16, 0 where rounding would give 1."""
        if dtype != np.float16:
            return uniform
        small = uniform.astype(np.float16)
        small[small == 1] = 0
        return small

    def normals(self, count: int, dtype: np.dtype = dtypes.float64, one_by_one: bool = False) -> np.ndarray:
        """Numbers from the standard normal distribution.

        By Box and Muller (1958): in blocks of 16, of which the first half are radii and the second angles; fewer than
        16, or `one_by_one`, in pairs, and the sine that is left over begins the next ones.
        """
        double = np.float64 if dtype == np.float64 else np.float32
        if self._algorithm == "pcg64":
            return self.numpy.standard_normal(count, double).astype(dtype, copy=False)
        if count < 16 or one_by_one:
            return self._pairs(count)
        full = count - count % 16
        out = np.empty(count, double)
        begun = full if dtype == np.float16 else count  # the words of an incomplete block are left out
        out[:begun] = self.uniforms(begun, np.dtype(double))
        for start in range(0, full, BLOCK):
            _box_muller(out[start:min(start + BLOCK, full)])
        if full < count:
            out[-16:] = self.uniforms(16, np.dtype(double))
            _box_muller(out[-16:])
        return out.astype(dtype, copy=False)

    def _pairs(self, count: int) -> np.ndarray:
        kept = self.sine is not None and count > 0
        left = count - kept
        uniform = self.uniforms(left + left % 2)
        radius, angle = np.sqrt(-2 * np.log1p(-uniform[1::2])), 2 * math.pi * uniform[::2]
        out = np.empty(kept + len(uniform))
        if kept:
            out[0], self.sine = self.sine, None
        out[kept::2], out[kept + 1::2] = radius * np.cos(angle), radius * np.sin(angle)
        if left % 2:
            self.sine = float(out[-1])
        return out[:count]

    def exponentials(self, count: int) -> np.ndarray:
        """Numbers from the exponential distribution of rate 1."""
        if self._algorithm == "pcg64":
            return self.numpy.standard_exponential(count)
        out = self.uniforms(count)
        for start in range(0, count, BLOCK):
            part = out[start:start + BLOCK]
            np.negative(part, part)
            np.log1p(part, part)
            np.negative(part, part)
        return out

    def chances(self, p: float, count: int) -> np.ndarray:
        """Booleans that are true with probability p."""
        if self._algorithm == "pcg64":
            return self.numpy.random(count, np.float32) < p
        out = np.empty(count, np.bool_)
        for start in range(0, count, BLOCK):
            part = out[start:start + BLOCK]
            np.less(self.uniforms(len(part)), p, out=part)
        return out

    def permutation(self, count: int) -> np.ndarray:
        """The integers below `count` in random order (Fisher and Yates, from the front)."""
        out = np.arange(count)
        if self._algorithm == "pcg64":
            self.numpy.shuffle(out)
            return out
        more = self.long_words if count >= LONG else self.words
        for start in range(0, count - 1, BLOCK):
            ahead = np.arange(min(BLOCK, count - 1 - start), dtype=np.uint64)
            partners = more(len(ahead))
            partners %= np.uint64(count - start) - ahead
            partners += ahead
            _swap(out[start:], partners.view(np.int64))
        return out


def _box_muller(block: np.ndarray) -> None:
    """Normal numbers in the place of uniform ones: of each 16 the cosines, then the sines."""
    block = block.reshape(-1, 2, 8)
    radius = np.subtract(1, block[:, 0])
    np.log(radius, radius)
    radius *= -2
    np.sqrt(radius, radius)
    angle = block[:, 1] * block.dtype.type(2 * math.pi)
    np.multiply(np.cos(angle), radius, block[:, 0])
    np.multiply(np.sin(angle, angle), radius, block[:, 1])


def _swap(row: np.ndarray, partners: np.ndarray) -> None:
    """Exchange row[i] and row[partners[i]], for one i after the other.

    This is what LAPACK does with the rows of a matrix; without it Python does it, some twenty times slower.
    """
    if blas.swap_rows is None:
        values = row.tolist()
        for i, other in enumerate(partners.tolist()):
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
