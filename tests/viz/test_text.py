"""Text and numbers as a figure prints them."""

import math

import numpy as np
import pytest

from viz import text


@pytest.mark.parametrize(("x", "expected"), [
    (0.0, "0.00"), (-0.0, "0.00"), (-0.19661, "-0.20"), (0.004, "4.0e-3"), (-1e-9, "-1.0e-9"), (1234.5, "1234.50"),
    (1e6, "1.0e6"), (math.nan, "NaN"), (-math.inf, "-∞"), (np.float32(0.5), "0.50")])
def test_numbers_have_two_decimals_but_never_hide_a_value(x, expected):
    assert text.number(x) == expected
