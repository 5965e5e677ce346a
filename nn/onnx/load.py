"""Reading a file: its graph as a Module, run operator by operator on Tensors."""

import inspect
import math
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from autograd import Tensor
from nn.module import Module
from nn.onnx.operators import OPERATORS
from nn.parameter import Parameter

DOMAINS = ("", "ai.onnx")
"""Those whose operators are known."""


class Graph:
    """Operators one after the other, and what they are given: a function of its inputs, within a scope of names.

    Args:
        graph: of the file.
        opset: the version of the operators.
        functions: the file's own functions, by domain and name.
    """

    def __init__(self, graph: Any, opset: int, functions: Mapping[tuple[str, str], Any]) -> None:
        self.inputs, self.outputs = [_name(value) for value in graph.input], [_name(value) for value in graph.output]
        self.constants: dict[str, Any] = {value.name: tensor_of(value) for value in getattr(graph, "initializer", ())}
        self.held: dict[str, str] = {}
        """Constant -> the attribute of the Module that holds it, once it does."""
        self.steps = []
        for node in graph.node:
            step = _Step(node, opset, functions)
            if step.operator == "Constant":
                self.constants[step.outputs[0]], = step.run({}, {})
            else:
                self.steps.append(step)
        last: dict[str, int] = {}
        for i, step in enumerate(self.steps):
            last.update(dict.fromkeys(step.reads, i))
        kept = {*self.outputs, *self.inputs}
        self.done_with = [[name for name in step.reads if last[name] == i and name not in kept]
                          for i, step in enumerate(self.steps)]

    def run(self, scope: Mapping[str, Any], given: Mapping[str, Any], attributes: Mapping[str, Any]) -> tuple[Any, ...]:
        """The outputs. `scope` has the values of the graphs around and stays as it is; `attributes`: the Module's."""
        held = {name: attributes[key] for name, key in self.held.items()}
        values = {**scope, **self.constants, **held, **given, "": None}
        own = values.keys() - scope.keys()
        for step, done in zip(self.steps, self.done_with, strict=True):
            results = dict(zip(step.outputs, step.run(values, attributes), strict=False))
            values.update(results)
            own |= results.keys()
            for name in done:
                if name in own:  # not of a graph around
                    del values[name]
        return tuple(values.get(name) for name in self.outputs)

    def graphs(self) -> "Iterator[Graph]":
        """This one and all within it."""
        yield self
        for step in self.steps:
            for graph in step.graphs.values():
                yield from graph.graphs()


class _Step:
    """One operator: its function, the names of its inputs and outputs, its attributes."""

    def __init__(self, node: Any, opset: int, functions: Mapping[tuple[str, str], Any]) -> None:
        self.name, self.operator = node.name or (node.output[0] if node.output else ""), node.op_type
        self.inputs, self.outputs = list(node.input), list(node.output)
        self.attributes: dict[str, Any] = {a.name: _attribute(a, opset, functions) for a in node.attribute}
        if (node.domain, node.op_type) in functions:
            body = _bound(functions[node.domain, node.op_type], node)
            self.attributes = {"body": Graph(body, _opset(body, opset), functions)}
        self.graphs = {name: value for name, value in self.attributes.items() if isinstance(value, Graph)}
        self.call = _function_of(node, opset, functions)
        known = inspect.signature(self.call).parameters
        if "opset" in known:
            self.attributes["opset"] = opset
        if "outputs" in known:
            self.attributes["outputs"] = len(self.outputs)
        self.learned = _learned(node, opset)
        self.reads = {*self.inputs, *(name for graph in self.graphs.values() for name in _free(graph))} - {""}

    def run(self, values: dict[str, Any], attributes: Mapping[str, Any]) -> tuple[Any, ...]:
        """The results, of the values by name."""
        within = {name: _Within(graph, values, attributes) for name, graph in self.graphs.items()}
        try:
            result = self.call(*[values[name] for name in self.inputs], **self.attributes | within)
        except (ArithmeticError, LookupError, MemoryError, RuntimeError, TypeError, ValueError) as error:
            error.add_note(f"in the ONNX operator {self.operator} ({self.name})")
            raise
        return result if isinstance(result, tuple) else (result,)


def _learned(node: Any, opset: int) -> list[str]:
    """The inputs of an operator that ONNX says there is a derivative by; those of an unknown one, all."""
    from onnx import defs
    if node.domain not in DOMAINS or not defs.has(node.op_type, max_inclusive_version=opset):
        return list(node.input)
    formal: list[Any] = list(defs.get_schema(node.op_type, opset).inputs)
    statistics = node.input[3:5] if node.op_type == "BatchNormalization" else ()
    return [name for i, name in enumerate(node.input) if name not in statistics and formal and
            formal[min(i, len(formal) - 1)].differentiation_category.name != "NonDifferentiable"]


