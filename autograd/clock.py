"""The clock that numbers nodes and in-place writes in the order in which they happen."""

import itertools

clock = itertools.count(1)
