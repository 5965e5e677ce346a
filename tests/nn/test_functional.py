"""What the comparison of layers leaves open: options of functions, random ones, long sequences, extreme values."""

import math

import numpy as np
import pytest

import autograd
import nn
from nn import functional as F
from nn.functional import activation, attention
from nn.utils import rnn

rng = np.random.default_rng(0)


def tensor(*shape, requires_grad=False):
    return autograd.tensor(rng.standard_normal(shape), requires_grad=requires_grad)


# Attention

@pytest.mark.parametrize("options", [
    {}, {"is_causal": True}, {"scale": 0.3}, {"attn_mask": np.tril(np.ones((4, 5), bool))},
    {"attn_mask": rng.standard_normal((2, 1, 4, 5))}, {"enable_gqa": True}], ids=lambda o: ",".join(o) or "plain")
def test_attention_is_pytorchs(options):
    torch = pytest.importorskip("torch")
    heads = 2 if options.get("enable_gqa") else 4
    arrays = [rng.standard_normal(shape) for shape in ((2, 4, 4, 6), (2, heads, 5, 6), (2, heads, 5, 7))]
    results = []
    for function, make in ((F.scaled_dot_product_attention, autograd.tensor),
                           (torch.nn.functional.scaled_dot_product_attention, torch.tensor)):
        inputs = [make(x).requires_grad_() for x in arrays]
        given = {k: make(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        out = function(*inputs, **given)
        (out * out).sum().backward()
        results.append([out.detach().numpy(), *[x.grad.numpy() for x in inputs]])
    for got, expected in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-9)


def test_a_query_that_may_look_at_nothing_gives_zero():
    mask = np.array([[True, False], [False, False]])
    q, k, v = (tensor(2, 3, requires_grad=True) for _ in range(3))
    q, k, v = (x.detach().requires_grad_() for x in (q, k[:2], v[:2]))
    out = F.scaled_dot_product_attention(q, k, v, autograd.tensor(mask))
    assert (out.array[1] == 0).all()
    out.sum().backward()
    assert np.isfinite(q.grad.array).all()


def test_a_learned_mask_gets_its_gradient():
    q, k, v, mask = tensor(4, 6), tensor(5, 6), tensor(5, 2), tensor(4, 5, requires_grad=True)
    F.scaled_dot_product_attention(q, k, v, mask).sum().backward()
    weights = F.softmax((q @ k.transpose(0, 1)) / math.sqrt(6) + mask.detach(), -1)
    g = v.sum(1).numpy()
    expected = weights.numpy() * (g - weights.numpy() @ g[:, None])
    np.testing.assert_allclose(mask.grad.numpy(), expected, rtol=1e-9, atol=1e-12)


# Dropout

@pytest.mark.parametrize("function", [F.dropout, F.alpha_dropout])
def test_dropout_keeps_the_mean_and_is_off_in_eval(function):
    autograd.manual_seed(0)
    x = autograd.randn(400, 500)
    assert np.array_equal(function(x, 0.3, training=False).numpy(), x.numpy())
    out = function(x, 0.3, training=True).numpy()
    assert abs(out.mean()) < 0.01
    assert abs(out.std() - (1 if function is F.alpha_dropout else 1 / math.sqrt(0.7))) < 0.01


def test_dropout_drops_with_probability_p_whole_channels_if_asked():
    autograd.manual_seed(0)
    out = F.dropout(autograd.ones(300, 300), 0.3).numpy()
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs((out == 0).mean() - 0.3) < 0.01
    channels = F.dropout2d(autograd.ones(50, 40, 3, 3), 0.5).numpy()
    assert (channels == channels[:, :, :1, :1]).all()
    rows = F.stochastic_depth(autograd.ones(50, 4), 0.5, "row").numpy()
    assert (rows == rows[:, :1]).all()
    assert 0 < (rows == 0).mean() < 1


def test_dropout_is_repeated_by_the_seed():
    def once():
        autograd.manual_seed(3)
        return nn.Dropout(0.5)(autograd.ones(20)).tolist()
    assert once() == once()


def test_drop_connect_drops_weights():
    autograd.manual_seed(0)
    layer = nn.DropConnect(100, 50, p=0.4, bias=False)
    dropped = layer(autograd.eye(100)).detach().numpy() == 0
    assert abs(dropped.mean() - 0.4) < 0.03
    np.testing.assert_allclose(layer.eval()(autograd.eye(100)).detach().numpy(), layer.weight.array.T, rtol=1e-6)


# Sequences of different lengths

@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_packed_sequences_are_as_each_alone(kind, bidirectional):
    layer = getattr(nn, kind)(3, 4, 2, bidirectional=bidirectional).double()
    sequences = [tensor(n, 3) for n in (2, 5, 3)]
    packed = rnn.pack_sequence(sequences, enforce_sorted=False)
    output, state = layer(packed)
    padded, lengths = rnn.pad_packed_sequence(output)
    assert lengths.tolist() == [2, 5, 3]
    for i, sequence in enumerate(sequences):
        alone, alone_state = layer(sequence)
        np.testing.assert_allclose(padded.detach().numpy()[:len(sequence), i], alone.detach().numpy(), atol=1e-12)
        assert (padded.detach().numpy()[len(sequence):, i] == 0).all()
        for got, expected in zip(*((s if isinstance(s, tuple) else (s,)) for s in (state, alone_state)), strict=True):
            np.testing.assert_allclose(got.detach().numpy()[:, i], expected.detach().numpy(), atol=1e-12)


def test_gradients_of_packed_sequences_are_those_of_each_alone():
    layer = nn.LSTM(3, 4, bidirectional=True).double()
    sequences = [tensor(n, 3, requires_grad=True) for n in (4, 2)]
    output, (h, c) = layer(rnn.pack_sequence(sequences))
    ((output.data ** 2).sum() + h.sum() + (c * c).sum()).backward()
    together = [p.grad.numpy().copy() for p in [*sequences, *layer.parameters()]]
    for t in [*sequences, *layer.parameters()]:
        t.grad = None
    for sequence in sequences:
        output, (h, c) = layer(sequence)
        ((output ** 2).sum() + h.sum() + (c * c).sum()).backward()
    for got, p in zip(together, [*sequences, *layer.parameters()], strict=True):
        np.testing.assert_allclose(got, p.grad.numpy(), atol=1e-12)


def test_packing_is_pytorchs_and_is_undone():
    torch = pytest.importorskip("torch")
    x, lengths = rng.standard_normal((3, 5, 2)), [2, 5, 3]
    packed = rnn.pack_padded_sequence(autograd.tensor(x), lengths, batch_first=True, enforce_sorted=False)
    expected = torch.nn.utils.rnn.pack_padded_sequence(torch.tensor(x), lengths, batch_first=True, enforce_sorted=False)
    for got, wanted in zip(packed, expected, strict=True):
        np.testing.assert_array_equal(got.numpy(), wanted.numpy())
    padded, _ = rnn.pad_packed_sequence(packed, batch_first=True, padding_value=-1.0)
    for i, n in enumerate(lengths):
        np.testing.assert_array_equal(padded.numpy()[i, :n], x[i, :n])
        assert (padded.numpy()[i, n:] == -1).all()


# Losses

def test_cross_entropy_of_extreme_scores():
    scores = autograd.tensor([[1e4, 0.0, -1e4], [0.0, 1e4, 0.0]], requires_grad=True)
    loss = F.cross_entropy(scores, autograd.tensor([0, 0]), reduction="none")
    assert loss.tolist() == [0.0, 1e4]
    loss.sum().backward()
    np.testing.assert_array_equal(scores.grad.numpy(), [[0, 0, 0], [-1, 1, 0]])


def test_cross_entropy_with_every_example_ignored_is_nan_as_in_pytorch():
    assert math.isnan(F.cross_entropy(tensor(2, 3), autograd.tensor([-100, -100])).item())
    assert F.cross_entropy(tensor(2, 3), autograd.tensor([-100, -100]), reduction="sum").item() == 0


@pytest.mark.parametrize(("options", "lengths"), [
    ({}, ([6, 5], [3, 1])), ({"reduction": "sum"}, ([6, 3], [3, 1])),
    ({"reduction": "none", "blank": 2}, ([6, 4], [2, 2])), ({"zero_infinity": True}, ([6, 2], [3, 3]))])
def test_ctc_is_pytorchs(options, lengths):
    """After log_softmax: PyTorch's derivative in log_probs itself is, by design, that in the scores before."""
    torch = pytest.importorskip("torch")
    scores, targets = rng.standard_normal((6, 2, 4)), np.array([[1, 3, 3], [3, 1, 1]])
    x, y = autograd.tensor(scores, requires_grad=True), torch.tensor(scores, requires_grad=True)
    loss = F.ctc_loss(F.log_softmax(x, -1), autograd.tensor(targets), *map(autograd.tensor, lengths), **options)
    expected = torch.nn.functional.ctc_loss(torch.log_softmax(y, -1), torch.tensor(targets),
                                            *map(torch.tensor, lengths), **options)
    np.testing.assert_allclose(loss.detach().numpy(), expected.detach().numpy(), rtol=1e-9)
    loss.sum().backward()
    expected.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-8, atol=1e-10)


