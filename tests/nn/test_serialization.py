"""Checkpoints: what was saved comes back bit for bit, the old file outlives a failure, damage is noticed.

What holds for all files that are written is in tests/test_files.py.
"""

import json
import os
import re
import stat
import subprocess
import sys
import zlib
from pathlib import Path

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
from autograd.table import TABLE
from autograd.testing.draw import Draw
from nn import functional as F

DTYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?", ">f4", ">f8", ">f2", ">i8", ">u2"]


@st.composite
def arrays(draw):
    """Arrays of any dtype and shape, that lie in memory in any way."""
    array = draw(hnp.arrays(st.sampled_from(DTYPES), hnp.array_shapes(min_dims=0, min_side=0, max_side=3)))
    for _ in range(draw(st.integers(0, 3))):
        array = draw(st.sampled_from([
            lambda a: a.T, np.asfortranarray, lambda a: a[::-1] if a.ndim else a, lambda a: a[None],
            lambda a: a[..., ::2] if a.ndim else a, lambda a: np.broadcast_to(a, (2, *a.shape)),
            lambda a: np.frombuffer(b"." + a.tobytes(), a.dtype, offset=1).reshape(a.shape) if a.size else a,
            lambda a: np.lib.stride_tricks.as_strided(a, (3, *a.shape), (0, *a.strides), writeable=False),
            lambda a: np.lib.stride_tricks.sliding_window_view(a, 1, 0) if a.ndim and len(a) else a]))(array)
    return array


arrays = arrays()
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


@settings(max_examples=60)
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


@pytest.mark.parametrize("obj", [
    {}, {"gradcircuit": np.full(24, 32, np.uint8), "b": [autograd.ones(2, 2), np.zeros(0), 3, "text"]}],
    ids=["empty", "all kinds, and spaces as numbers"])
def test_every_changed_bit_and_every_cut_is_noticed(tmp_path, obj):
    path = tmp_path / "m"
    nn.save(obj, path)
    whole = path.read_bytes()
    with path.open("r+b", buffering=0) as file:
        for i, byte in enumerate(whole):
            for bit in range(8):
                file.seek(i)
                file.write(bytes([byte ^ 1 << bit]))
                with pytest.raises(ValueError, match=r"damaged|archive"):
                    nn.load(path, mmap=False)
            file.seek(i)
            file.write(bytes([byte]))
        assert same(nn.load(path, mmap=False), obj)
        for i in range(len(whole)):
            path.write_bytes(whole[:i])
            with pytest.raises(ValueError, match="damaged"):
                nn.load(path)
        path.write_bytes(whole + b" ")
        with pytest.raises(ValueError, match="damaged"):
            nn.load(path)


def test_other_files_are_refused(tmp_path):
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


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=3), arrays, max_size=4))
def test_other_readers_see_the_same_numbers(tmp_path_factory, state):
    path = str(tmp_path_factory.getbasetemp() / "state.safetensors")
    nn.save(state, path)
    seen = st_numpy.load_file(path)
    assert {name or "value" for name in state} - {"__metadata__", "value"} <= set(seen)
    for name in set(state) & set(seen) - {"value"}:
        assert same(state[name], seen[name])


def an_outcome(op):
    """What an operation gives for the first of its samples that it has, as arrays by name."""
    found = {}

    @settings(max_examples=1, derandomize=True, database=None)
    @given(st.data())
    def first(data):
        args, options = op.samples(Draw(data.draw))
        tensors = [autograd.tensor(a) if isinstance(a, np.ndarray) else a for a in args]
        with np.errstate(all="ignore"):
            out = op.call(*tensors, **options)
        for i, part in enumerate(out if isinstance(out, tuple) else [out]):
            if isinstance(part, autograd.Tensor) and part.dtype.kind != "c":
                found[f"{op.name}.{i}"] = part
                found[f"{op.name}.{i}.turned"] = part.transpose(0, -1) if part.ndim > 1 else part.expand(2, *part.shape)
    first()
    return found


def test_whatever_an_operation_returns_can_be_saved(tmp_path):
    state = {name: part for op in TABLE.values() if op.samples for name, part in an_outcome(op).items()}
    assert len(state) > 200
    nn.save(state, tmp_path / "m")
    assert same(nn.load(tmp_path / "m"), state)
    seen = st_numpy.load_file(tmp_path / "m")
    assert all(same(np.asarray(part.detach().array), seen[name]) for name, part in state.items())


