"""A minimal autograd engine on NumPy: tensors that record operations, and gradients by reverse traversal."""

from autograd import operations, random
from autograd.creation import (
    arange,
    as_tensor,
    empty,
    eye,
    from_numpy,
    full,
    linspace,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from autograd.dtypes import bool_ as bool
from autograd.dtypes import (
    double,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    int8,
    int16,
    int32,
    int64,
    long,
    set_default_dtype,
    uint8,
)
from autograd.dtypes import float32 as float
from autograd.function import Function
from autograd.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from autograd.graph import Graph, backward, grad
from autograd.inplace import increment_version
from autograd.malloc import keep_freed_memory
from autograd.random import Generator, manual_seed, rand, randint, randn, randperm
from autograd.table import FUNCTIONS, operation
from autograd.tensor import Node, Tensor

globals().update(FUNCTIONS)
keep_freed_memory()
