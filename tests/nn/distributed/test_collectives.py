"""What the calls give, in processes and alone."""

import pytest

import autograd
import nn.distributed as dist
from autograd import Tensor
from nn.distributed import ReduceOp
from tests.nn.distributed import call_all
from tests.nn.distributed.processes import run


@pytest.fixture
def alone():
    dist.init_process_group()
    yield
    dist.destroy_process_group()


def test_every_call_gives_what_numpy_makes_of_the_values_of_all():
    assert run(3, "call_all.py").count("all is right") == 3


def test_a_world_of_one_is_no_exception(alone):
    call_all.try_all(None, [0])


@pytest.mark.parametrize("mistake, said", [
    (lambda: dist.all_reduce(3.0), "all_gather_object"),
    (lambda: dist.all_reduce(autograd.ones(2), "sum"), "ReduceOp.SUM"),
    (lambda: dist.all_reduce(autograd.tensor([1]), ReduceOp.AVG), "op=ReduceOp.SUM"),
    (lambda: dist.all_gather([], autograd.ones(2)), "each of the 1 processes, not 0"),
    (lambda: dist.all_gather([autograd.ones(3)], autograd.ones(2)), r"tensor_list\[0\] has shape \(3,\)"),
    (lambda: dist.gather(autograd.ones(2)), "not None"),
    (lambda: dist.all_gather_into_tensor(autograd.ones(3), autograd.ones(2)), r"it must be \(1, 2\)"),
    (lambda: dist.broadcast(autograd.ones(2), 1), "rank 1 is not in the group, whose ranks are 0"),
    (lambda: dist.all_gather_object([], 1), "not 0"),
    (lambda: dist.send(autograd.ones(2), 0), "this process itself"),
    (lambda: dist.broadcast(Tensor([1.0]).expand(3)), "several of its elements"),
])
def test_what_cannot_be_is_said(alone, mistake, said):
    with pytest.raises((ValueError, TypeError, RuntimeError), match=said):
        mistake()
