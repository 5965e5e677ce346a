"""The tests of a module can be guessed: tests/ mirrors the packages.

Those of nn/module.py are in tests/nn/test_module.py; those of what has no file of its own in the file of its folder, as
autograd/operations/gamma.py in tests/autograd/test_operations.py. ELSEWHERE has the exceptions.
"""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = [path.relative_to(ROOT) for package in ("autograd", "nn", "optim", "viz")
           for path in sorted((ROOT / package).rglob("*.py")) if path.name not in ("__init__.py", "__main__.py")]
ELSEWHERE = {
    "nn/test_layers.py": (  # compared with PyTorch's, each being a line of tests/nn/layers.py
        "nn/activation nn/adaptive nn/convolution nn/dropout nn/embedding nn/fold nn/layer nn/linear nn/loss "
        "nn/normalization nn/padding nn/pixelshuffle nn/pooling nn/recurrent nn/transformer nn/upsampling "
        "nn/functional/fold nn/functional/linear nn/functional/normalization nn/functional/padding "
        "nn/functional/pixelshuffle nn/functional/recurrent nn/functional/upsampling"),
    "nn/test_windows.py": "nn/functional/geometry nn/functional/resampling",  # what all windows share
    "nn/test_edges.py": "nn/functional/precision nn/functional/weighted",  # what all functions share
    "nn/vision/test_models.py": (
        "nn/vision/models/segmentation/_utils nn/vision/models/segmentation/deeplabv3 "
        "nn/vision/models/segmentation/fcn nn/vision/models/segmentation/lraspp"),
    "nn/vision/ops/test_roi_pooling.py": "nn/functional/regions",
    "nn/utils/test_parametrizations.py": "nn/utils/parametrize nn/utils/spectral_norm nn/utils/weight_norm",
    "nn/test_module.py": "nn/parameter",
    "nn/onnx/test_save.py": "nn/onnx/tracing nn/onnx/writing",
    "autograd/runtime/test_elementwise.py": (
        "autograd/compiled/elementwise autograd/compiled/mathematics autograd/runtime/formulas "
        "autograd/runtime/walks"),
    "optim/test_trajectories.py": "optim/adam optim/adaptive optim/sgd",  # compared with PyTorch's rules
    "optim/test_behavior.py": "optim/matrix optim/second_order",  # PyTorch has none to compare with
    "autograd/test_inplace.py": "autograd/sharing autograd/clock",  # who shares memory, and when it was written
    "autograd/test_memory.py": "autograd/recording",  # what a node keeps
    "autograd/test_table.py": "autograd/operation",  # what follows from a declaration
    "test_mistakes.py": "autograd/errors",  # by what a beginner does wrong
    "test_typing.py": "autograd/typing",
    "autograd/test_anomaly.py": "autograd/lines",
    "autograd/test_large_arrays.py": "autograd/runtime/sums",
    "viz/training/test_watching.py": "viz/training/moments",
    "viz/test_drawing.py": "viz/saving",
    "viz/test_notation.py": "autograd/notation",  # how operations are written, which is what is drawn
    "autograd/test_profile.py": "autograd/costs",
    "autograd/test_operations.py": "autograd/samples",
    "autograd/operations/test_linalg.py": (
        "autograd/linalg autograd/operations/systems autograd/operations/matrix_functions"),
    "testing/test_properties.py": (  # parts of the kit, which is tried as a whole: by what it must find and must not
        "autograd/testing/circumstances autograd/testing/cotangents autograd/testing/derivatives "
        "autograd/testing/diagnosis autograd/testing/differences autograd/testing/draw autograd/testing/generate "
        "autograd/testing/layouts autograd/testing/pasting autograd/testing/precision"),
}


def places(module: Path) -> list[str]:
    """Where the tests of a module may be."""
    folder, name = "/".join(module.parent.parts), module.stem
    above = "/".join(module.parent.parent.parts)
    kit = [f"testing/test_{name}.py"] if folder == "autograd/testing" else []
    return [f"{folder}/test_{name}.py", f"{above}/test_{module.parent.name}.py", *kit,
            *(file for file, modules in ELSEWHERE.items() if f"{folder}/{name}" in modules.split())]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_its_tests_are_where_one_looks(module):
    found = places(module)
    assert any((ROOT / "tests" / place).exists() for place in found), (
        f"{module} has no tests: they belong in tests/{found[0]} (or say in ELSEWHERE where they are)")


def test_every_exception_is_a_module():
    named = {f"{name}.py" for modules in ELSEWHERE.values() for name in modules.split()}
    assert named <= set(map(str, MODULES))
