"""The Mersenne Twister and what is drawn of its words, as loops: a third of the time, and small draws pay for one call.

The state is the one in the memory of NumPy's generator, so that whatever draws of it goes on from the same word.
"""

from typing import Any

import numpy as np

from autograd.compiled.mathematics import log
from autograd.generator import LONG, Generator
from autograd.runtime.caching import compiler

loop = compiler(nogil=True, error_model="numpy", fastmath={"nsz", "contract"})
AT_A_TIME = 2496
"""Words that are drawn before something is made of them: four states, which stay in the nearest cache."""
_UPPER, _LOWER, _MATRIX = np.uint32(0x80000000), np.uint32(0x7FFFFFFF), np.uint32(0x9908B0DF)
EIGHT = np.dtype([("numbers", np.float32, 8)])
_ZERO, _ONE = np.uint32(0), np.uint32(1)


# The generator (Matsumoto & Nishimura, "Mersenne Twister", 1998)

@loop
def _twisted(word, following, ahead):
    mixed = (word & _UPPER) | (following & _LOWER)
    return ahead ^ (mixed >> _ONE) ^ (_MATRIX & (_ZERO - (mixed & _ONE)))


@loop
def _draw(state, out):
    """The next words; the last number of the state is its position."""
    position, done = np.int64(state[624]), 0
    while done < len(out):
        if position == 624:
            for i in range(227):
                state[i] = _twisted(state[i], state[i + 1], state[i + 397])
            for i in range(227, 623):
                state[i] = _twisted(state[i], state[i + 1], state[i - 227])
            state[623] = _twisted(state[623], state[0], state[396])
            position = 0
        taken = min(624 - position, len(out) - done)
        for i in range(taken):
            word = state[position + i]
            word ^= word >> np.uint32(11)
            word ^= (word << np.uint32(7)) & np.uint32(0x9D2C5680)
            word ^= (word << np.uint32(15)) & np.uint32(0xEFC60000)
            out[done + i] = word ^ (word >> np.uint32(18))
        position, done = position + taken, done + taken
    state[624] = position


@loop
def _draw_long(state, out):
    words = np.empty(2 * min(len(out), AT_A_TIME), np.uint32)
    for start in range(0, len(out), AT_A_TIME):
        count = min(AT_A_TIME, len(out) - start)
        _draw(state, words[:2 * count])
        for i in range(count):
            out[start + i] = np.uint64(words[2 * i]) << np.uint64(32) | np.uint64(words[2 * i + 1])


# What is made of the words

@loop
def _uniforms(state, out):
    words = np.empty(min(len(out), AT_A_TIME), np.uint32)
    for start in range(0, len(out), AT_A_TIME):
        part = out[start:start + AT_A_TIME]
        _draw(state, words[:len(part)])
        for i in range(len(part)):
            part[i] = np.float32(np.int32(words[i] & np.uint32(0xFFFFFF))) * np.float32(2 ** -24)


@loop
def _long_uniforms(state, out):
    words = np.empty(min(len(out), AT_A_TIME), np.uint64)
    for start in range(0, len(out), AT_A_TIME):
        part = out[start:start + AT_A_TIME]
        _draw_long(state, words[:len(part)])
        for i in range(len(part)):
            part[i] = np.float64(np.int64(words[i] & np.uint64(2 ** 53 - 1))) * 2.0 ** -53


@loop
def _chances(state, bound, out):
    words = np.empty(min(len(out), AT_A_TIME), np.uint64)
    for start in range(0, len(out), AT_A_TIME):
        part = out[start:start + AT_A_TIME]
        _draw_long(state, words[:len(part)])
        for i in range(len(part)):
            part[i] = words[i] & np.uint64(2 ** 53 - 1) < bound


@loop
def _below(state, bound, out):
    words = np.empty(min(len(out), AT_A_TIME), np.uint32)
    for start in range(0, len(out), AT_A_TIME):
        part = out[start:start + AT_A_TIME]
        _draw(state, words[:len(part)])
        for i in range(len(part)):
            quotient = np.uint32(np.float64(words[i]) / np.float64(bound))  # exact, and faster than integers'
            part[i] = np.uint32(words[i] - quotient * bound)


