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


@pytest.mark.parametrize(("name", "parts"), [
    ("w0", ("w", "0")), ("w_0", ("w", "0")), ("h_new", ("h", "new")), ("θ_{t+1}", ("θ", "t+1")),
    ("theta_t", ("theta", "t")),
    ("W_{ih}", ("W", "ih")), ("hidden_state", ("hidden_state", "")), ("a_{b", ("a_{b", "")),
    ("", ("", ""))])
def test_subscripts(name, parts):
    assert text.name_parts(name) == parts


def test_nothing_is_cut_in_the_middle():
    path = "encoder.layers.11.self_attention.in_proj_weight"
    for length in range(2, len(path) + 1):
        short = text.shorten(path, length)
        assert len(short) <= length and (path.endswith(short.lstrip("…")) or path.startswith(short.rstrip("…")))


def test_amounts_have_three_digits():
    assert [text.amount(x) for x in (5, 999, 1000, 23_456, 999_600, 2.36e8, 1e10, 2e12)] == [
        "5", "999", "1 k", "23.5 k", "1 M", "236 M", "10 G", "2 T"]
