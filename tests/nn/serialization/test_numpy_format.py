"""NumPy's files become Tensors where a Tensor can hold them; what they would run isn't run."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp

import autograd
import nn

DTYPES = ["<f8", ">f4", "<f2", "<i8", ">i2", "|u1", "|b1"]


@given(hnp.arrays(np.dtype("f8"), hnp.array_shapes(min_dims=0, min_side=0)))
def test_one_array(array):
    for dtype in DTYPES:
        for order in "CF":
            file = io.BytesIO()
            expected = np.array(np.nan_to_num(array, posinf=1, neginf=0).clip(0, 1).astype(dtype), order=order)
            np.save(file, expected)
            file.seek(0)
            loaded = nn.load(file)
            assert isinstance(loaded, autograd.Tensor)
            assert loaded.dtype == np.dtype(dtype).newbyteorder("=")
            np.testing.assert_array_equal(loaded.array, expected)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("mmap", [True, False])
def test_several_by_name(tmp_path, save, mmap):
    arrays = {"weight": np.arange(6.).reshape(2, 3), "bias": np.float32(2), "words": np.array(["a", "bc"]),
              "empty": np.zeros((0, 2))}
    save(tmp_path / "a.npz", **arrays)
    loaded = nn.load(tmp_path / "a.npz", mmap=mmap)
    assert list(loaded) == list(arrays)
    assert isinstance(loaded["words"], np.ndarray)
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
    linear = nn.Linear(3, 2)
    linear.load_state_dict({"weight": loaded["weight"], "bias": np.ones(2)})


def written(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


HEADER = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }"


@pytest.mark.parametrize(("content", "message"), [
    (written(np.ones(100))[:300], "takes 800 bytes, 172 are there"),
    (written(np.array([print]), allow_pickle=True), "Python's objects"),
    (b"\x93NUMPY\x01\x00\x76\x00" + HEADER.ljust(117) + b"\n" + b"\0" * 100, "takes 8000000000000 bytes"),
    (b"\x93NUMPY\x09\x00", "damaged"), (b"\x93NUMPY\x01\x00\x76\x00" + b"[" * 118, "damaged")])
def test_damaged_and_hostile_files_are_refused(content, message):
    with pytest.raises(ValueError, match=message):
        nn.load(io.BytesIO(content))
