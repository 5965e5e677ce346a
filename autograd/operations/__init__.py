"""The table of operations, by kind. Importing a file of it is all it takes to declare what stands in it."""

from autograd.operations import (
    comparisons,
    conversion,
    error_function,
    gamma,
    indexing,
    joining,
    linalg,
    norms,
    ordering,
    pointwise,
    products,
    reductions,
    scans,
    shaping,
    softmax,
)

__all__ = [
    "comparisons",
    "conversion",
    "error_function",
    "gamma",
    "indexing",
    "joining",
    "linalg",
    "norms",
    "ordering",
    "pointwise",
    "products",
    "reductions",
    "scans",
    "shaping",
    "softmax",
]
