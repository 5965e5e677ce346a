"""Packages that are read when somebody asks for them."""

import subprocess
import sys

import pytest

import nn


def test_they_are_read_when_they_are_mentioned():
    program = ("import sys, nn; before = 'nn.vision' in sys.modules; nn.vision.ops.nms; nn.onnx.load; "
               "print(before, 'nn.vision.ops' in sys.modules, 'nn.vision.models' in sys.modules)")
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed == "False True False\n"


def test_other_names_are_missing_as_ever():
    with pytest.raises(AttributeError, match="module 'nn' has no attribute 'Linearr'") as missing:
        nn.Linearr  # noqa: B018
    assert missing.value.name == "Linearr"
    assert missing.value.obj is nn
