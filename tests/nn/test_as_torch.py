"""The PyTorch door: programs run unmodified, and what isn't here is named.

programs/ holds six, in styles that one meets. Each test is a process of its own, since installing the door is for a
whole process.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nn.as_torch import PLACES, missing_in, names_in

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted((Path(__file__).parent / "programs").glob("[a-z]*.py"))


def python(*arguments, folder=None, **environment):
    """What a Python process prints; its errors are those of the test."""
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run([sys.executable, *map(str, arguments)], cwd=folder, capture_output=True, text=True,
                          timeout=300, check=False,
                          env={**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore", **environment})
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def through_the_door(code, folder):
    """What a script prints."""
    (folder / "script.py").write_text(code)
    return python("-m", "nn.as_torch", "script.py", folder=folder)[0]


# Programs

@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_programs_run_unmodified(tmp_path, program):
    pytest.importorskip("sklearn")
    printed, missing = python("-m", "nn.as_torch", program, folder=tmp_path)
    assert "aren't here" not in missing
    assert len(printed.splitlines()) > 3
    assert "nan" not in printed


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_they_print_what_pytorch_prints(tmp_path, program):
    """Line by line, from the same seed: up to rounding, which grows with the steps."""
    for package in ("sklearn", "torch", *["tensorboard"] * (program.stem == "cnn")):
        pytest.importorskip(package)
    ours, _ = python("-m", "nn.as_torch", program, folder=tmp_path)
    theirs, _ = python(program, folder=tmp_path)
    numbers = re.compile(r"-?\d+\.\d+")
    assert numbers.sub("#", ours) == numbers.sub("#", theirs)
    for a, b in zip(numbers.findall(ours), numbers.findall(theirs), strict=True):
        assert float(a) == pytest.approx(float(b), rel=2e-3, abs=2e-3)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_nothing_is_missing_in_them(program):
    assert missing_in(program.read_text(encoding="utf-8")) == []


TORCHVISION = """
import torch
from torchvision import models
from torchvision.models import ResNet18_Weights, resnet18
from torchvision.models.detection import FasterRCNN, FasterRCNN_ResNet50_FPN_Weights, fasterrcnn_resnet50_fpn
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.rpn import AnchorGenerator
from torchvision.models.segmentation import FCN_ResNet50_Weights, fcn_resnet50
from torchvision.models.resnet import BasicBlock
from torchvision.models._utils import IntermediateLayerGetter
print(models.squeezenet1_1(num_classes=5)(torch.zeros(1, 3, 32, 32)).shape, BasicBlock.__module__)
print(FasterRCNN.__module__, FastRCNNPredictor(8, 3)(torch.zeros(2, 8))[1].shape)
for make, weights in ((resnet18, ResNet18_Weights.DEFAULT), (fcn_resnet50, FCN_ResNet50_Weights.DEFAULT),
                      (fasterrcnn_resnet50_fpn, FasterRCNN_ResNet50_FPN_Weights.DEFAULT)):
    try:
        make(weights=weights)
    except ValueError as error:
        print(str(error).partition(". ")[0])
