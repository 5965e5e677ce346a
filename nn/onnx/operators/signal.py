"""Fourier transforms, as products with matrices of cosines and sines; complex numbers are pairs in the last axis."""

import math

import numpy as np

import autograd
from autograd import Tensor
from nn.onnx.operators.values import axis_of, dtype_of, number


def DFT(x, dft_length=None, axis=None, *, inverse=0, onesided=0, opset, **attributes):
    given = attributes.get("axis") if axis is None else number(axis)
    dim = axis_of(int(given) if given is not None else 1 if opset < 20 else -2, x.ndim)
    x = x.movedim(dim, -2)
    length = int(number(dft_length)) if dft_length is not None else (
        2 * (x.shape[-2] - 1) if onesided and inverse else x.shape[-2])
    if onesided and inverse:  # the other half is the conjugate
        half = x[..., :length // 2 + 1, :]
        rest = half[..., 1:(length + 1) // 2, :].flip(-2) * Tensor(np.array([1, -1], x.dtype))
        x = autograd.cat([half, rest], -2)
    x = x[..., :length, :]
    real, imaginary = x[..., 0], x[..., 1] if x.shape[-1] == 2 else None
    count = length // 2 + 1 if onesided and not inverse else length
    angle = 2 * math.pi * np.outer(np.arange(x.shape[-2]), np.arange(count)) / length * (1 if inverse else -1)
    parts = np.cos(angle), np.sin(angle)
    cosine, sine = (Tensor((part / (length if inverse else 1)).astype(x.dtype)) for part in parts)
    a, b = real @ cosine, real @ sine
    if imaginary is not None:
        a, b = a - imaginary @ sine, b + imaginary @ cosine
    out = a.unsqueeze(-1) if onesided and inverse else autograd.stack([a, b], -1)
    return out.movedim(-2, dim)


def STFT(x, frame_step, window=None, frame_length=None, *, onesided=1, opset):
    step = int(number(frame_step))
    length = int(number(frame_length)) if frame_length is not None else window.shape[0]
    starts = np.arange((x.shape[1] - length) // step + 1) * step
    frames = x[:, starts[:, None] + np.arange(length)]
    if window is not None:
        frames = frames * window.reshape(-1, 1)
    return DFT(frames, axis=Tensor(np.array(2)), onesided=onesided, opset=opset)


def MelWeightMatrix(num_mel_bins, dft_length, sample_rate, lower_edge_hertz, upper_edge_hertz, *, output_datatype=1):
    bins, length, rate = (int(number(value)) for value in (num_mel_bins, dft_length, sample_rate))
    low, high = (2595 * math.log10(1 + float(number(edge)) / 700) for edge in (lower_edge_hertz, upper_edge_hertz))
    edges = np.arange(bins + 2) * ((high - low) / (bins + 2)) + low
    at = ((length + 1) * (700 * (10 ** (edges / 2595) - 1)) // rate).astype(np.int64)
    spectrum = np.arange(length // 2 + 1)[:, None]
    left, middle, right = at[:-2], at[1:-1], at[2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(middle > left, (spectrum - left) / (middle - left), np.where(spectrum == middle, 1.0, 0.0))
        down = np.where(right > middle, (right - spectrum) / (right - middle), 0.0)
    weights = np.where((spectrum >= left) & (spectrum <= middle), up,
                       np.where((spectrum > middle) & (spectrum < right), down, 0.0))
    return Tensor(weights.astype(dtype_of(output_datatype)))
