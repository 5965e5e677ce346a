"""Mean average precision of detected boxes or masks, by the rules of COCO and of PASCAL VOC."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.errors import ShapeError
from nn.metrics.metric import Metric, array_of, result

Found = Mapping[str, Any]
AREAS = np.array([(0, 1e10), (0, 32 ** 2), (32 ** 2, 96 ** 2), (96 ** 2, 1e10)])
"""All objects, small, medium and large ones: the areas in pixels."""


class MeanAveragePrecision(Metric):
    """The mean over classes (and overlaps) of the area under the curve of precision over recall.

    Args:
        box_format: "xyxy", "xywh" or "cxcywh".
        iou_type: "bbox", or "segm" for masks.
        iou_thresholds: from which overlap on an object is found; the mean over these. Default .5, .55, …, .95; .5 by
            the rules of VOC.
        rec_thresholds: the recalls at which precision is read; default 0, .01, …, 1.
        max_detection_thresholds: how many detections of a class count in an image, three numbers, of which the last is
            that of the precisions; default 1, 10, 100.
        class_metrics: tell of each class, too.
        rule: "coco"; "voc": one overlap, the exact area, one object found once, the nearest to the box; "voc2007": the
            same, with precision read at 11 recalls.

    `update(preds, target)` takes lists with a dict for each image. preds: "boxes" (n, 4) or "masks" (n, H, W), "scores"
    (n,), "labels" (n,). target: "boxes" or "masks", "labels", and maybe "iscrowd" (m,), objects that may be found any
    number of times or not at all (VOC's "difficult"), and "area" (m,), otherwise that of the box or mask.

    `compute()` gives a dict of Tensors with torchmetrics' keys; -1 where there is nothing to be found.
    """

    def __init__(self, box_format: str = "xyxy", iou_type: str = "bbox", iou_thresholds: Sequence[float] | None = None,
                 rec_thresholds: Sequence[float] | None = None,
                 max_detection_thresholds: Sequence[int] | None = None, class_metrics: bool = False,
                 rule: str = "coco") -> None:
        if box_format not in ("xyxy", "xywh", "cxcywh"):
            raise ValueError(f"box_format must be 'xyxy', 'xywh' or 'cxcywh', not {box_format!r}")
        if iou_type not in ("bbox", "segm"):
            raise ValueError(f"iou_type must be 'bbox' or 'segm', not {iou_type!r}")
        if rule not in ("coco", "voc", "voc2007"):
            raise ValueError(f"rule must be 'coco', 'voc' or 'voc2007', not {rule!r}")
        default = np.linspace(0.5, 0.95, 10) if rule == "coco" else [0.5]
        self.box_format, self.iou_type, self.rule, self.class_metrics = box_format, iou_type, rule, class_metrics
        self.iou_thresholds = np.asarray(default if iou_thresholds is None else iou_thresholds, np.float64)
        self.rec_thresholds = np.asarray(np.linspace(0, 1, 101) if rec_thresholds is None else rec_thresholds)
        self.max_detections = sorted(max_detection_thresholds or (1, 10, 100))

    def count(self, preds: Sequence[Found], target: Sequence[Found]) -> tuple[list]:
        """What each image shows, as arrays."""
        if isinstance(preds, Mapping) or isinstance(target, Mapping) or len(preds) != len(target):
            raise ValueError("preds and target are lists with one dict for each image, of the same length")
        return ([(self._read(p, True), self._read(t, False)) for p, t in zip(preds, target, strict=True)],)

    def _read(self, of: Found, predicted: bool) -> dict[str, np.ndarray]:
        what = "boxes" if self.iou_type == "bbox" else "masks"
        for key in (what, "labels", *["scores"] * predicted):
            if key not in of:
                raise ValueError(f"{'preds' if predicted else 'target'} needs {key!r} for each image, and has "
                                 f"{sorted(of)}")
        read = {key: array_of(of[key]) for key in (what, "labels", "scores", "iscrowd", "area") if key in of}
        n = len(read["labels"])
        shapes = read[what]
        if what == "boxes":
            read[what] = shapes = _corners(shapes.reshape(-1, 4) if not shapes.size else shapes, self.box_format)
        wrong = {key: a.shape for key, a in read.items()
                 if len(a) != n or a.ndim != {"boxes": 2, "masks": 3}.get(key, 1)}
        if wrong:
            raise ShapeError(f"of {n} labels, {wrong} aren't of as many objects: boxes (n, 4), masks (n, H, W), the "
                             "rest (n,)")
        if predicted and np.isnan(read["scores"]).any():
            raise ValueError("scores hold NaN, which have no order")
        own = np.prod(shapes[:, 2:] - shapes[:, :2], 1) if what == "boxes" else (shapes != 0).sum((1, 2))
        return {"shapes": shapes, "labels": read["labels"].astype(np.int64), "own": own,
                "scores": read.get("scores", np.zeros(n)), "crowd": read.get("iscrowd", np.zeros(n)) > 0,
                "area": np.where(read["area"] > 0, read["area"], own) if "area" in read else own}

    def value(self, images: list) -> dict[str, Tensor]:
        """The measures by their names."""
        classes = sorted({int(label) for image in images for side in image for label in side["labels"]})
        per_class = [self._of_class(images, label) for label in classes]
        if self.rule != "coco":
            each = np.array([_mean(area) for area in per_class])
            return {"map": result(_mean(each)), "map_per_class": result(each),
                    "classes": Tensor(np.array(classes, np.int64))}
        count = len(self.iou_thresholds), len(AREAS), len(self.max_detections)
        precision = np.stack([p for p, _ in per_class]) if classes else np.full((0, *count, 1), -1.0)  # K T A M R
        recall = np.stack([r for _, r in per_class]) if classes else np.full((0, *count), -1.0)
        last, sizes = self.max_detections[-1], ("small", "medium", "large")
        at = {t: np.isclose(self.iou_thresholds, t) for t in (0.5, 0.75)}
        found: dict[str, Any] = {"map": _mean(precision[:, :, 0, -1]), **{
            f"map_{round(100 * t)}": _mean(precision[:, which, 0, -1]) for t, which in at.items()}}
        found |= {f"map_{size}": _mean(precision[:, :, a, -1]) for a, size in enumerate(sizes, 1)}
        found |= {f"mar_{most}": _mean(recall[:, :, 0, m]) for m, most in enumerate(self.max_detections)}
        found |= {f"mar_{size}": _mean(recall[:, :, a, -1]) for a, size in enumerate(sizes, 1)}
        found["map_per_class"] = np.array([_mean(p[:, 0, -1]) for p in precision]) if self.class_metrics else -1.0
        found[f"mar_{last}_per_class"] = np.array([_mean(r[:, 0, -1]) for r in recall]) if self.class_metrics else -1.0
        return {name: result(value) for name, value in found.items()} | {"classes": Tensor(np.array(classes, np.int64))}

    def _of_class(self, images: list, label: int) -> Any:
        """Of one class: precisions (T, A, M, R) and recalls (T, A, M); by the rules of VOC the areas (T,)."""
        parts = []
        for p, t in images:
            preds = {key: a[p["labels"] == label] for key, a in p.items()}
            order = np.argsort(-preds["scores"], kind="stable")
            if self.rule == "coco":
                order = order[:self.max_detections[-1]]
            preds, target = ({key: a[which] for key, a in side.items()}
                             for side, which in ((preds, order), (t, t["labels"] == label)))
            if len(order) or len(target["labels"]):
                overlap = _overlaps(preds, target)
                match = _matches(overlap, preds, target, self.iou_thresholds) if self.rule == "coco" else (
                    _voc_matches(overlap, target["crowd"], self.iou_thresholds))
                parts.append((preds["scores"], np.arange(len(order)), *match))
        scores, rank, right, ignored, objects = (
            np.concatenate([part[i] for part in parts], axis=-1 if i < 4 else 0) for i in range(5))
        order = np.argsort(-scores, kind="stable")
        rank, right, ignored = rank[order], right[..., order], ignored[..., order]
        if self.rule != "coco":
            return np.array([_voc_area(r[~i], int(objects.sum()), self.rule == "voc2007")
                             for r, i in zip(right, ignored, strict=True)])
        objects = np.sum(objects.reshape(-1, len(AREAS)), 0)
        precision = np.full((len(right), len(AREAS), len(self.max_detections), len(self.rec_thresholds)), -1.0)
        recall = np.full(precision.shape[:3], -1.0)
        for a in np.nonzero(objects)[0]:
            for m, most in enumerate(self.max_detections):
                few = rank < most
                for t in range(len(right)):
                    hits = right[t, a, few][~ignored[t, a, few]]
                    found = np.cumsum(hits)
                    each = found / (np.arange(1, len(hits) + 1) + np.spacing(1))
                    each = np.append(np.maximum.accumulate(each[::-1])[::-1], 0)
                    recalls = found / objects[a]
                    precision[t, a, m] = each[np.searchsorted(recalls, self.rec_thresholds)]
                    recall[t, a, m] = recalls[-1] if len(recalls) else 0
        return precision, recall


def _mean(values: np.ndarray) -> float:
    """The mean of those that are not -1; -1 if there are none."""
    known = values[values > -1]
    return float(known.mean()) if known.size else -1.0


def _corners(boxes: np.ndarray, box_format: str) -> np.ndarray:
    boxes = boxes.astype(np.float64)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ShapeError(f"boxes must have shape (n, 4), not {boxes.shape}")
    if box_format != "xyxy":
        start = boxes[:, :2] - (boxes[:, 2:] / 2 if box_format == "cxcywh" else 0)
        boxes = np.concatenate([start, start + boxes[:, 2:]], 1)
    if (boxes[:, 2:] < boxes[:, :2]).any():
        wrong = boxes[(boxes[:, 2:] < boxes[:, :2]).any(1)][0]
        raise ValueError(f"a box ends before it begins: {wrong.tolist()} as (x1, y1, x2, y2); box_format is "
                         f"{box_format!r}")
    return boxes


def _overlaps(preds: Mapping[str, np.ndarray], target: Mapping[str, np.ndarray]) -> np.ndarray:
    """Intersection over union, (n, m); over a crowd, the share of the detection that is within."""
    a, b = preds["shapes"], target["shapes"]
    if a.ndim == 3:
        both = np.tensordot((a != 0).astype(np.float64), (b != 0).astype(np.float64), ((1, 2), (1, 2)))
    else:
        sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
        both = np.prod(np.maximum(sides, 0), 2)
    area = preds["own"][:, None]
    every = np.where(target["crowd"], area, area + target["own"] - both)
    return np.divide(both, every, out=np.zeros(both.shape), where=every > 0)


def _matches(overlap: np.ndarray, preds: Mapping[str, np.ndarray], target: Mapping[str, np.ndarray],
             thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """COCO's rule: the best detection takes of the objects that are left the one that it covers best.

    Returns whether each detection is right and whether it is left out, (T, A, n), and how many objects there are in
    each range of areas, (1, A). Objects beyond the range, or crowds, are taken last, and then nothing counts.
    """
    def beyond(area: np.ndarray) -> np.ndarray:
        return (area < AREAS[:, :1]) | (area > AREAS[:, 1:])

    count, (n, m) = (len(thresholds), len(AREAS)), overlap.shape
    ignored = beyond(target["area"]) | target["crowd"]
    needed = np.minimum(thresholds, 1 - 1e-10)[:, None, None]
    taken = np.zeros((*count, m), np.bool_)
    right, out = np.zeros((*count, n), np.bool_), np.zeros((*count, n), np.bool_)
    out[:] = beyond(preds["own"])
    if m:
        place = np.indices(count)
        for i in range(n):
            free = (~taken | target["crowd"]) & (overlap[i] >= needed)
            first = np.where(free & ~ignored, overlap[i], -1)
            best = np.where((first >= 0).any(2, keepdims=True), first, np.where(free, overlap[i], -1))
            which = m - 1 - best[..., ::-1].argmax(2)
            found = best.max(2) >= 0
            left_out = ignored[place[1], which]
            right[..., i], out[..., i] = found & ~left_out, np.where(found, left_out, out[..., i])
            taken[place[0][found], place[1][found], which[found]] = True
    return right, out, (~ignored).sum(1)[None]


def _voc_matches(overlap: np.ndarray, difficult: np.ndarray, thresholds: np.ndarray) -> tuple[np.ndarray, ...]:
    """VOC's rule: each detection is of the object that it covers best, whose first one is right.

    Returns whether each is right and whether it is left out, (T, n), and the number of objects, (1,).
    """
    right, out = (np.zeros((len(thresholds), len(overlap)), np.bool_) for _ in range(2))
    if overlap.shape[1]:
        which = overlap.argmax(1)
        for t, threshold in enumerate(thresholds):
            near = overlap.max(1) >= threshold
            out[t] = near & difficult[which]
            firsts = np.unique(np.where(near & ~out[t], which, -1), return_index=True)
            right[t, [i for object_, i in zip(*firsts, strict=True) if object_ >= 0]] = True
    return right, out, np.array([(~difficult).sum()])


def _voc_area(right: np.ndarray, objects: int, at_eleven: bool) -> float:
    """The area under precision, made falling, over recall; -1 if there is no object."""
    if not objects:
        return -1.0
    found = np.cumsum(right)
    recall = found / objects
    precision = np.append(np.maximum.accumulate((found / np.arange(1, len(right) + 1))[::-1])[::-1], 0)
    if at_eleven:
        return float(precision[np.searchsorted(recall, np.arange(11) / 10)].mean())
    return float(np.sum(np.diff(recall, prepend=0) * precision[:-1]))


def mean_average_precision(preds: Sequence[Found], target: Sequence[Found], box_format: str = "xyxy",
                           iou_type: str = "bbox", iou_thresholds: Sequence[float] | None = None,
                           rec_thresholds: Sequence[float] | None = None,
                           max_detection_thresholds: Sequence[int] | None = None, class_metrics: bool = False,
                           rule: str = "coco") -> dict[str, Tensor]:
    """Mean average precision of detections, by COCO's or VOC's rule, as `MeanAveragePrecision`: a dict of Tensors.

    >>> found = {"boxes": tensor([[0.0, 0, 10, 10]]), "scores": tensor([0.9]), "labels": tensor([1])}
    >>> there = {"boxes": tensor([[0.0, 0, 10, 8]]), "labels": tensor([1])}
    >>> measures = mean_average_precision([found], [there])
    >>> measures["map"], measures["map_50"]
    (tensor(0.7000), tensor(1.))
    """
    return MeanAveragePrecision(box_format, iou_type, iou_thresholds, rec_thresholds, max_detection_thresholds,
                                class_metrics, rule)(preds, target)
