"""nn.summary: shapes, parameters, floating-point operations and kept memory, counted by hand."""

import math

import numpy as np
import pytest

import autograd
import nn


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
    assert lines[3].split() == ["0:", "Conv2d", "(2,", "4,", "8,", "8)", "112", "28,160", "0", "B"]
    assert lines[-1].startswith("total")


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
    assert not model._hooks and not model[0]._hooks
    for name, t in model.state_dict().items():
        np.testing.assert_array_equal(t.numpy(), before[name])


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
