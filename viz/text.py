"""Text that is safe to draw: cleaned, measured, shortened; and numbers as a figure prints them."""

import math
import re
import unicodedata
from functools import lru_cache
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

NONE = "–"
"""What stands for a number where there is none, as for the gradient of a constant."""
SMALL = 6
"""Tensors of so many elements are shown by their elements."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
_NAME = re.compile(r"([^\W\d_]+)_?(\d+)|([^\W\d_]{1,2})_([^\W_]+)|([^\W\d_]+)_([^\W_])"
                   r"|([^_{}]+)_\{([^{}]+)\}")
LONG_NAME = 40
"""Letters of a variable's name that are shown."""
_NARROW, _WIDE = frozenset("iljtfrI.,:;|!'()[]1 "), frozenset("mwMWOQ@%&+=→×")


def clean(text: Any) -> str:
    """One line of characters that XML can hold; others become U+FFFD."""
    return " ".join(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(text)).split())


@lru_cache(4096, typed=True)
def xml(text: Any) -> str:
    """Text as it stands in an XML element or attribute."""
    return escape(clean(text), {'"': "&quot;"})


def width(text: str, size: float) -> float:
    """About how wide a text comes out in a sans-serif font, in pixels: rather too much than too little.

    Positions must not depend on which fonts are installed, so no font is asked.
    """
    ems = 0.0
    for c in text:
        if unicodedata.combining(c) or unicodedata.category(c) == "Cf":
            continue
        wide = unicodedata.east_asian_width(c) in "WF" or ord(c) > 0x1F000
        ems += 1.05 if wide else 0.38 if c in _NARROW else 0.9 if c in _WIDE else 0.65
    return ems * size


def shorten(text: str, length: int = 26) -> str:
    """At most `length` characters: of a path the last parts, of anything else the beginning; … says that it goes on.

    >>> shorten("encoder.layers.11.attention.weight", 26), shorten("a rather long description", 12)
    ('…11.attention.weight', 'a rather lo…')
    """
    text = clean(text)
    if len(text) <= length:
        return text
    parts = text.split(".") if " " not in text else []
    for k in range(1, len(parts)):
        if len(tail := ".".join(parts[k:])) < length:
            return f"…{tail}"
    return text[:length - 1] + "…"


def name_parts(name: str) -> tuple[str, str]:
    """A variable's name and its subscript: `w0` and `w_0` give ("w", "0"), `h_new` gives ("h", "new"), and as in LaTeX
    `θ_{t+1}` gives ("θ", "t+1").

    Longer words, as in `hidden_state`, are left as they are.
    """
    match = _NAME.fullmatch(name)
    return (name, "") if not match else tuple(part for part in match.groups() if part)  # type: ignore[return-value]


def number(x: Any, digits: int = 2) -> str:
    """Two decimals, or more if they say more; powers of ten where two would say 0.00 or run long.

    The minus is Python's, so that numbers can be copied.

    >>> number(-0.19661), number(2 / 3, 4), number(0.5, 4), number(1e-6 / 3, 4)
    ('-0.20', '0.6667', '0.50', '3.333e-7')
    """
    x = float(x)
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return ("-" if x < 0 else "") + "∞"
    if x == 0:
        return "0.00"
    if _has_decimals(x):
        whole, _, decimals = f"{x:.{digits}f}".partition(".")
        return f"{whole}.{decimals[:2]}{decimals[2:].rstrip('0')}"
    mantissa, exponent = f"{x:.{digits - 1}e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def _has_decimals(x: float) -> bool:
    return 0.005 <= abs(x) < 99999.5


def rounded(x: float, digits: int = 2) -> float:
    """What `number` prints, as a number."""
    return float(number(x, digits)) if math.isfinite(x) else x


def unit(x: float, digits: int = 2) -> float:
    """What one more in the last printed digit is worth."""
    if not x or _has_decimals(x):
        return 10.0 ** -digits
    exponent = int(f"{x:.{digits - 1}e}".split("e")[1])
    return float(10.0 ** (exponent - digits + 1))


def short_number(x: Any, digits: int = 4) -> str:
    """A constant as it stands in a gate, with so many significant digits: 1, 0.5, -3, 2e-5."""
    x = float(x)
    if not math.isfinite(x):
        return number(x)
    mantissa, power, exponent = f"{x:.{digits}g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if power else mantissa


def amount(count: float) -> str:
    """A large number in three digits: 236 M."""
    for unit in ("", " k", " M", " G"):
        if count < 999.5:
            return f"{count:.3g}{unit}"
        count /= 1000
    return f"{count:.3g} T"


def values(array: Any, digits: int = 2) -> str:
    """A small array by its elements, a large one by its shape (as Python writes it), None by a dash."""
    if array is None:
        return NONE
    array = np.asarray(array)
    if not is_printed(array):
        return str(array.shape)
    def written(x: Any) -> str:
        return number(x, digits) if array.dtype.kind == "f" else str(int(x))
    if array.size == 1:
        return written(array.item())
    rows = array if array.ndim == 2 else array[None]
    return "[" + "; ".join(" ".join(map(written, row)) for row in rows) + "]"


def is_printed(array: Any) -> bool:
    """Whether `values` shows the elements."""
    array = np.asarray(array)
    return array.dtype.kind in "fiub" and (array.size == 1 or (0 < array.size <= SMALL and array.ndim <= 2))


def shape(sizes: tuple[int, ...]) -> str:
    """A shape as it is read aloud: 64 × 10."""
    return " × ".join(str(n) for n in sizes) if sizes else "scalar"
