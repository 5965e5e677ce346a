"""Pictures as DOT: one node a box, whatever the names."""

import re

from hypothesis import given

from tests.viz.pictures import names, product


@given(names)
def test_dot_has_one_node_a_box_whatever_the_names(name):
    source = product(name, "y").to_dot().source
    assert len(re.findall(r"^\tn\d+ \[", source, re.MULTILINE)) == len(product(name, "y").picture.boxes)
    source.encode()


def test_dot_does_not_take_a_name_for_html():
    assert 'label="<b>"' in product("<b>", "y").to_dot().source
