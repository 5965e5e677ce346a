"""nn.summary: shapes, parameters, floating-point operations and kept memory, counted by hand."""

import importlib
import math
from xml.etree import ElementTree

import numpy as np
import pytest

import autograd
import nn
from tests.nn.layers import CASES


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Dropout(0.5), nn.Linear(4 * 16, 10))


def test_the_rows_of_a_convolutional_network():
    result = nn.summary(network(), autograd.zeros(2, 3, 8, 8))
    rows = {row.kind: row for row in result.rows}
    assert [row.kind for row in result.rows] == ["Sequential", "Conv2d", "BatchNorm2d", "ReLU", "MaxPool2d", "Flatten",
                                                 "Dropout", "Linear"]
    assert rows["Conv2d"].output_shape == (2, 4, 8, 8)
    assert rows["Conv2d"].parameters == 4 * 3 * 9 + 4
    assert rows["Conv2d"].flops == 2 * 4 * 64 * (2 * 3 * 9 + 1)
    assert rows["MaxPool2d"].flops == 2 * 4 * 16 * 4
    assert rows["Linear"].flops == 2 * 10 * (2 * 64 + 1)
    assert rows["Flatten"].flops == rows["Sequential"].flops == 0
    assert rows["Conv2d"].activation_bytes == 0  # keeps its input, which is the caller's
    assert rows["ReLU"].activation_bytes == 4 * 2 * 4 * 64  # its output
    assert result.parameters == sum(p.numel() for p in network().parameters())
    assert result.parameter_bytes == 4 * result.parameters
    assert result.flops == sum(row.flops for row in result.rows)


def test_the_table_is_text():
    lines = str(nn.summary(network(), autograd.zeros(2, 3, 8, 8))).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[3].split() == ["0:", "Conv2d", "(2,", "4,", "8,", "8)", "112", "28,160", "13,824", "0", "B"]
    assert lines[-1].startswith("total")


def test_a_cell_that_ends_with_it_shows_a_table():
    result = nn.summary(network(), autograd.zeros(2, 3, 8, 8))
    assert repr(result) == str(result)
    head, *rows = [[cell.text.strip() for cell in row] for row in ElementTree.fromstring(result._repr_html_())]
    assert head == ["layer", "output shape", "parameters", "FLOPs", "multiply-adds", "activations"]
    assert rows[1] == ["0: Conv2d", "(2, 4, 8, 8)", "112", "28,160", "13,824", "0 B"]
    assert [row[0] for row in rows] == [line.split("(")[0].split("parameters")[0].strip()
                                        for line in str(result).splitlines() if "─" not in line][1:]
    result.rows[0].kind = "A<b>&"
    assert ElementTree.fromstring(result._repr_html_())[1][0].text == "A<b>&"


@pytest.mark.parametrize("training", [True, False])
def test_the_model_and_the_random_state_are_left_as_they_were(training):
    model = network().train(training)
    model[0].requires_grad_(False)
    before = {name: t.numpy().copy() for name, t in model.state_dict().items()}
    autograd.manual_seed(0)
    nn.summary(model, autograd.randn(2, 3, 8, 8, generator=autograd.Generator()))
    drawn = autograd.rand(3).tolist()
    autograd.manual_seed(0)
    assert drawn == autograd.rand(3).tolist()
    assert not model[0].weight.requires_grad
    assert not model._registered_hooks and not model[0]._registered_hooks
    for name, t in model.state_dict().items():
        np.testing.assert_array_equal(t.numpy(), before[name])


# Blocks of torchvision's models, by hand: name -> the module, the shape of an input, parameters, multiply-adds.
BLOCKS = {
    "alexnet's first": (lambda: nn.Conv2d(3, 64, 11, stride=4, padding=2), (1, 3, 224, 224),
                        64 * 3 * 11 * 11 + 64, 64 * 55 * 55 * 3 * 11 * 11),
    "resnet's first": (lambda: nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
                                             nn.MaxPool2d(3, 2, 1)), (1, 3, 64, 64),
                       64 * 3 * 49 + 2 * 64, 64 * 32 * 32 * 3 * 49),
    "mobilenet's depthwise": (lambda: nn.Conv2d(32, 32, 3, padding=1, groups=32, bias=False), (1, 32, 16, 16),
                              32 * 9, 32 * 16 * 16 * 9),
    "vgg's last": (lambda: nn.Linear(4096, 1000), (2, 4096), 4096 * 1000 + 1000, 2 * 4096 * 1000),
    "vit's attention": (lambda: SelfAttention(192, 3), (2, 17, 192), 4 * 192 * 192 + 4 * 192,
                        2 * 17 * 4 * 192 * 192 + 2 * 2 * 17 * 17 * 192),
    "a decoder's": (lambda: nn.ConvTranspose2d(8, 4, 2, stride=2), (1, 8, 5, 5), 8 * 4 * 4 + 4, 25 * 8 * 4 * 4),
    "a language model's": (lambda: nn.LSTM(10, 20), (7, 3, 10), 4 * 20 * (10 + 20) + 2 * 4 * 20,
                           7 * 3 * 4 * 20 * (10 + 20)),
    "without products": (lambda: nn.Sequential(nn.GELU(), nn.AvgPool2d(2), nn.Softmax(-1)), (1, 3, 4, 4), 0, 0),
}