def test_penalties():
    w = [autograd.tensor([1.0, -2.0], requires_grad=True), autograd.tensor([[3.0]], requires_grad=True)]
    assert F.l1_penalty(w).item() == 6
    assert F.l2_penalty(w).item() == 14
    assert F.elastic_net_penalty(w, 0.25).item() == 0.25 * 6 + 0.75 * 14


# Lookup

def test_embedding_shrinks_used_rows_to_max_norm():
    table = nn.Embedding(4, 3, max_norm=1.0)
    table.weight.array[:] = 3
    table(autograd.tensor([1, 3, 3]))
    norms = np.linalg.norm(table.weight.array, axis=1)
    np.testing.assert_allclose(norms, [math.sqrt(27), 1, math.sqrt(27), 1], rtol=1e-5)


def test_embedding_adds_up_the_gradients_of_repeated_rows():
    table = autograd.zeros(4, 2, requires_grad=True)
    weights = autograd.tensor([[[1.0], [2.0]], [[3.0], [4.0]]])
    (F.embedding(autograd.tensor([[1, 3], [3, 3]]), table) * weights).sum().backward()
    assert table.grad.tolist() == [[0, 0], [1, 1], [0, 0], [9, 9]]


def test_embedding_from_pretrained_is_frozen():
    rows = autograd.randn(3, 2)
    assert not nn.Embedding.from_pretrained(rows)(autograd.tensor([1])).requires_grad
    assert nn.Embedding.from_pretrained(rows, freeze=False)(autograd.tensor([1])).requires_grad