def trained(model, make, inputs):
    optimizer = make(model.parameters())
    for _ in range(2):
        optimizer.zero_grad()
        (model(inputs) ** 2).mean().backward()
        optimizer.step()
    return optimizer


class Tied(nn.Module):
    """Its decoder is its encoder, transposed in memory."""

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(4, 3), nn.Linear(4, 3)
        self.encoder.weight = self.decoder.weight = nn.Parameter(autograd.randn(4, 3).T)

    def forward(self, x):
        return self.encoder(x) + self.decoder(x)


@pytest.mark.parametrize("make", [
    lambda p: optim.Adam(p, lr=0.01, amsgrad=True), lambda p: optim.SGD(p, lr=0.1, momentum=0.9)], ids=["Adam", "SGD"])
def test_tied_and_transposed_parameters_go_on(tmp_path, make):
    model, x = Tied(), autograd.randn(5, 4)
    optimizer = trained(model, make, x)
    nn.save([model.state_dict(), optimizer.state_dict(), [p.grad for p in model.parameters()]], tmp_path / "m")
    states = nn.load(tmp_path / "m")
    assert same(states, [model.state_dict(), optimizer.state_dict(), [p.grad for p in model.parameters()]])
    other = Tied()
    resumed = make(other.parameters())
    other.load_state_dict(states[0])
    resumed.load_state_dict(states[1])
    assert other.encoder.weight is other.decoder.weight
    for one, its in ((model, optimizer), (other, resumed)):
        its.zero_grad()
        (one(x) ** 2).mean().backward()
        its.step()
    assert same(other.state_dict(), model.state_dict())


def test_columns_pictures_and_components(tmp_path):
    layer, images = nn.Conv2d(3, 4, 3), autograd.randn(2, 3, 8, 6, requires_grad=True)
    out = layer(images)
    out.pow(2).sum().backward()
    components = nn.data.PCA(2).fit(np.random.default_rng(0).standard_normal((20, 5)))
    state = {"pruned": layer.weight[:, [0, 2]], "columns": layer.weight.detach()[:, ::2], "out": out,
             "gradient": images.grad, "of weight": layer.weight.grad, "last": out.permute(0, 2, 3, 1),
             **{f"pca.{name}": value for name, value in vars(components).items()
                if isinstance(value, (np.ndarray, autograd.Tensor))}}
    assert len(state) > 7
    nn.save(state, tmp_path / "m")
    assert same(nn.load(tmp_path / "m"), state)


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files")
def test_an_array_that_is_large_only_in_name(tmp_path):
    import resource
    path, limits = tmp_path / "m", resource.getrlimit(resource.RLIMIT_FSIZE)
    nn.save({"old": 1}, path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 24, limits[1]))
    try:
        with pytest.raises(OSError, match="untouched"):
            nn.save({"x": autograd.ones(1).expand(10 ** 12)}, path)  # and no memory is asked for
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert nn.load(path) == {"old": 1}


def test_an_array_that_somebody_writes_to_meanwhile_leaves_a_whole_file(tmp_path, monkeypatch):
    array, crc32 = np.zeros(1000), zlib.crc32

    def and_then(*args):
        result = crc32(*args)
        array[:] += 1
        return result
    monkeypatch.setattr(zlib, "crc32", and_then)
    nn.save({"array": array}, tmp_path / "m")
    monkeypatch.undo()
    assert len(set(nn.load(tmp_path / "m")["array"].tolist())) == 1


def nested(depth, make):
    obj = 1
    for _ in range(depth):
        obj = make(obj)
    return obj


@pytest.mark.parametrize("make", [lambda x: [x], lambda x: (x,), lambda x: {"a": x}], ids=["list", "tuple", "dict"])
def test_nesting_has_a_limit(tmp_path, make):
    nn.save(nested(100, make), tmp_path / "m")
    assert same(nn.load(tmp_path / "m"), nested(100, make))
    for depth in (101, 10_000):
        with pytest.raises(ValueError, match=r"'(a\.|0\.){99}(a|0)' is nested more than 100 deep"):
            nn.save(nested(depth, make), tmp_path / "n")
    assert os.listdir(tmp_path) == ["m"]


