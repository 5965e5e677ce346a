"""Checkpoints: what was saved comes back bit for bit, the old file outlives a failure, damage is noticed."""

import os
import stat

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

pytest.importorskip("safetensors")

from safetensors import numpy as st_numpy

import autograd
import nn
import optim
from nn import functional as F

DTYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?", ">f4"]
arrays = hnp.arrays(st.sampled_from(DTYPES), hnp.array_shapes(min_dims=0, min_side=0, max_side=3))
leaves = (st.none() | st.booleans() | st.integers(-2 ** 130, 2 ** 130) | st.floats() | st.text() | arrays
          | arrays.map(autograd.tensor) | arrays.filter(lambda a: a.size).map(lambda a: a.ravel()[0]))
trees = st.recursive(leaves, lambda t: st.lists(t, max_size=3) | st.tuples(t, t)
                     | st.dictionaries(st.integers(-3, 3) | st.text(max_size=3), t, max_size=3), max_leaves=8)


def same(a, b):
    """Equal in value, type, dtype and bits."""
    if isinstance(a, autograd.Tensor):
        return type(b) is type(a) and same(np.asarray(a.array), np.asarray(b.array))
    if isinstance(a, (np.ndarray, np.generic)):
        dtype = a.dtype.newbyteorder("=")
        return (isinstance(b, np.ndarray) == isinstance(a, np.ndarray) and b.dtype == dtype and a.shape == b.shape
                and a.astype(dtype).tobytes() == b.tobytes())
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and repr(a) == repr(b)


@settings(max_examples=60, deadline=None)
@given(trees, st.booleans())
def test_what_was_saved_comes_back(tmp_path_factory, tree, mmap):
    path = tmp_path_factory.getbasetemp() / "tree.safetensors"
    nn.save(tree, path)
    assert same(tree, nn.load(path, mmap=mmap))


def network():
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3))


@pytest.mark.parametrize("make", [
    lambda p: optim.Adam(p, lr=0.01, amsgrad=True), lambda p: optim.AdamW(p, lr=0.01),
    lambda p: optim.SGD(p, lr=0.1, momentum=0.9)], ids=["Adam", "AdamW", "SGD"])
def test_interrupted_training_goes_on_bit_for_bit(tmp_path, make):
    x = np.random.default_rng(0).standard_normal((60, 6)).astype(np.float32)
    data = nn.data.TensorDataset(x, np.arange(60) % 3)

    def start(seed):
        autograd.manual_seed(seed)
        model = network()
        optimizer = make(model.parameters())
        return model, optimizer, optim.lr_scheduler.StepLR(optimizer, 2, 0.5)

    def epochs(model, optimizer, schedule, count):
        for _ in range(count):
            for inputs, labels in nn.data.DataLoader(data, 16, shuffle=True):
                optimizer.zero_grad()
                F.cross_entropy(model(inputs), labels).backward()
                optimizer.step()
            schedule.step()

    through = start(0)
    epochs(*through, 5)

    parts = start(0)
    epochs(*parts, 2)
    nn.save({"parts": [part.state_dict() for part in parts], "random": autograd.get_rng_state()}, tmp_path / "run")
    resumed = start(1)
    saved = nn.load(tmp_path / "run")
    for part, state in zip(resumed, saved["parts"], strict=True):
        part.load_state_dict(state)
    autograd.set_rng_state(saved["random"])
    epochs(*resumed, 3)
    assert same(resumed[0].state_dict(), through[0].state_dict())
    assert same(resumed[1].state_dict()["state"], through[1].state_dict()["state"])


def test_loading_does_not_tie_the_model_to_the_file(tmp_path):
    model = network()
    nn.save(model.state_dict(), tmp_path / "m")
    before = (tmp_path / "m").read_bytes()
    loaded = nn.load(tmp_path / "m")
    with autograd.no_grad():
        loaded["0.weight"].zero_()
    assert (tmp_path / "m").read_bytes() == before
    nn.save(loaded, tmp_path / "m")  # over the file that it is mapped from
    assert not nn.load(tmp_path / "m")["0.weight"].array.any()
    assert same(loaded["4.weight"], model.state_dict()["4.weight"])


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_whole(tmp_path, monkeypatch, moment):
    path = tmp_path / "m.safetensors"
    nn.save({"a": np.arange(5)}, path)

    def killed(*args):
        raise KeyboardInterrupt
    monkeypatch.setattr(os, moment, killed)
    with pytest.raises(KeyboardInterrupt):
        nn.save({"a": np.zeros(5)}, path)
    np.testing.assert_array_equal(nn.load(path)["a"], np.arange(5))
    assert os.listdir(tmp_path) == ["m.safetensors"]


