"""Transforms are torchvision's: with the same seed the same pictures, masks, boxes, points, and numbers drawn."""

import numpy as np
import pytest

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from nn.data import DataLoader
from nn.vision import transforms as T
from nn.vision import tv_tensors
from tests.nn.vision.transforms.samples import PHOTO, ours, same, theirs, torchvision

POLICY = T.AutoAugmentPolicy
MOVING = {
    "RandomHorizontalFlip": [{}], "RandomVerticalFlip": [{"p": 0.3}], "Resize": [{"size": (20, 30)}, {"size": 20}],
    "RandomResize": [{"min_size": 10, "max_size": 30}],
    "RandomShortestSize": [{"min_size": (10, 20, 30), "max_size": 35}],
    "ScaleJitter": [{"target_size": (40, 40)}], "CenterCrop": [{"size": 30}],
    "RandomCrop": [{"size": (20, 30)}, {"size": 40, "padding": 4},
                   {"size": (60, 70), "pad_if_needed": True, "fill": 0.5}],
    "RandomResizedCrop": [{"size": 24}, {"size": (20, 30), "scale": (0.9, 1.0), "ratio": (3.0, 4.0)}],
    "Pad": [{"padding": [1, 2, 3, 4], "fill": 1}], "RandomZoomOut": [{"p": 0.8}], "RandomIoUCrop": [{}],
    "RandomRotation": [{"degrees": 30}, {"degrees": (10, 80), "expand": True}],
    "RandomAffine": [{"degrees": 20, "translate": (0.1, 0.2), "scale": (0.8, 1.3), "shear": (-5, 5, -9, 9)},
                     {"degrees": 0, "shear": 10, "interpolation": "bilinear"}],
    "RandomPerspective": [{"p": 0.9}], "ElasticTransform": [{"alpha": 40.0, "sigma": 3.0}]}
