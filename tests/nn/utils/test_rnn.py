"""Sequences of different lengths: each as if it were alone."""

import numpy as np
import pytest

import autograd
import nn
from nn.utils import rnn

rng = np.random.default_rng(0)


def tensor(*shape, requires_grad=False):
    return autograd.tensor(rng.standard_normal(shape), requires_grad=requires_grad)


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


@pytest.mark.parametrize("options", [{}, {"padding_side": "left"}, {"padding_side": "left", "padding_value": 2.0},
                                     {"batch_first": True, "padding_side": "right"}])
def test_sequences_are_padded_and_unpacked_as_in_pytorch(options):
    torch = pytest.importorskip("torch")
    results = []
    for package, tensor in ((nn, autograd.tensor), (torch.nn, torch.tensor)):
        tools = package.utils.rnn
        sequences = [tensor([[float(i), -1.0]] * i) for i in (2, 3, 1)]
        packed = tools.pack_sequence(sequences, enforce_sorted=False)
        results.append([tools.pad_sequence(sequences, **options).tolist(),
                        [s.tolist() for s in tools.unpack_sequence(packed)],
                        tools.invert_permutation(packed.sorted_indices).tolist(), tools.invert_permutation(None),
                        packed.is_cuda, packed.cpu().data.tolist(), *[getattr(packed, name)().data.element_size()
                                                                      for name in ("half", "double", "float")],
                        packed.to("cpu").data.tolist()])
        with pytest.raises((ValueError, RuntimeError), match="padding_side"):
            tools.pad_sequence(sequences, padding_side="middle")
    assert results[0] == results[1]
