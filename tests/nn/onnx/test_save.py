"""Models as ONNX files: the same as onnxruntime, for every layer; what can't be written is refused by name."""

import collections
import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
import nn.onnx
from nn.onnx.save import _names_of_inputs
from nn.onnx.tracing import arrays_in
from nn.vision import models
from tests.nn import layers

onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.filterwarnings("ignore:the file is for inputs of these sizes")

INDICES = "the positions of maxima are computed without Tensors"
REFUSED = {
    "MaxPool2d(2, return_indices=True": INDICES, "AdaptiveMaxPool1d(3, return_indices=True": INDICES,
    "AdaptiveMaxPool3d(2, return_indices=True": INDICES, "MaxUnpool": "it writes to places that are an input",
    "FractionalMaxPool": "its regions are drawn", "AdaptiveLogSoftmaxWithLoss": "a loss",
    "EmbeddingBag(6, 3, mode='sum', padding_idx": "bags of different sizes",
    "EmbeddingBag(6, 3, mode='mean', padding_idx": "bags of different sizes",
    "EmbeddingBag(6, 3, mode='max', padding_idx": "bags of different sizes",
    "EmbeddingBag(6, 3, include_last_offset": "bags of different sizes"}
"""The layers that are not written, by how their examples begin."""


def by_onnxruntime(path, arrays):
    """The outputs; where it isn't installed, as the file is read here."""
    try:
        import onnxruntime
    except ImportError:
        return arrays_in(nn.onnx.load(path)(**{name: np.array(array) for name, array in arrays.items()}))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {value.name: np.array(arrays[value.name]) for value in session.get_inputs()})


def assert_same(path, model, args, kwargs=None, rtol=1e-5):
    kwargs = kwargs or {}
    given = (args, kwargs)
    with autograd.no_grad():
        expected = arrays_in(model(*args, **kwargs))
    found = by_onnxruntime(path, dict(zip(_names_of_inputs(model, given, None), arrays_in(given), strict=True)))
    for ours, theirs in zip(expected, found, strict=True):
        assert theirs.shape == ours.shape and theirs.dtype == ours.dtype
        np.testing.assert_allclose(theirs, ours, rtol, rtol * np.abs(ours).max(initial=0))


def of_float32(value):
    return autograd.tensor(value.astype(np.float32) if value.dtype.kind == "f" else value)


WITH_A_MEANING = [case for case in layers.CASES if case not in layers.LOSSES]


@pytest.mark.parametrize("case", WITH_A_MEANING, ids=str)
def test_every_layer_is_written_or_refused(case, tmp_path):
    layer = case.layer(autograd, nn).float().eval()
    args = tuple(of_float32(x) for x in case.inputs)
    kwargs = {key: of_float32(v) if isinstance(v, np.ndarray) else v for key, v in case.call.items()}
    path = tmp_path / "layer.onnx"
    if any(str(case).startswith(refused) for refused in REFUSED):
        with pytest.raises(NotImplementedError):
            nn.onnx.save(layer, args, path, kwargs=kwargs)
        assert not path.exists()
    else:
        nn.onnx.save(layer, args, path, kwargs=kwargs)
        assert_same(path, layer, args, kwargs)


def test_the_first_axis_is_dynamic(tmp_path):
    model, path = nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nn.onnx.save(model, autograd.randn(2, 3, 4), path)
    assert_same(path, model, (autograd.randn(7, 3, 4),))
    shape = onnx.load(path).graph.input[0].type.tensor_type.shape
    assert shape.dim[0].dim_param == "batch" and shape.dim[1].dim_value == 3


