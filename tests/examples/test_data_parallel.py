"""examples/data_parallel.py: one process and several give the same weights, and go on from each other's files."""

import subprocess
import sys

import numpy as np
import pytest

import nn
from tests.nn.distributed.processes import ROOT, run

for module in ("sklearn", "matplotlib", "tqdm"):
    pytest.importorskip(module)
EXAMPLE = str(ROOT / "examples" / "data_parallel.py")


def weights(path):
    return np.concatenate([t.numpy().ravel() for t in nn.load(path)["model"].values()])


@pytest.mark.slow
def test_one_process_and_two_give_the_same_weights_and_go_on_from_each_others_files(tmp_path):
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    subprocess.run([sys.executable, EXAMPLE, "--epochs", "2", "--checkpoint", str(one)], cwd=ROOT, check=True)
    run(2, EXAMPLE, "--epochs", "1", "--checkpoint", str(two))
    run(3, EXAMPLE, "--epochs", "2", "--checkpoint", str(two), "--resume", "--batch-size", "63")
    assert nn.load(two)["epochs"] == 2
    subprocess.run([sys.executable, EXAMPLE, "--epochs", "1", "--checkpoint", str(two)], cwd=ROOT, check=True)
    output = run(2, EXAMPLE, "--epochs", "2", "--checkpoint", str(two), "--resume")
    assert np.abs(weights(two) - weights(one)).max() < 1e-3  # float32, and Adam where gradients are near 0
    assert "epoch 2: loss" in output and "2 processes, 2 epochs" in output
