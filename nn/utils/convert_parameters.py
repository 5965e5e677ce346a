"""Parameters as one vector."""

from collections.abc import Iterable

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from autograd.inplace import write


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters, flattened, one after the other; gradients flow back to them."""
    return autograd.cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write a vector, as `parameters_to_vector` makes it, into the parameters."""
    parameters = list(parameters)
    total = sum(p.numel() for p in parameters)
    if vec.shape != (total,):
        raise ShapeError(f"vector_to_parameters: the parameters have {total} elements, "
                         f"the vector has shape {vec.shape}")
    values, start = vec.detach().numpy(), 0
    for p in parameters:
        write(p, ..., values[start:start + p.numel()].reshape(p.shape))
        start += p.numel()
