"""Functions of pictures are torchvision's, and so is where masks, boxes and points go."""

import numpy as np
import pytest

import autograd
from autograd.errors import ShapeError
from nn.vision import tv_tensors
from nn.vision.transforms import functional as F
from tests.nn.vision.transforms.samples import PHOTO, ours, pictures, same, theirs, torchvision

GEOMETRY = {
    "horizontal_flip": [()], "vertical_flip": [()],
    "resize": [([20, 30],), (24,), ([70, 90],), ([20, 90],), ([20, 30], "bilinear", None, False), ([30, 20], "bicubic"),
               ([100, 30], "bicubic", None, False), ([20, 30], "nearest"), ([50, 90], "nearest-exact"),
               (None, "bilinear", 40), (30, "bilinear", 35), ([20, 30], 2)],
    "crop": [(10, 5, 20, 30), (-5, -7, 20, 30), (30, 40, 40, 50), (0, 0, 48, 64)],
    "center_crop": [([20, 30],), ([21, 31],), (70,), ([70, 30],), ([21, 90],)],
    "resized_crop": [(5, 7, 30, 31, [20, 20])],
    "pad": [(3,), ([2, 5],), ([1, 2, 3, 4], 0.5), ([1, 2, 3, 4], [1.0, 2.0, 3.0])],
    "affine": [(30.0, [3, -5], 1.2, [10.0, 5.0]), (-50.0, [0.0, 0.0], 0.7, [0.0, 0.0], "bilinear", 0.25),
               (20.0, [2, 2], 1.0, [5.0], "nearest", [0.1, 0.2, 0.3], [10, 20])],
    "rotate": [(90.0,), (90.0, "nearest", True), (180.0,), (0.0,), (33.0, "bilinear", True),
               (33.0, "nearest", False, [5, 9]), (-20.0, "bilinear", False, None, 0.5)],
    "perspective": [([[0, 0], [63, 0], [63, 47], [0, 47]], [[5, 3], [60, 2], [55, 40], [2, 45]]),
                    ([[0, 0], [63, 0], [63, 47], [0, 47]], [[5, 3], [60, 2], [55, 40], [2, 45]], "nearest", 0.3)]}
COLOR = {
    "adjust_brightness": [(0.0,), (0.7,), (1.6,)], "adjust_contrast": [(0.0,), (0.7,), (1.6,)],
    "adjust_saturation": [(0.0,), (0.7,), (1.6,)], "adjust_sharpness": [(0.0,), (0.7,), (1.6,)],
    "adjust_hue": [(-0.5,), (-0.2,), (0.0,), (0.35,)], "adjust_gamma": [(0.6,), (2.2, 1.1)],
    "rgb_to_grayscale": [(1,), (3,)], "posterize": [(0,), (3,), (8,)], "solarize": [(0.6,)], "invert": [()],
    "autocontrast": [()], "equalize": [()],
    "gaussian_blur": [(5,), ([3, 7], [0.8, 2.0])], "erase": [(5, 6, 10, 11, 0)]}
CASES = [(name, args) for table in (GEOMETRY, COLOR) for name, calls in table.items() for args in calls]


def fits(name, args, channels):
    several = name in ("pad", "affine") and any(isinstance(a, list) and len(a) == 3 for a in args)
    return not (several and channels == 1)


@pytest.mark.parametrize(("name", "args"), CASES, ids=str)
def test_pictures_are_torchvisions(name, args):
    torch, vision = torchvision()
    for form, picture in pictures().items():
        if fits(name, args, picture.shape[-3]):
            expected = getattr(vision.transforms.v2.functional, name)(torch.tensor(picture), *args)
            # A coordinate in the middle of two pixels, or a sum at half a step, may round to the other one.
            same(getattr(F, name)(autograd.tensor(picture), *args), expected, 0.004, f"{form}: ")


