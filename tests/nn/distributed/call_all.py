"""Every collective call, beside what NumPy makes of the values of all ranks. Run in several processes."""

import numpy as np

import autograd
import nn.distributed as dist
from autograd import Tensor
from nn.distributed import ReduceOp

DTYPES = ["float64", "float32", "float16", "int64", "int32", "uint8", "bool"]
SHAPES = [(), (3,), (2, 3), (0, 2), (1000,)]
REDUCED = {ReduceOp.SUM: np.sum, ReduceOp.AVG: np.mean, ReduceOp.PRODUCT: np.prod, ReduceOp.MIN: np.min,
           ReduceOp.MAX: np.max}


def of(rank, shape, dtype, more=0):
    """The values of a rank, which every other knows."""
    return np.random.default_rng([rank, more]).integers(0, 3, shape).astype(dtype)


def same(tensor, expected):
    assert tensor.shape == expected.shape and tensor.dtype == expected.dtype, (tensor, expected)
    assert np.array_equal(tensor.array, expected), (tensor, expected)


def try_all(group, ranks, shapes=SHAPES):
    me = dist.get_rank()
    for dtype in DTYPES:
        for shape in shapes:
            values = [of(rank, shape, dtype) for rank in ranks]
            own, zeros = (lambda d=dtype, s=shape: Tensor(of(me, s, d))), np.zeros(shape, dtype)
            for op, function in REDUCED.items():
                if op is ReduceOp.AVG and zeros.dtype.kind != "f":
                    continue
                result = function(np.stack(values).astype(np.float64), axis=0).astype(dtype)
                tensor = own()
                dist.all_reduce(tensor, op, group)
                same(tensor, result)
                tensor = own()
                dist.reduce(tensor, ranks[-1], op, group)
                same(tensor, result if me == ranks[-1] else of(me, shape, dtype))
                parts = [of(me, shape, dtype, i) for i in range(len(ranks))]
                tensor = Tensor(zeros.copy())
                work = dist.reduce_scatter(tensor, [Tensor(part) for part in parts], op, group, async_op=True)
                work.wait()
                place = ranks.index(me)
                summands = [of(rank, shape, dtype, place) for rank in ranks]
                same(tensor, function(np.stack(summands).astype(np.float64), axis=0).astype(dtype))
            tensor = own()
            dist.broadcast(tensor, ranks[-1], group)
            same(tensor, values[-1])
            each = [Tensor(zeros.copy()) for _ in ranks]
            dist.all_gather(each, own(), group)
            for tensor, value in zip(each, values, strict=True):
                same(tensor, value)
            whole = Tensor(np.zeros((len(ranks), *shape), dtype))
            dist.all_gather_into_tensor(whole, own(), group)
            same(whole, np.stack(values))
            each = [Tensor(zeros.copy()) for _ in ranks] if me == ranks[0] else None
            dist.gather(own(), each, ranks[0], group)
            for tensor, value in zip(each or (), values, strict=bool(each)):
                same(tensor, value)
            tensor = Tensor(zeros.copy())
            dist.scatter(tensor, [Tensor(value) for value in values] if me == ranks[0] else None, ranks[0], group)
            same(tensor, of(me, shape, dtype))
    objects = [None] * len(ranks)
    dist.all_gather_object(objects, {"rank": me, "long": "x" * 100 * me}, group)
    assert objects == [{"rank": rank, "long": "x" * 100 * rank} for rank in ranks]
    given = [me, "a"] if me == ranks[0] else [None, None]
    dist.broadcast_object_list(given, ranks[0], group)
    assert given == [ranks[0], "a"]
    dist.barrier(group)


def main():
    dist.init_process_group()
    me, size = dist.get_rank(), dist.get_world_size()
    try_all(None, list(range(size)))
    dist.group.WORLD.debug = True
    some = dist.new_group([size - 1, 0])
    assert dist.get_process_group_ranks(some) == [0, size - 1] and dist.get_world_size(None) == size
    if me in (0, size - 1):
        assert dist.get_world_size(some) == 2 and dist.get_global_rank(some, dist.get_rank(some)) == me
        try_all(some, [0, size - 1], SHAPES[:3])
    else:
        assert dist.get_rank(some) == dist.get_world_size(some) == -1
        untouched = autograd.ones(2)
        dist.all_reduce(untouched, group=some)
        assert untouched.tolist() == [1, 1]
    # from one to the next, around
    sent, received = autograd.tensor([me, 7]), autograd.zeros(2, dtype=autograd.int64)
    work = dist.isend(sent, (me + 1) % size)
    assert dist.recv(received, (me - 1) % size) == (me - 1) % size and work.wait()
    assert received.tolist() == [(me - 1) % size, 7]
    # what is written to: a view, a transposed one, a computed number, a parameter; and a recorded value is known to be
    base = autograd.ones(3, 2)
    dist.all_reduce(base.T[0])
    assert base.tolist() == [[size, 1]] * 3
    number = autograd.ones(2).sum()
    dist.all_reduce(number)
    assert number.item() == 2 * size
    x = autograd.ones(2, requires_grad=True)
    y = x.exp()
    dist.broadcast(y)
    try:
        y.sum().backward()
    except RuntimeError as error:
        assert "exp" in str(error)
    else:
        raise AssertionError("a value that a rule reads has changed unnoticed")
    # derivatives of any order go through all
    x = autograd.tensor([me + 1.0, 2.0], dtype=autograd.float64, requires_grad=True)
    total = dist.functional.all_reduce(x)
    cubes = (total ** 3).sum() * (me + 1)
    first, = autograd.grad(cubes, x, create_graph=True)
    ranks = np.arange(size)
    weight, sums = (ranks + 1).sum(), np.array([(ranks + 1).sum(), 2 * size])
    assert np.allclose(first.detach().array, 3 * weight * sums ** 2)
    second, = autograd.grad(first.sum(), x)
    assert np.allclose(second.array, 6 * size * weight * sums)
    dist.destroy_process_group()
    assert not dist.is_initialized()
    dist.init_process_group()  # once more, after it has ended
    dist.barrier()
    print("all is right")


if __name__ == "__main__":
    main()