@pytest.mark.skipif(os.name != "posix", reason="modes and links")
def test_the_file_has_the_usual_mode_and_a_link_stays_one(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "m")
    nn.save({}, tmp_path / "link")
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "link").is_symlink()
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_every_changed_byte_and_every_cut_is_noticed(tmp_path):
    path = tmp_path / "m"
    nn.save({"weight": autograd.ones(2, 2), "step": 3}, path)
    whole = path.read_bytes()
    key = whole.index(b"gradcircuit")  # without this name the file is somebody else's, in which all is as it says
    for i in range(len(whole)):
        path.write_bytes(whole[:i])
        with pytest.raises(ValueError, match="damaged"):
            nn.load(path)
        changed = bytearray(whole)
        changed[i] ^= 1
        path.write_bytes(changed)
        if not key - 1 <= i < key + 12:
            try:
                result = nn.load(path)
            except ValueError:
                continue
            assert same(result, {"weight": autograd.ones(2, 2), "step": 3})  # "format" is not ours


def test_pickles_and_other_files_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", a=np.ones(2))
    with pytest.raises(ValueError, match=r"safetensors\.torch\.save_file"):
        nn.load(tmp_path / "a.npz")
    (tmp_path / "b").write_text("any text there is")
    with pytest.raises(ValueError, match="no safetensors file"):
        nn.load(tmp_path / "b")
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "c")


@pytest.mark.parametrize(("value", "message"), [
    (lambda: None, "what was given' is a function|what was given is a function"), (nn.Linear(1, 1), "state_dict"),
    ({"a": [autograd.Generator()]}, r"'a\.0' is a Generator, write \.get_state"), ({(1, 2): 3}, "key"),
    ({"x": np.array(["text"])}, "dtype"), ({"x": np.array([1j])}, "complex128")])
def test_what_cannot_be_saved_is_refused_before_anything_is_written(tmp_path, value, message):
    with pytest.raises(TypeError, match=message):
        nn.save(value, tmp_path / "m")
    assert not os.listdir(tmp_path)


def test_files_of_others_load_and_others_load_ours(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file
    theirs = torch.nn.Linear(3, 2)
    save_file({**theirs.state_dict(), "half": torch.tensor([1.5, -2.0, 3e38], dtype=torch.bfloat16)}, tmp_path / "t")
    loaded = nn.load(tmp_path / "t")
    assert loaded["half"].dtype == np.float32
    np.testing.assert_array_equal(loaded.pop("half").array, torch.tensor([1.5, -2.0, 3e38]).bfloat16().float())
    ours = nn.Linear(3, 2)
    ours.load_state_dict(loaded)
    np.testing.assert_array_equal(ours.weight.array, theirs.weight.detach())
    nn.save(nn.Linear(3, 2).state_dict(), tmp_path / "o")
    theirs.load_state_dict(load_file(tmp_path / "o"))
    np.testing.assert_array_equal(nn.load(tmp_path / "o")["weight"].array, theirs.weight.detach())
    save_file({"x": torch.zeros(2, dtype=torch.float8_e4m3fn)}, tmp_path / "f8")
    with pytest.raises(ValueError, match="F8_E4M3"):
        nn.load(tmp_path / "f8")


def test_arrays_that_are_not_aligned_in_a_file(tmp_path):
    data = st_numpy.save({"a": np.arange(3.0)})
    header = data[8:8 + int.from_bytes(data[:8], "little")].rstrip() + b" "
    header += b" " * (1 - len(header) % 2)
    (tmp_path / "m").write_bytes(len(header).to_bytes(8, "little") + header + np.arange(3.0).tobytes())
    array = nn.load(tmp_path / "m")["a"].array
    assert array.flags.aligned
    np.testing.assert_array_equal(array, np.arange(3.0))


def test_without_the_package_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"gradcircuit\[checkpoints\]"):
        nn.save({}, tmp_path / "m")
