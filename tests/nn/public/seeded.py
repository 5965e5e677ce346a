"""Run a script from one seed, in one thread: `python seeded.py SCRIPT ...`."""

import os
import random
import runpy
import sys

import numpy as np
import torch

np.Inf, np.float, np.int = np.inf, float, int  # as programs of before NumPy 2 name them
random.seed(0)
np.random.seed(0)
torch.manual_seed(0)
torch.set_num_threads(1)
if "FLOAT64" in os.environ:
    torch.set_default_dtype(torch.float64)
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
