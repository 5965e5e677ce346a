"""pytorch-minimize: six methods on a valley"""

import torch
from common import show
from torchmin import minimize

for method in ("bfgs", "l-bfgs", "cg", "newton-cg", "newton-exact", "trust-exact"):
    found = minimize(lambda x: (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum(),
                     torch.tensor([-1.0, 2.0, 0.5], dtype=torch.float64), method=method)
    show(method, found.x, found.fun)
