"""Pretrained: two networks read words off photographs; one finds them, the other one spells them.

Both are ONNX files of the package rapidocr-onnxruntime, run on the engine. The finder says of each pixel how likely it
is within a word (Liao et al. 2020). The reader (Du et al. 2022) slides along a word, and says at each step a letter or
nothing, the blank; CTC (Graves et al. 2006) joins what it says twice, then drops the blanks, so that a letter may take
any number of steps, and a blank parts two equal ones. The picture shows what was read off the photographs, and which
pixels each letter depends on. Try words of your own, or another photograph.
"""

import re

import numpy as np
from matplotlib import pyplot as plt

import autograd
import nn
from autograd import Tensor
from examples import data
from nn import functional as F
from nn.vision import ops

SYSTEMS = ("pretrained networks", "text recognition", "CTC")
CLAIM = ("Of 128 words in four fonts on eight photographs over 90 % are found, and over 90 % of these read without a "
         "mistake; over 80 % of those with a double letter, none if blanks are dropped before letters are joined. Over "
         "60 % of letters depend most on the pixels of their own place.")

FONTS = ["DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral"]
PHOTOGRAPHS = ["coffee", "gravel", "astronaut", "brick", "camera", "china", "flower", "grass"]


def network(name):
    """PP-OCRv4's "det" or "rec"."""
    path = f"rapidocr_onnxruntime/models/ch_PP-OCRv4_{name}_infer.onnx"
    return nn.onnx.load(data.package_file("rapidocr-onnxruntime", path)).requires_grad_(False)


