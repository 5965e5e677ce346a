"""PyTorch's files: they hold for us what they hold for PyTorch, nothing in them is run, and ours it can read.

files/ holds some that PyTorch 2.13 wrote, so that this is held where there is no PyTorch. Where the published packages
facenet-pytorch, Resemblyzer or silero-vad are installed, their weights are read, too.
"""

import contextlib
import importlib.util
import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd
import nn
import optim
from nn.serialization import pickles, torch_format

FILES = Path(__file__).parent / "files"
NAMES = ["archive", "before_1_6"]


def leaves(value, path=""):
    """Everything in nested containers that is none, with its dotted path."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else None
    if pairs is None:
        return {path: value}
    return {name: leaf for key, part in pairs for name, leaf in leaves(part, f"{path}.{key}").items()}


def same_as_torch(ours, theirs):
    ours, theirs = leaves(ours), leaves(theirs)
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(ours[name], value, strict=True)
            continue
        if not hasattr(value, "untyped_storage"):
            if type(value).__module__ != "torch":  # a dtype, a device
                assert ours[name] == value, name
            continue
        assert isinstance(ours[name], autograd.Tensor)
        assert tuple(value.stride()) == ours[name].stride()
        assert value.requires_grad == ours[name].requires_grad
        expected = (value.float() if "bfloat16" in str(value.dtype) else value).detach().numpy()
        assert expected.dtype == ours[name].dtype, name
        np.testing.assert_array_equal(ours[name].detach().array, expected)


# Reading

@pytest.mark.parametrize("mmap", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_files_of_pytorch(name, mmap):
    saved = nn.load(FILES / f"{name}.pt", mmap=mmap)
    model = saved["model"]
    assert isinstance(model, OrderedDict)
    assert isinstance(model["parameter"], nn.Parameter)
    base = np.arange(12.).reshape(3, 4)
    np.testing.assert_array_equal(model["weight"].array, base)
    np.testing.assert_array_equal(model["transposed"].array, base.T)
    np.testing.assert_array_equal(model["row"].array, base[1, 1:])
    np.testing.assert_array_equal(model["parameter"].detach().array, base[:2, 0])
    with autograd.no_grad():  # they are one memory here as there
        model["weight"][1, 2] = 60.0
    assert model["transposed"][2, 1].item() == model["row"][1].item() == 60.0
    for dtype, values in saved["dtypes"].items():
        expected = np.dtype({"bfloat16": "f4"}.get(dtype[6:], dtype[6:]))
        assert values.dtype == expected
        np.testing.assert_array_equal(values.array, np.array([0, 1, 3]).astype(expected))
    assert saved["optimizer"]["param_groups"] == [{"lr": 0.1, "betas": (0.9, 0.99), "foreach": None, "params": [0]}]
    assert isinstance(saved["array"], np.ndarray)
    assert saved["array"].tolist() == [0, 1, 2]
    assert saved["expanded"].shape == (5,)
    assert saved["empty"].shape == (0, 2)
    assert [saved[key] for key in ("size", "dtype", "device", "scalar", "epoch", "big", "names", "set", "done", "bytes")
            ] == [(3, 4), np.float16, "cpu", 2.5, 2 ** 40, -2 ** 70, ["é", "日本"], {1, 2}, True, b"\x00\xff"]


def test_torchscript_gives_its_state_dict():
    state = nn.load(FILES / "script.pt")
    assert list(state) == ["scale", "linear.weight", "linear.bias", "norm.weight", "norm.bias", "norm.running_mean",
                           "norm.running_var", "norm.num_batches_tracked"]
    np.testing.assert_array_equal(state["linear.weight"].array, np.arange(6.).reshape(2, 3))
    nn.BatchNorm1d(2).load_state_dict({name[5:]: value for name, value in state.items() if name.startswith("norm.")})


@pytest.mark.parametrize("name", NAMES)
def test_torch_load_reads_the_same(name):
    torch = pytest.importorskip("torch")
    same_as_torch(nn.load(FILES / f"{name}.pt"), torch.load(FILES / f"{name}.pt", weights_only=False))


@pytest.mark.parametrize("options", [{"pickle_protocol": protocol, "_use_new_zipfile_serialization": new}
                                     for protocol in (2, 3, 4) for new in (True, False)])
def test_whatever_torch_saves(tmp_path, options):
    torch = pytest.importorskip("torch")
    model = torch.nn.Sequential(torch.nn.LSTM(3, 4, 2), torch.nn.Conv2d(2, 3, 3), torch.nn.Embedding(5, 2))
    model[2].weight = torch.nn.Parameter(model[2].weight.t().contiguous().t())
    optimizer = torch.optim.AdamW(model.parameters(), amsgrad=True)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape)
    optimizer.step()
    torch.save([model.state_dict(), optimizer.state_dict(), model[1].weight], tmp_path / "a.pth", **options)
    ours = nn.load(tmp_path / "a.pth")
    same_as_torch(ours, torch.load(tmp_path / "a.pth", weights_only=False))
    mine = nn.Sequential(nn.LSTM(3, 4, 2), nn.Conv2d(2, 3, 3), nn.Embedding(5, 2))
    assert not any(mine.load_state_dict(ours[0]))


def test_checksums_may_be_left_out(tmp_path):
    torch = pytest.importorskip("torch")
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"a": torch.ones(3)}, tmp_path / "a.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    assert nn.load(tmp_path / "a.pt")["a"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(("package", "path"), [
    ("facenet_pytorch", "data/pnet.pt"), ("facenet_pytorch", "data/rnet.pt"), ("facenet_pytorch", "data/onet.pt"),
    ("resemblyzer", "pretrained.pt"), ("silero_vad", "data/silero_vad.jit")])
def test_published_weights(package, path):
    torch = pytest.importorskip("torch")
    found = importlib.util.find_spec(package)
    if found is None:
        pytest.skip(f"the package {package} isn't installed")
    file = Path(found.submodule_search_locations[0]) / path
    theirs = torch.jit.load(file).state_dict() if path.endswith("jit") else torch.load(file, map_location="cpu")
    same_as_torch(nn.load(file), theirs)


def test_an_open_file(tmp_path):
    with open(FILES / "archive.pt", "rb") as file:
        assert nn.load(file)["epoch"] == 2 ** 40
    assert nn.load(io.BytesIO((FILES / "before_1_6.pt").read_bytes()))["epoch"] == 2 ** 40


# Hostile and damaged files

class Runs:
    """Its pickle runs a program when Python loads it."""

    def __reduce__(self):
        return os.mkdir, ("this was run",)


def archive(pickled, data=(), compression=zipfile.ZIP_STORED, **others):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        file.writestr("archive/data.pkl", pickled)
        for name, content in [*enumerate(data), *others.items()]:
            file.writestr(f"archive/data/{name}" if isinstance(name, int) else f"archive/{name}.pkl", content)
    return buffer.getvalue()


def early(pickled, keys=(), data=b""):
    """A file as they were before 1.6."""
    start = [0x1950a86a20f9469cfc6c, 1001, {"little_endian": True}]
    return b"".join([pickle.dumps(part, 2) for part in start]) + pickled + pickle.dumps(list(keys), 2) + data


def tensor(offset=0, size=(4,), stride=(1,), count=4, key="0", kind="FloatStorage"):
    """The pickle of a tensor that says this of itself."""
    identity = pickles.tuple_of(pickles.plain("storage"), pickles.name("torch", kind), pickles.plain(key),
                                pickles.plain("cpu"), pickles.plain(count))
    return pickles.whole(pickles.call(
        pickles.name("torch._utils", "_rebuild_tensor_v2"), pickles.persistent(identity), pickles.plain(offset),
        pickles.tuple_of(*map(pickles.plain, size)), pickles.tuple_of(*map(pickles.plain, stride)),
        pickles.plain(False), pickles.call(pickles.name("collections", "OrderedDict"))))


NUMBERS = b"\0" * 16
DOUBLING = b"K\x01\x85" + b"".join([b"q%ch%c\x86" % (i, i) for i in range(99)])
HOSTILE = {
    "a program": (archive(pickle.dumps(Runs(), 2)), r"names \w+\.mkdir, .* would run its code"),
    "an early program": (early(pickle.dumps(Runs(), 2)), r"names \w+\.mkdir, .* would run its code"),
    "a program for TorchScript": (archive(b"\x80\x02c__torch__\nM\n)\x81cos\nsystem\nb.", constants=b"\x80\x02)."),
                                  r"names os\.system"),
    "a pickle": (pickle.dumps(Runs()), "a pickle is a program, which isn't run"),
    "a whole module": (archive(pickle.dumps(nn.Linear(1, 1), 2)), r"names nn\.linear\.Linear.*state_dict"),
    "complex numbers": (archive(tensor(kind="ComplexFloatStorage"), [NUMBERS]), "numbers of a kind .* cannot hold"),
    "text without end": (archive(b"\x80\x04\x8d" + struct.pack("<Q", 2 ** 62) + b"abc."), "damaged"),
    "bytes without end": (archive(b"\x80\x04\x8e" + struct.pack("<Q", 2 ** 40) + b"abc."), "damaged"),
    "a number without end": (archive(b"\x80\x02\x8b\xff\xff\xff\x7f."), "damaged"),
    "a key that is hashed for ever": (archive(b"\x80\x02}" + DOUBLING + b"Ns."), "has a tuple as a key"),
    "very many parts": (archive(b"\x80\x02" + b"]" * 2_000_000 + b"."), "more than 1,000,000 parts"),
    "an empty stack": (archive(b"\x80\x02\x86."), "more from its stack than is there"),
    "nothing to add to": (archive(b"\x80\x02K\x01K\x01a."), "adds to a int"),
    "a call of data": (archive(b"\x80\x02K\x01)R."), "calls int data"),
    "a state for a list": (archive(b"\x80\x02]}b."), "gives a list a state"),
    "no end": (archive(b"\x80\x02N"), "damaged"),
    "beyond the storage": (archive(tensor(1, (2, 2), (2, 1)), [NUMBERS]), "reaches beyond its storage of 4"),
    "before the storage": (archive(tensor(-1, (1,)), [NUMBERS]), "offset -1"),
    "backwards": (archive(tensor(3, (2,), (-1,)), [NUMBERS]), r"stride \(-1,\)"),
    "more than there is": (archive(tensor(0, (2 ** 61,), (0,)), [NUMBERS]), "too big"),
    "a storage of another length": (archive(tensor(count=5), [NUMBERS]), "of 5 numbers has 16 bytes, not 20"),
    "a storage elsewhere": (archive(tensor(key="../../passwd"), [NUMBERS]), "no member 'archive/data/../../passwd'"),
    "no storage": (archive(b"\x80\x02NQ."), "storage is called None"),
    "an early storage without end": (early(tensor(count=2 ** 60)), "1152921504606846976 numbers in a file of"),
    "an early storage of another length": (early(tensor(), ["0"], struct.pack("<Q", 4) + b"\0" * 10), "10 bytes, not"),
    "an early storage of nobody": (early(tensor(), ["1"], struct.pack("<Q", 4) + NUMBERS), "no tensor is in its"),
    "what fills the memory": (archive(b"\0" * (1 << 29), (), zipfile.ZIP_DEFLATED), "unpacks to 536870912"),
    "another archive": (archive(b"")[:-300] + archive(b"", x=b"")[-300:], "damaged"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_refused_with_their_reason(tmp_path, monkeypatch, what):
    monkeypatch.chdir(tmp_path)
    content, message = HOSTILE[what]
    Path("a.pt").write_bytes(content)
    for mmap in (True, False):
        with pytest.raises(ValueError, match=message):
            nn.load("a.pt", mmap=mmap)
    assert os.listdir(tmp_path) == ["a.pt"]


@pytest.mark.parametrize("name", [*NAMES, "script"])
def test_a_file_that_is_cut_off_is_refused(tmp_path, name):
    whole = (FILES / f"{name}.pt").read_bytes()
    for length in [*range(0, len(whole), 61), len(whole) - 1]:
        with pytest.raises(ValueError, match=r"damaged|no file|isn't run"):
            nn.load(io.BytesIO(whole[:length]))


@settings(max_examples=200)
@given(st.data())
def test_a_changed_bit_of_an_archive_is_noticed_or_changes_nothing(data):
    whole = bytearray((FILES / "archive.pt").read_bytes())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        read = nn.load(io.BytesIO(whole))
    except ValueError:
        return
    right = leaves(nn.load(FILES / "archive.pt"))
    for name, value in leaves(read).items():
        if isinstance(value, autograd.Tensor):
            np.testing.assert_array_equal(value.detach().array, right[name].detach().array)
        else:
            assert np.all(value == right[name])


@settings(max_examples=200)
@given(st.data())
def test_changed_bytes_of_an_early_file_raise_nothing_else(data):
    whole = bytearray((FILES / "before_1_6.pt").read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        nn.load(io.BytesIO(whole))


# Writing

def everything():
    x = autograd.randn(3, 4)
    return {"x": x, "transposed": x.t(), "row": x[1], "part": x[:, 1:3], "alone": autograd.arange(3), "none": None,
            "no axes": autograd.tensor(3), "empty": autograd.zeros(0, 3), "expanded": autograd.ones(1).expand(10 ** 6),
            "list": [1, 2.5, True, "é", -5, 2 ** 40, -2 ** 70, (), []], "tuple": (1, (2,)), 7: {"a": 1},
            "dtypes": [autograd.tensor([0, 1, 3]).to(dtype) for dtype in ("f8", "f2", "i4", "i2", "i1", "u1", "?")],
            "unsigned": [np.arange(3, dtype=dtype) for dtype in ("u2", "u4", "u8")],
            "reversed": np.arange(5.)[::-1], "big-endian": np.arange(3, dtype=">f4"), "number": np.float64(2.5),
            "parameter": nn.Linear(2, 3).weight}


def test_what_was_saved_comes_back(tmp_path):
    obj = everything()
    nn.save(obj, tmp_path / "a.pt")
    saved = nn.load(tmp_path / "a.pt")
    assert list(saved) == list(obj)
    for (name, value), (_, original) in zip(leaves(saved).items(), leaves(obj).items(), strict=True):
        if isinstance(original, (autograd.Tensor, np.ndarray)):
            original = np.asarray(original.detach().array if isinstance(original, autograd.Tensor) else original)
            assert value.dtype == original.dtype.newbyteorder("=")
            np.testing.assert_array_equal(value.array, original)
        else:
            assert value == original, name
            assert type(value) is type(original) or isinstance(original, np.generic)
    with autograd.no_grad():
        saved["x"][1, 1] = 9.0
    assert saved["transposed"][1, 1].item() == saved["row"][1].item() == saved["part"][1, 0].item() == 9.0
    assert os.path.getsize(tmp_path / "a.pt") < 10_000  # the expanded number once


def test_torch_load_reads_what_is_written(tmp_path):
    torch = pytest.importorskip("torch")
    for name in ("a.pt", "a.pth", "A.PT"):
        nn.save(everything(), tmp_path / name)
        theirs = torch.load(tmp_path / name, weights_only=True)
        same_as_torch(nn.load(tmp_path / name), theirs)
        assert theirs["x"].untyped_storage().data_ptr() == theirs["transposed"].untyped_storage().data_ptr()
        torch.load(tmp_path / name, mmap=True)
    with zipfile.ZipFile(tmp_path / "a.pt") as file:
        assert file.testzip() is None


def test_arrays_may_stay_arrays(tmp_path):
    arrays = {dtype: np.arange(6).reshape(2, 3).T.astype(dtype) for dtype in ("f8", "f4", "i8", "u1", "?", ">i2")}
    torch_format.save([arrays, autograd.ones(2)], tmp_path / "a.pt", arrays_as_tensors=False)
    saved, tensor = nn.load(tmp_path / "a.pt")
    assert isinstance(tensor, autograd.Tensor)
    for dtype, array in arrays.items():
        assert saved[dtype].dtype == np.dtype(dtype).newbyteorder("=")
        np.testing.assert_array_equal(saved[dtype], array)
    torch = pytest.importorskip("torch")
    theirs, _ = torch.load(tmp_path / "a.pt", weights_only=False)
    for dtype, array in arrays.items():
        np.testing.assert_array_equal(theirs[dtype], array)


def test_numbers_are_aligned(tmp_path):
    nn.save({"a": autograd.ones(3, dtype="i1"), "b": autograd.ones(5)}, tmp_path / "a.pt")
    content = (tmp_path / "a.pt").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.pt") as file:
        for info in file.infolist():
            name, extra = struct.unpack("<HH", content[info.header_offset + 26:info.header_offset + 30])
            assert (info.header_offset + 30 + name + extra) % 64 == 0


def test_the_file_of_before_stays_if_something_cannot_be_saved(tmp_path):
    nn.save({"a": 1}, tmp_path / "a.pt")
    with pytest.raises(TypeError, match="'b' is a object"):
        nn.save({"b": object()}, tmp_path / "a.pt")
    assert nn.load(tmp_path / "a.pt") == {"a": 1}


def test_into_an_open_file():
    buffer = io.BytesIO()
    torch_format.save({"a": autograd.ones(2)}, buffer)
    buffer.seek(0)
    assert nn.load(buffer)["a"].tolist() == [1, 1]


OPTIMIZERS = ["ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "RMSprop",
              "Rprop", "SGD"]
SCHEDULERS = {"StepLR": {"step_size": 2}, "MultiStepLR": {"milestones": [2, 4]}, "ExponentialLR": {"gamma": 0.9},
              "CosineAnnealingLR": {"T_max": 5}, "LinearLR": {}, "ConstantLR": {}, "PolynomialLR": {"total_iters": 9},
              "CosineAnnealingWarmRestarts": {"T_0": 2}, "CyclicLR": {"base_lr": 0.1, "max_lr": 1.0},
              "OneCycleLR": {"max_lr": 1.0, "total_steps": 20}, "ReduceLROnPlateau": {"patience": 1}}


def after(steps, seed, optimizer, scheduler, tensor_of):
    """Some steps with gradients from this seed; returns the parameter and the rate."""
    parameter, rng = optimizer.param_groups[0]["params"][0], np.random.default_rng(seed)
    for _ in range(steps):
        parameter.grad = tensor_of(rng.standard_normal(parameter.shape))
        optimizer.step()
        scheduler.step(*[1.0] * (type(scheduler).__name__ == "ReduceLROnPlateau"))
    return parameter.detach().numpy().copy(), optimizer.param_groups[0]["lr"]


@pytest.mark.parametrize(("rule", "schedule"), [*[(rule, "StepLR") for rule in OPTIMIZERS],
                                                *[("SGD", schedule) for schedule in SCHEDULERS]])
def test_training_goes_on_in_the_other_library_and_back(tmp_path, rule, schedule):
    torch = pytest.importorskip("torch")
    options = {"momentum": 0.9, "lr": 0.1} if rule == "SGD" else {}

    def start(library, rules, parameter):
        optimizer = getattr(rules, rule)([parameter], **options)
        return optimizer, getattr(rules.lr_scheduler, schedule)(optimizer, **SCHEDULERS[schedule])

    def theirs(values):
        return start(torch, torch.optim, torch.nn.Parameter(torch.tensor(values)))

    def ours(values):
        return start(autograd, optim, nn.Parameter(autograd.tensor(values)))

    def move(pair, save, load, begin):
        parameter = pair[0].param_groups[0]["params"][0].detach()
        save([parameter, *[part.state_dict() for part in pair]], tmp_path / "a.pt")
        values, *states = load(tmp_path / "a.pt")
        new = begin(values.numpy().copy())
        for part, state in zip(new, states, strict=True):
            part.load_state_dict(state)
        return new
    first = theirs(np.linspace(-1, 1, 6))
    after(3, 0, *first, torch.tensor)
    moved = move(first, torch.save, nn.load, ours)
    values, rate = after(3, 1, *moved, autograd.tensor)
    expected = after(3, 1, *first, torch.tensor)
    np.testing.assert_allclose(values, expected[0], rtol=1e-6, atol=1e-7)  # their step counts are float32
    assert rate == pytest.approx(expected[1])
    back = move(moved, nn.save, torch.load, theirs)
    np.testing.assert_allclose(after(3, 2, *back, torch.tensor)[0], after(3, 2, *first, torch.tensor)[0],
                               rtol=1e-6, atol=1e-7)


