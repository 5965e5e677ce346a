"""NumPy's buffers are short while much is computed, in every thread, and nowhere else."""

import numpy as np
import pytest

import autograd
from autograd.runtime.buffers import LENGTH, MANY, short_buffers
from autograd.runtime.elementwise import as_loop
from autograd.runtime.threads import WORTHWHILE, in_parallel


def test_within_the_block_even_if_it_fails():
    usual = np.getbufsize()
    with pytest.raises(ZeroDivisionError), short_buffers():
        assert np.getbufsize() == LENGTH
        raise ZeroDivisionError
    assert np.getbufsize() == usual


@pytest.mark.parametrize("numbers, length", [(MANY - 1, np.getbufsize()), (MANY, LENGTH), (4 * WORTHWHILE, LENGTH)])
def test_in_every_thread(numbers, length):
    before, usual = autograd.get_num_threads(), np.getbufsize()
    autograd.set_num_threads(2)
    try:
        assert set(in_parallel(lambda part: np.getbufsize(), 2, numbers)) == {length}
    finally:
        autograd.set_num_threads(before)
    assert np.getbufsize() == usual


@pytest.mark.parametrize("count, length", [(MANY - 1, np.getbufsize()), (MANY, LENGTH)])
def test_in_an_operation_of_many_numbers(count, length):
    usual = np.getbufsize()
    assert as_loop(lambda x: np.full(x.shape, np.getbufsize()))(np.zeros(count))[0] == length
    assert np.getbufsize() == usual
