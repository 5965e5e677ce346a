"""Mean average precision: COCO's rules are pycocotools', VOC's those of a plain loop over the detections."""

import contextlib
import io

import numpy as np
import pytest

from autograd.errors import ShapeError
from nn import metrics


def scene(seed, images=12, classes=4, crowd=0.15):
    """Detections near objects, with others missed, doubled and invented; ties in scores; images with nothing."""
    rng = np.random.default_rng(seed)
    preds, target = [], []
    for image in range(images):
        m = rng.integers(0, 9) if image else 0
        start, sides = rng.integers(0, 150, (m, 2)), rng.integers(4, 130, (m, 2))
        boxes = np.concatenate([start, start + sides], 1).astype(float)
        target.append({"boxes": boxes, "labels": rng.integers(0, classes, m), "iscrowd": rng.random(m) < crowd})
        which = rng.integers(0, m, 2 * m)
        found = boxes[which] + rng.integers(-6, 7, (2 * m, 4)) * (rng.random((2 * m, 1)) < 0.7)
        found = np.concatenate([np.sort(found.reshape(-1, 2, 2), 1).reshape(-1, 4), [[0, 0, 9, 9]]])
        labels = np.append(np.where(rng.random(2 * m) < 0.8, target[-1]["labels"][which], 0), 1)
        preds.append({"boxes": found, "labels": labels, "scores": rng.integers(0, 20, len(found)) / 20})
    return preds, target


def with_masks(side, size=290):
    rows, columns = np.arange(size)[:, None], np.arange(size)
    out = []
    for image in side:
        x1, y1, x2, y2 = np.moveaxis(np.maximum(image["boxes"], 0), -1, 0)[..., None, None].astype(int)
        masks = (rows >= y1) & (rows < y2) & (columns >= x1) & (columns < x2)
        masks[..., ::7, :] = False
        out.append({key: a for key, a in image.items() if key != "boxes"} | {"masks": masks})
    return out


def coco(preds, target, kind):
    """pycocotools' twelve numbers."""
    api = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    encode = pytest.importorskip("pycocotools.mask").encode
    area = pytest.importorskip("pycocotools.mask").area

    def annotations(side):
        for number, image in enumerate(side):
            for i, label in enumerate(image["labels"]):
                one = {"image_id": number, "category_id": int(label), "id": len(made) + 1,
                       "iscrowd": int(image.get("iscrowd", [0] * (i + 1))[i])}
                if kind == "bbox":
                    x1, y1, x2, y2 = image["boxes"][i]
                    one |= {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
                else:
                    rle = encode(np.asfortranarray(image["masks"][i].astype(np.uint8)))
                    one |= {"segmentation": rle, "area": float(area(rle))}
                if "scores" in image:
                    one["score"] = image["scores"][i]
                made.append(one)
        return made

    sides = []
    labels = {int(label) for side in (preds, target) for image in side for label in image["labels"]}
    with contextlib.redirect_stdout(io.StringIO()):
        for side in (target, preds):
            made = []
            sides.append(api.COCO())
            sides[-1].dataset = {"images": [{"id": i, "height": 290, "width": 290} for i in range(len(side))],
                                 "annotations": annotations(side),
                                 "categories": [{"id": label} for label in sorted(labels)]}
            sides[-1].createIndex()
        result = evaluation.COCOeval(*sides, kind)
        result.evaluate()
        result.accumulate()
        result.summarize()
    return result.stats


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["bbox", "segm"])
def test_coco_is_pycocotools(seed, kind):
    preds, target = scene(seed)
    if kind == "segm":
        preds, target = with_masks(preds), with_masks(target)
    ours = metrics.mean_average_precision(preds, target, iou_type=kind)
    np.testing.assert_allclose([float(value) for value in list(ours.values())[:12]], coco(preds, target, kind),
                               rtol=1e-6, err_msg=str(list(ours)))


def test_names_are_torchmetrics_and_so_are_the_values_of_each_class():
    torch, reference = pytest.importorskip("torch"), pytest.importorskip("torchmetrics.detection.mean_ap")
    pytest.importorskip("torchvision")
    preds, target = scene(5)
    theirs = reference.MeanAveragePrecision(class_metrics=True)
    as_torch = [[{key: torch.tensor(a) for key, a in image.items()} for image in side] for side in (preds, target)]
    theirs.update(*as_torch)
    theirs = theirs.compute()
    ours = metrics.mean_average_precision(preds, target, class_metrics=True)
    assert set(ours) == set(theirs)
    for name in ("map", "map_50", "map_per_class", "mar_100_per_class", "classes"):  # it sees other areas than COCO
        np.testing.assert_allclose(ours[name].numpy(), theirs[name].numpy(), rtol=1e-6, err_msg=name)


