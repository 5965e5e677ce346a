"""NumPy's buffers are short while much is computed, in every thread, and nowhere else."""

import numpy as np
import pytest

import autograd
from autograd.runtime.buffers import LENGTH, MANY, short_buffers
from autograd.runtime.elementwise import as_loop
from autograd.runtime.threads import WORTHWHILE, in_parallel


def test_within_the_block_even_if_it_fails():
    usual = np.getbufsize()
    with pytest.raises(ZeroDivisionError), short_buffers(MANY):
        assert np.getbufsize() == LENGTH
        raise ZeroDivisionError
    assert np.getbufsize() == usual


def test_not_for_few_numbers():
    with short_buffers(MANY - 1):
        assert np.getbufsize() != LENGTH


def test_in_every_thread():
    before = autograd.get_num_threads()
    autograd.set_num_threads(2)
    try:
        with short_buffers(MANY):
            assert in_parallel(lambda part: np.getbufsize(), 2, 4 * WORTHWHILE) == [LENGTH, LENGTH]
    finally:
        autograd.set_num_threads(before)


@pytest.mark.parametrize("rows, short", [(MANY // 64 - 1, False), (MANY // 64, True)])
@pytest.mark.parametrize("of_rows", [lambda x: (x, x[:, :1]), lambda x: (x[:, ::-1],), lambda x: (x, x[0])])
def test_in_an_operation_that_goes_from_row_to_row(rows, short, of_rows):
    assert _length_within(*of_rows(np.zeros((rows, 64)))) == (LENGTH if short else np.getbufsize())


@pytest.mark.parametrize("alike", [lambda x: (x, x), lambda x: (x, np.broadcast_to(1.0, x.shape)), lambda x: (x, 2.0)])
def test_not_where_arrays_lie_alike(alike):
    assert _length_within(*alike(np.zeros((MANY // 64, 64)))) == np.getbufsize()


def _length_within(*args):
    usual = np.getbufsize()
    found = as_loop(lambda *args: np.full(args[0].shape, np.getbufsize()))(*args)
    assert np.getbufsize() == usual
    return found.flat[0]