@pytest.mark.parametrize(("name", "args"), [case for case in CASES if case[0] in GEOMETRY], ids=str)
def test_masks_boxes_and_points_go_where_torchvisions_go(name, args):
    _, vision = torchvision()
    function, reference = getattr(F, name), getattr(vision.transforms.v2.functional, name)
    for kind, format in (("boxes", "XYXY"), ("boxes", "XYWH"), ("boxes", "CXCYWH"), ("points", ""), ("mask", "")):
        if kind == "mask" and not fits(name, args, 1):
            continue
        out, expected = function(ours(kind, format), *args), reference(theirs(kind, format), *args)
        assert type(out).__name__ == type(expected).__name__
        same(out, expected, 0.004, f"{kind} {format}: ")
        if kind != "mask":
            assert list(out.canvas_size) == F.get_size(function(PHOTO, *args))  # torchvision's is 1 more at 33 degrees
            assert kind == "points" or out.format.value == format


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric"])
def test_what_is_around_is_what_is_inside(mode):
    torch, vision = torchvision()
    for picture in pictures().values():
        same(F.pad(picture, [3, 2, 1, 5], padding_mode=mode),
             vision.transforms.v2.functional.pad(torch.tensor(picture), [3, 2, 1, 5], padding_mode=mode))
    with pytest.raises(ValueError, match="twice"):
        F.pad(ours("boxes"), 3, padding_mode=mode)


@pytest.mark.parametrize("size", [(48, 64), (480, 640)])
def test_bytes_are_resized_to_the_very_same_bytes(size):
    torch, vision = torchvision()
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (3, *size), np.uint8)
    for mode, antialias in (("bilinear", True), ("bilinear", False), ("bicubic", True), ("bicubic", False)):
        for to in ([17, 23], [224, 224], [size[0], 31]):
            same(F.resize(picture, to, mode, antialias=antialias), vision.transforms.v2.functional.resize(
                torch.tensor(picture), to, vision.transforms.InterpolationMode(mode), antialias=antialias))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
def test_dtypes_are_torchvisions(dtype):
    torch, vision = torchvision()
    for before in ("uint8", "int16", "int32", "float32", "float64"):
        picture = (PHOTO / 255).astype(before) if before[0] == "f" else PHOTO.astype(before)
        for scale in (False, True):
            reference = torch.tensor(picture), getattr(torch, dtype), scale
            try:
                expected = vision.transforms.v2.functional.to_dtype(*reference)
            except RuntimeError:
                with pytest.raises(RuntimeError, match="digits"):
                    F.to_dtype(picture, dtype, scale)
                continue
            same(F.to_dtype(picture, dtype, scale), expected, message=f"{before} {scale}")


def test_boxes_by_themselves_are_torchvisions():
    torch, vision = torchvision()
    reference = vision.transforms.v2.functional
    for values in (np.array([[5, 6, 20, 31], [-3, 2, 90, 70], [1, 1, 1, 1]]),
                   np.array([[5.5, 6, 20, 31], [-3, 2, 90, 70]])):
        for old in ("XYXY", "XYWH", "CXCYWH"):
            for new in ("XYXY", "XYWH", "CXCYWH"):
                formats = [getattr(vision.tv_tensors.BoundingBoxFormat, f) for f in (old, new)]
                same(F.convert_bounding_box_format(autograd.tensor(values), new, old),
                     reference.convert_bounding_box_format(torch.tensor(values), *formats))
            boxes = vision.tv_tensors.BoundingBoxes(torch.tensor(values), format=old, canvas_size=(30, 40))
            mine = tv_tensors.BoundingBoxes(values, format=old, canvas_size=(30, 40))
            same(F.clamp_bounding_boxes(mine), reference.clamp_bounding_boxes(boxes))
            for out, expected in zip(F.sanitize_bounding_boxes(mine, min_size=2),
                                     reference.sanitize_bounding_boxes(boxes, min_size=2), strict=True):
                same(out, expected)


def test_five_and_ten_crops_are_torchvisions():
    torch, vision = torchvision()
    for out, expected in zip(F.ten_crop(PHOTO, (20, 31)),
                             vision.transforms.v2.functional.ten_crop(torch.tensor(PHOTO), (20, 31)), strict=True):
        same(out, expected)


