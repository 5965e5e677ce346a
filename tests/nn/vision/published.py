"""What torchvision says of its models, and how a model is made without drawing its weights.

`python -m tests.nn.vision.published [NAME ...]` writes published.json: of each constructor how many parameters it has,
a hash of the names and shapes of its state, the multiply-adds (in billions) as published, and a number and the norm
that its outputs have with the weights of `filled`. So all this is held where torchvision isn't installed.
"""

import contextlib
import hashlib
import json
import re
import sys
from pathlib import Path

import numpy as np

import autograd
import nn.vision.models

EXPECTED = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).parents[3] / "docs/vision.md"
MARK = "<!-- written by python -m tests.nn.vision.published -->"
SIZES = {"inception_v3": 299, "efficientnet_b1": 240, "efficientnet_b2": 288, "efficientnet_b3": 300,
         "efficientnet_b4": 380, "efficientnet_b5": 456, "efficientnet_b6": 528, "efficientnet_b7": 600,
         "efficientnet_v2_s": 384, "efficientnet_v2_m": 480, "efficientnet_v2_l": 480, "swin_v2_t": 256,
         "swin_v2_s": 256, "swin_v2_b": 256, "regnet_y_128gf": 384, "vit_h_14": 518,
         "lenet5": 32, "preact_resnet110": 32, "preact_resnet164": 32, "preact_resnet1001": 32}
"""Of the images that multiply-adds are published for, where it isn't 224."""
_TABLE = np.sin(np.arange(65537.0) ** 2)


def arguments(name, small=False):
    """With which nothing is downloaded, and models are those published; `small`: with which they take small images."""
    if name.startswith("vit_") and small:
        return {"image_size": 2 * int(name[-2:])}
    if detects(name):
        size = {"min_size": 64, "max_size": 96} if small and "ssd" not in name else {}
        few = {"box_score_thresh": 0.002, "box_detections_per_img": 5, "box_batch_size_per_image": 16,
               "rpn_post_nms_top_n_test": 20} if small and "rcnn" in name else {}
        return {"weights_backbone": None} | size | few
    segmentation = {"weights_backbone": None} if name.startswith(("fcn_", "deeplab", "lraspp")) else {}
    return segmentation | ({"aux_loss": True} if name.startswith(("fcn_", "deeplab")) else {})


def detects(name):
    """Whether it is the constructor of a detector, which takes a list of images and in training what is in them."""
    return name in nn.vision.models.detection.__all__


def run(name, model, training, tensor):
    """What a model gives for `input_of`, as tensors of its library."""
    x = input_of(name, training)
    if not detects(name):
        return model.train(training)(tensor(x))
    objects = {"boxes": np.array([[4.0, 8, 40, 60], [30.5, 2, 62, 20]]), "labels": np.array([1, 1]),
               "masks": np.resize(_TABLE > 0, (2, 64, 64)).astype(np.uint8),
               "keypoints": np.resize([[10, 12, 1], [50, 14, 1], [35, 16, 0]], (2, 17, 3)).astype(np.float32)}
    targets = [{key: tensor(value) for key, value in objects.items()} for _ in x]
    return model.train(training)([tensor(image) for image in x], targets if training else None)


def input_of(name, training=False):
    """Two images, or videos, as small as the model takes them."""
    size = 2 * int(name[-2:]) if name.startswith("vit_") else 64
    if name == "inception_v3":
        size = 299 if training else 75  # for its auxiliary head
    shape = (2, 3, 4, 32, 32) if name in ("r3d_18", "mc3_18", "r2plus1d_18") else (2, 3, size, size)
    return np.resize(_TABLE[100:], shape)


@contextlib.contextmanager
def nothing_drawn(*inits):
    """Within, `nn.init` (of each library given) leaves random weights as they are."""
    saved = [(module, name, value) for module in inits for name, value in vars(module).items()
             if name.endswith(("uniform_", "normal_"))]
    try:
        for module, name, _ in saved:
            setattr(module, name, lambda tensor, *args, **kwargs: tensor)
        yield
    finally:
        for module, name, value in saved:
            setattr(module, name, value)


def filled(shapes, calm=1.0):
    """A float64 array for each shape by name, such that activations neither vanish nor explode.

    What detectors say of a box is multiplied by `calm`: scores must not tie at 1, where their order is anybody's.
    """
    state = {}
    for i, (name, shape) in enumerate(shapes.items()):
        scale, mean = (np.sqrt(4 / np.prod(shape[1:])), 0) if len(shape) > 1 else (0.5, 1) if name.endswith(
            "running_var") else (0.2, 0.9) if name.endswith("weight") else (0.1, 0)
        if re.search(r"cls_logits|cls_score|bbox_|module_list", name):
            scale *= calm
        state[name] = np.resize(np.roll(_TABLE, 997 * i) * scale + mean, shape)
    return state


def calm(name):
    """How sure a detector with the weights of `filled` is of its boxes."""
    calmed = {"retinanet_resnet50_fpn": 1e-5, "ssd300_vgg16": 1e-3}
    return calmed.get(name, 1 if "rcnn" not in name else 1e-3 if "mobilenet" in name else 1e-5)


def is_filled(name):
    """Whether an entry of a state is among what training changes; the others are what the model was made with."""
    return not name.endswith(("num_batches_tracked", "relative_position_index", "relative_coords_table"))


