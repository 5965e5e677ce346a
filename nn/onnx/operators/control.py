"""If, Loop and Scan: graphs within a graph, which come as functions of their inputs."""

import autograd
from nn.onnx.operators.values import axis_of


def If(condition, *, then_branch, else_branch):
    return tuple((then_branch if condition.item() else else_branch)())


def Loop(trip_count=None, condition=None, *carried, body):
    values, scanned, i = list(carried), None, 0
    going = condition is None or bool(condition.item())
    while going and (trip_count is None or i < trip_count.item()):
        out = body(autograd.tensor(i), autograd.tensor(True), *values)
        going, values, each = bool(out[0].item()), out[1:1 + len(values)], out[1 + len(values):]
        scanned = [[] for _ in each] if scanned is None else scanned
        for rows, row in zip(scanned, each, strict=True):
            rows.append(row)
        i += 1
    if scanned is None:  # it never ran
        return (*values, *[autograd.zeros(0)] * (body.outputs - 1 - len(values)))
    return (*values, *[autograd.stack(rows) for rows in scanned])


def Scan(*inputs, body, num_scan_inputs, scan_input_axes=None, scan_input_directions=None, scan_output_axes=None,
         scan_output_directions=None):
    states, given = list(inputs[:-num_scan_inputs]), inputs[-num_scan_inputs:]
    axes = [axis_of(axis, x.ndim) for axis, x in zip(scan_input_axes or [0] * num_scan_inputs, given, strict=True)]
    backwards = scan_input_directions or [0] * num_scan_inputs
    rows = [x.flip(axis).unbind(axis) if back else x.unbind(axis)
            for x, axis, back in zip(given, axes, backwards, strict=True)]
    scanned: list = [[] for _ in range(body.outputs - len(states))]
    for each in zip(*rows, strict=True):
        out = body(*states, *each)
        states = out[:len(states)]
        for results, result in zip(scanned, out[len(states):], strict=True):
            results.append(result)
    directions = scan_output_directions or [0] * len(scanned)
    return (*states, *[autograd.stack(results[::-1] if back else results, axis) for results, axis, back in zip(
        scanned, scan_output_axes or [0] * len(scanned), directions, strict=True)])