def test_one_hot():
    assert F.one_hot(autograd.tensor([[0, 2]])).tolist() == [[[1, 0, 0], [0, 0, 1]]]
    assert F.one_hot(autograd.tensor([1]), 4).shape == (1, 4)


# Positions, attention by a network, maxout

def test_sinusoidal_positions_are_the_papers_formula():
    added = nn.SinusoidalPositions(6, 50)(autograd.zeros(1, 50, 6)).numpy()[0]
    for position, i in ((0, 0), (3, 1), (49, 2)):
        angle = position / 10000 ** (2 * i / 6)
        np.testing.assert_allclose(added[position, 2 * i:2 * i + 2], [math.sin(angle), math.cos(angle)], atol=1e-5)
    with pytest.raises(ValueError, match="max_len=50"):
        nn.SinusoidalPositions(6, 50)(autograd.zeros(1, 51, 6))


def test_learned_positions_differ_only_by_position():
    layer = nn.LearnedPositions(4, 10)
    added = layer(autograd.zeros(2, 3, 4)).detach().numpy()
    np.testing.assert_array_equal(added[0], layer.weight.array[:3])
    np.testing.assert_array_equal(added[0], added[1])


def test_additive_attention_is_the_papers_formula():
    layer = nn.AdditiveAttention(3, 4, 5).double()
    query, key, value = tensor(2, 3, 3), tensor(2, 6, 4), tensor(2, 6, 7)
    mask = np.ones((1, 1, 6), bool)
    mask[..., 4:] = False
    out, weights = layer(query, key, value, autograd.tensor(mask))
    q = query.numpy() @ layer.query_proj.weight.array.T
    k = key.numpy() @ layer.key_proj.weight.array.T + layer.key_proj.bias.array
    scores = np.tanh(q[:, :, None] + k[:, None]) @ layer.score_proj.weight.array[0]
    scores[..., 4:] = -np.inf
    expected = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(weights.detach().numpy(), expected, rtol=1e-9)
    np.testing.assert_allclose(out.detach().numpy(), expected @ value.numpy(), rtol=1e-9)