def outputs(result):
    """The arrays of what a model gives."""
    if isinstance(result, list):
        return [part for each in result for part in outputs(each)]
    parts = result.values() if isinstance(result, dict) else result if isinstance(result, tuple) else [result]
    return [part.detach().numpy() for part in parts if part is not None]


def number(result):
    """One number made of all outputs, and their norm."""
    flat = np.concatenate([part.ravel() for part in outputs(result)])
    return float(flat @ np.resize(_TABLE[7:], flat.size)), float(np.linalg.norm(flat))


def described(model):
    """How many parameters, and a hash of the names and shapes of the state."""
    keys = [(name, list(value.shape)) for name, value in model.state_dict().items()]
    return {"parameters": sum(p.numel() for p in model.parameters()),
            "state": hashlib.sha256(json.dumps(keys).encode()).hexdigest()[:16]}


def made(name, small=False):
    """Our model, whose random weights are whatever lay in memory."""
    with nothing_drawn(nn.init):
        return nn.vision.models.get_model(name, **arguments(name, small))


def with_numbers(name):
    """Our model for small images, with the weights of `filled`."""
    model = made(name, small=True)
    given = model.state_dict()
    state = filled({key: value.shape for key, value in given.items() if is_filled(key)}, calm(name))
    model.load_state_dict(given | {key: autograd.tensor(value) for key, value in state.items()}, assign=True)
    return model.double()


def our_numbers(name):
    """What our model gives, in evaluation and in training."""
    model = with_numbers(name)
    with autograd.no_grad():
        for mode in ("eval", "train"):
            autograd.manual_seed(0)
            yield mode, number(run(name, model, mode == "train", autograd.tensor))


def theirs(name):
    """torchvision's constructor, or None."""
    import torchvision

    models = torchvision.models
    places = models, models.detection, models.segmentation, models.video
    return next((vars(place)[name] for place in places if name in vars(place)), None)


def their_numbers(name, make):
    """What torchvision's gives, likewise."""
    import torch

    with nothing_drawn(torch.nn.init):
        model = make(**arguments(name, small=True))
    given = model.state_dict()
    state = filled({key: tuple(value.shape) for key, value in given.items() if is_filled(key)}, calm(name))
    given.update({key: torch.from_numpy(value) for key, value in state.items()})
    model.load_state_dict(given, assign=True)
    model.double()
    with torch.no_grad():
        for mode in ("eval", "train"):
            torch.manual_seed(0)
            yield mode, number(run(name, model, mode == "train", torch.tensor))


def write(names):
    """Ask torchvision, and of what it hasn't, ourselves; nothing is written if our outputs are others."""
    import torch
    import torchvision

    expected = json.loads(EXPECTED.read_text())
    for name in names or nn.vision.models.list_models():
        if make := theirs(name):
            with nothing_drawn(torch.nn.init):
                entry = described(make(**arguments(name)))
            entry |= their_numbers(name, make)
            for mode, numbers in our_numbers(name):
                np.testing.assert_allclose(numbers, entry[mode], rtol=0, atol=1e-7 * entry[mode][1], err_msg=name)
            entry["multiply-adds"] = next(iter(torchvision.models.get_model_weights(make))).meta["_ops"]
        else:
            model = made(name)
            entry = described(model)
            entry["multiply-adds"] = round(nn.summary(model.eval(), image(name)).multiply_adds / 1e9, 6)
        expected[name] = entry
        print(name, entry, flush=True)
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in sorted(expected.items()))
    EXPECTED.write_text("{\n" + lines + "\n}\n")
    before, _, after = PAGE.read_text().partition(MARK)
    PAGE.write_text(before + MARK + table(expected) + "".join(after.partition("\n## ")[1:]))


def size_of(name):
    """Height and width of the images that multiply-adds are published for."""
    if detects(name):
        return 300 if "300" in name else 320 if "320" in name else 800
    return 520 if name.startswith(("deeplab", "fcn_", "lraspp")) else SIZES.get(name, 224)


def image(name):
    """One of them."""
    if name in ("r3d_18", "mc3_18", "r2plus1d_18"):
        return autograd.zeros(1, 3, 16, 112, 112)
    return autograd.zeros(1, 1 if name == "lenet5" else 3, size_of(name), size_of(name))


def table(expected):
    """The table of docs/vision.md."""
    lines = ["", "", "| constructor | paper | parameters | multiply-adds | image |",
             "| --- | --- | ---: | ---: | ---: |"]
    models = nn.vision.models
    places = {"detection.": models.detection, "segmentation.": models.segmentation, "video.": models.video, "": models}
    by_paper = {}
    for name, entry in expected.items():
        place, module = next((place, module) for place, module in places.items() if name in module.__all__)
        paper, kind, where = re.search(r"\(([^()]*), (arXiv|doi):([^\s)]*)\)", getattr(module, name).__doc__).groups()
        link = f"https://arxiv.org/abs/{where}" if kind == "arXiv" else f"https://doi.org/{where}"
        size = "" if place == "video." or size_of(name) == 224 else f"{size_of(name)}²"
        row = (f"`{place}{name}`", f"[{paper}]({link})", f"{entry['parameters']:,}",
               f"{entry['multiply-adds']:.{3 if entry['multiply-adds'] > 0.01 else 6}f}", size)
        by_paper.setdefault(row[1], []).append((entry["parameters"], f"| {' | '.join(row)} |"))
    for paper in sorted(by_paper, key=lambda paper: (re.search(r"\d{4}", paper)[0], paper)):
        lines += [line for _, line in sorted(by_paper[paper])]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    write(sys.argv[1:])
