"""One image and what was found in it; attention over an image and over words."""

import numpy as np
import pytest

import autograd
import viz
from autograd import Tensor

pytest.importorskip("matplotlib")
PHOTO = np.arange(3 * 6 * 8, dtype=np.uint8).reshape(3, 6, 8)


def layers(figure):
    return [shown.get_array() for shown in figure.axes[0].images]


@pytest.mark.parametrize("image", [
    PHOTO, Tensor(PHOTO), PHOTO.transpose(1, 2, 0), PHOTO / 255, Tensor((PHOTO / 255).astype(np.float32))])
def test_whichever_way_it_comes_the_same_image_is_shown(image):
    shown, = layers(viz.image(image))
    np.testing.assert_allclose(shown, PHOTO.transpose(1, 2, 0) / 255, rtol=1e-6)


def test_pillows_images():
    pillow = pytest.importorskip("PIL.Image")
    shown, = layers(viz.image(pillow.fromarray(PHOTO.transpose(1, 2, 0))))
    np.testing.assert_allclose(shown, PHOTO.transpose(1, 2, 0) / 255)


@pytest.mark.parametrize("shape", [(6, 8), (1, 6, 8)])
def test_what_is_normalized_is_stretched_from_black_to_white(shape):
    shown, = layers(viz.image(autograd.randn(*shape)))
    assert shown.shape == (6, 8) and shown.min() == 0 and shown.max() == 1


def test_boxes_masks_and_points_lie_where_the_pixels_are():
    """Pixel 0 is from 0 to 1."""
    masks = np.zeros((2, 6, 8), bool)
    masks[0, 1:3, 2:5] = True
    figure = viz.image(PHOTO, boxes=[[2, 1, 5, 3], [0, 0, 8, 6]], labels=["cat", "sofa"], scores=Tensor([0.5, 0.25]),
                       masks=masks, keypoints=[[3.5, 2.5]], title="a room")
    axes = figure.axes[0]
    assert axes.get_title() == "a room" and axes.images[0].get_extent() == [0, 8, 6, 0]
    boxes = [(*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in axes.patches]
    assert boxes == [(2, 1, 3, 2), (0, 0, 8, 6)]
    names = [(text.get_text(), text.get_position()) for text in axes.texts]
    assert names == [("cat 0.50", (2, 1)), ("sofa 0.25", (0, 0))]
    np.testing.assert_array_equal(layers(figure)[1][..., 3] > 0, masks[0])
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), [[3.5, 2.5]])


def test_objects_of_one_label_have_one_color():
    figure = viz.image(PHOTO, boxes=np.tile([1, 1, 4, 4], (3, 1)), labels=["cat", "dog", "cat"])
    cat, dog, other = [patch.get_edgecolor() for patch in figure.axes[0].patches]
    assert cat == other != dog


def test_heat_covers_the_image_and_says_its_sign():
    positive, signed = (viz.image(PHOTO, heat=heat).axes[0].images[1] for heat in ([[0, 2.0]], [[-1.0], [2.0]]))
    assert positive.get_extent() == signed.get_extent() == [0, 8, 6, 0]
    assert positive.get_clim() == (0, 2) and signed.get_clim() == (-2, 2)


def test_nothing_found_is_nothing_drawn():
    axes = viz.image(PHOTO, boxes=autograd.zeros(0, 4), labels=[], scores=[], masks=np.zeros((0, 6, 8))).axes[0]
    assert not axes.patches and not axes.texts and len(axes.images) == 1


def test_attention_over_an_image_has_a_panel_a_step(tmp_path):
    figure = viz.attention(PHOTO, autograd.rand(7, 2, 3), titles=list("abcdefg"))
    assert [axes.get_title() for axes in figure.axes if axes.images] == list("abcdefg")
    figure.savefig(tmp_path / "attention.png")


def test_attention_over_words_is_darkest_where_it_is_greatest():
    words = [f"word{i}" for i in range(30)]  # three lines
    weights = np.linspace(0, 1, 30)
    texts = viz.attention(words, [weights, weights[::-1]], titles=["up", "down"]).axes[0].texts
    assert [text.get_text() for text in texts] == ["up", *words, "down", *words]
    light = [sum(text.get_bbox_patch().get_facecolor()[:3]) for text in texts if text.get_bbox_patch()]
    assert light[:30] == sorted(light[:30], reverse=True) and light[30:] == sorted(light[30:])
    assert len({text.get_position()[1] for text in texts}) == 6
    assert len({text.get_position() for text in texts}) == len(texts)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: viz.image(np.zeros((2, 3, 4, 4))), r"\(2, 3, 4, 4\); a batch.*viz.images"),
    (lambda: viz.image(np.zeros((5, 4, 4))), r"not \(5, 4, 4\)"),
    (lambda: viz.image(PHOTO, boxes=[1, 2, 3, 4]), r"boxes must have shape \(\*, 4\), not \(4,\)"),
    (lambda: viz.image(PHOTO, boxes=[[5, 1, 2, 4]]), "ends before it begins.*box_convert"),
    (lambda: viz.image(PHOTO, masks=np.zeros((1, 4, 4))), r"masks must have shape \(\*, 6, 8\)"),
    (lambda: viz.image(PHOTO, boxes=[[1, 1, 2, 4]], labels=["a", "b"]), r"not of 1 \(boxes\), 2 \(labels\)"),
    (lambda: viz.image(PHOTO, labels=["a"]), r"1 \(labels\)"),
    (lambda: viz.attention(PHOTO, np.zeros((2, 2, 2)), titles=["a"]), "2 steps need as many titles, not 1"),
    (lambda: viz.attention(["a", "b"], np.zeros((2, 3))), r"weights must have shape \(\*, 2\), not \(2, 3\)"),
])
def test_what_does_not_fit_says_why(call, message):
    with pytest.raises(ValueError, match=message):
        call()