def test_a_model_for_one_size_alone_says_so(tmp_path):
    with pytest.warns(UserWarning, match=r"for inputs of these sizes alone, \(4,\).*dynamic_axes"):
        nn.onnx.save(nn.Linear(4, 2), autograd.randn(4), tmp_path / "net.onnx")
    with pytest.raises(NotImplementedError, match="can't be run with other inputs"):
        nn.onnx.save(nn.Linear(4, 2), autograd.randn(4), tmp_path / "net.onnx", dynamic_axes={"input": [0]})


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(0.1))

    def forward(self, x):
        b, t, width = x.shape
        q, k, v = (part.view(b, t, 4, width // 4).transpose(1, 2) for part in self.qkv(self.before(x)).split(width, 2))
        attended = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(attended.transpose(1, 2).reshape(b, t, width))
        return x + self.mlp(self.after(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(20, 16), nn.Embedding(12, 16)
        self.blocks, self.head = nn.Sequential(Block(16), Block(16)), nn.Linear(16, 20, bias=False)
        self.head.weight = self.tokens.weight

    def forward(self, ids):
        return self.head(self.blocks(self.tokens(ids) + self.positions(autograd.arange(ids.shape[1]))))


class Padded(nn.Module):
    """A mask and a mean that integers decide."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(20, 8, padding_idx=0)
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 1)

    def forward(self, ids):
        hidden = ids == 0
        states = self.encoder(self.tokens(ids), src_key_padding_mask=hidden)
        seen = (~hidden).float().unsqueeze(-1)
        return (states * seen).sum(1) / seen.sum(1)


class Captions(nn.Module):
    """Words one after the other, each the likeliest."""

    def __init__(self):
        super().__init__()
        self.look, self.start = nn.Conv2d(3, 8, 3, stride=2), nn.Linear(8, 12)
        self.words, self.cell, self.scores = nn.Embedding(20, 6), nn.LSTMCell(6, 12), nn.Linear(12, 20)

    def forward(self, image):
        h = self.start(self.look(image).relu().mean((2, 3)))
        c, word, words = autograd.zeros_like(h), autograd.zeros(len(image), dtype=np.int64), []
        for _ in range(3):
            h, c = self.cell(self.words(word), (h, c))
            word = self.scores(h).argmax(-1)
            words.append(word)
        return autograd.stack(words, 1), h


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down, self.deep = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 8, 3, padding=1)
        self.norm, self.up, self.out = nn.BatchNorm2d(4), nn.ConvTranspose2d(8, 4, 2, stride=2), nn.Conv2d(8, 2, 1)

    def forward(self, x):
        fine = self.norm(self.down(x)).relu()
        coarse = self.deep(nn.functional.max_pool2d(fine, 2)).relu()
        return self.out(autograd.cat([fine, self.up(coarse)], 1))


def ids(*shape):
    return autograd.randint(20, shape)


def normal(*shape):
    return autograd.randn(*shape)


BATCH_AND_TIME = {"ids": {0: "batch", 1: "time"}}
MODELS = {
    "GPT": (GPT, (ids(2, 5),), (ids(3, 12),), BATCH_AND_TIME),
    "GPT of its full length": (GPT, (ids(2, 12),), (ids(1, 3),), BATCH_AND_TIME),
    "padding": (Padded, (autograd.tensor([[3, 4, 0], [5, 0, 0]]),), (autograd.tensor([[1, 2, 3, 4, 0]]),),
                BATCH_AND_TIME),
    "captions": (Captions, (normal(2, 3, 8, 8),), (normal(3, 3, 8, 8),), None),
    "U-Net": (UNet, (normal(1, 3, 8, 8),), (normal(2, 3, 16, 12),), {"x": {0: "batch", 2: "height", 3: "width"}}),
    "Transformer": (lambda: nn.Transformer(8, 2, 1, 1, 16, batch_first=True), (normal(2, 4, 8), normal(2, 3, 8)),
                    (normal(3, 5, 8), normal(3, 6, 8)),
                    {"src": {0: "batch", 1: "source"}, "tgt": {0: "batch", 1: "target"}}),
    **{kind.__name__: (lambda kind=kind: kind(3, 4, 2, batch_first=True, bidirectional=True), (normal(2, 5, 3),),
                       (normal(3, 7, 3),), {"input": {0: "batch", 1: "time"}}) for kind in (nn.LSTM, nn.GRU, nn.RNN)}}


@pytest.mark.parametrize("name", MODELS)
def test_models_of_any_size(name, tmp_path):
    make, args, others, axes = MODELS[name]
    model, path = make().eval(), tmp_path / "model.onnx"
    nn.onnx.save(model, args, path, dynamic_axes=axes)
    for given in (args, others):
        assert_same(path, model, given)


@pytest.mark.parametrize(("name", "size"), [("mobilenet_v3_small", 32), ("shufflenet_v2_x0_5", 32),
                                            ("squeezenet1_1", 64), ("resnet18", 32)])
def test_models_of_images(name, size, tmp_path):
    model, path, images = getattr(models, name)(num_classes=5).eval(), tmp_path / "model.onnx", normal(2, 3, size, size)
    nn.onnx.save(model, images, path)
    assert_same(path, model, (images,), rtol=1e-4)


def test_names_and_fused_operators(tmp_path):
    net = nn.Sequential(collections.OrderedDict(conv=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4), pool=nn.AvgPool2d(2)))
    net.append(nn.LayerNorm(3))
    nn.onnx.save(net, normal(2, 3, 8, 8), tmp_path / "net.onnx", input_names=["image"], output_names=["features"])
    graph = onnx.load(tmp_path / "net.onnx").graph
    assert [node.op_type for node in graph.node if node.op_type != "Identity"] == [
        "Conv", "BatchNormalization", "AveragePool", "LayerNormalization"]
    assert graph.node[0].name.startswith("conv/") and graph.node[1].name.startswith("norm/")
    weights = {initializer.name for initializer in graph.initializer}
    assert weights == {name for name in net.state_dict() if "num_batches" not in name}
    assert graph.input[0].name == "image" and graph.output[0].name == "features"


def test_a_file_is_read_again_and_trained_on(tmp_path):
    model, path, images = UNet().eval(), tmp_path / "net.onnx", normal(2, 3, 8, 8)
    nn.onnx.save(model, images, path)
    again = nn.onnx.load(path)
    for net in (model, again):
        (net(images) ** 2).sum().backward()
    theirs = dict(again.named_parameters())
    assert theirs.keys() == dict(model.named_parameters()).keys()
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(theirs[name].grad, parameter.grad, 1e-4, 1e-4 * np.abs(parameter.grad).max())


def test_the_model_stays_as_it_was(tmp_path):
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout()).train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    autograd.manual_seed(0)
    nn.onnx.save(model, normal(2, 3), tmp_path / "net.onnx")
    nn.onnx.save(model[:2], normal(2, 3), tmp_path / "net.onnx", training=True)
    assert all(module.training for module in model.modules())
    for key, value in model.state_dict().items():
        np.testing.assert_array_equal(value, before[key])


def test_what_it_does_in_training(tmp_path):
    model, path, x = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), tmp_path / "net.onnx", normal(5, 3)
    nn.onnx.save(model, x, path, training=True)
    assert_same(path, model, (x,))
    with pytest.raises(NotImplementedError, match=r"'weighted' in the module '1'.*random"):
        nn.onnx.save(nn.Sequential(nn.Linear(3, 3), nn.Dropout()), x, path, training=True)


def of(function):
    class Model(nn.Module):
        def forward(self, x):
            return function(x)
    return Model()


def written_in_place(x):
    y = x * 1
    y[:, 0] = x[:, 1]
    y += 1
    y[:, 1:].mul_(2)
    return y


def written_unseen(x):
    y = x.detach().clone()
    with autograd.no_grad():
        y[:, 0] = x[:, 1]
    return y * 2


def test_writes_in_place_are_right(tmp_path):
    model, x = of(written_in_place), normal(2, 3)
    nn.onnx.save(model, x, tmp_path / "net.onnx")
    assert_same(tmp_path / "net.onnx", model, (x,))


class Rows(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(normal(5, 3))

    def forward(self, index):
        return self.weight[index]


def test_integers_as_an_index(tmp_path):
    model = Rows()
    nn.onnx.save(model, autograd.tensor([1, 2]), tmp_path / "rows.onnx")
    assert_same(tmp_path / "rows.onnx", model, (autograd.tensor([4, 0, 0]),))


def test_a_number_that_happens_to_change_like_a_length(tmp_path):
    class Times(nn.Module):
        def forward(self, x, times):
            return x * float(times)

    with pytest.raises(NotImplementedError, match="'mul'"):
        nn.onnx.save(Times(), (normal(2, 3), autograd.tensor(2)), tmp_path / "net.onnx")


@pytest.mark.parametrize(("function", "why"), [
    (lambda x: x * x.max().item(), r"\.item\(\)"),
    (lambda x: x.exp() if x.sum() > 0 else x, "a loop or branch of Python"),
    (lambda x: x.exp() if x.sum() > 0 else x.sin(), "a loop or branch of Python"),
    (written_unseen, "is not that of the model for other inputs"),
    (lambda x: x[x > 0], "index|changes with the inputs"),
    (lambda x: x * autograd.randn(3), "random"),
    (lambda x: x + np.sort(x.detach().numpy()), "no operation on Tensors"),
    (lambda x: autograd.linalg.inv(x[:, :2]), "'inv'.*no translation"),
])
def test_what_would_be_wrong_is_refused(function, why, tmp_path):
    with pytest.raises(NotImplementedError, match=why):
        nn.onnx.save(of(function), autograd.tensor([[1.0, 2.0, -0.5], [0.5, 3.0, 1.0]]), tmp_path / "net.onnx")


def test_the_module_is_named(tmp_path):
    model = nn.Sequential(nn.Linear(3, 3), nn.Sequential(of(lambda x: x * x.max().item())))
    with pytest.raises(NotImplementedError, match=r"'mul' in the module '1\.0'"):
        nn.onnx.save(model, normal(2, 3), tmp_path / "net.onnx")


def test_arguments_that_are_mistaken(tmp_path):
    net, x, path = nn.Linear(3, 2), normal(2, 3), tmp_path / "net.onnx"
    for options, message in [({"input_names": ["a", "b"]}, "input_names must be 1 different"),
                             ({"output_names": ["a", "b"]}, "1 outputs"),
                             ({"dynamic_axes": {"y": [0]}}, "'y'.*none of the inputs input"),
                             ({"dynamic_axes": {"input": [2]}}, "does not have"),
                             ({"input_names": ["weight"]}, "name 'weight' of a parameter")]:
        with pytest.raises(ValueError, match=message):
            nn.onnx.save(net, x, path, **options)
    with pytest.raises(ValueError, match="no Tensor among the arguments"):
        nn.onnx.save(net, (), path)


def test_states_in_tuples_and_float64(tmp_path):
    model, path = nn.LSTM(3, 4).double(), tmp_path / "net.onnx"
    args = (normal(5, 2, 3).double(), (normal(1, 2, 4).double(), normal(1, 2, 4).double()))
    nn.onnx.save(model, args, path, dynamic_axes={"input": {0: "time"}})
    assert [value.name for value in onnx.load(path).graph.input] == ["input", "hx_0", "hx_1"]
    again = nn.onnx.load(path)
    for ours, theirs in zip(arrays_in(model(*args)), arrays_in(again(args[0], *args[1])), strict=True):
        np.testing.assert_allclose(theirs, ours, 1e-12)


PYTORCHS = """
import torch, torch.onnx
net, x = torch.nn.Linear(3, 2), torch.ones(2, 3)
torch.onnx.export(net, (x,), "any.onnx", input_names=["x"], output_names=["y"],
                  dynamic_axes={"x": {0: "batch"}, "y": {0: "batch"}})
torch.onnx.export(net, (x,), "fixed.onnx", opset_version=18)
try:
    torch.onnx.export(net, (x,))
except ValueError as error:
    print(error)
"""


def test_pytorchs_export(tmp_path):
    (tmp_path / "script.py").write_text(PYTORCHS)
    run = subprocess.run([sys.executable, "-m", "nn.as_torch", "script.py"], cwd=tmp_path, capture_output=True,
                         text=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}, check=False)
    assert "give the path of the file" in run.stdout, run.stderr
    graph = onnx.load(tmp_path / "any.onnx").graph
    assert [value.type.tensor_type.shape.dim[0].dim_param for value in (*graph.input, *graph.output)] == ["batch"] * 2
    assert onnx.load(tmp_path / "fixed.onnx").graph.input[0].type.tensor_type.shape.dim[0].dim_value == 2


def test_without_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"nn\.onnx\.save needs the package onnx: pip install 'gradcircuit\[onnx\]'"):
        nn.onnx.save(nn.Linear(3, 2), normal(2, 3), tmp_path / "net.onnx")
