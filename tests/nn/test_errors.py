"""What does not fit is refused at once, with the layer, what it expects and what it was given."""

import pytest

import autograd
import nn
from nn import functional as F
from nn.utils import rnn

zeros = autograd.zeros


def integers(*values):
    return autograd.tensor(values)


@pytest.mark.parametrize(("call", "parts"), [
    (lambda: nn.Linear(4, 3)(zeros(2, 5)), ["(2, 5)", "(3, 4)", "Linear(in_features=4"]),
    (lambda: nn.Bilinear(2, 3, 4)(zeros(1, 2), zeros(1, 2)), ["(1, 2)", "(4, 2, 3)", "Bilinear"]),
    (lambda: nn.Conv2d(3, 8, 3)(zeros(1, 4, 8, 8)), ["Conv2d", "(N, 3, H, W)", "(1, 4, 8, 8)"]),
    (lambda: nn.Conv2d(3, 8, 9)(zeros(1, 3, 8, 8)), ["(9, 9)", "(8, 8)", "Conv2d"]),
    (lambda: nn.Conv2d(3, 8, 3, groups=2), ["groups=2", "in_channels=3"]),
    (lambda: nn.Conv2d(3, 8, 3, stride=2, padding="same"), ["same", "(2, 2)"]),
    (lambda: nn.Conv2d(3, 8, (3, 3, 3)), ["kernel_size", "2 entries", "(3, 3, 3)"]),
    (lambda: nn.Conv2d(3, 8, 3, padding_mode="mirror"), ["'mirror'", "reflect"]),
    (lambda: nn.ConvTranspose2d(3, 8, 3, stride=2, output_padding=2)(zeros(1, 3, 4, 4)), ["output_padding (2, 2)"]),
    (lambda: F.conv1d(zeros(1, 3, 8), zeros(4, 3, 3, 3)), ["conv1d", "3 axes", "(4, 3, 3, 3)"]),
    (lambda: nn.MaxPool2d(2)(zeros(3, 4)), ["(3, 4)", "MaxPool2d(kernel_size=2"]),
    (lambda: nn.MaxPool2d(2, padding=2)(zeros(1, 1, 8, 8)), ["padding (2, 2)", "half"]),
    (lambda: nn.AvgPool1d(5)(zeros(1, 1, 4)), ["(5,)", "(4,)"]),
    (lambda: nn.BatchNorm2d(3)(zeros(2, 3, 4)), ["BatchNorm2d", "(N, 3, H, W)", "(2, 3, 4)"]),
    (lambda: nn.BatchNorm1d(3)(zeros(1, 3)), ["more than one", "(1, 3)", "BatchNorm1d(3"]),
    (lambda: nn.LayerNorm(4)(zeros(2, 5)), ["(4,)", "(2, 5)", "LayerNorm"]),
    (lambda: nn.GroupNorm(2, 4)(zeros(2, 3, 4)), ["(2, 3, 4)", "GroupNorm"]),
    (lambda: nn.GroupNorm(2, 3), ["num_channels=3", "num_groups=2"]),
    (lambda: nn.LSTM(3, 4)(zeros(5, 2, 4)), ["LSTM", "(T, B, 3)", "(5, 2, 4)"]),
    (lambda: nn.LSTM(3, 4)(zeros(5, 2, 3), (zeros(1, 1, 4), zeros(1, 1, 4))), ["LSTM", "(1, 2, 4)", "(1, 1, 4)"]),
    (lambda: nn.LSTM(3, 4)(zeros(5, 2, 3), zeros(1, 2, 4)), ["pair (h_0, c_0)", "Tensor"]),
    (lambda: nn.LSTM(3, 4, proj_size=4), ["proj_size=4", "hidden_size=4"]),
    (lambda: nn.GRU(3, 4, batch_first=True)(zeros(2, 0, 3)), ["GRU", "no steps"]),
    (lambda: nn.GRUCell(3, 4)(zeros(2, 3), zeros(2, 5)), ["GRUCell", "(2, 4)", "(2, 5)"]),
    (lambda: nn.RNN(3, 4, nonlinearity="sigmoid"), ["'sigmoid'", "tanh"]),
    (lambda: nn.MultiheadAttention(6, 4), ["embed_dim=6", "num_heads=4"]),
    (lambda: nn.MultiheadAttention(6, 2)(zeros(4, 2, 6), zeros(4, 2, 5), zeros(4, 2, 6)),
     ["key", "length 6", "(4, 2, 5)"]),
    (lambda: nn.MultiheadAttention(6, 2)(*[zeros(4, 2, 6)] * 3, attn_mask=zeros(3, 4)),
     ["attn_mask", "(4, 4)", "(3, 4)"]),
    (lambda: F.scaled_dot_product_attention(zeros(4, 6), zeros(5, 6), zeros(4, 6)), ["(4, 6)", "(5, 6)"]),
    (lambda: nn.Embedding(4, 2)(integers(1, 7)), ["index 7", "4 rows", "Embedding(4, 2)"]),
    (lambda: nn.Embedding(4, 2)(zeros(2)), ["float32", "long()"]),
    (lambda: F.cross_entropy(zeros(4, 3), integers(0, 1, 2)), ["(4, 3)", "(4,)", "(3,)"]),
    (lambda: F.cross_entropy(zeros(2, 3), integers(0, 3)), ["target 3", "3 classes"]),
    (lambda: F.cross_entropy(zeros(2, 3), zeros(2)), ["float32", "integers"]),
    (lambda: F.cross_entropy(zeros(2, 3), integers(0, 1), weight=zeros(2)), ["(3,)", "(2,)"]),
    (lambda: nn.CrossEntropyLoss(reduction="average")(zeros(2, 3), integers(0, 1)), ["'average'", "mean"]),
    (lambda: F.binary_cross_entropy(zeros(2, 3) + 2, zeros(2, 3)), ["probabilities", "2.0", "with_logits"]),
    (lambda: F.binary_cross_entropy_with_logits(zeros(2, 3), zeros(2)), ["(2, 3)", "(2,)"]),
    (lambda: F.multi_margin_loss(zeros(2, 3, 4), integers(0, 1)), ["multi_margin_loss", "(2, 3, 4)"]),
    (lambda: F.avg_pool2d(zeros(1, 1, 4, 4), 2, divisor_override=0), ["avg_pool2d", "divisor_override"]),
    (lambda: F.interpolate(zeros(1, 1, 4, 4), size=8, antialias=True), ["antialias=True", "'nearest'"]),
    (lambda: F.interpolate(zeros(1, 1, 4, 4), size=8, mode="lanczos"), ["antialias=False", "'lanczos'"]),
    (lambda: F.fractional_max_pool2d(zeros(1, 1, 4, 4), 2, 0), ["fractional_max_pool2d", "(0, 0)"]),
    (lambda: F.pad(zeros(1, 1, 3), (3, 0), "reflect"), ["pad", "reflect", "3"]),
    (lambda: nn.Dropout(1.5), ["Dropout", "1.5"]),
    (lambda: nn.PReLU(5)(zeros(2, 3)), ["(2, 3)", "(5,)"]),
    (lambda: nn.Softmax(), ["Softmax", "dim"]),
    (lambda: nn.LeakyReLU(slope=0.2), ["LeakyReLU", "slope"]),
    (lambda: F.pad(zeros(3), (1, 1, 1)), ["pad", "(1, 1, 1)"]),
    (lambda: F.interpolate(zeros(1, 1, 4, 4), size=8, mode="linear"), ["bilinear", "'linear'"]),
    (lambda: F.pixel_shuffle(zeros(1, 6, 2, 2), 2), ["6 channels", "4"]),
    (lambda: rnn.pack_padded_sequence(zeros(5, 2, 3), [2, 4]), ["[2, 4]", "enforce_sorted=False"]),
    (lambda: rnn.pack_padded_sequence(zeros(5, 2, 3), [6, 4]), ["[6, 4]", "1 to 5"]),
    (lambda: nn.init.xavier_uniform_(zeros(3)), ["two axes", "(3,)"]),
    (lambda: nn.init.calculate_gain("swish"), ["'swish'", "relu"]),
])
def test_error_says_what_was_given_and_what_fits(call, parts):
    with pytest.raises((ValueError, TypeError, IndexError, RuntimeError)) as info:
        call()
    message = "\n".join([str(info.value), *getattr(info.value, "__notes__", [])])
    for part in parts:
        assert part in message
