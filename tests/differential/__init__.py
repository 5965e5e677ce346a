"""Random programs, the same text run by PyTorch and here, compared after each statement.

    python -m tests.differential --seed 1 --count 10000

`generate.py` writes programs, `run.py` runs, compares and shrinks them, `differences.py` lists what differs on purpose.
A shrunk program runs in PyTorch after `import torch; import torch.nn.functional as F`, and here after
`from tests.differential import torch, F`.
"""

import types
from math import inf, nan

import autograd
import nn
from nn import functional as F

torch = types.SimpleNamespace(**{name: value for name, value in vars(autograd).items() if not name.startswith("__")})
torch.autograd, torch.nn = autograd, nn
"""What a program means by `torch` here."""
