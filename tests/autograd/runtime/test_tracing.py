"""What a formula computes is noted, in as few places as it needs."""

import numpy as np

from autograd.runtime.tracing import record


def test_results_that_are_needed_no_more_make_room():
    def formula(p, g):
        for _ in range(10):
            p += np.sqrt(g * g + 1) * 0.5
    assert len(record(formula, 2)[0].scratch) == 1