def test_maxout_takes_the_largest_of_consecutive_features():
    assert F.maxout(autograd.tensor([[1.0, 5.0, 2.0, -1.0, -3.0, -2.0]]), 3).tolist() == [[5.0, -1.0]]


def test_gumbel_softmax_samples_the_distribution():
    autograd.manual_seed(0)
    p = np.array([0.2, 0.5, 0.3])
    hard = F.gumbel_softmax(autograd.tensor(np.log(np.tile(p, (20000, 1)))), hard=True).numpy()
    np.testing.assert_allclose(hard.mean(0), p, atol=0.02)


def test_the_normal_distribution_of_gelu_has_the_precision_of_its_dtype():
    special = pytest.importorskip("scipy.special")
    x = np.linspace(-9, 9, 100001)
    np.testing.assert_allclose(activation.normal_cdf(x), special.ndtr(x), atol=4e-16)
    np.testing.assert_allclose(activation.normal_cdf(x.astype(np.float32)), special.ndtr(x), atol=3e-7)


# Convolution beyond what the layers show

def test_the_batch_is_split_into_blocks_without_a_trace(monkeypatch):
    x, w = rng.standard_normal((7, 4, 6, 5)), rng.standard_normal((6, 2, 3, 3))

    def all_three():
        a, b = autograd.tensor(x, requires_grad=True), autograd.tensor(w, requires_grad=True)
        out = F.conv2d(a, b, stride=2, padding=1, groups=2)
        (out * out).sum().backward()
        return [t.numpy() for t in (out.detach(), a.grad, b.grad)]
    whole = all_three()
    for cache in (1, 20000):
        monkeypatch.setattr("nn.functional.geometry.CACHE", cache)
        for got, expected in zip(all_three(), whole, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-10, atol=1e-10)


def test_convolution_keeps_channels_together_in_memory():
    out = F.conv2d(tensor(2, 3, 5, 5), tensor(4, 3, 3, 3))
    assert np.moveaxis(out.array, 1, -1).flags.c_contiguous
    assert np.moveaxis(F.relu(out).array, 1, -1).flags.c_contiguous


def test_transposed_convolution_is_the_adjoint_and_reaches_any_size():
    layer = nn.ConvTranspose2d(3, 2, 3, stride=2).double()
    x = tensor(1, 3, 4, 4)
    assert layer(x).shape == (1, 2, 9, 9)
    out = layer(x, output_size=(10, 9))
    assert out.shape == (1, 2, 10, 9)
    y = tensor(*out.shape)
    back = F.conv2d(y, layer.weight, stride=2)
    shift = layer.bias.reshape((-1, 1, 1))
    assert math.isclose(((out - shift) * y).sum().item(), (x * back).sum().item(), rel_tol=1e-10)
    with pytest.raises(ValueError, match="cannot be reached"):
        layer(x, output_size=(11, 9))


