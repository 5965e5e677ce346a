"""Early stopping keeps the best weights and stops after enough scores that are no better."""

import math

import pytest

import autograd
import nn
from nn.utils import EarlyStopping


@pytest.mark.parametrize(("mode", "scores", "options", "stops_at", "best"), [
    ("min", [3, 2, 2, 5, 1], {"patience": 2}, 3, 2.0), ("max", [3, 2, 4, 4, 4], {"patience": 2}, 4, 4.0),
    ("min", [3, 2, 1, 0.5], {"patience": 2}, None, 0.5),
    ("min", [3, 2.9, 2.8], {"patience": 2, "min_delta": 0.5}, 2, 3.0),
    ("min", [3, math.nan, math.nan], {"patience": 2}, 2, 3.0)])
def test_the_best_weights_come_back(mode, scores, options, stops_at, best):
    model = nn.Linear(1, 1)
    stopping = EarlyStopping(model, mode=mode, **options)
    stopped = None
    for epoch, score in enumerate(scores):
        with autograd.no_grad():
            model.weight.fill_(score)
        if stopping.step(score):
            stopped = epoch
            break
    assert (stopped, stopping.best) == (stops_at, best)
    stopping.restore()
    assert model.weight.item() == best


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="'less'"):
        EarlyStopping(nn.Linear(1, 1), mode="less")
