"""Pictures as data."""

from viz.picture import KINDS, MODEL, OPERATION, STYLES, Box, Picture, Wire
from viz.text import NONE


def test_styles_and_kinds_are_found_by_their_names():
    assert STYLES["model"] is MODEL and all(style.name == name for name, style in STYLES.items())
    assert len({kind.name for kind in KINDS}) == len(KINDS)


def test_no_gradient_is_said_in_words():
    assert Box(OPERATION, "exp", gradient=NONE).gradient_in_words() == "no gradient"
    assert Box(OPERATION, "exp", gradient="0.00").gradient_in_words() == "gradient 0.00"


def test_the_wires_that_enter_a_box():
    assert Picture(MODEL, wires=[Wire(0, 2), Wire(1, 3), Wire(1, 2)]).entering(2) == [0, 2]
