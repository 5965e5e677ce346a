"""The derivative of a function along a line, by differences: a number for each output, and how far it may be off.

First a quick one: two steps, extrapolated, four evaluations. It is exact enough to say "right", never to say "wrong".
For that there is a ladder of steps, each a quarter of the one before. On each rung the slopes ahead and behind, the
slope across, and the rounding that the values themselves show are known; the derivative lies within

    |kink| + |slope across - the same one rung up| + rounding / step

of the slope across, where `kink` is the slope ahead less the slope behind, less the part of it that shrinks with the
step. Where the function is smooth this bound falls with the step until rounding takes over: to 1e-10, say. At a kink
it stays as large as the kink, at a jump it grows: there nothing is decided, and nobody is accused. A step that is too
coarse for the function has a large second term. The rung with the smallest bound counts, unless a finer one
contradicts it.
"""

from collections.abc import Callable

import numpy as np

EPSILON = 2.0 ** -52
QUICK = 2.0 ** -6
RUNGS, WITNESSES = 22, 5
"""Rungs below the size of the smallest number (above it there are those up to a quarter). The last of them only bear
witness: a slope that is zero because the steps are too small to be seen would be contradicted by none."""

Line = Callable[[float], np.ndarray]
"""From t to the values at x + t v, all outputs in one array without axes but one."""


def quick(line: Line, here: np.ndarray, scale: float, size: float) -> tuple[np.ndarray, np.ndarray]:
    """The derivative along a line, and the rounding in it.

    Args:
        line: values along the line.
        here: those at 0.
        scale: how far one may go, roughly: 1, or the size of the smallest number.
        size: the largest number that moves, which the step is added to.
    """
    h = QUICK * scale
    ahead, behind, ahead2, behind2 = line(h), line(-h), line(h / 2), line(-h / 2)
    slope = (8 * (ahead2 - behind2) - (ahead - behind)) / (6 * h)
    return slope, 8 * EPSILON / h * (np.abs(here) + np.abs(ahead) + np.abs(behind) + size * np.abs(slope) / 8)


def thorough(line: Line, here: np.ndarray, scale: float, size: float, usual: np.ndarray
             ) -> tuple[np.ndarray, np.ndarray]:
    """The derivative along a line, and a bound of its error: infinite where nothing is known.

    `usual` is how large values are at moderate arguments: what has vanished beside that has lost its digits.
    """
    steps = scale * 4.0 ** np.arange(np.floor(np.log2(0.25 / scale) / 2), -RUNGS - 1, -1)[:, None]
    ahead, behind = (np.array([line(sign * float(h)) for h in steps[:, 0]]) for sign in (1, -1))
    rounding = (4 * EPSILON * (np.abs(here) + np.abs(ahead) + np.abs(behind)) + _noise(line, here, scale)
                + _stairs(ahead, behind, here) + 4 * EPSILON * usual)
    across = (ahead - behind) / (2 * steps)
    rounding = (rounding + 4 * EPSILON * size * np.abs(across)) / steps
    gap = ((ahead - here) - (here - behind)) / steps
    local = 2 * rounding
    local[1:] += np.abs(4 * gap[1:] - gap[:-1]) / 3
    bound = local[1:] + np.abs(across[1:] - across[:-1])
    bound[~np.isfinite(bound)] = np.inf
    bound[-WITNESSES:] = np.inf
    best = np.argmin(bound, axis=0)
    which = np.arange(here.size)
    slope, error = ((16 * across[1:] - across[:-1]) / 15)[best, which], bound[best, which]
    slope = np.where(np.isfinite(error), slope, 0.0)
    finer = np.arange(len(steps))[:, None] > best + 1
    contradicted = finer & ~(np.abs(across - slope) <= 4 * (local + error))
    # Two rungs that are both sure of different slopes: the finer one sees the stairs of a function that rounds.
    sure = bound <= 0.2 * np.abs(across[1:])
    contradicted[1:] |= sure & ~(np.abs(across[1:] - slope) <= 4 * (bound + error))
    error[contradicted.any(axis=0) | ~np.isfinite(here)] = np.inf
    return slope, error


def _noise(line: Line, here: np.ndarray, scale: float) -> np.ndarray:
    """How far values that lie close together are from a straight line: what rounding inside the function does.

    Source: Moré and Wild, Estimating computational noise (2011): second differences.
    """
    values = np.array([here if k == 0 else line(k * scale * 2.0 ** -36) for k in range(-3, 4)])
    noise = 2 * np.abs(np.diff(values, 2, axis=0)).max(axis=0)
    return np.where(np.isfinite(noise), noise, 0.0)


def _stairs(ahead: np.ndarray, behind: np.ndarray, here: np.ndarray) -> np.ndarray:
    """The height of the steps of values that stand still near by: if it is small, they are rounding, no function.

    So tanh(x)² - 1 far out, where it has lost its digits, or what was computed in single precision.
    """
    values = np.concatenate([ahead, behind])
    rises = np.abs(values - here)
    still = (ahead[-6:] == here).all(axis=0) & (behind[-6:] == here).all(axis=0)
    height = np.where(rises > 0, rises, np.inf).min(axis=0)
    largest = np.abs(np.where(np.isfinite(values), values, 0)).max(axis=0)
    return np.where(still & (height <= np.maximum(1e-6 * largest, 1e-12)), height, 0.0)


def decided(slope: np.ndarray, error: np.ndarray, here: np.ndarray) -> np.ndarray:
    """Which derivatives are known well enough to call another number wrong."""
    largest = np.abs(slope[np.isfinite(error)]).max(initial=0)
    return error <= 1e-6 * np.abs(slope) + 1e-8 * largest + 1e-10 * np.abs(np.where(np.isfinite(here), here, 0)) + 1e-12
