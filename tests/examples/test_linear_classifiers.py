"""What examples/linear_classifiers.py prints is true, at tiny settings, and its pictures are there."""

import contextlib
import importlib.util
import io
import math
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import autograd
import optim
from autograd.testing import GradientError

for module in ("sklearn", "matplotlib", "tqdm"):
    pytest.importorskip(module)

PATH = Path(__file__).parents[2] / "examples" / "linear_classifiers.py"
NAMES = ["SVM", "softmax"]


def load_example():
    spec = importlib.util.spec_from_file_location("linear_classifiers", PATH)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    return example


@pytest.fixture(scope="module")
def example():
    return load_example()


@pytest.fixture(scope="module")
def run(example, tmp_path_factory):
    """What a short run prints, and the folder it ran in."""
    folder, printed = tmp_path_factory.mktemp("run"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # four trials may well end at an edge of their ranges
        patch.chdir(folder)
        patch.setattr(sys, "argv", [str(PATH), "--epochs", "20", "--trials", "4"])
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            example.main()
    return printed.getvalue(), folder


def numbers(pattern, text):
    """What the groups of the pattern match, as numbers: a row for each classifier."""
    rows = [[float(group) for group in match.groups()] for match in re.finditer(pattern, text)]
    assert len(rows) == len(NAMES), text
    return rows


def test_gradients_agree_with_centred_differences(run):
    for [error] in numbers(r"relative error (\S+)", run[0]):
        assert 0 < error < 1e-6


def test_losses_begin_at_chance_and_regularization_raises_them(run):
    rows = numbers(r"weights: (\S+) \(expected (\S+)\); with regularization of 100: (\S+)", run[0])
    for (plain, expected, penalized), chance in zip(rows, [9, math.log(10)], strict=True):
        assert expected == pytest.approx(chance, abs=1e-3) and plain == pytest.approx(chance, rel=5e-3)
        assert penalized > plain + 0.03


def test_a_few_examples_are_learned_by_heart(run):
    for loss, right in numbers(r"by heart: loss (\S+), accuracy (\d+)%", run[0]):
        assert loss < 0.1 and right == 100


def test_both_classifiers_read_digits_that_they_have_not_seen(run):
    pattern = r"(?:SVM|softmax): lr \S+, regularization \S+: accuracy (\S+)% training, (\S+)% validation, (\S+)% test"
    for training, validation, test in numbers(pattern, run[0]):
        assert training > 90 and validation > 88 and test > 88


@pytest.mark.parametrize("name", ["templates", "training", "search"])
def test_pictures_are_drawn(run, name):
    from matplotlib import pyplot as plt
    picture = plt.imread(run[1] / "out" / "linear_classifiers" / f"{name}.png")
    assert min(picture.shape[:2]) > 300 and picture.std() > 0.05


def test_the_split_is_fixed_and_its_statistics_come_from_the_training_set(example):
    digits, again = example.load(), example.load()
    sizes = [len(part.labels) for part in digits.values()]
    assert list(digits) == ["training", "validation", "test"] and sum(sizes) == 1797
    assert all(np.array_equal(digits[name].images, again[name].images) for name in digits)
    assert np.abs(digits["training"].images.mean(axis=0)).max() < 1e-6
    assert min(np.abs(digits[name].images.mean(axis=0)).max() for name in ("validation", "test")) > 1e-3


def test_the_hinge_is_the_formula_of_the_notes(example):
    scores, labels = np.random.default_rng(0).normal(size=(7, 10)), np.arange(7)
    losses = [sum(max(0, s[j] - s[y] + 1) for j in range(10) if j != y) for s, y in zip(scores, labels, strict=True)]
    assert example.hinge(autograd.tensor(scores), autograd.tensor(labels)).item() == pytest.approx(np.mean(losses))


def test_a_wrong_gradient_is_found(example):
    weights = example.random_weights(1, float)
    with pytest.raises(GradientError):
        example.gradient_error(lambda w, b: (w * w.detach()).sum() + b.sum(), *weights)


def test_a_rate_that_is_too_high_ends_training_early(example):
    _, losses, accuracies = example.train("SVM", example.load(), lr=100, reg=10, epochs=20)
    assert not math.isfinite(losses[-1]) and all(map(math.isfinite, losses[:-1])) and len(accuracies) < 20


@pytest.mark.filterwarnings("ignore:the best")
def test_no_good_trial_is_said_so(example, tmp_path, monkeypatch):
    monkeypatch.setattr(example, "log_uniform", lambda low, high: optim.search.log_uniform(90, 110))
    monkeypatch.setattr(sys, "argv", [str(PATH), "--epochs", "10", "--trials", "1", "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"SVM: training diverged with the best trial's learning rate.*more --trials"):
        example.main()


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(SystemExit, match=r"needs matplotlib.*gradcircuit\[examples\]"):
        load_example()
