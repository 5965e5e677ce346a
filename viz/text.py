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
_NAME = re.compile(r"([^\W\d_]+)_?(\d+)|([^\W\d_]{1,2})_([^\W_]+)")
_NARROW, _WIDE = frozenset("iljtfrI.,:;|!'()[]1 "), frozenset("mwMWOQ@%&+=−→×")


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
    """At most `length` characters, with … in the middle."""
    text = clean(text)
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return text[:head] + "…" + text[len(text) - (length - 1 - head):]


def name_parts(name: str) -> tuple[str, str]:
    """A variable's name and its subscript: `w0` and `w_0` give ("w", "0"), `h_new` gives ("h", "new").

    Longer words, as in `hidden_state`, are left as they are.
    """
    match = _NAME.fullmatch(name)
    return (name, "") if not match else (match[1] or match[3], match[2] or match[4])


def number(x: Any, minus: str = "−") -> str:
    """Two decimals; powers of ten where those would say 0.00 or run long.

    >>> number(-0.19661)
    '−0.20'
    """
    x = float(x)
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return (minus if x < 0 else "") + "∞"
    if x == 0:
        return "0.00"
    if 0.005 <= abs(x) < 99999.5:
        text = f"{x:.2f}"
    else:
        mantissa, exponent = f"{x:.1e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", minus)


def short_number(x: Any) -> str:
    """A constant as it stands in a gate: 1, 0.5, −3."""
    x = float(x)
    return number(x) if not math.isfinite(x) else f"{x:.4g}".replace("-", "−")


def values(array: Any) -> str:
    """A small array by its elements, a large one by its shape, None by a dash."""
    if array is None:
        return NONE
    array = np.asarray(array)
    if array.dtype.kind not in "fiub":
        return shape(array.shape)
    if array.size == 1:
        return number(array.item())
    if array.size > SMALL or array.ndim > 2 or not array.size:
        return shape(array.shape)
    rows = array if array.ndim == 2 else array[None]
    return "[" + "; ".join(" ".join(number(x) for x in row) for row in rows) + "]"


def shape(sizes: tuple[int, ...]) -> str:
    """A shape as it is read aloud: 64 × 10."""
    return " × ".join(str(n) for n in sizes) if sizes else "scalar"
