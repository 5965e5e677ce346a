"""One process and several give the same weights, and go on from each other's files."""

import os
import subprocess
import sys

import numpy as np
import pytest

import nn
from tests.nn.distributed.processes import HERE, ROOT, run


def weights(path):
    return np.concatenate([t.numpy().ravel() for t in nn.load(path)["model"].values()])


def alone(*arguments):
    subprocess.run([sys.executable, HERE / "resume.py", *arguments], check=True,
                   env=os.environ | {"PYTHONPATH": str(ROOT)})


@pytest.mark.slow
def test_one_process_and_several_go_on_from_each_others_files(tmp_path):
    one, two = str(tmp_path / "one.safetensors"), str(tmp_path / "two.safetensors")
    alone("3", one)
    run(2, "resume.py", "1", two)
    run(3, "resume.py", "2", two, "--resume", "--batch-size", "63")
    assert nn.load(two)["epochs"] == 2
    alone("1", two)
    run(2, "resume.py", "2", two, "--resume")
    alone("3", two, "--resume")
    assert np.abs(weights(two) - weights(one)).max() < 1e-9
