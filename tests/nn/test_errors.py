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


# On both sides of a limit

x, labels = zeros(2, 4), integers(0, 1)
LIMITS = [  # a call with a gap, what fits, what does not, and what is said of that
    # Activations
    ("F.gelu(x, approximate={})", "'none' 'tanh'", "'erf' None", "'none' or 'tanh'"),
    ("F.hardtanh(x, 0, {})", "0 1", "-0.1 -1", "min_val=0"),
    ("F.softshrink(x, {})", "0 0.5", "-0.1", "negative"),
    ("F.celu(x, {})", "1 -1", "0 0.0", "alpha"),
    ("F.glu(zeros(2, {}))", "0 2 4", "1 3", "divisible by 2"),
    ("F.maxout(zeros(2, {}), 3)", "3 6", "2 4", "pieces=3"),
    ("F.prelu(zeros(2, 3), zeros({}))", "1 3", "2 4 0", "(2, 3)"),
    # Dropout
    ("F.dropout(x, {})", "0 0.5 1", "-0.1 1.1", "between 0 and 1"),
    ("F.alpha_dropout(x, {}, True)", "0 0.5 1", "-0.1 1.1", "between 0 and 1"),
    ("F.stochastic_depth(x, 0.5, {})", "'row' 'batch'", "'column'", "'batch' or 'row'"),
    # Tables
    ("F.embedding_bag(labels, zeros({}), integers(0))", "(2,3) (2,1)", "2 (2,2,2)", "(count, width)"),
    ("F.embedding(integers({}), zeros(3,2))", "0 2", "3 -1", "3 rows"),
    ("F.one_hot(integers({}), 3)", "0 2", "-1 3", "3 classes"),
    ("F.one_hot(integers(0).to({}))", "'int8' 'int64'", "'float32' 'bool'", "integers"),
    ("F.one_hot(zeros({}).long())", "1 2", "0", "num_classes"),
    ("nn.Embedding(4, 2, {})", "0 3 -4", "4 -5", "4 rows"),
    ("nn.Embedding(4, 2, _weight=zeros({}))", "(4,2)", "(4,3) (3,2)", "4 rows of 2"),
    # Products
    ("F.linear(x, zeros(3,4), zeros({}))", "3", "4 1", "bias has shape"),
    ("F.conv1d(zeros({}), zeros(6,2,1), groups=2)", "(1,4,3) (4,3)", "(1,3,3) (1,5,3) (1,2,3)", "groups=2"),
    ("F.conv1d(zeros(1,6,3), zeros(6,6//{},1), groups={})", "1 2 3 6", "4 5", "groups"),
    ("F.conv1d(zeros(1,2,3), zeros(2,2,1), zeros({}))", "2", "1 3 (2,1)", "the bias must have shape (2,)"),
    ("F.conv1d(zeros(1,2,3), zeros(2,2,1), padding={})", "'same' 'valid' 0 1", "'half'", "'same', 'valid' or numbers"),
    ("F.conv_transpose1d(zeros(1,2,3), zeros({}))", "(2,1,1) (2,2,3)", "(2,1) (2,1,1,1)", "3 axes"),
    ("F.conv_transpose1d(zeros(1,2,3), zeros(2,1,1), padding={})", "0 1", "2 3", "nothing is left"),
    ("F.conv_tbc(zeros(3,1,2), zeros({}), zeros(1))", "(1,2,1)", "(2,1) (1,1,2,1)", "(k, C_in, C_out)"),
    ("nn.ConvTranspose2d(2, 2, 3, padding={})", "0 (1,2)", "'same' 'valid'", "must be a number"),
    ("nn.ConvTranspose2d(2, 2, 3, padding_mode={})", "'zeros'", "'reflect'", "padding_mode"),
    ("nn.ConvTranspose1d(1, 1, 3, 2)(zeros(1,1,4), output_size=[{}])", "9 10", "8 11", "cannot be reached"),
    # Attention
    ("F.scaled_dot_product_attention(zeros(4,3), zeros(2,3), zeros(2,3), attn_mask=zeros({}))", "(4,2) (1,2) 2",
     "(3,2) (4,3)", "attn_mask"),
    ("F.scaled_dot_product_attention(*[zeros(2,2)] * 3, attn_mask=zeros(2,2).to({}))", "'float32' 'bool'",
     "'int64' 'uint8'", "boolean"),
    ("F.scaled_dot_product_attention(*[zeros(2,2)] * 3, {}, is_causal=True)", "None", "zeros(2,2)", "not both"),
    ("F.scaled_dot_product_attention(zeros(4,1,2), *[zeros({},1,2)] * 2, enable_gqa=True)", "1 2 4", "3 5",
     "4 query heads"),
    ("nn.MultiheadAttention(4, 2)(*[zeros(3,2,4)] * 3, key_padding_mask=zeros({}))", "(2,3)", "(3,2) 3", "(2, 3)"),
    ("nn.TransformerEncoderLayer(4, 2, 4, activation={})", "'relu' 'gelu' F.silu", "'silu'", "'relu', 'gelu'"),
    ("nn.AdditiveAttention(3, 4, 5)(zeros(1,2,3), zeros(1,3,4), zeros(1,3,2), zeros({}).bool())", "(1,2,3) (1,1,3)",
     "(1,2,2)", "cannot be broadcast"),
    # Losses
    ("F.cross_entropy(zeros({}), integers(0)[0])", "2 1", "()", "no axes"),
    ("F.cross_entropy({}, zeros(2,2))", "zeros(2,2)", "labels", "the scores come first"),
    ("F.cross_entropy(zeros(2,2), zeros(2,2).to({}))", "'float32'", "'int64' 'bool' 'uint8'", "probabilities"),
    ("F.cross_entropy(zeros(2,2), labels, label_smoothing={})", "0 0.5 1", "-0.1 1.1", "label_smoothing"),
    ("F.multi_margin_loss(zeros(2,2), labels, p={})", "1 2", "0 3 1.5", "p must be 1 or 2"),
    ("F.mse_loss(x, x, weight=zeros({}))", "(2,4)", "4 (1,4)", "weight must have the input's shape"),
    ("F.binary_cross_entropy(x, x, weight=zeros({}))", "(2,4) 4 (1,4)", "3", "weight"),
    ("F.huber_loss(x, x, delta={})", "0.1 1", "0 -1", "delta must be positive"),
    ("F.smooth_l1_loss(x, x, beta={})", "0 1", "-0.1", "beta must not be negative"),
    ("F.gaussian_nll_loss(x, x, zeros({}))", "(2,4) (2,1) (1,4) 2", "3 (2,3)", "var has shape"),
    ("F.gaussian_nll_loss(x, x, zeros(2,4) + {})", "0 1", "-0.1", "negative"),
    ("F.cosine_embedding_loss(x, x, zeros({}))", "2", "1 (2,4) 3", "need a target of"),
    ("F.cosine_embedding_loss(zeros(4), zeros(4), zeros({}))", "()", "4", "need a target of"),
    ("F.triplet_margin_loss(x, x, zeros({}))", "(2,4) (1,4)", "4 (1,2,4)", "number of axes"),
    ("F.multilabel_margin_loss(zeros({}), zeros({}).long())", "(2,3) 3", "(1,2,3)", "(N, C) or (C,)"),
    ("F.multilabel_margin_loss(zeros(2), integers({}, -1))", "0 1 -1", "2 5", "2 classes"),
    ("F.multi_margin_loss(zeros(2,2), integers(0, {}))", "0 1", "2 -1", "2 classes"),
    ("F.ctc_loss(zeros(4,1,3), integers(1).reshape(1,1), integers({}), integers(1))", "0 4", "-1 5", "input_lengths"),
    ("F.ctc_loss(zeros(4,1,3), integers({}).reshape(1,1), integers(4), integers(1))", "0 2", "-1 3", "3 classes"),
    ("F.ctc_loss(zeros(4,1,3), zeros(1,2).long(), integers(4), integers({}))", "0 2", "3", "target_lengths"),
    ("F.ctc_loss(zeros(4,1,3), zeros({}).long(), integers(4), integers(2))", "(1,2) (1,3) 2", "(2,2) (1,1) (1,1,2) 3",
     "target_lengths"),
    ("F.ctc_loss(zeros(4,3), integers(1), integers({}), integers(1))", "4", "4,4", "target_lengths"),
    ("F.l1_loss(x, x, reduction={})", "'none' 'sum' 'mean'", "'batchmean' None", "reduction"),
    ("F.kl_div(x, x, reduction={})", "'none' 'sum' 'mean' 'batchmean'", "'avg'", "reduction"),
    ("F.ctc_loss(zeros(4,1,3), zeros(1,2).long(), integers(4), integers(2), reduction={})", "'sum' 'none'",
     "'batchmean'", "reduction"),
    # Normalization
    ("F.batch_norm(zeros(2,3), zeros(3), zeros({}))", "3", "2 (3,1)", "3 channels"),
    ("F.batch_norm(zeros({}), None, None, training=True)", "(2,3) (2,3,4) (1,3,2)", "3 (1,3) (1,3,1)", ""),
    ("F.batch_norm(zeros(2,3), zeros(3), {})", "zeros(3)", "None", "running_mean and running_var"),
    ("F.batch_norm(zeros(2,3), {}, zeros(3))", "zeros(3)", "None", "running_mean and running_var"),
    ("F.layer_norm(zeros(2,3), (3,), zeros({}))", "3", "2 (2,3)", "must have shape (3,)"),
    ("F.layer_norm(zeros(2,3), {})", "3 (3,) (2,3)", "2 (1,2,3) ()", "must end in the axes"),
    ("F.instance_norm(zeros({}))", "(1,2,3) (1,2,1,2)", "(2,3) (1,2,1) 3", "more than one value"),
    ("F.local_response_norm(zeros({}), 2)", "(1,2,3) (1,2,3,4)", "(2,3)", "(N, C, ...)"),
    ("F.group_norm(zeros(2,4), {})", "1 2 4", "3 8", ""),
    ("nn.LSTM(3, {})", "1 2", "0", "hidden_size=0"),
    ("nn.LSTM(3, 4, {})", "1 2", "0", "num_layers=0"),
    ("nn.LSTM(3, 4, proj_size={})", "0 1 3", "4 -1", "hidden_size=4"),
    ("nn.LSTM(3, 4)(zeros({}))", "(2,3) (2,1,3)", "3 (2,4) (1,2,1,3) (0,1,3)", ""),
    ("nn.GRUCell(3, 4)(zeros({}))", "3 (2,3)", "4 (1,2,3)", "(B, 3) or (3,)"),
    ("nn.RNNCell(3, 4, nonlinearity={})", "'tanh' 'relu'", "'gelu'", "'tanh' or 'relu'"),
    # Windows and images
    ("F.pad(zeros(1,1,3), (1, 0), {})", "'constant' 'reflect' 'replicate' 'circular'", "'mirror'", "'constant'"),
    ("F.pixel_unshuffle(zeros(1,1,{},4), 2)", "2 4", "3", "downscale_factor 2"),
    ("F.pixel_unshuffle(zeros(1,1,4,{}), 2)", "2 4", "3", "downscale_factor 2"),
    ("F.channel_shuffle(zeros({}), 2)", "(1,2,3) (1,4,3,3)", "(2,4)", "at least 3 axes"),
    ("F.channel_shuffle(zeros(1,4,2), {})", "1 2 4", "0 3", "4 channels"),
    ("F.adaptive_avg_pool1d(zeros(1,1,4), {})", "1 3 6", "-1", "negative"),
    ("F.fractional_max_pool2d(zeros(1,1,4,4), 2, {})", "2 3", "None", "output_size"),
    ("F.fractional_max_pool2d(zeros(1,1,4,4), 2, output_ratio={})", "0.5 0.7", "None", "output_ratio"),
    ("F.interpolate(zeros({}), 2)", "(1,1,3) (1,1,3,3) (1,1,3,3,3)", "(1,3) (1,1,2,2,2,2)", "(N, C, W)"),
    ("F.interpolate(zeros(1,1,3), {})", "2 (2,)", "None", "size or scale_factor"),
    ("F.interpolate(zeros(1,1,3), scale_factor=2, mode={}, align_corners=True)", "'linear'",
     "'nearest' 'area' 'nearest-exact'", "no meaning"),
    ("F.interpolate(zeros(1,1,3,3), 2, mode='lanczos', antialias=True, align_corners={})", "False None", "True",
     "align_corners"),
    # Initial values
    ("nn.init.kaiming_normal_(zeros(2,2), mode={})", "'fan_in' 'fan_out'", "'fan_mean'", "'fan_in' or 'fan_out'"),
    ("nn.init.trunc_normal_(zeros(2), 0, 1, {}, 7)", "5 6", "6.1 7 8", "next to nothing"),
    ("nn.init.trunc_normal_(zeros(2), 0, 1, -7, {})", "-5 -6", "-6.1 -7", "next to nothing"),
    ("nn.init.trunc_normal_(zeros(2), 12, 2, {}, 30)", "23 24", "25", "next to nothing"),
    ("nn.init.eye_(zeros({}))", "(2,2) (2,3)", "2 (1,2,2)", "fills a matrix"),
    ("nn.init.orthogonal_(zeros({}))", "(2,2) (2,2,2)", "2", "two axes"),
    ("nn.init.sparse_(zeros({}), 0.5)", "(2,2)", "2 (1,2,2)", "fills a matrix"),
    ("nn.init.dirac_(zeros({}))", "(1,1,1) (1,1,1,1,1)", "(1,1) (1,1,1,1,1,1)", "dirac_"),
    ("nn.init.xavier_normal_(zeros({}))", "(2,2) (2,2,2)", "2", "two axes"),
    # Layers of layers
    ("nn.AdaptiveLogSoftmaxWithLoss(8, 10, {})", "[1] [9] [2,5]", "[0] [10] [5,2] [2,2] [2.5] []", "cutoffs"),
    ("nn.AdaptiveLogSoftmaxWithLoss(2, 4, [2])(zeros(2,2), integers(0, {}))", "0 3", "-1 4", "between 0 and 3"),
    ("nn.AdaptiveLogSoftmaxWithLoss(2, 4, [2])(zeros({}), labels)", "(2,2)", "(3,2) (2,3) (1,2,2) 2", "(N, 2)"),
    ("(nn.Sequential(nn.ReLU()) * {})", "1 2", "0 -1", "at least 1"),
    ("nn.Module().train({})", "True False", "1 None", "True or False"),
    ("nn.Linear(2, 2).type({})", "'float16' 'float64'", "'int64'", "requires_grad_(False)"),
]


def filled(expression, gap):
    names = {"nn": nn, "F": F, "rnn": rnn, "zeros": lambda *shape: zeros(shape[0] if len(shape) == 1 else shape),
             "integers": integers, "x": x, "labels": labels}
    return eval(expression.replace("{}", gap), names)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("expression", "fits", "does_not", "reason"), LIMITS, ids=[row[0] for row in LIMITS])
def test_what_fits_is_taken_and_what_does_not_is_refused(expression, fits, does_not, reason):
    for gap in fits.split():
        filled(expression, gap)
    for gap in does_not.split():
        with pytest.raises((ValueError, TypeError, IndexError, RuntimeError)) as info:
            filled(expression, gap)
        assert reason in str(info.value), f"{gap}: {info.value}"