# Kinks and ties

@pytest.mark.parametrize("name", ["relu", "relu6", "leaky_relu", "elu", "celu", "selu", "hardtanh", "hardsigmoid",
                                  "hardswish", "hardshrink", "softshrink", "softsign"])
def test_derivatives_at_kinks_are_pytorchs(name):
    torch = pytest.importorskip("torch")
    x = np.array([-3, -1, -0.5, 0, 0.5, 1, 3, 6], np.float64)
    gradients = []
    for function, make in ((getattr(F, name), autograd.tensor), (getattr(torch.nn.functional, name), torch.tensor)):
        t = make(x).requires_grad_()
        function(t).sum().backward()
        gradients.append(t.grad.numpy())
    np.testing.assert_allclose(*gradients, atol=1e-12)


def test_max_pooling_sends_the_gradient_to_the_first_of_equal_elements():
    x = autograd.zeros(1, 1, 2, 4, requires_grad=True)
    values, indices = F.max_pool2d(x, 2, return_indices=True)
    values.sum().backward()
    assert x.grad.tolist() == [[[[1, 0, 1, 0], [0, 0, 0, 0]]]]
    assert indices.tolist() == [[[[0, 2]]]]


# Windows are made for a whole kernel, or for each of its rows

@pytest.mark.parametrize("options", [
    {}, {"padding": 2}, {"dilation": (2, 1), "padding": (1, 0)}, {"groups": 2},
    {"groups": 2, "dilation": 2, "bias": True}])
@pytest.mark.parametrize("size", [(7,), (6, 5), (4, 5, 3)])
def test_convolution_in_parts_is_convolution(size, options, monkeypatch):
    options = dict(options)
    if len(size) != 2:
        options = {key: value[0] if isinstance(value, tuple) else value for key, value in options.items()}
    convolve = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[len(size)]
    arrays = [rng.standard_normal((3, 4, *size)), rng.standard_normal((6, 4 // options.get("groups", 1),
                                                                       *(2,) * len(size)))]
    arrays += [rng.standard_normal(6)] if options.pop("bias", None) else []
    results = []
    for parts in (1, 2):
        monkeypatch.setattr("nn.functional.convolution._parts", lambda *_, parts=parts: parts)
        tensors = [autograd.tensor(a, requires_grad=True) for a in arrays]
        out = convolve(*tensors, **options)
        (out * out).sum().backward()
        results.append([out.detach().numpy(), *[t.grad.numpy() for t in tensors]])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


# Attention leaves out what is masked anyway

@pytest.mark.parametrize("window", ["causal", "sliding", "nothing for some", "everything"])
@pytest.mark.parametrize("dropped", [False, True])
def test_attention_in_blocks_is_attention(window, dropped, monkeypatch):
    monkeypatch.setattr("nn.functional.attention.QUERIES", 3)
    queries, keys = 10, 8
    i, j = np.arange(queries)[:, None], np.arange(keys)
    seen = {"causal": j <= i, "sliding": abs(i - j) < 2, "nothing for some": (j <= i) & (i > 4),
            "everything": np.ones((queries, keys), bool)}[window]
    mask = np.where(seen, 0.0, -np.inf)
    keep = (rng.random((2, queries, keys)) > 0.3) / 0.7 if dropped else None
    inputs = [rng.standard_normal((2, n, 4)) for n in (queries, keys, keys)]
    results = []
    for blocks in (mask, mask[None]):  # with a leading axis the mask may differ from item to item
        tensors = [autograd.tensor(a, requires_grad=True) for a in inputs]
        out = attention._attention(*tensors, mask=blocks, keep=keep, scale=0.5)[0]
        (out * out).sum().backward()
        results.append([out.detach().numpy(), *[t.grad.numpy() for t in tensors]])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)
    assert len(attention.blocks_seen(mask, queries, keys, 3)) == (1 if window == "everything" else 4)
    assert not np.any(results[0][0][:, ~seen.any(axis=1)])