def page(photograph, words, rng, fonts=FONTS):
    """Words in two columns on a darkened photograph, (3, H, W), and their boxes (n, 4)."""
    height, width = photograph.shape[1:]
    figure = plt.figure(figsize=(width / 100, height / 100), dpi=100)
    figure.figimage(0.6 * np.broadcast_to(photograph, (3, height, width)).transpose(1, 2, 0))
    rows = len(words) // 2
    boxes = []
    for k, word in enumerate(words):
        x, y = (k % 2 + 0.5 + rng.uniform(-0.1, 0.1)) / 2, (k // 2 + 0.5 + rng.uniform(-0.15, 0.15)) / rows
        text = figure.text(x, y, word, family=rng.choice(fonts), size=rng.uniform(13, 22), color="white", ha="center",
                           va="center", style=rng.choice(["normal", "italic"]), weight=rng.choice(["normal", "bold"]))
        extent = text.get_window_extent()
        boxes.append((extent.x0, height - extent.y1, extent.x1, height - extent.y0))
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    plt.close(figure)
    return (pixels / 255).astype(np.float32).transpose(2, 0, 1), np.array(boxes, np.float32)


def find(finder, image):
    """Boxes (n, 4) of words in an image (3, H, W)."""
    from skimage.measure import label, regionprops
    with autograd.no_grad():
        likely = finder(Tensor(2 * image[None, ::-1] - 1))[0, 0].numpy()  # blue comes first
    boxes = []
    for region in regionprops(label(likely > 0.3), likely):
        if region.intensity_mean > 0.5:
            top, left, bottom, right = region.bbox
            more = 0.8 / (1 / (bottom - top) + 1 / (right - left))  # it was taught shrunken boxes
            boxes.append((left - more, top - more, right + more, bottom + more))
    return np.array(boxes, np.float32).reshape(-1, 4)


def cut(image, boxes):
    """What is in the boxes as the reader is given it: (n, 3, 48, width), the shorter ones filled up with 0."""
    pieces = []
    for left, top, right, bottom in np.maximum(0, np.round(boxes).astype(int)):
        piece = Tensor(2 * image[None, ::-1, top:bottom, left:right] - 1)
        pieces.append(F.interpolate(piece, (48, round(48 * piece.shape[3] / piece.shape[2])), mode="bilinear"))
    width = max(piece.shape[3] for piece in pieces)
    return autograd.cat([F.pad(piece, (0, width - piece.shape[3])) for piece in pieces])


def joined(path):
    """What is said at each step, but once while it does not change."""
    return path[np.diff(path, prepend=-1) != 0]


def without_blanks(path):
    return path[path > 0]


def influence(reader, word):
    """How much the score of each letter depends on each column of a word (1, 3, 48, width): (letters, width),
    each row's largest is 1."""
    with autograd.no_grad():
        path = reader(word)[0].argmax(1).numpy()
    steps = np.flatnonzero((np.diff(path, prepend=-1) != 0) & (path > 0))
    copies = word.expand(len(steps), -1, -1, -1).clone().requires_grad_()
    reader(copies)[np.arange(len(steps)), steps, path[steps]].log().sum().backward()
    looked = np.abs(copies.grad.numpy()).sum((1, 2))
    return looked / looked.max(1, keepdims=True)


def example(run):
    finder, reader = network("det"), network("rec")
    letters = np.array(["", *reader.metadata["character"].split("\n"), " "])
    vocabulary = sorted({*re.findall(r"\b[a-z]{4,12}\b", data.manual())})
    found, doubled, read, blanks_first, pages = [], [], [], [], []
    for name in run.progress(PHOTOGRAPHS, quick=1):
        words = run.rng.choice(vocabulary, 16, replace=False)
        image, boxes = page(data.photograph(name)[:, :384, :512], words, run.rng)
        places = find(finder, image)
        overlap = ops.box_iou(Tensor(boxes), Tensor(places)).numpy()
        found += [*(overlap.max(1) > 0.5)]
        places, words = places[overlap.argmax(1)][overlap.max(1) > 0.5], words[overlap.max(1) > 0.5]
        with autograd.no_grad():
            paths = reader(cut(image, places)).argmax(2).numpy()
        texts = ["".join(letters[without_blanks(joined(path))]) for path in paths]
        read += [*(words == texts)]
        blanks_first += [*(words == ["".join(letters[joined(without_blanks(path))]) for path in paths])]
        doubled += [bool(re.search(r"(.)\1", word)) for word in words]
        pages.append((image, places, texts))
    run.result("words found", 100 * np.mean(found), "%")
    run.result("read", 100 * np.mean(read), "%")
    run.holds(np.mean(found) > 0.9 and np.mean(read) > 0.9)
    for name, each in (("CTC", read), ("blanks dropped first", blanks_first)):
        share = np.array(each)[doubled].mean()
        run.result(f"read with a double letter, {name}", 100 * share, "%")
        run.holds(share > 0.8 if name == "CTC" else share == 0)

    own = []
    for word in run.progress(run.rng.choice(vocabulary, 12, replace=False), quick=2, label="saliency"):
        image, boxes = page(np.zeros((3, 60, 600)), [word, ""], run.rng, FONTS[2:3])  # letters of one width
        looked = influence(reader, cut(image, boxes[:1]))
        if len(looked) == len(word):
            letter = np.arange(looked.shape[1]) * len(word) // looked.shape[1]  # of each column
            shares = np.stack([looked[:, letter == k].sum(1) for k in range(len(word))], 1)
            own += [*(shares.argmax(1) == np.arange(len(word)))]
    run.result("letters that depend most on their own place", 100 * np.mean(own), "%")
    run.holds(np.mean(own) > 0.6)

    figure, axes = plt.subplots(1, 3, figsize=(14, 3.9), width_ratios=[4, 4, 3])
    for axis, (image, places, texts) in zip(axes[:2], pages, strict=False):
        data.outline(axis, image, places, texts, "C1", linewidth=0.8)
        axis.set_title("found, and read")
    axes[2].imshow(looked, cmap="viridis", aspect="auto", extent=(0, len(word), len(looked), 0))
    axes[2].set_xticks(np.arange(len(word)) + 0.5, word)
    axes[2].set_yticks(np.arange(len(looked)) + 0.5, word if len(looked) == len(word) else [""] * len(looked))
    axes[2].set(xlabel="place in the picture", ylabel="letter that is read", title="what each letter depends on")
    axes[2].grid(visible=False)
    run.save(figure)