class SelfAttention(nn.MultiheadAttention):
    def __init__(self, *args):
        super().__init__(*args, batch_first=True)

    def forward(self, x):
        return super().forward(x, x, x, need_weights=False)[0]


@pytest.mark.parametrize("name", BLOCKS)
def test_multiply_adds_and_parameters_are_those_of_the_formulas(name):
    make, shape, parameters, multiply_adds = BLOCKS[name]
    model = make()
    result = nn.summary(model, autograd.randn(*shape))
    assert result.parameters == parameters == sum(p.numel() for p in model.parameters())
    assert result.multiply_adds == multiply_adds
    assert 2 * result.multiply_adds <= result.flops


def test_parameters_belong_to_whoever_uses_them():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.unused, self.weight_only, self.table = nn.Linear(9, 9), nn.Linear(4, 5), nn.Embedding(5, 4)

        def forward(self, i):
            return nn.functional.linear(self.table(i), self.table.weight) + self.weight_only.bias

    model, table = nn.summary(Tied(), autograd.arange(5)).rows
    assert (model.parameters, table.parameters) == (5, 20)


def test_what_is_computed_again_is_counted_once_and_not_kept():
    class Checkpointed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))

        def forward(self, x):
            return autograd.checkpoint(self.layers, x)

    x = autograd.ones(3, 4)
    rows, plain = nn.summary(Checkpointed(), x).rows[1:], nn.summary(Checkpointed().layers, x).rows
    assert [row.flops for row in rows] == [row.flops for row in plain]
    assert [row.activation_bytes for row in rows] == [0] * 4 < [row.activation_bytes for row in plain]


def test_a_tensor_from_elsewhere_belongs_to_no_row():
    outside = (autograd.ones(3, requires_grad=True) * 2).exp()

    class Plus(nn.Module):
        def forward(self, x):
            return x + outside

    row, = nn.summary(Plus(), autograd.ones(3)).rows
    assert (row.flops, row.activation_bytes) == (3, 0)


def test_evaluation_of_dropout_costs_nothing():
    x = autograd.ones(4, 8)
    assert nn.summary(nn.Dropout().eval(), x).flops == 0
    assert nn.summary(nn.Dropout(), x).flops == 32


def test_a_layer_used_twice_has_its_parameters_once_and_what_is_between_layers_belongs_to_the_model():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(5, 5)

        def forward(self, x):
            return self.layer(self.layer(x).exp())

    model, once, again = nn.summary(Twice(), autograd.ones(3, 5)).rows
    assert (model.parameters, once.parameters, again.parameters) == (0, 30, 0)
    assert once.flops == again.flops == 15 * 11
    assert model.flops == 15
    assert once.name == again.name == "layer"


@pytest.mark.parametrize(("kind", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_recurrent_layers_take_matrix_products_at_each_step(kind, gates):
    row, = nn.summary(kind(5, 7), autograd.ones(4, 3, 5)).rows
    assert row.flops == 2 * 4 * 3 * gates * 7 * (5 + 7)
    assert row.output_shape[0] == (4, 3, 7)


def test_attention_has_two_products_besides_its_linear_maps():
    x = autograd.ones(2, 6, 8)
    row = nn.summary(nn.MultiheadAttention(8, 2, batch_first=True), x, x, x).rows[0]
    least = 2 * 4 * math.prod((2, 6, 8)) * 8 + 2 * 2 * 2 * 6 * 6 * 8
    assert least <= row.flops < 1.3 * least


def test_transposed_convolutions_and_integers_as_input():
    result = nn.summary(nn.ConvTranspose2d(3, 4, 3, bias=False), autograd.ones(2, 3, 5, 5))
    assert result.flops == 2 * 2 * 25 * 3 * 4 * 9
    result = nn.summary(nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 2)), autograd.arange(6))
    assert [row.output_shape for row in result.rows] == [(6, 2), (6, 4), (6, 2)]
    assert result.rows[1].flops == 0


@pytest.mark.parametrize("case", [case for case in CASES if not case.call and "Transformer" not in case.name], ids=str)
def test_products_are_counted_as_pytorch_counts_them(case, as_pytorch):
    """And the rest of what a layer computes as it was counted before."""
    ours = nn.summary(case.layer(autograd, nn), *map(autograd.tensor, case.inputs))

    def program(library, layers):
        if library is autograd:
            return 2 * ours.multiply_adds, ours.flops
        layer = case.layer(library, layers)
        with importlib.import_module("torch.utils.flop_counter").FlopCounterMode(display=False) as count:
            layer(*map(library.tensor, case.inputs))
        return count.get_total_flops(), ours.flops
    as_pytorch(program)
