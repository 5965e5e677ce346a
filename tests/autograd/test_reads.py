"""What a rule reads, found in its code."""

import pytest

from autograd.reads import ARRAY, NOTHING, OUTLINE, what_it_reads
from autograd.tensor import Outline


@pytest.mark.parametrize(("rule", "reads"), [
    (lambda g, out, x, y: g * y, (NOTHING, NOTHING, ARRAY)),
    (lambda g, out, x, y: g * out, (ARRAY, NOTHING, NOTHING)),
    (lambda g, out, x, y: g.reshape(x.shape), (NOTHING, OUTLINE, NOTHING)),
    (lambda g, out, x, y: g * x.size + y.ndim, (NOTHING, OUTLINE, OUTLINE)),
    (lambda g, out, x, y: g.reshape(x.shape) * x, (NOTHING, ARRAY, NOTHING)),
    (lambda g, out, x, y: [g * part for part in x], (NOTHING, ARRAY, NOTHING)),
    (lambda g, out, x, y: (lambda: g * y)(), (NOTHING, NOTHING, ARRAY)),
    (lambda g, out, x, y: g.astype(x.dtype) if y is None else g, (NOTHING, OUTLINE, ARRAY)),
    (lambda g, out, x, y: x.sum(), (NOTHING, ARRAY, NOTHING)),
])
def test_what_a_rule_reads_is_found_in_its_code(rule, reads):
    assert tuple(what_it_reads(rule).values())[1:] == reads


def test_an_annotation_says_what_code_cannot():
    def rule(g, out, *tensors: Outline):
        return [g.reshape(x.shape) for x in tensors]
    assert what_it_reads(rule)["tensors"] == OUTLINE