@loop
def _shuffle(state, out):
    words = np.empty(min(len(out), AT_A_TIME), np.uint32)
    for start in range(0, len(out) - 1, AT_A_TIME):
        part = out[start:]
        count = min(AT_A_TIME, len(part) - 1)
        _draw(state, words[:count])
        for i in range(count):
            left = np.uint32(len(part) - i)
            quotient = np.uint32(np.float64(words[i]) / np.float64(left))
            other = i + np.int64(np.uint32(words[i] - quotient * left))
            part[i], part[other] = part[other], part[i]


@loop
def _cosine_and_sine(x):
    """Of an angle from 0 to 2π, by quadrants and polynomials (the coefficients are Cephes')."""
    quadrant = np.floor(x * np.float32(0.636619772367581343) + np.float32(0.5))
    r = x - quadrant * np.float32(1.5703125)
    r = r - quadrant * np.float32(4.83751296997070312e-4)
    r = r - quadrant * np.float32(7.54978995489188e-8)
    square = r * r
    p = np.float32(-1.9515295891e-4)
    p = p * square + np.float32(8.3321608736e-3)
    p = p * square + np.float32(-1.6666654611e-1)
    sine = p * square * r + r
    p = np.float32(2.443315711809948e-5)
    p = p * square + np.float32(-1.388731625493765e-3)
    p = p * square + np.float32(4.166664568298827e-2)
    cosine = p * square * square - np.float32(0.5) * square + np.float32(1)
    turn = np.int32(quadrant)
    swapped = turn & np.int32(1) != 0
    first, second = sine if swapped else cosine, cosine if swapped else sine
    return (-first if (turn + np.int32(1)) & np.int32(2) != 0 else first,
            -second if turn & np.int32(2) != 0 else second)


@loop
def _turned(radii, angles):
    for i in range(len(radii)):
        radius = np.sqrt(np.float32(-2) * log(np.float32(1) - radii[i]))
        cosine, sine = _cosine_and_sine(np.float32(2 * np.pi) * angles[i])
        radii[i], angles[i] = radius * cosine, radius * sine


@loop
def _box_muller(block):
    """In the place of uniform numbers; of each 16 the first eight are the radii, the others the angles."""
    halves = np.empty((2, AT_A_TIME // 2), np.float32)
    for start in range(0, len(block), AT_A_TIME):
        part = block[start:start + AT_A_TIME].view(EIGHT).reshape(-1, 2)
        rows = halves.view(EIGHT)
        for i in range(len(part)):
            rows[0, i], rows[1, i] = part[i, 0], part[i, 1]
        _turned(halves[0, :8 * len(part)], halves[1, :8 * len(part)])
        for i in range(len(part)):
            part[i, 0], part[i, 1] = rows[0, i], rows[1, i]


@loop
def _normals(state, count, out):
    full = count - count % 16
    begun = max(full - 16, 0)
    for start in range(0, begun, AT_A_TIME):
        part = out[start:min(start + AT_A_TIME, begun)]
        _uniforms(state, part)
        _box_muller(part)
    rest, full = out[begun:], full - begun
    _uniforms(state, rest)
    if full == count - begun:
        _box_muller(rest)
    else:
        rest[full:full + 16] = rest[-16:].copy()
        _box_muller(rest[:full + 16])
        out[count - 16:count] = rest[full:full + 16].copy()


# The forms

def _drawn(generator: Generator, draw: Any, *arguments: Any) -> Any:
    with generator.lock:
        draw(generator.memory, *arguments)
    return arguments[-1]


def words(generator, count, dtype):
    return _drawn(generator, _draw if dtype.itemsize == 4 else _draw_long, np.empty(count, dtype))


def uniforms(generator, count, dtype):
    return _drawn(generator, _uniforms if dtype.itemsize == 4 else _long_uniforms, np.empty(count, dtype))


def chances(generator, bound, count):
    return _drawn(generator, _chances, np.uint64(bound), np.empty(count, np.bool_))


def below(generator, bound, count):
    return _drawn(generator, _below, np.uint32(bound), np.empty(count, np.int64))


def permutation(generator, count):
    return _drawn(generator, _shuffle, np.arange(count)) if count < LONG else NotImplemented


def normals(generator, used, count, dtype):
    if dtype.itemsize == 8:
        return NotImplemented
    return _drawn(generator, _normals, count, np.empty(used, dtype))[:count]


def box_muller(block):
    return _box_muller(block) if block.dtype.itemsize == 4 else NotImplemented
