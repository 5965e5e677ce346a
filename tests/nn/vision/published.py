"""What torchvision says of its models, and how a model is made without drawing its weights.

`python -m tests.nn.vision.published [NAME ...]` writes published.json: of each constructor how many parameters it has,
a hash of the names and shapes of its state, the multiply-adds (in billions) as published, and a number and the norm
that its outputs have with the weights of `filled`. So all this is held where torchvision isn't installed.
"""

import contextlib
import hashlib
import json
import sys
from pathlib import Path

import numpy as np

import nn.vision.models

EXPECTED = Path(__file__).with_suffix(".json")
_TABLE = np.sin(np.arange(65537.0) ** 2)


def arguments(name, small=False):
    """With which nothing is downloaded, and models are those published; `small`: with which they take small images."""
    if name.startswith("vit_") and small:
        return {"image_size": 2 * int(name[-2:])}
    segmentation = {"weights_backbone": None} if name.startswith(("fcn", "deeplab", "lraspp")) else {}
    return segmentation | ({"aux_loss": True} if name.startswith(("fcn", "deeplab")) else {})


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


def filled(shapes):
    """A float64 array for each shape by name, such that activations neither vanish nor explode."""
    state = {}
    for i, (name, shape) in enumerate(shapes.items()):
        scale, mean = (np.sqrt(4 / np.prod(shape[1:])), 0) if len(shape) > 1 else (0.5, 1) if name.endswith(
            "running_var") else (0.3, 1) if name.endswith("weight") else (0.1, 0)
        state[name] = np.resize(np.roll(_TABLE, 997 * i) * scale + mean, shape)
    return state


def is_filled(name):
    """Whether an entry of a state is among what training changes; the others are what the model was made with."""
    return not name.endswith(("num_batches_tracked", "relative_position_index", "relative_coords_table"))


def outputs(result):
    """The arrays of what a model gives."""
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


def theirs(name):
    """torchvision's constructor, or None."""
    import torchvision

    places = torchvision.models, torchvision.models.segmentation, torchvision.models.video
    return next((vars(place)[name] for place in places if name in vars(place)), None)


def write(names):
    """Ask torchvision."""
    import torch
    import torchvision

    expected = json.loads(EXPECTED.read_text())
    for name in names or filter(theirs, nn.vision.models.list_models()):
        with nothing_drawn(torch.nn.init):
            entry = described(theirs(name)(**arguments(name)))
            model = theirs(name)(**arguments(name, small=True))
        given = model.state_dict()
        state = filled({key: tuple(value.shape) for key, value in given.items() if is_filled(key)})
        given.update({key: torch.from_numpy(value) for key, value in state.items()})
        model.load_state_dict(given, assign=True)
        model.double()
        with torch.no_grad():
            entry["eval"] = number(model.eval()(torch.tensor(input_of(name))))
            torch.manual_seed(0)
            entry["train"] = number(model.train()(torch.tensor(input_of(name, training=True))))
        entry["multiply-adds"] = next(iter(torchvision.models.get_model_weights(theirs(name)))).meta["_ops"]
        expected[name] = entry
        print(name, entry, flush=True)
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in sorted(expected.items()))
    EXPECTED.write_text("{\n" + lines + "\n}\n")


if __name__ == "__main__":
    write(sys.argv[1:])