def test_what_stays_where_torchvision_isnt_installed():
    x = autograd.arange(12.0).reshape(1, 3, 4)
    assert F.horizontal_flip(x)[0, 0].tolist() == [3, 2, 1, 0]
    assert F.crop(x, -1, 2, 2, 3)[0].tolist() == [[0, 0, 0], [2, 3, 0]]
    assert F.center_crop(x, 2)[0].tolist() == [[0, 0], [0, 0]] or F.center_crop(x, (1, 2))[0].tolist() == [[5, 6]]
    assert F.rotate(x, 90, expand=True)[0].tolist() == np.rot90(x.numpy()[0]).tolist()
    assert F.pad(x, (1, 0), padding_mode="symmetric")[0, 0].tolist() == [0, 0, 1, 2, 3, 3]
    assert F.resize(x, (3, 2))[0, 0].tolist() == pytest.approx([0.714285, 2.285715], abs=1e-5)
    boxes = tv_tensors.BoundingBoxes([[1.0, 0, 3, 2]], format="XYXY", canvas_size=(3, 4))
    assert F.horizontal_flip(boxes).tolist() == [[1, 0, 3, 2]]
    assert F.rotate(boxes, 90, expand=True).tolist()[0] == pytest.approx([0, 1, 2, 3], abs=1e-5)
    assert F.crop(boxes, 1, 2, 2, 2).tolist() == [[0, 0, 1, 1]]
    assert F.adjust_brightness(autograd.tensor([[[100]]], dtype="uint8"), 1.5).item() == 150
    assert F.invert(autograd.tensor([[[100]]], dtype="uint8")).item() == 155


def test_pictures_keep_their_form():
    image = pytest.importorskip("PIL.Image")
    for mode, array in (("RGB", PHOTO), ("L", PHOTO[0]), ("RGBA", np.concatenate([PHOTO, PHOTO[:1]]))):
        picture = image.fromarray(np.moveaxis(array, 0, 2) if array.ndim == 3 else array)
        for out in (F.resize(picture, (20, 30)), F.horizontal_flip(picture), F.rotate(picture, 20.0)):
            assert out.mode == picture.mode == mode
        assert F.resize(picture, (20, 30)).size == (30, 20)
        same(F.pil_to_tensor(F.horizontal_flip(picture)), np.atleast_3d(array.T).T[..., ::-1] if array.ndim == 2
             else array[..., ::-1])
        same(F.pil_to_tensor(F.to_pil_image(F.pil_to_tensor(picture))), F.pil_to_tensor(picture))
    assert type(F.resize(tv_tensors.Image(PHOTO), 20)) is tv_tensors.Image
    assert type(F.invert(PHOTO)) is autograd.Tensor
    same(F.to_tensor(np.moveaxis(PHOTO, 0, 2)), (PHOTO / np.float32(255)))
    same(F.to_image(np.moveaxis(PHOTO, 0, 2)), PHOTO)


def test_floating_pictures_are_differentiable():
    x = autograd.rand(1, 3, 6, 8, requires_grad=True)
    for out in (F.resize(x, (3, 4)), F.rotate(x, 20.0, "bilinear"), F.pad(x, 2), F.gaussian_blur(x, 3),
                F.adjust_contrast(x, 0.5), F.normalize(x, [0.5] * 3, [0.5] * 3)):
        assert out.requires_grad


def test_what_is_no_picture_is_refused():
    with pytest.raises(ShapeError, match=r"\(H, W, C\).*to_image"):
        F.resize(np.zeros((48, 64, 3), np.uint8), 20)
    with pytest.raises(ShapeError, match=r"image\[None\]"):
        F.resize(np.zeros((48, 64)), 20)
    with pytest.raises(TypeError, match="not str"):
        F.resize("china.jpg", 20)
    with pytest.raises(TypeError, match="not of masks"):
        F.adjust_brightness(ours("mask"), 0.5)
    with pytest.raises(TypeError, match="scale=True"):
        F.normalize(PHOTO, [0.5] * 3, [0.5] * 3)
    with pytest.raises(ShapeError, match="1 or 3 channels, not of 2"):
        F.adjust_contrast(PHOTO[:2], 0.5)
    with pytest.raises(ValueError, match="'cubic'"):
        F.resize(PHOTO, 20, "cubic")
    with pytest.raises(ValueError, match="fit into"):
        F.five_crop(PHOTO, 100)
    with pytest.raises(ValueError, match=r"four points|eight"):
        F.perspective(PHOTO, [[0, 0]], [[1, 1]])