class _Within:
    """A graph within a graph, as a function of its inputs."""

    def __init__(self, graph: Graph, scope: Mapping[str, Any], attributes: Mapping[str, Any]) -> None:
        self.graph, self.scope, self.attributes, self.outputs = graph, scope, attributes, len(graph.outputs)

    def __call__(self, *inputs: Any) -> tuple[Any, ...]:
        return self.graph.run(self.scope, dict(zip(self.graph.inputs, inputs, strict=True)), self.attributes)


def _free(graph: Graph) -> set[str]:
    """What a graph reads of those around it."""
    made, read = {*graph.inputs, *graph.constants}, set()
    for step in graph.steps:
        read |= step.reads - made
        made.update(step.outputs)
    return read | {name for name in graph.outputs if name not in made}


def _name(value: Any) -> str:
    return value if isinstance(value, str) else value.name


def tensor_of(proto: Any) -> Tensor:
    """The numbers of a file's tensor.

    Raises:
        TypeError: they are of a type that a Tensor cannot have.
        ValueError: the shape does not go with as many numbers as there are.
    """
    from onnx import numpy_helper

    from nn.onnx.operators.values import dtype_of
    dtype = dtype_of(proto.data_type)
    if proto.HasField("raw_data") and (
            min(proto.dims, default=0) < 0 or len(proto.raw_data) != dtype.itemsize * math.prod(proto.dims)):
        raise ValueError(f"the tensor {proto.name!r} has shape {list(proto.dims)} and elements of {dtype}, but "
                         f"{len(proto.raw_data)} bytes")
    return Tensor(numpy_helper.to_array(proto).copy())


def _attribute(attribute: Any, opset: int, functions: Mapping[tuple[str, str], Any]) -> Any:
    from onnx import AttributeProto, helper
    if attribute.type == AttributeProto.GRAPH:
        return Graph(attribute.g, opset, functions)
    if attribute.type == AttributeProto.TENSOR:
        return tensor_of(attribute.t)
    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    if attribute.type == AttributeProto.STRINGS:
        return [part.decode() for part in value]
    return list(value) if attribute.type in (AttributeProto.INTS, AttributeProto.FLOATS) else value


# Operators that the file, or ONNX itself, composes of others

def _function_of(node: Any, opset: int, functions: Mapping[tuple[str, str], Any]) -> Callable:
    if (node.domain, node.op_type) in functions:
        return lambda *inputs, body: body(*inputs)
    name = node.op_type if node.domain in DOMAINS else f"{node.domain}.{node.op_type}"
    if name in OPERATORS:
        return OPERATORS[name]
    if node.domain in DOMAINS:
        from onnx import defs
        if defs.has(node.op_type, max_inclusive_version=opset):
            schema: Any = defs.get_schema(node.op_type, opset)
            if schema.has_function or schema.has_context_dependent_function:
                return _by_definition(schema, opset, node)
    raise NotImplementedError(
        f"the ONNX operator {name} (node {node.name or node.output[0]!r}) is not available here; for one of your own, "
        f"put a function of Tensors into nn.onnx.OPERATORS[{name!r}]")


def _bound(function: Any, node: Any) -> Any:
    """A FunctionProto, with the attributes of the node that calls it in their places."""
    from onnx import AttributeProto, FunctionProto
    bound = FunctionProto.FromString(function.SerializeToString())
    given = {a.name: a for a in (*function.attribute_proto, *node.attribute)}

    def bind(nodes: Any) -> None:
        for inner in nodes:
            kept = []
            for a in inner.attribute:
                value = AttributeProto.FromString((given.get(a.ref_attr_name) or a).SerializeToString())
                value.name = a.name
                bind(value.g.node)
                if not value.ref_attr_name:  # one that was left out is left out
                    kept.append(value)
            del inner.attribute[:]
            inner.attribute.extend(kept)
    bind(bound.node)
    return bound


def _opset(proto: Any, otherwise: int) -> int:
    """The version of ONNX's own operators in a file or a function."""
    return next((o.version for o in proto.opset_import if o.domain in DOMAINS), otherwise)


