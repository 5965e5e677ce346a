"""Forms of the engine's functions as loops that numba compiles; see `autograd.set_compiled`.

Each module has the name of the one in `autograd` whose functions it has forms of, under the same names.
"""
