"""Writing a file: what a model does with some arguments, as operators of ONNX."""

import inspect
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import warn
from autograd.runtime.files import replacing
from nn.module import Module
from nn.onnx.load import OnnxModule
from nn.onnx.tracing import Trace, arrays_in
from nn.onnx.translations import FUSED, TRANSLATIONS
from nn.onnx.writing import Size, UnexplainedError, Value, Writer, code

OPSET, IR = 18, 8
Axes = dict[int, str]
"""Of an input: number of an axis -> the name of its length."""


def save(model: Module, args: Any, f: str | os.PathLike, *, kwargs: Mapping[str, Any] | None = None,
         input_names: Sequence[str] | None = None, output_names: Sequence[str] | None = None,
         dynamic_axes: Mapping[str, Any] | None = None, training: bool = False) -> None:
    """Write a model as an ONNX file (opset 18), which onnxruntime and others run, and `nn.onnx.load` reads.

    The model is run with `args`, and what it computes is written operator by operator; parameters and buffers keep
    their names, and nodes are named after the modules they are of. It is run again with other numbers and other sizes:
    what changes must have been computed from the inputs by operations on Tensors, or it is refused. In the end the file
    is read and its results are compared with the model's, for numbers and sizes that it has not seen.

    What can't be noticed is what stays the same in all these runs: a branch that was always taken, a number read with
    `.item()` that happened to be equal.

    Args:
        model: any Module.
        args: the positional arguments, a tuple, or a single one: Tensors, or tuples, lists and dictionaries of them.
            Whatever else is there is a constant of the file.
        f: path of the file.
        kwargs: keyword arguments.
        input_names: of the Tensors in `args` and `kwargs`, one after the other; default the parameters of `forward`.
        output_names: of the Tensors that it returns; default "output", or "output_0" and so on.
        dynamic_axes: which lengths may differ from those of `args`: {"x": {0: "batch", 1: "time"}} or {"x": [0, 1]}.
            Axes of one name have one length, and those of the outputs follow from them. Default: the first axis of all
            inputs that are as long there as the first input, if the model is made for that (a warning says if not).
            {}: none.
        training: write what it does in training. Dropout is refused; statistics are not moved by what runs the file.

    Raises:
        ModuleNotFoundError: the package `onnx` is not installed.
        NotImplementedError: something that ONNX can't express, or that depends on the inputs in a way that can't be
            followed; says which operation in which module.

    >>> nn.onnx.save(nn.Linear(3, 2), autograd.ones(1, 3), "linear.onnx")  # doctest: +SKIP
    >>> nn.onnx.load("linear.onnx")  # doctest: +SKIP
    OnnxModule(input -> output)
    """
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise ModuleNotFoundError("nn.onnx.save needs the package onnx: pip install 'gradcircuit[onnx]'",
                                  name="onnx") from error
    given = (args if isinstance(args, tuple) else (args,), dict(kwargs or {}))
    arrays = [np.asarray(a) for a in arrays_in(given)]
    if not arrays:
        raise ValueError("there is no Tensor among the arguments, so that the file would have no inputs")
    names = _names_of_inputs(model, given, input_names)
    axes = _axes(dynamic_axes, names, arrays, output_names or ())
    with _mode(model, training):
        try:
            written = _written(model, given, arrays, names, axes, output_names)
        except (NotImplementedError, ValueError, TypeError, IndexError) as error:
            if dynamic_axes is not None or not any(axes):
                raise
            written = _written(model, given, arrays, names, [{} for _ in arrays], output_names)
            sizes = ", ".join(str(a.shape) for a in arrays)
            warn(f"the file is for inputs of these sizes alone, {sizes}: with another length of the first axis, "
                 f"{str(error).strip().splitlines()[0]}. Say which lengths may differ with dynamic_axes, {{}} for none")
    path = Path(os.fspath(f))
    with replacing(path) as file:
        file.write(written.SerializeToString())