def plain_voc(preds, target, label, at_eleven):
    """One class, detection by detection, as the development kit does it."""
    every = sorted([(-p["scores"][i], image, i) for image, p in enumerate(preds)
                    for i in range(len(p["labels"])) if p["labels"][i] == label], key=lambda one: one[0])
    used, right = set(), []
    for _, image, i in every:
        x1, y1, x2, y2 = preds[image]["boxes"][i]
        best, which = 0, None
        for j, (u1, v1, u2, v2) in enumerate(target[image]["boxes"]):
            if target[image]["labels"][j] == label:
                both = max(min(x2, u2) - max(x1, u1), 0) * max(min(y2, v2) - max(y1, v1), 0)
                overlap = both / ((x2 - x1) * (y2 - y1) + (0 if target[image]["iscrowd"][j] else
                                                           (u2 - u1) * (v2 - v1) - both))
                if overlap > best:
                    best, which = overlap, (image, j)
        if best >= 0.5 and target[image]["iscrowd"][which[1]]:
            continue
        right.append(best >= 0.5 and which not in used)
        used |= {which} if best >= 0.5 else set()
    objects = sum(int(a == label and not c) for t in target for a, c in zip(t["labels"], t["iscrowd"], strict=True))
    recall = np.cumsum(right) / objects
    precision = np.cumsum(right) / np.arange(1, len(right) + 1)
    if at_eleven:
        return np.mean([max([p for p, r in zip(precision, recall, strict=True) if r >= t], default=0)
                        for t in np.arange(11) / 10])
    return sum(max(precision[i:]) * (recall[i] - (recall[i - 1] if i else 0)) for i in range(len(right)))


@pytest.mark.parametrize("rule", ["voc", "voc2007"])
def test_voc_is_a_plain_loop(rule):
    for seed in range(3):
        preds, target = scene(seed)
        ours = metrics.mean_average_precision(preds, target, rule=rule)
        expected = [plain_voc(preds, target, label, rule == "voc2007") for label in ours["classes"].tolist()]
        np.testing.assert_allclose(ours["map_per_class"].numpy(), expected, rtol=1e-6)
        np.testing.assert_allclose(ours["map"].item(), np.mean(expected), rtol=1e-6)


def test_formats_of_boxes_say_the_same():
    preds, target = scene(1)
    for name, side in {"xywh": lambda b: [b[:, :2], b[:, 2:] - b[:, :2]],
                       "cxcywh": lambda b: [(b[:, :2] + b[:, 2:]) / 2, b[:, 2:] - b[:, :2]]}.items():
        changed = [[image | {"boxes": np.concatenate(side(image["boxes"]), 1)} for image in s] for s in (preds, target)]
        assert float(metrics.mean_average_precision(*changed, box_format=name)["map"]) == float(
            metrics.mean_average_precision(preds, target)["map"])


def test_nothing_to_be_found_is_minus_one_and_nothing_found_is_zero():
    nothing = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, int), "scores": np.zeros(0)}
    something = {"boxes": np.array([[0.0, 0, 5, 5]]), "labels": np.array([3]), "scores": np.array([0.5])}
    value = {name: float(metrics.mean_average_precision([p], [t])["map"]) for name, p, t in [
        ("neither", nothing, nothing), ("invented", something, nothing), ("missed", nothing, something),
        ("found", something, something)]}
    assert value == {"neither": -1, "invented": -1, "missed": 0, "found": pytest.approx(1)}


def test_what_cannot_be_matched_is_refused():
    box = {"boxes": np.array([[0.0, 0, 5, 5]]), "labels": np.array([3]), "scores": np.array([0.5])}
    for preds, target, error, message in [
            (box, [box], ValueError, "lists with one dict"),
            ([box], [], ValueError, "of the same length"),
            ([{"boxes": box["boxes"]}], [box], ValueError, "needs 'labels'"),
            ([box | {"boxes": box["boxes"][:, ::-1]}], [box], ValueError, "ends before it begins"),
            ([box | {"scores": np.array([np.nan])}], [box], ValueError, "NaN"),
            ([box | {"scores": np.array([0.1, 0.2])}], [box], ShapeError, "of 1 labels"),
            ([box | {"boxes": np.zeros((1, 5))}], [box], ShapeError, r"\(n, 4\)")]:
        with pytest.raises(error, match=message):
            metrics.mean_average_precision(preds, target)