def test_what_contains_itself_is_refused_by_its_path(tmp_path):
    inner = {"x": [1]}
    inner["x"].append((inner,))
    with pytest.raises(ValueError, match=r"'model\.x\.1\.0' is 'model' again"):
        nn.save({"twice is fine": [inner["x"][0]] * 2, "model": inner}, tmp_path / "m")
    loop = []
    loop.append(loop)
    with pytest.raises(ValueError, match="'0' is what was given again"):
        nn.save(loop, tmp_path / "m")
    assert not os.listdir(tmp_path)
    part = {"weight": np.ones(2)}
    nn.save([part, part], tmp_path / "m")  # twice the same is no loop
    assert same(nn.load(tmp_path / "m"), [part, part])


def test_names_that_no_file_can_hold(tmp_path):
    state = {"\ud800": np.ones(2), "__metadata__": np.zeros(2), "": np.ones(1), "\\ud800": np.ones(3)}
    nn.save(state, tmp_path / "m")
    assert same(nn.load(tmp_path / "m"), state)
    assert len(st_numpy.load_file(tmp_path / "m")) == 4


def a_file(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def entry(dtype="F32", shape=(2,), offsets=(0, 8), **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


def of_ours(text, **arrays):
    """As if nn.save had written this nesting, checksum and all."""
    header = {"__metadata__": {"gradcircuit.crc32": "0" * 8, "format": "pt", "gradcircuit": text}, **arrays}
    content = a_file(json.dumps(header, separators=(",", ":")).encode(), b"\0" * 8 * len(arrays))
    return content.replace(b"0" * 8, b"%08x" % zlib.crc32(content), 1)


HOSTILE = {
    "a header longer than the file": a_file({}, length=3), "a huge header": a_file({}, length=2 ** 63),
    "the largest header": a_file({}, length=2 ** 64 - 1), "no header": a_file(b""), "not JSON": a_file(b"{]"),
    "not text": a_file(b"\xff\xfe{}"), "of 16 bits": a_file("{}".encode("utf-16")), "a list": a_file([]),
    "deep lists": a_file(b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
    "deep objects": a_file(b'{"a":' * 200_000 + b"1" + b"}" * 200_000),
    "an unclosed list": a_file(b"[" * 1_000_000), "a long number": a_file(b'{"a":' + b"9" * 100_000 + b"}"),
    "deep nesting": of_ours('{"nesting":' + '{"list":[' * 100_000 + "]}" * 100_000 + "}"),
    "deeper than Python goes": of_ours('{"nesting":' + '{"list":[' * 4000 + "]}" * 4000 + "}"),
    "an unknown kind": of_ours('{"nesting":{"code":"os"}}'), "two kinds": of_ours('{"nesting":{"list":[],"tuple":[]}}'),
    "no kind": of_ours('{"nesting":{}}'), "no such array": of_ours('{"nesting":{"array":"a"}}'),
    "a list as key": of_ours('{"nesting":{"dict":[[[1],2]]}}'), "no pairs": of_ours('{"nesting":{"dict":[1]}}'),
    "not a list": of_ours('{"nesting":{"list":7}}'), "a list as name": of_ours('{"nesting":{"array":[1]}}'),
    "no nesting": of_ours("{}"), "nesting of no object": of_ours("[]"), "nesting that isn't JSON": of_ours("{"),
    "two of one name": a_file(b'{"a":%b,"a":%b}' % ((json.dumps(entry()).encode(),) * 2), b"." * 8),
    "two metadata": a_file(b'{"__metadata__":{},"__metadata__":{}}'), "metadata of numbers": a_file(
        {"__metadata__": {"a": 1}}), "metadata that is a list": a_file({"__metadata__": [1]}),
    "overlapping": a_file({"a": entry(), "b": entry(offsets=(4, 12))}, b"." * 12),
    "the same place": a_file({"a": entry(), "b": entry()}, b"." * 8),
    "a hole": a_file({"a": entry(), "b": entry(offsets=(12, 20))}, b"." * 20),
    "a late start": a_file({"a": entry(offsets=(4, 12))}, b"." * 12), "a tail": a_file({"a": entry()}, b"." * 9),
    "too short": a_file({"a": entry()}, b"." * 7), "backwards": a_file({"a": entry(offsets=(8, 0))}, b"." * 8),
    "negative": a_file({"a": entry(offsets=(-8, 0))}, b"." * 8),
    "one offset": a_file({"a": entry(offsets=(8,))}, b"." * 8),
    "another size": a_file({"a": entry(shape=(3,))}, b"." * 8), "a negative shape": a_file(
        {"a": entry(shape=(-1, -2))}, b"." * 8), "half a side": a_file({"a": entry(shape=(2.0,))}, b"." * 8),
    "true as a side": a_file({"a": entry(shape=(True, 2))}, b"." * 8), "a huge shape": a_file(
        {"a": entry(shape=(2 ** 62, 4), offsets=(0, 0))}), "a huge and empty shape": a_file(
        {"a": entry(shape=(0, 2 ** 80), offsets=(0, 0))}), "very many sides": a_file(
        {"a": entry(shape=(1,) * 10 ** 6)}, b"." * 8), "huge sides": a_file({"a": entry(shape=(10 ** 4000,) * 60)}),
    "no dtype": a_file({"a": {"shape": [2], "data_offsets": [0, 8]}}, b"." * 8), "a number as dtype": a_file(
        {"a": entry(dtype=5)}, b"." * 8), "an unknown dtype": a_file({"a": entry(dtype="F33")}, b"." * 8),
    "a list as dtype": a_file({"a": entry(dtype=["F32"])}, b"." * 8),
    "a number as entry": a_file({"a": 1}), "nothing as entry": a_file({"a": None}),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_a_hostile_file_says_is_checked(tmp_path, kind):
    (tmp_path / "m").write_bytes(HOSTILE[kind])
    for mmap in (True, False):
        with pytest.raises(ValueError, match=r"damaged, or no safetensors file|which nn\.load does not know"):
            nn.load(tmp_path / "m", mmap=mmap)


@pytest.mark.parametrize("content", [
    a_file({"a": entry(), "b": entry(offsets=(8, 16))}, b"." * 16), a_file({}), a_file(b'{"__metadata__":null}   '),
    a_file({"e": entry(shape=(0, 5), offsets=(0, 0)), "gradcircuit": entry(shape=(), offsets=(0, 4))}, b"." * 4),
    a_file({"__metadata__": {"by": "gradcircuit"}}), a_file({"a": entry(more=1)}, b"." * 8),
    of_ours('{"nesting":{"array":"a"}}', a=entry())])
def test_the_hostile_files_differ_from_good_ones_in_one_thing_each(tmp_path, content):
    (tmp_path / "m").write_bytes(content)
    nn.load(tmp_path / "m")


def test_bytes_of_a_truth_value_that_are_neither_0_nor_1(tmp_path):
    nn.save({"a": np.arange(3, dtype=np.uint8).view(bool)}, tmp_path / "m")
    assert same(nn.load(tmp_path / "m")["a"], np.array([False, True, True]))


def test_files_of_the_first_version_load_and_are_checked(tmp_path):
    """Their checksum was in the description, over the arrays."""
    description = {"nesting": {"dict": [["w", {"array": "w"}], ["b", {"list": [{"tensor": "b.0"}, 3]}]]}}
    state = {"w": np.arange(3.0), "b.0": np.arange(4, dtype=np.float32).reshape(2, 2)}
    for checksum in (1440751355, 1):
        st_numpy.save_file(state, tmp_path / "m", {"format": "pt", "gradcircuit": json.dumps(
            {**description, "checksum": checksum})})
        if checksum == 1:
            with pytest.raises(ValueError, match=r"damaged.*older checkpoint"):
                nn.load(tmp_path / "m")
        else:
            assert same(nn.load(tmp_path / "m"), {"w": state["w"], "b": [autograd.tensor(state["b.0"]), 3]})


@pytest.mark.skipif(os.name != "posix", reason="kills processes")
def test_saves_at_once_by_processes_that_are_killed():
    printed = subprocess.run(
        [sys.executable, "-m", "tests.nn.stress_serialization", "--seconds", "2", "--processes", "3"], check=True,
        cwd=Path(__file__).parents[2], capture_output=True, text=True).stdout
    assert re.search(r"\d\d+ loads, 0 damaged, \d+ killed, 0 failed, 0 left over", printed), printed