def _names_of_inputs(model: Module, given: tuple, wanted: Sequence[str] | None) -> list[str]:
    """One for each Tensor in the arguments: as wanted, or the names of forward's parameters."""
    positional, named = given
    count = len(arrays_in(given))
    if wanted is not None:
        if len(wanted) != count or len(set(wanted)) != count:
            raise ValueError(f"input_names must be {count} different ones, one for each Tensor in the arguments, not "
                             f"{list(wanted)}")
        return list(wanted)
    names: list[str] = []
    try:
        parameters = list(inspect.signature(model.forward).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    flat = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    pairs = [(flat[i] if i < len(flat) else f"input_{i}", a) for i, a in enumerate(positional)] + list(named.items())
    for name, value in pairs:
        number = len(arrays_in(value))
        names += [name] if number == 1 else [f"{name}_{i}" for i in range(number)]
    return names


def _axes(dynamic: Mapping[str, Any] | None, names: list[str], arrays: list[np.ndarray],
          outputs: Sequence[str]) -> list[Axes]:
    """For each input the axes whose lengths may differ, with the names of the lengths."""
    if dynamic is None:
        first = next((a.shape[0] for a in arrays if a.ndim), None)
        return [{0: "batch"} if a.ndim and a.shape[0] == first else {} for a in arrays]
    if unknown := [name for name in dynamic if name not in {*names, *outputs} and not name.startswith("output")]:
        raise ValueError(f"dynamic_axes names {unknown[0]!r}, which is none of the inputs {', '.join(names)}")
    result = []
    for name, array in zip(names, arrays, strict=True):
        chosen = dynamic.get(name) or {}
        pairs = chosen.items() if isinstance(chosen, Mapping) else [(axis, f"{name}_{axis}") for axis in chosen]
        result.append({int(axis) % max(array.ndim, 1): str(length) for axis, length in pairs})
        if any(axis >= array.ndim for axis, _ in pairs):
            raise ValueError(f"dynamic_axes names an axis that {name!r}, of shape {array.shape}, does not have")
    return result


@contextmanager
def _mode(model: Module, training: bool) -> Iterator[None]:
    """The model in evaluation (or training), and afterwards as it was, buffers included."""
    modes = [(module, module.training) for module in model.modules()]
    buffers = [(buffer, buffer.array.copy()) for buffer in model.buffers()] if training else []
    state = autograd.get_rng_state()
    model.train(training)
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode
        for buffer, array in buffers:
            buffer.array[...] = array
        autograd.set_rng_state(state)


# Arguments of other sizes and numbers

def _with_lengths(arrays: list[np.ndarray], axes: list[Axes], length: Any, seed: int) -> list[np.ndarray]:
    """The inputs with other lengths and other numbers: those that there are, in another order and a little smaller."""
    rng = np.random.default_rng(seed)
    results = []
    for array, names in zip(arrays, axes, strict=True):
        for axis in names:
            array = array.take(np.arange(length(array.shape[axis], axis)) % max(array.shape[axis], 1), axis)
        flat = array.reshape(-1)
        other = rng.permutation(flat)
        if array.dtype.kind != "f" and array.size and (flat == flat[0]).all():  # all alike, perhaps an index
            other = rng.random(flat.size) < 0.5 if flat.size > 1 and array.dtype == bool else (
                ~flat if array.dtype == bool else np.where(flat > 0, np.maximum(flat - seed, 0), flat + 1))
        elif np.array_equal(other, flat):
            other = np.roll(flat, 1)
        other = other.reshape(array.shape)
        if array.dtype.kind == "f":
            signed = array.size and array.min() < 0 < array.max()
            other = other * rng.uniform(0.8, 1, array.shape) * (-1 if signed else 1)
            other = other + (0 if array.any() else rng.uniform(0, 1, array.shape))
        results.append(np.asarray(other, array.dtype))
    return results


_LENGTHS = [(lambda n, axis: 2 * n if axis else n + 1, lambda n, axis: 3 * n if axis else n + 2),
            (lambda n, axis: n + 1, lambda n, axis: n + 2),
            (lambda n, axis: max(n - 1, 1) if axis else n + 1, lambda n, axis: max(n - 2, 1) if axis else n + 2),
            (lambda n, axis: max(n - 1, 1), lambda n, axis: max(n - 2, 1))]
"""Of the second run, and of the one that is compared: larger ones, or smaller ones where a model has a largest size."""


def _filled(given: Any, arrays: Iterator[np.ndarray]) -> Any:
    """The arguments with other arrays in their Tensors' places, and fresh Tensors: the caller's stay as they are."""
    if isinstance(given, Tensor):
        array = next(arrays)
        return Tensor(np.array(array), requires_grad=array.dtype.kind == "f")
    if isinstance(given, Mapping):
        return {key: _filled(value, arrays) for key, value in given.items()}
    if isinstance(given, (tuple, list)):
        parts = [_filled(part, arrays) for part in given]
        return type(given)(*parts) if hasattr(given, "_fields") else type(given)(parts)
    return given


def _run(model: Module, given: Any, arrays: Sequence[np.ndarray]) -> tuple[Trace, list[Any], list[Any]]:
    """What the model does with these arrays: its calls, the inputs and the outputs."""
    positional, named = _filled(given, iter(arrays))
    with autograd.enable_grad(), Trace(model, TRANSLATIONS, FUSED) as trace:
        result = model(*positional, **named)
    return trace, arrays_in((positional, named)), arrays_in(result)


def _run_again(model: Module, given: Any, arrays: Sequence[np.ndarray]) -> tuple[Trace, list[Any], list[Any]]:
    """The same with inputs of other sizes and numbers, for which it need not be made."""
    try:
        return _run(model, given, arrays)
    except Exception as error:
        raise UnexplainedError("it can't be run with other inputs, which is needed to see what depends on them "
                          f"({type(error).__name__}: {str(error).strip().splitlines()[0]})") from error


# The graph

def _written(model: Module, given: Any, arrays: list[np.ndarray], names: list[str], axes: list[Axes],
             output_names: Sequence[str] | None) -> Any:
    """The file, compared with the model."""
    first = _run(model, given, arrays)
    problems: list[Exception] = []
    for second, third in _LENGTHS:
        if any(second(a.shape[i], i) == third(a.shape[i], i) for a, of_input in zip(arrays, axes, strict=True)
               for i in of_input):  # too short for two smaller ones: nothing could be compared
            continue
        try:
            again = _run_again(model, given, _with_lengths(arrays, axes, second, 1))
            proto = _graph(model, first, again, names, axes, output_names)
            _compare(model, given, proto, _with_lengths(arrays, axes, third, 2))
            return proto
        except (NotImplementedError, ValueError, TypeError, IndexError) as error:
            problems.append(error)
            if not any(axes):
                break
    raise problems[0]


def _graph(model: Module, first: tuple, again: tuple, names: list[str], axes: list[Axes],
           output_names: Sequence[str] | None) -> Any:
    """Two traces as one graph."""
    from onnx import checker, helper, numpy_helper
    (one, inputs, outputs), (other, inputs_again, outputs_again) = first, again
    write = Writer()
    parameters = dict([*model.named_parameters(), *model.named_buffers()])
    for name, tensor in parameters.items():
        if id(tensor.array) not in write.one:
            write.know(Value(name, tensor.array, tensor.array), tensor.array, tensor.array)
    for name, a, b in zip(names, inputs, inputs_again, strict=True):
        if name in parameters:
            raise ValueError(f"an input can't have the name {name!r} of a parameter; choose others with input_names")
        write.inputs.append(Value(name, a, b))
        write.know(write.inputs[-1], a, b)
    for call, call_again in zip(one.calls, other.calls, strict=False):
        _translate(write, call, call_again)
    if len(one.calls) != len(other.calls):
        raise UnexplainedError(f"the model calls {len(one.calls)} operations, and {len(other.calls)} with inputs of "
                               "other values or sizes: a loop or branch of Python depends on them")
    ends = list(output_names or (["output"] if len(outputs) == 1 else [f"output_{i}" for i in range(len(outputs))]))
    if len(ends) != len(outputs):
        raise ValueError(f"there are {len(outputs)} outputs, so output_names must be as many, not {ends}")
    write.call = write.call_again = one.calls[-1]._replace(name="output", module="") if one.calls else write.call
    results = []
    for name, a, b in zip(ends, outputs, outputs_again, strict=True):
        result = Value(name, a, b)
        lengths: list[Any] = [f"{name}_{axis}" if isinstance(n, Size) else n for axis, n in enumerate(result.sizes)]
        for axis, n in enumerate(result.sizes):
            for value, of_input in zip(write.inputs, axes, strict=True):
                for place, length in of_input.items():
                    if isinstance(n, Size) and (n, n.other) == (value.shape[place], value.other.shape[place]):
                        lengths[axis] = length
        node = helper.make_node("Identity", [write.named(write.array(a, b))], [name], name=f"/{name}")
        write.nodes.append(node)
        results.append(helper.make_tensor_value_info(name, code(result.dtype), lengths))
    nodes = _needed(write.nodes, ends)
    read = {name for node in nodes for name in node.input}
    weights = {name: t.array for name, t in parameters.items()} | write.initializers
    graph = helper.make_graph(
        nodes, type(model).__name__,
        [helper.make_tensor_value_info(value.name, code(value.dtype), [
            of_input.get(axis, n) for axis, n in enumerate(value.shape)])
         for value, of_input in zip(write.inputs, axes, strict=True)],
        results, [numpy_helper.from_array(np.ascontiguousarray(array).reshape(np.shape(array)), name)
                  for name, array in weights.items() if name in read])
    proto = helper.make_model(graph, producer_name="gradcircuit", ir_version=IR,
                              opset_imports=[helper.make_opsetid("", OPSET)])
    checker.check_model(proto, full_check=True)
    return proto


def _translate(write: Writer, call: Any, again: Any) -> None:
    """Add what one call does."""
    write.call, write.call_again = call, again
    if call.name != again.name or call.module != again.module or len(call.args) != len(again.args):
        raise write.refused(f"with inputs of other values or sizes, {again.name!r} is called there: a loop or branch "
                            "of Python depends on them")
    arrays = [a for a in (*call.args, *_parts(call.options)) if id(a) in write.one]
    if not arrays and all(np.array_equal(a, b) for a, b in zip(call.results, again.results, strict=False)):
        return  # a constant, where it is used
    values = [write.argument(a, b) for a, b in zip(call.args, again.args, strict=True)]
    options = {key: write.both(value, again.options[key]) for key, value in call.options.items()}
    if call.name not in TRANSLATIONS:
        raise write.refused("there is no translation of it; for one of your own, put a function into "
                            f"nn.onnx.TRANSLATIONS[{call.name!r}] (nn/onnx/translations says what it is given)")
    made = TRANSLATIONS[call.name](write, *values, **options)
    for name, a, b in zip(made if isinstance(made, tuple) else (made,), call.results, again.results, strict=False):
        write.know(Value(write.named(name), a, b), a, b)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        value = tuple(value.values())
    return [p for part in value for p in _parts(part)] if isinstance(value, (tuple, list)) else [value]


def _needed(nodes: list[Any], outputs: Sequence[str]) -> list[Any]:
    """Those that the outputs depend on."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if not wanted.isdisjoint(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]


def _compare(model: Module, given: Any, proto: Any, arrays: list[np.ndarray]) -> None:
    """Run the file and the model on inputs that neither trace has seen.

    Raises:
        NotImplementedError: the results differ.
    """
    inputs = [np.array(a) for a in arrays]
    expected = _run_again(model, given, arrays)[2]
    with autograd.no_grad(), np.errstate(all="ignore"):
        found = OnnxModule(proto)(*[Tensor(a) for a in inputs])
    for info, a, b in zip(proto.graph.output, arrays_in(found), expected, strict=True):
        tolerance = {"float64": 1e-5, "float16": 1e-2}.get(np.asarray(b).dtype.name, 1e-3)  # ONNX has eps in float32
        scale = np.abs(b[np.isfinite(b)]).max(initial=0) if np.asarray(b).dtype.kind == "f" else 1
        if a.shape != b.shape or a.dtype != b.dtype or not np.allclose(a, b, tolerance, tolerance * scale, True):
            raise UnexplainedError(
                f"the output {info.name!r} of the file is not that of the model for other inputs (shapes "
                f"{', '.join(str(x.shape) for x in inputs)}): something in it depends on their values or sizes without "
                "an operation on Tensors, such as a branch, a write in place, a number read with .item(), or a size "
                "that was computed")
