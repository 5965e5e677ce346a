"""The steps of a long short-term memory."""

from autograd.compiled.loops import all_float32, loop
from autograd.compiled.mathematics import HALF, ONE, tanh
from autograd.compiled.products import HAS_PRODUCTS
from autograd.runtime.copies import contiguous
from autograd.runtime.threads import in_parallel
from nn.compiled.products import product_in_columns
from nn.functional.recurrent import work_of_steps


def lstm_steps(inputs, h, c, ours, theirs, scale, gates, out, cells, squashed):
    if not HAS_PRODUCTS or not all_float32(inputs, ours, theirs):
        return NotImplemented
    arrays = [contiguous(a) for a in (inputs, h, c, ours, theirs)]

    def work(few):
        _forward(few.start, few.stop, *arrays, gates, out, cells, squashed)

    return in_parallel(work, len(h), work_of_steps(gates, h.shape[1] + inputs.shape[2]))


@loop
def _forward(first, last, inputs, h, c, ours, theirs, gates, out, cells, squashed):
    n = h.shape[1]
    for t in range(len(inputs)):
        h_before, c_before = (h, c) if t == 0 else (out[t - 1], cells[t - 1])
        product_in_columns(inputs[t, first:last], ours, gates[t, first:last], 0)
        product_in_columns(h_before[first:last], theirs, gates[t, first:last], 1)
        for b in range(first, last):
            row, c_row, c_out, s_out, h_out = gates[t, b], c_before[b], cells[t, b], squashed[t, b], out[t, b]
            for j in range(n):
                i = tanh(row[j]) * HALF + HALF
                f = tanh(row[n + j]) * HALF + HALF
                g = tanh(row[2 * n + j])
                o = tanh(row[3 * n + j]) * HALF + HALF
                cell = f * c_row[j] + i * g
                row[j], row[n + j], row[2 * n + j], row[3 * n + j] = i, f, g, o
                c_out[j], s_out[j] = cell, tanh(cell)
                h_out[j] = o * s_out[j]


def lstm_steps_back(d_out, g_cell, ends, gates, cells_before, squashed, w, d, dh, dc):
    if not HAS_PRODUCTS or not all_float32(d_out, gates, w):
        return NotImplemented
    arrays = [contiguous(a) for a in (d_out, g_cell, ends, gates, cells_before, squashed, w)]

    def work(few):
        _back(few.start, few.stop, *arrays, d, dh, dc)

    return in_parallel(work, len(dh), work_of_steps(d, dh.shape[1]))


@loop
def _back(first, last, d_out, g_cell, ends, gates, cells_before, squashed, w, d, dh, dc):
    n = dh.shape[1]
    for t in range(len(d) - 1, -1, -1):
        for b in range(first, last):
            row, into, c_row, s_row, g_row = gates[t, b], d[t, b], cells_before[t, b], squashed[t, b], d_out[t, b]
            dh_row, dc_row = dh[b], dc[b]
            if ends[b] == t:
                dc_row += g_cell[b]
            for j in range(n):
                i, f, g, o, s = row[j], row[n + j], row[2 * n + j], row[3 * n + j], s_row[j]
                dh_j = dh_row[j] + g_row[j]
                dc_j = dc_row[j] + dh_j * o * (ONE - s * s)
                into[j] = dc_j * g * i * (ONE - i)
                into[n + j] = dc_j * c_row[j] * f * (ONE - f)
                into[2 * n + j] = dc_j * i * (ONE - g * g)
                into[3 * n + j] = dh_j * s * o * (ONE - o)
                dc_row[j] = dc_j * f
        product_in_columns(d[t, first:last], w, dh[first:last], 0)