OF_PICTURES = {
    "ColorJitter": [{"brightness": 0.4, "contrast": 0.3, "saturation": 0.5, "hue": 0.2}, {"hue": (0.1, 0.2)}],
    "Grayscale": [{"num_output_channels": 3}], "RandomGrayscale": [{"p": 0.5}],
    "GaussianBlur": [{"kernel_size": (3, 5)}],
    "RandomErasing": [{"p": 0.8}, {"p": 1.0, "value": "random"}, {"p": 1.0, "value": (0.1, 0.2, 0.3)}],
    "RandomPhotometricDistort": [{}], "RandomChannelPermutation": [{}], "RandomInvert": [{}],
    "RandomPosterize": [{"bits": 3}], "RandomSolarize": [{"threshold": 0.5}], "RandomAutocontrast": [{}],
    "RandomAdjustSharpness": [{"sharpness_factor": 2.0}], "RandomEqualize": [{}], "GaussianNoise": [{}],
    "Normalize": [{"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]}]}
ALONE = {
    "AutoAugment": [{"policy": policy} for policy in POLICY], "RandAugment": [{}, {"num_ops": 4, "magnitude": 20}],
    "TrivialAugmentWide": [{}], "AugMix": [{}, {"all_ops": False, "chain_depth": 2}],
    "FiveCrop": [{"size": 20}], "TenCrop": [{"size": (20, 30), "vertical_flip": True}]}
FLOATING = (PHOTO / 255).astype(np.float32)


def both(name, options):
    """The transform here and there."""
    _, vision = torchvision()
    reference = vision.transforms.v2
    there = {key: reference.AutoAugmentPolicy(value.value) if key == "policy" else value
             for key, value in options.items()}
    return getattr(T, name)(**options), getattr(reference, name)(**there)


def cases(*tables):
    return [(name, options) for table in tables for name, calls in table.items() for options in calls]


@pytest.mark.parametrize(("name", "options"), cases(MOVING, OF_PICTURES, ALONE), ids=str)
def test_the_same_seed_gives_torchvisions_sample(name, options):
    torch, _ = torchvision()
    mine, reference = both(name, options)
    floating_only = name in ("Normalize", "RandomSolarize", "GaussianNoise")
    for seed in range(6):
        picture = FLOATING if seed % 2 or floating_only else PHOTO
        sample = [picture, 7]
        if name not in ALONE:
            sample += [ours("boxes", "XYWH"), {"mask": ours("mask")}, (ours("points"), "text")]
            expected = [torch.tensor(picture), 7, theirs("boxes", "XYWH"), {"mask": theirs("mask")},
                        (theirs("points"), "text")]
        else:
            expected = [torch.tensor(picture), 7]
        autograd.manual_seed(seed)
        torch.manual_seed(seed)
        out, expected = mine(sample), reference(expected)
        flat, reference_flat = list(T.transform.leaves(out)), torch.utils._pytree.tree_leaves(expected)
        for a, b in zip(flat, reference_flat, strict=True):
            if isinstance(b, torch.Tensor):
                # a brightness at half a step, or a coordinate in the middle of two pixels, may round to the other one
                same(a, b, 0.02 if name in ALONE else 0.005, f"{seed}: ")
            else:
                assert a == b
        assert autograd.rand(1).item() == torch.rand(1).item()  # as many numbers were drawn


def test_containers_draw_as_torchvisions():
    torch, vision = torchvision()

    def chain(t):
        return t.Compose([t.RandomApply([t.RandomHorizontalFlip(1.0), t.RandomVerticalFlip()], p=0.4),
                          t.RandomChoice([t.RandomInvert(1.0), t.RandomCrop(20), t.Identity()], p=[1, 2, 3]),
                          t.RandomOrder([t.RandomInvert(), t.CenterCrop(18), t.RandomVerticalFlip()])])
    for seed in range(20):
        autograd.manual_seed(seed)
        torch.manual_seed(seed)
        same(chain(T)(PHOTO), chain(vision.transforms.v2)(torch.tensor(PHOTO)))


@pytest.mark.parametrize("name", ["MixUp", "CutMix"])
def test_batches_are_mixed_as_torchvisions(name):
    torch, _ = torchvision()
    images, labels = np.random.default_rng(0).random((4, 3, 8, 9)).astype(np.float32), np.array([1, 0, 3, 2])
    for options in ({"num_classes": 5}, {"num_classes": 4, "alpha": 0.3}):
        mine, reference = both(name, options)
        for seed in range(5):
            autograd.manual_seed(seed)
            torch.manual_seed(seed)
            for a, b in zip(mine(Tensor(images), Tensor(labels)),
                            reference(torch.tensor(images), torch.tensor(labels)), strict=True):
                same(a, b)
    with pytest.raises(ValueError, match="give num_classes"):
        getattr(T, name)()(Tensor(images), Tensor(labels))
    with pytest.raises(ShapeError, match=r"\(N, C, H, W\)"):
        getattr(T, name)(num_classes=5)(Tensor(images[0]), Tensor(labels))


def test_boxes_that_are_gone_go_with_labels_and_masks():
    boxes = tv_tensors.BoundingBoxes([[0.0, 0, 5, 5], [3, 3, 3, 9], [2, 2, 90, 9]], format="XYXY", canvas_size=(10, 10))
    sample = {"image": Tensor(np.zeros((3, 10, 10))), "boxes": boxes, "labels": autograd.tensor([4, 5, 6]),
              "mask": tv_tensors.Mask(np.zeros((3, 10, 10)))}
    out = T.SanitizeBoundingBoxes()(sample)
    assert out["boxes"].tolist() == [[0, 0, 5, 5]] and out["labels"].tolist() == [4]
    assert out["mask"].shape == (1, 10, 10)
    clamped = T.Compose([T.ClampBoundingBoxes(), T.SanitizeBoundingBoxes(min_size=2)])(sample)
    assert clamped["boxes"].tolist() == [[0, 0, 5, 5], [2, 2, 10, 9]] and clamped["labels"].tolist() == [4, 6]


def test_only_the_first_tensor_that_does_not_say_what_it_is_counts_as_a_picture():
    vector = np.arange(3)
    image, target, label = T.RandomHorizontalFlip(1.0)((PHOTO, PHOTO, vector))
    assert (image.numpy() == PHOTO[..., ::-1]).all() and target is PHOTO and label is vector
    picture, other = T.RandomHorizontalFlip(1.0)(tv_tensors.Image(PHOTO), Tensor(PHOTO))
    assert (picture.numpy() == PHOTO[..., ::-1]).all() and (other.numpy() == PHOTO).all()


def test_types_decide_about_dtypes_and_what_comes_in():
    image, mask = tv_tensors.Image(PHOTO), tv_tensors.Mask(PHOTO[0])
    a, b = T.ToDtype({tv_tensors.Image: autograd.float32, "others": None}, scale=True)(image, mask)
    assert a.dtype == np.float32 and a.max() <= 1 and b.dtype == np.uint8
    a, b = T.Pad(1, fill={tv_tensors.Mask: 255, "others": 9})(image, mask)
    assert a[0, 0, 0].item() == 9 and b[0, 0].item() == 255


class Photos:
    """A data set that draws when it is asked."""

    def __len__(self):
        return 8

    def __getitem__(self, i):
        return T.Compose([T.RandomCrop(20), T.ColorJitter(0.3)])(PHOTO)


def test_workers_draw_differently_and_repeat_themselves():
    def epoch(workers):
        generator = autograd.Generator().manual_seed(3)
        return np.concatenate([b.numpy() for b in DataLoader(Photos(), 2, num_workers=workers, generator=generator)])
    first = epoch(2)
    assert (first == epoch(2)).all()
    assert len(np.unique(first.reshape(8, -1), axis=0)) == 8


def test_pil_images_come_in_and_go_out():
    pil = pytest.importorskip("PIL.Image")
    picture = pil.fromarray(np.moveaxis(PHOTO, 0, 2))
    autograd.manual_seed(0)
    changes = [T.RandomResizedCrop(24), T.ColorJitter(0.3), T.RandomRotation(10), T.TrivialAugmentWide()]
    out = T.Compose(changes)(picture)
    assert out.size == (24, 24) and out.mode == "RGB"
    chain = T.Compose([T.PILToTensor(), T.ConvertImageDtype(), T.Normalize([0.5], [0.5]), T.ToPILImage()])
    assert chain(picture).size == picture.size
    same(T.ToTensor()(picture), FLOATING)


def test_programs_show_what_they_are_made_of():
    assert repr(T.Compose([T.Resize(8), T.RandomHorizontalFlip()])) == (
        "Compose(\n  Resize(size=8, interpolation=bilinear, antialias=True)\n  RandomHorizontalFlip(p=0.5)\n)")


def test_mistakes_are_refused():
    for make, error, message in [
            (lambda: T.RandomHorizontalFlip(2), ValueError, "between 0 and 1, not 2"),
            (lambda: T.RandomCrop(100)(PHOTO), ValueError, "doesn't fit.*48 × 64; write pad_if_needed"),
            (lambda: T.Normalize([0], [1])(PHOTO), TypeError, "scale=True"),
            (lambda: T.ColorJitter(hue=0.7), ValueError, "hue must be"),
            (lambda: T.Compose([]), ValueError, "at least one"),
            (lambda: T.RandAugment()(PHOTO, ours("boxes")), TypeError, "BoundingBoxes"),
            (lambda: T.FiveCrop(20)(PHOTO, ours("mask")), TypeError, "several pictures"),
            (lambda: T.RandomIoUCrop()(PHOTO), TypeError, "BoundingBoxes"),
            (lambda: T.RandomCrop(20)(PHOTO, tv_tensors.Mask(PHOTO[0, :9])), ValueError, r"\(9, 64\), \(48, 64\)"),
            (lambda: T.RandomErasing(value="noise"), ValueError, "'random'"),
            (lambda: T.GaussianBlur(4), ValueError, "odd"),
            (lambda: T.RandomRotation(-5), ValueError, "at least 0")]:
        with pytest.raises(error, match=message):
            make()