"""


def test_networks_of_torchvision(tmp_path):
    assert through_the_door(TORCHVISION, tmp_path) == (
        "torch.Size([1, 5]) nn.vision.models.resnet\n"
        "nn.vision.models.detection.faster_rcnn torch.Size([2, 12])\n"
        "weights=ResNet18_Weights.DEFAULT is no file here, and nothing is downloaded\n"
        "weights=FCN_ResNet50_Weights.DEFAULT is no file here, and nothing is downloaded\n"
        "weights=FasterRCNN_ResNet50_FPN_Weights.DEFAULT is no file here, and nothing is downloaded\n")


# Ways in

SHOWN = """
import torch
from torch import nn
import torch.nn.functional as F
print(type(nn.Linear(2, 3)).__module__, F.relu(torch.tensor([-1.0, 2.0])))
"""
EXPECTED = "nn.linear tensor([0., 2.])\n"


def test_a_script(tmp_path):
    assert through_the_door(SHOWN, tmp_path) == EXPECTED


def test_arguments_and_the_scripts_own_modules(tmp_path):
    (tmp_path / "helper.py").write_text("import torch\nvalue = torch.ones(2)")
    (tmp_path / "script.py").write_text("import sys, helper\nprint(sys.argv[1:], helper.value, __name__)")
    printed, _ = python("-m", "nn.as_torch", "script.py", "--lr", "0.1", "-m", "x", folder=tmp_path)
    assert printed == "['--lr', '0.1', '-m', 'x'] tensor([1., 1.]) __main__\n"


def test_a_module_and_a_package(tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "parts.py").write_text("import torch\nvalue = torch.ones(2)")
    (package / "__main__.py").write_text("from .parts import value\nimport sys\nprint(value, sys.argv[1:])")
    (package / "train.py").write_text("from package.parts import value\nprint(value)")
    assert python("-m", "nn.as_torch", "-m", "package", "a", folder=tmp_path)[0] == "tensor([1., 1.]) ['a']\n"
    assert python("-m", "nn.as_torch", "-m", "package.train", folder=tmp_path)[0] == "tensor([1., 1.])\n"


@pytest.mark.parametrize("first", ["import nn.as_torch; nn.as_torch.install()",
                                   "from nn.as_torch import install; install()"])
def test_by_hand(tmp_path, first):
    (tmp_path / "script.py").write_text(first + SHOWN)
    assert python("script.py", folder=tmp_path)[0] == EXPECTED


def test_under_another_name(tmp_path):
    code = "from nn import as_torch as torch\nx = torch.Tensor([1, 2])\nprint(x.dtype, x.dtype.is_floating_point, " \
           "torch.__version__.split('+')[1], torch.nn.Linear(2, 1)(x).shape, isinstance(x, torch.Tensor))"
    (tmp_path / "script.py").write_text(code)
    assert python("script.py", folder=tmp_path)[0] == "torch.float32 True gradcircuit torch.Size([1]) True\n"


def test_after_pytorch_it_is_refused(tmp_path):
    pytest.importorskip("torch")
    (tmp_path / "script.py").write_text("import torch, nn.as_torch\ntry:\n    nn.as_torch.install()\n"
                                        "except RuntimeError as error:\n    print(error)")
    assert "before anything imports torch" in python("script.py", folder=tmp_path)[0]


def test_importing_the_door_changes_nothing(tmp_path):
    code = "import nn, sys\nbefore = len(sys.meta_path)\nimport nn.as_torch, autograd\n" \
           "print(len(sys.meta_path) - before, autograd.ones(2).shape, 'torch' in sys.modules)"
    (tmp_path / "script.py").write_text(code)
    assert python("script.py", folder=tmp_path)[0] == "0 (2,) False\n"


def test_a_module_does_not_hide_the_function_of_its_name(tmp_path):
    code = ("from torch.nn.utils.weight_norm import remove_weight_norm\nimport torch.nn.utils.spectral_norm, torch\n"
            "from torch.autograd.gradcheck import gradcheck\nfrom torch.nn.utils import weight_norm, spectral_norm\n"
            "print(all(map(callable, (weight_norm, spectral_norm, torch.autograd.gradcheck, torch.func.vmap))))")
    assert through_the_door(code, tmp_path) == "True\n"


WORKERS = """
import multiprocessing
import torch
from torch.utils.data import DataLoader, Dataset

class Squares(Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, i):
        return torch.tensor([i ** 2], dtype=torch.float32), type(torch).__name__

if __name__ == "__main__":
    for batch, names in DataLoader(Squares(), batch_size=4, num_workers=2, multiprocessing_context={context!r}):
        print(batch.flatten().tolist(), set(names))
    with multiprocessing.get_context({context!r}).Pool(1) as pool:
        print(pool.map(torch.exp, [torch.zeros(1)]))
"""


@pytest.mark.parametrize("context", [
    "spawn", pytest.param("forkserver", marks=[pytest.mark.slow, pytest.mark.skipif(os.name == "nt",
                                                                                    reason="not on Windows")])])
def test_workers_go_through_the_door_as_well(tmp_path, context):
    assert through_the_door(WORKERS.format(context=context), tmp_path) == (
        "[0.0, 1.0, 4.0, 9.0] {'_Door'}\n[16.0, 25.0, 36.0, 49.0] {'_Door'}\n[tensor([1.])]\n")
    (tmp_path / "as_module.py").write_text(WORKERS.format(context=context))
    assert "[16.0, 25.0, 36.0, 49.0] {'_Door'}" in python("-m", "nn.as_torch", "-m", "as_module", folder=tmp_path)[0]


# What isn't here

def test_a_missing_name_is_named_with_what_is_near(tmp_path):
    printed = through_the_door("""
