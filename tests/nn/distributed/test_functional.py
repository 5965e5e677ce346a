"""Calls that can be differentiated; in several processes: see call_all.py."""

import pytest

import autograd
import nn.distributed as dist


def test_the_gradient_of_a_sum_over_all_is_the_sum_of_theirs():
    dist.init_process_group()
    try:
        x = autograd.tensor([2.0, 3.0], requires_grad=True)
        first, = autograd.grad((dist.functional.all_reduce(x) ** 3).sum(), x, create_graph=True)
        second, = autograd.grad(first.sum(), x)
        assert first.tolist() == [12, 27] and second.tolist() == [12, 18]
        with pytest.raises(ValueError, match=r"only ReduceOp\.SUM"):
            dist.functional.all_reduce(x, dist.ReduceOp.MAX)
    finally:
        dist.destroy_process_group()
