"""Pictures as data."""

import re

from viz.picture import FAMILIES, KINDS, MODEL, OPERATION, STYLES, Box, Picture, Wire
from viz.svg import GRAY, GREEN, INK, PAPER, RED, STYLE
from viz.text import NONE


def test_styles_and_kinds_are_found_by_their_names():
    assert STYLES["model"] is MODEL and all(style.name == name for name, style in STYLES.items())
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def test_no_gradient_is_said_in_words():
    assert Box(OPERATION, "exp", gradient=NONE).gradient_in_words() == "no gradient"
    assert Box(OPERATION, "exp", gradient="0.00").gradient_in_words() == "gradient 0.00"


def test_the_wires_that_enter_a_box():
    assert Picture(MODEL, wires=[Wire(0, 2), Wire(1, 3), Wire(1, 2)]).entering(2) == [0, 2]


def contrast(a: str, b: str) -> float:
    """Of two colors, as WCAG 2.2 defines it."""
    def luminance(color: str) -> float:
        parts = (int(color[i:i + 2], 16) / 255 for i in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_every_text_can_be_read_on_every_box_in_light_and_in_dark():
    light = {*(fill for fill, _ in FAMILIES.values()), *(kind.fill for kind in KINDS), PAPER, "#fafbfc"}
    dark = {*(fill for _, fill in FAMILIES.values()), *(kind.dark for kind in KINDS if kind.dark), "#23282d", "#14171a"}
    of_dark = dict(re.findall(r"\.(ink|gray|value|alarm) \{ fill: (#\w{6}); \}", STYLE))
    assert set(of_dark) == {"ink", "gray", "value", "alarm"}
    for texts, fills in (((GREEN, RED, INK, GRAY), light), (of_dark.values(), dark)):
        assert min((contrast(text, fill), text, fill) for text in texts for fill in fills)[0] >= 4.5