def _by_definition(schema: Any, opset: int, node: Any) -> Callable:
    """An operator that ONNX defines by others; how may depend on the types of the inputs."""
    from onnx import FunctionProto, TypeProto, helper
    versions = getattr(schema, "function_opset_versions" if schema.has_function else
                       "context_dependent_function_opset_versions")
    version = max((v for v in versions if v <= opset), default=min(versions))

    def body(types: list[bytes]) -> Graph:
        text = (schema.get_function_with_opset_version(version) if schema.has_function else
                schema.get_context_dependent_function_with_opset_version(version, node.SerializeToString(), types))
        function = FunctionProto.FromString(text)
        for name, attribute in schema.attributes.items():
            if attribute.default_value.name:
                function.attribute_proto.append(attribute.default_value)
                function.attribute_proto[-1].name = name
        function = _bound(function, node)
        return Graph(function, _opset(function, opset), {})
    graphs: dict[tuple[bytes, ...], Graph] = {}

    def call(*inputs: Any, **attributes: Any) -> tuple[Any, ...]:
        types = tuple((TypeProto() if x is None else helper.make_tensor_type_proto(
            helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)).SerializeToString() for x in inputs)
        if types not in graphs:
            graphs[types] = body(list(types))
        graph = graphs[types]
        return graph.run({}, dict.fromkeys(graph.inputs) | dict(zip(graph.inputs, inputs, strict=False)), {})
    return call


# The file

class OnnxModule(Module):
    """A network out of an ONNX file: its initializers are Parameters and buffers, under their names in the file.

    `model(x)` or `model(input_name=x)` gives what the file calls its outputs: a Tensor, or a tuple of several. Floating
    initializers are Parameters where a derivative by them makes sense (by ONNX's own word), buffers otherwise, as are
    the running statistics of batch normalization, which the file's operators don't change.

    Attributes:
        input_names: of the inputs without those that have an initializer.
        output_names: of the outputs.
        metadata: what else the file says of itself: the names of classes, for example.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        functions = {(f.domain, f.name): f for f in model.functions}
        self._graph = Graph(model.graph, _opset(model, 1), functions)
        graphs = list(self._graph.graphs())
        learned = {name for graph in graphs for step in graph.steps for name in step.learned}
        for graph in graphs:
            for name, tensor in graph.constants.items():
                key = name
                while hasattr(self, key) or not key:  # branches may use one name each
                    key += "_"
                if name in learned and tensor.dtype.kind == "f" and tensor.numel() > 1:
                    self._parameters[key] = Parameter(tensor)
                else:
                    self._buffers[key] = tensor
                graph.held[name] = key
            graph.constants = {}
        self.input_names = [name for name in self._graph.inputs if name not in self._graph.held]
        self.output_names = list(self._graph.outputs)
        self.metadata = {entry.key: entry.value for entry in model.metadata_props}

    def forward(self, *inputs: Any, **named: Any) -> Any:
        if len(inputs) > len(self.input_names):
            raise TypeError(f"this network has {len(self.input_names)} inputs, {', '.join(self.input_names)}, and "
                            f"{len(inputs)} were given")
        given = dict(zip(self.input_names, inputs, strict=False)) | named
        if given.keys() != set(self.input_names):
            raise TypeError(f"this network has the inputs {', '.join(self.input_names)}, not "
                            f"{', '.join(given) or 'none'}")
        tensors = {name: x if isinstance(x, Tensor) else Tensor(np.asarray(x)) for name, x in given.items()}
        outputs = self._graph.run({}, tensors, vars(self))
        return outputs[0] if len(outputs) == 1 else outputs

    def extra_repr(self) -> str:
        return f"{', '.join(self.input_names)} -> {', '.join(self.output_names)}"


def load(f: str | os.PathLike) -> OnnxModule:
    """A network out of an ONNX file, as a Module that can be run, differentiated, trained, drawn and saved.

    Args:
        f: path of the file; numbers that it keeps in other files (external data) are looked for beside it.

    Raises:
        ModuleNotFoundError: the package `onnx`, which reads the file, is not installed.
        ValueError: the file is damaged, or not one of ONNX.
        NotImplementedError: it has an operator that is not available here; says which.

    >>> model = nn.onnx.load("classifier.onnx")  # doctest: +SKIP
    >>> model(autograd.randn(1, 3, 224, 224)).shape  # doctest: +SKIP
    (1, 1000)
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise ModuleNotFoundError("nn.onnx.load needs the package onnx: pip install 'gradcircuit[onnx]'",
                                  name="onnx") from error
    path = os.fspath(f)
    try:
        model = onnx.load(path)
        onnx.checker.check_model(path)
    except (DecodeError, onnx.checker.ValidationError, ValueError) as error:
        raise ValueError(f"{path!r} is no valid ONNX file: {str(error).strip().splitlines()[0]}") from error
    return OnnxModule(model)
