"""The table of operations, by kind. Importing a file of it is all it takes to declare what stands in it."""

from autograd.operations import indexing, ordering, pointwise, products, reductions, shaping

__all__ = ["indexing", "ordering", "pointwise", "products", "reductions", "shaping"]
