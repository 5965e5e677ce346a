"""What this needs, said in one sentence where it is not met. pip sees to it; whoever runs a checkout, or has changed
NumPy since, comes here first, before anything that an older version could not read."""

import sys

PYTHON = 3, 11
NUMPY = 2, 2, 6
"""The OpenBLAS of earlier ones (0.3.28) crashes when it is given more threads than it started with (its issue 4981)."""


def check(name, found, needed):
    """ImportError if a version, as numbers, is too old. (No annotations: an old Python reads this too.)"""
    if tuple(found[:len(needed)]) < needed:
        raise ImportError("gradcircuit needs {} {} or later; this is {}".format(
            name, ".".join(map(str, needed)), ".".join(map(str, found))))


check("Python", tuple(sys.version_info[:3]), PYTHON)
