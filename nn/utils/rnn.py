"""Sequences of different lengths in one tensor: padded, or packed without the padding."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd
from autograd import Tensor, as_tensor
from autograd.errors import ShapeError


class PackedSequence(NamedTuple):
    """Sequences sorted by length, longest first, one step of all of them after the other.

    Attributes:
        data: (sum of lengths, *).
        batch_sizes: how many sequences have a step t.
        sorted_indices: which of the given sequences stand first, second, …; None if they were sorted.
        unsorted_indices: the inverse.
    """

    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None = None
    unsorted_indices: Tensor | None = None

    def order(self) -> np.ndarray | None:
        """`sorted_indices` as an array."""
        return None if self.sorted_indices is None else self.sorted_indices.numpy()

    def in_sorted_order(self, x: Tensor, dim: int) -> Tensor:
        """x, whose axis `dim` is in the given order, with that axis sorted by length."""
        return x if self.sorted_indices is None else x[(slice(None),) * dim + (self.sorted_indices,)]

    def in_given_order(self, x: Tensor, dim: int) -> Tensor:
        """The inverse of `in_sorted_order`."""
        return x if self.unsorted_indices is None else x[(slice(None),) * dim + (self.unsorted_indices,)]

    def with_data(self, data: Tensor) -> "PackedSequence":
        """Other data for the same sequences."""
        return self._replace(data=data)

    def to(self, *args: Any, **kwargs: Any) -> "PackedSequence":
        """The same with its data converted; arguments as those of a Tensor's `to`."""
        return self.with_data(self.data.to(*args, **kwargs))

    def cpu(self) -> "PackedSequence":
        """The same, which is on the CPU already."""
        return self

    def float(self) -> "PackedSequence":
        """The same with data of float32."""
        return self.to(autograd.float32)

    def double(self) -> "PackedSequence":
        """The same with data of float64."""
        return self.to(autograd.float64)

    def half(self) -> "PackedSequence":
        """The same with data of float16."""
        return self.to(autograd.float16)

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a GPU: never."""
        return False


def pack_padded_sequence(input: Tensor, lengths: Tensor | Sequence[int], batch_first: bool = False,
                         enforce_sorted: bool = True) -> PackedSequence:
    """Pack a padded batch.

    Args:
        input: (T, B, *), or (B, T, *) if `batch_first`.
        lengths: of each sequence, (B,), each from 1 to T.
        batch_first: the order of the first two axes.
        enforce_sorted: require the lengths to fall; otherwise the sequences are sorted.
    """
    x = input.transpose(0, 1) if batch_first else input
    lengths = np.asarray(as_tensor(lengths).array)
    if lengths.shape != x.shape[1:2] or lengths.min(initial=1) < 1 or lengths.max(initial=1) > x.shape[0]:
        raise ShapeError(f"pack_padded_sequence: an input of {x.shape[1]} sequences and {x.shape[0]} steps needs as "
                         f"many lengths from 1 to {x.shape[0]}, not {lengths.tolist()}")
    sorted_indices = unsorted_indices = None
    if enforce_sorted:
        if (np.diff(lengths) > 0).any():
            raise ValueError(f"pack_padded_sequence: the lengths {lengths.tolist()} do not fall; sort the "
                             "sequences, or pass enforce_sorted=False")
    else:
        order = np.argsort(-lengths, kind="stable")
        sorted_indices, unsorted_indices = as_tensor(order), as_tensor(np.argsort(order))
        x, lengths = x[:, order], lengths[order]
    steps, sequences = np.nonzero(np.arange(int(lengths.max(initial=0)))[:, None] < lengths)
    sizes = (np.arange(int(lengths.max(initial=0)))[:, None] < lengths).sum(1)
    return PackedSequence(x[steps, sequences], as_tensor(sizes), sorted_indices, unsorted_indices)


def pad_packed_sequence(sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0,
                        total_length: int | None = None) -> tuple[Tensor, Tensor]:
    """The padded batch (T, B, *) (or (B, T, *)) and the lengths: the inverse of `pack_padded_sequence`."""
    sizes = sequence.batch_sizes.numpy()
    steps = len(sizes) if total_length is None else total_length
    if steps < len(sizes):
        raise ValueError(f"pad_packed_sequence: total_length={steps} is less than the longest sequence, {len(sizes)}")
    count = int(sizes[0]) if len(sizes) else 0
    sizes = np.concatenate([sizes, np.zeros(steps - len(sizes), sizes.dtype)])
    starts = np.cumsum(sizes) - sizes
    valid = np.arange(count) < sizes[:, None]
    total = sequence.data.shape[0]
    where = np.where(valid, starts[:, None] + np.arange(count), total)  # the row after the last is the padding
    padding = autograd.full((1, *sequence.data.shape[1:]), padding_value, dtype=sequence.data.dtype)
    x = autograd.cat([sequence.data, padding])[where]
    lengths = valid.sum(0)
    if sequence.unsorted_indices is not None:
        x, lengths = sequence.in_given_order(x, 1), lengths[sequence.unsorted_indices.numpy()]
    return (x.transpose(0, 1) if batch_first else x), as_tensor(lengths)


def pad_sequence(sequences: Sequence[Tensor], batch_first: bool = False, padding_value: float = 0.0,
                 padding_side: str = "right") -> Tensor:
    """Sequences (T_i, *) as one tensor (T, B, *), or (B, T, *) if `batch_first`, T being the longest.

    Args:
        sequences: what is padded.
        batch_first: the order of the first two axes.
        padding_value: what is put in.
        padding_side: "right", after each sequence, or "left", before it.
    """
    if padding_side not in ("right", "left"):
        raise ValueError(f"pad_sequence: padding_side must be 'right' or 'left', not {padding_side!r}")
    longest = max(len(s) for s in sequences)

    def pad(s: Tensor) -> Tensor:
        padding = autograd.full((longest - len(s), *s.shape[1:]), padding_value, dtype=s.dtype)
        return autograd.cat([s, padding] if padding_side == "right" else [padding, s])
    padded = [s if len(s) == longest else pad(s) for s in sequences]
    return autograd.stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """The sequences of a padded tensor, each of its own length."""
    x = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [x[i, :n] for i, n in enumerate(as_tensor(lengths).tolist())]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (T_i, *)."""
    return pack_padded_sequence(pad_sequence(sequences), [len(s) for s in sequences], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed, each of its own length."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Where each number stands in a permutation; None for None."""
    return None if permutation is None else as_tensor(np.argsort(permutation.detach().numpy()))
