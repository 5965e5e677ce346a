"""A circuit over the steps of a training: at each moment the numbers of that step, in places that never move."""

import re
import shutil
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import autograd
import nn
import optim
import viz
from autograd import Tensor, exp, tensor

SVG = "{http://www.w3.org/2000/svg}"
POINTS, LABELS = np.array([[-1.0, -0.5], [1.0, 0.8], [0.6, 1.2], [-0.4, -1.0]]), [0, 1, 1, 0]


def train(film, steps, decide=None):
    """Train a neuron on one example after the other; the drawings, as they were."""
    w, v, b = (tensor(x, requires_grad=True) for x in (-1.0, 0.5, 30.0))
    optimizer = optim.SGD([w, v, b], lr=2.0)
    drawings = []
    for step in range(steps):
        x, y, t = tensor(POINTS[step % 4, 0]), tensor(POINTS[step % 4, 1]), 2.0 * LABELS[step % 4] - 1
        loss = (1 + exp(-t * (w * x + v * y + b))).log()
        drawings.append(viz.draw(loss))
        film.add(drawings[-1], decide and decide(w, v, b))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return drawings


def numbers(element):
    return {text.get("class")[0] + (text.get("data-box") or text.get("data-wire")): text.text
            for text in element.iter(f"{SVG}text") if text.get("class") in ("value", "gradient", "contribution")}


def test_every_frame_has_the_numbers_of_its_step_and_nothing_else_has_any():
    film = viz.Animation()
    drawings = train(film, 6)
    root = ET.fromstring(str(film))
    frames = [g for g in root.iter(f"{SVG}g") if g.get("class", "").startswith("frame")]
    assert [numbers(frame) for frame in frames] == [numbers(ET.fromstring(str(drawing))) for drawing in drawings]
    assert len(numbers(root)) == len(numbers(frames[0]))
    assert sum(len(numbers(frame)) for frame in frames) == len(
        [t for t in root.iter(f"{SVG}text") if t.get("class") in ("value", "gradient", "contribution")])
    places = {tuple((t.get("x"), t.get("y")) for t in frame.iter(f"{SVG}text") if t.get("class") == "value")
              for frame in frames}
    assert len(places) == 1


def test_each_frame_is_seen_in_its_turn():
    """Frame k is seen from k to k + 1 steps after the beginning, and again after all of them."""
    film = viz.Animation(seconds=0.5)
    train(film, 4)
    svg = str(film)
    [total] = re.findall(r"animation: frame ([\d.]+)s step-end infinite", svg)
    [share] = re.findall(r"0% \{ visibility: visible \} ([\d.]+)% \{ visibility: hidden \}", svg)
    starts = [float(total) + float(delay) for delay in re.findall(r"animation-delay:(-[\d.]+)s", svg)]
    assert starts == [0, 0.5, 1, 1.5] and float(total) * float(share) / 100 == 0.5
    assert "prefers-reduced-motion" in svg and svg.count('visibility="hidden"') == 3


def test_the_boundary_is_where_the_function_changes_its_sign():
    film = viz.Animation(POINTS, LABELS)
    x = Tensor(1.0, requires_grad=True)
    film.add(viz.draw(x * x), lambda p: p[:, 0] - 10 * p[:, 1] ** 2)
    low, high = film._range()
    [(zero, one)] = [re.findall(r'd="([^"]+)" fill="([^"]+)"', film.planes[0])]
    inside = np.zeros((viz.animation.CELLS, viz.animation.CELLS), bool)
    side = viz.animation.PLANE / viz.animation.CELLS
    for left, top, right in re.findall(r"M([\d.]+) ([\d.]+)H([\d.]+)v", one[0]):
        inside[round(float(top) / side), round(float(left) / side):round(float(right) / side)] = True
    step = (high - low) / viz.animation.CELLS
    across = low[0] + (np.arange(viz.animation.CELLS) + 0.5) * step[0]
    up = high[1] - (np.arange(viz.animation.CELLS) + 0.5) * step[1]
    np.testing.assert_array_equal(inside, across[None] - 10 * up[:, None] ** 2 > 0)
    assert zero[1] != one[1]


@pytest.mark.parametrize(("shape", "classes"), [((-1, 1), 2), ((-1, 3), 3)])
def test_a_module_decides_and_is_left_as_it_was(shape, classes):
    model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, shape[1]))
    before = [b.array.copy() for b in model.buffers()]
    film = viz.Animation(POINTS, LABELS)
    x = Tensor(1.0, requires_grad=True)
    state = autograd.get_rng_state()
    film.add(viz.draw(x * x), model)
    for a, b in zip(before, model.buffers(), strict=True):
        np.testing.assert_array_equal(a, b.array)
    np.testing.assert_array_equal(state, autograd.get_rng_state())
    assert 1 <= film.planes[0].count("<path") <= classes


def test_gif_and_film_have_a_picture_a_step(tmp_path):
    pytest.importorskip("cairosvg")
    image = pytest.importorskip("PIL.Image")
    film = viz.Animation(seconds=0.25)
    train(film, 4)
    gif = image.open(film.save(tmp_path / "film.gif"))
    assert gif.n_frames == 4 and gif.info["duration"] == 250
    if shutil.which("ffmpeg"):
        assert film.save(tmp_path / "film.mp4").read_bytes()[4:8] == b"ftyp"


def test_without_ffmpeg_the_error_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    film = viz.Animation()
    train(film, 1)
    with pytest.raises(ImportError, match="needs the program ffmpeg"):
        film.save(tmp_path / "film.mp4")
    assert not list(tmp_path.iterdir())


def other_circuit():
    film = viz.Animation()
    train(film, 1)
    x = Tensor(1.0, requires_grad=True)
    film.add(viz.draw(x * x))


@pytest.mark.parametrize(("call", "message"), [
    (other_circuit, "shows one circuit over time, but after Circuit of .* comes Circuit of 1 gates and 1 inputs"),
    (lambda: viz.Animation(np.zeros((3, 4)), [0, 0, 0]), r"shape \(N, 2\), for a picture of the plane, not \(3, 4\)"),
    (lambda: viz.Animation(POINTS, [0, 1]), "4 points need as many labels, not 2"),
    (lambda: train(viz.Animation(POINTS, LABELS), 1), "a decision boundary needs points and a function"),
    (lambda: viz.Animation().save("film.svg"), "no steps"),
    (lambda: viz.Animation().add(viz.draw(nn.Linear(3, 2), autograd.randn(4, 3))), "drawing of a model"),
    (lambda: train(viz.Animation(POINTS, LABELS), 1, lambda *w: lambda p: p[:3]), "a score for each of 1936 points")])
def test_what_cannot_be_shown_says_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()