import torch
for missing in (lambda: torch.soft_max, lambda: torch.nn.Conv2D, lambda: torch.optim.AdamX):
    try:
        missing()
    except AttributeError as error:
        print(error)
try:
    import torch.nn.functionals
except ModuleNotFoundError as error:
    print(error)
try:
    from torch.nn import Conv9d
except ImportError as error:
    print(error)
print(hasattr(torch, "soft_max"), hasattr(torch, "softmax"))
""", tmp_path)
    assert re.search(r"torch\.soft_max isn't here; near are .*softmax", printed)
    assert re.search(r"torch\.nn\.Conv2D isn't here; near are .*Conv2d", printed)
    assert re.search(r"torch\.optim\.AdamX isn't here; near are .*Adam", printed)
    assert "torch.nn.functionals isn't here; near are torch.nn.functional" in printed
    assert "Conv9d" in printed
    assert printed.endswith("False True\n")


def test_at_exit_all_that_was_missing_is_listed(tmp_path):
    (tmp_path / "script.py").write_text("import torch\nprint(hasattr(torch, 'soft_max'), hasattr(torch.nn, 'Conv2D'))")
    _, errors = python("-m", "nn.as_torch", "script.py", folder=tmp_path)
    assert re.search(r"of PyTorch, these were asked for and aren't here: torch\.soft_max \(\S*script.py, line 2\), "
                     r"torch\.nn\.Conv2D \(\S*script.py, line 2\)\n$", errors)


def test_what_is_missing_can_be_listed_without_running(tmp_path):
    (tmp_path / "script.py").write_text("""
import torch, torch.nn.functional as F
from torch import nn, soft_max
from torch.utils.data import DataLoader as Loader
raise RuntimeError("this was run")
def f(x):
    return F.softermax(x) + torch.nn.functional.relu(x) + nn.Conv2d(1, 1, 1).weight + torch.cuda.fly()
""")
    done = subprocess.run([sys.executable, "-m", "nn.as_torch", "--missing", "script.py"], cwd=tmp_path, check=False,
                          capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 1
    assert done.stdout.split() == ["torch.soft_max", "torch.nn.functional.softermax", "torch.cuda.fly"]
    (tmp_path / "script.py").write_text(SHOWN)
    assert python("-m", "nn.as_torch", "--missing", "script.py", folder=tmp_path)[0] == "nothing is missing\n"


def test_names_that_a_program_uses():
    assert set(names_in("import torch\nimport torch.nn as nn\nfrom torch.nn import functional as F\n"
                        "y = F.relu(nn.Linear(1, 1)(torch.ones(1)).weight)\nimport numpy as np; np.ones(1)")) == {
        "torch", "torch.nn", "torch.nn.functional", "torch.nn.functional.relu", "torch.nn.Linear", "torch.ones"}


def test_all_names_of_a_module(tmp_path):
    assert through_the_door("""
from torch.nn import *
import torch
print(Linear(2, 3).weight.shape, "SGD" in vars(torch.optim), torch.nn.__dict__["ReLU"]())
""", tmp_path) == "torch.Size([3, 2]) True ReLU()\n"


def test_which_program_must_be_said():
    done = subprocess.run([sys.executable, "-m", "nn.as_torch"], capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 2
    assert "which program?" in done.stderr


def test_every_place_is_one_of_pytorch():
    pytest.importorskip("torch")
    code = ("import importlib, sys\nfrom pathlib import Path\nimport torch\n"
            "missing = []\nfor name in sys.argv[1:]:\n    try:\n        importlib.import_module(name)\n"
            "    except ModuleNotFoundError:\n        parent, _, last = name.rpartition('.')\n"
            "        if not hasattr(importlib.import_module(parent), last):\n            missing.append(name)\n"
            "print(missing)")
    places = [place for place in PLACES if place.startswith("torch.") and "tensorboard" not in place
              and place != "torch._six"]  # up to PyTorch 1.12, and packages still look there
    printed, _ = python("-c", code, *places)
    assert printed == "[]\n"
