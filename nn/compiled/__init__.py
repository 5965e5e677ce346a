"""Forms of nn's operations as loops that numba compiles; see `autograd.set_compiled`.

Each module has the name of the one in `nn.functional` whose functions it has forms of, under the same names. Both are
tested to give the same results. All loops are for float32.
"""
