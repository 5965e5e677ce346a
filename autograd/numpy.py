"""NumPy's functions, which take Tensors by themselves, under the name at which opt_einsum looks for them.

HIPS autograd has a package of this name. Its programs run here, with `autograd.func.grad` in the place of its `grad`.
"""

from numpy import *  # noqa: F403
