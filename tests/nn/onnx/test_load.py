"""ONNX files as Modules: names, derivatives, graphs within graphs, what is refused."""

import copy

import numpy as np
import pytest

import autograd
import nn
import nn.onnx
import optim
from autograd import tensor
from autograd.testing import check_derivatives

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

rng = np.random.default_rng(0)
FLOAT = TensorProto.FLOAT


def numbers(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def floats(value):
    """What a graph says of an input or output: a name, a name and a number of axes, or all of it."""
    if isinstance(value, onnx.ValueInfoProto):
        return value
    name, axes = value if isinstance(value, tuple) else (value, 1)
    return helper.make_tensor_value_info(name, FLOAT, [None] * axes)


WHICH = helper.make_tensor_value_info("which", TensorProto.BOOL, [])


def file(nodes, initializers, inputs, outputs, tmp_path, opset=18, **more):
    """A file of these nodes; inputs and outputs are names of vectors, or a name and a number of axes."""
    graph = helper.make_graph(nodes, "net", [floats(v) for v in inputs], [floats(v) for v in outputs],
                              [numpy_helper.from_array(a, name) for name, a in initializers.items()])
    domains = [helper.make_opsetid("", opset), *more.pop("domains", ())]
    model = helper.make_model(graph, opset_imports=domains, ir_version=9, **more)
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture
def classifier(tmp_path):
    """Convolution, batch normalization, a linear layer; and the same as layers."""
    theirs = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5))
    theirs.eval()
    theirs[1].running_mean.copy_(autograd.randn(4))
    theirs[1].running_var.copy_(autograd.rand(4) + 0.5)
    state = {key: value.detach().numpy() for key, value in theirs.state_dict().items() if "num" not in key}
    nodes = [
        helper.make_node("Conv", ["x", "0.weight", "0.bias"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c", "1.weight", "1.bias", "1.running_mean", "1.running_var"], ["b"]),
        helper.make_node("Relu", ["b"], ["r"]), helper.make_node("Flatten", ["r"], ["f"]),
        helper.make_node("Gemm", ["f", "4.weight", "4.bias"], ["scores"], transB=1)]
    return file(nodes, state, [("x", 4)], [("scores", 2)], tmp_path), theirs


def test_its_parameters_and_buffers_have_the_files_names(classifier):
    path, theirs = classifier
    model = nn.onnx.load(path)
    assert {name for name, _ in model.named_parameters()} == {name for name, _ in theirs.named_parameters()}
    assert {name for name, _ in model.named_buffers()} == {"1.running_mean", "1.running_var"}
    assert model.input_names == ["x"] and model.output_names == ["scores"] and repr(model) == "OnnxModule(x -> scores)"
    state = theirs.state_dict()
    del state["1.num_batches_tracked"]
    assert model.load_state_dict(state).missing_keys == []


def test_what_else_the_file_says_of_itself(tmp_path):
    path = file([helper.make_node("Relu", ["x"], ["y"])], {}, ["x"], ["y"], tmp_path)
    model = onnx.load(path)
    assert nn.onnx.load(path).metadata == {}
    helper.set_model_props(model, {"classes": "a\nb"})
    onnx.save(model, path)
    assert nn.onnx.load(path).metadata == {"classes": "a\nb"}


@pytest.mark.parametrize("how", [lambda model, x: model(x), lambda model, x: model(x=x)])
def test_values_and_all_gradients_are_those_of_the_layers(classifier, how):
    path, theirs = classifier
    model, x = nn.onnx.load(path), autograd.randn(2, 3, 4, 4)
    results = []
    for net, call in ((model, how), (theirs, lambda net, x: net(x))):
        given = x.clone().requires_grad_()
        out = call(net, given)
        (out ** 2).sum().backward()
        gradients = {name: p.grad for name, p in net.named_parameters()}
        results.append([out.detach(), given.grad, *[gradients[name] for name in sorted(gradients)]])
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-5)


def test_it_can_be_trained_copied_saved_and_drawn(classifier, tmp_path):
    import viz
    model = nn.onnx.load(classifier[0])
    x, y = autograd.randn(16, 3, 4, 4), autograd.randint(5, (16,))
    before = nn.functional.cross_entropy(model(x), y).item()
    step = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(20):
        step.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        step.step()
    assert nn.functional.cross_entropy(model(x), y).item() < before / 2
    nn.save(model.state_dict(), tmp_path / "trained.safetensors")
    fresh = nn.onnx.load(classifier[0])
    fresh.load_state_dict(nn.load(tmp_path / "trained.safetensors"))
    for twin in (fresh, copy.deepcopy(model)):
        np.testing.assert_array_equal(twin(x).detach(), model(x).detach())
    assert "conv" in str(viz.draw(model, x)).lower()
    assert model.double()(x.double()).dtype == np.float64


def test_second_derivatives(classifier):
    model = nn.onnx.load(classifier[0]).double()
    assert check_derivatives(lambda x: model(x), [rng.standard_normal((2, 3, 4, 4))]) is not None


def test_constants_are_parameters_too(tmp_path):
    constant = helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(numbers(3, 2)))
    path = file([constant, helper.make_node("MatMul", ["x", "w"], ["y"])], {}, [("x", 2)], [("y", 2)],
                tmp_path)
    model = nn.onnx.load(path)
    assert [name for name, _ in model.named_parameters()] == ["w"]


def test_names_that_a_module_has_already(tmp_path):
    nodes = [helper.make_node("Mul", ["x", "training"], ["a"]), helper.make_node("Add", ["a", "forward"], ["y"])]
    model = nn.onnx.load(file(nodes, {"training": numbers(3), "forward": numbers(3)}, ["x"], ["y"], tmp_path))
    assert {name for name, _ in model.named_parameters()} == {"training_", "forward_"}
    np.testing.assert_allclose(model(autograd.ones(3)).detach(), (model.training_ + model.forward_).detach())


def branch(name, weight):
    nodes = [helper.make_node("Constant", [], ["w"], value=numpy_helper.from_array(weight)),
             helper.make_node("Mul", ["x", "w"], [f"{name}_out"])]
    return helper.make_graph(nodes, name, [], [floats(f"{name}_out")])


def test_branches_have_parameters_of_their_own_and_see_what_is_around(tmp_path):
    a, b = numbers(3), numbers(3)
    node = helper.make_node("If", ["which"], ["y"], then_branch=branch("yes", a), else_branch=branch("no", b))
    model = nn.onnx.load(file([node], {}, ["x", WHICH], ["y"], tmp_path))
    assert {name for name, _ in model.named_parameters()} == {"w", "w_"}
    x = autograd.ones(3)
    np.testing.assert_array_equal(model(x, tensor(True)).detach(), a)
    np.testing.assert_array_equal(model(x, tensor(False)).detach(), b)
    model(x, tensor(False)).sum().backward()
    used = {name for name, p in model.named_parameters() if p.grad is not None}
    assert [vars(model)[name].tolist() for name in used] == [b.tolist()]


def test_a_loop_is_differentiated_through_all_its_rounds(tmp_path):
    count, going, go_on, times = (helper.make_tensor_value_info(name, kind, []) for name, kind in (
        ("i", TensorProto.INT64), ("going", TensorProto.BOOL), ("go_on", TensorProto.BOOL),
        ("times", TensorProto.INT64)))
    nodes = [helper.make_node("Mul", ["h", "w"], ["next"]), helper.make_node("Identity", ["going"], ["go_on"]),
             helper.make_node("Identity", ["next"], ["seen"])]
    body = helper.make_graph(nodes, "body", [count, going, floats("h")], [go_on, floats("next"), floats("seen")])
    node = helper.make_node("Loop", ["times", "", "x"], ["last", "all"], body=body)
    weight = np.array([2.0, 3.0], np.float32)
    model = nn.onnx.load(file([node], {"w": weight}, [times, "x"], ["last", ("all", 2)], tmp_path))
    last, rounds = model(tensor(4), autograd.ones(2))
    assert last.tolist() == [16, 81] and rounds.shape == (4, 2)
    last.sum().backward()
    np.testing.assert_allclose(model.w.grad, [4 * 2 ** 3, 4 * 3 ** 3])


def test_functions_of_the_file_with_their_attributes(tmp_path):
    scale = helper.make_node("Constant", [], ["c"])
    scale.attribute.append(onnx.AttributeProto(name="value_float", type=1, ref_attr_name="factor"))
    function = helper.make_function("my", "Scale", ["a"], ["b"], [scale, helper.make_node("Mul", ["a", "c"], ["b"])],
                                    [helper.make_opsetid("", 18)], ["factor"])
    node = helper.make_node("Scale", ["x"], ["y"], domain="my", factor=2.5)
    path = file([node], {}, ["x"], ["y"], tmp_path, functions=[function], domains=[helper.make_opsetid("my", 1)])
    assert nn.onnx.load(path)(autograd.ones(2)).tolist() == [2.5, 2.5]


def test_an_operator_of_ones_own(tmp_path, monkeypatch):
    node = helper.make_node("Twice", ["x"], ["y"], domain="my")
    path = file([node], {}, ["x"], ["y"], tmp_path, domains=[helper.make_opsetid("my", 1)])
    with pytest.raises(NotImplementedError, match=r"operator my\.Twice \(node 'y'\).*OPERATORS\['my\.Twice'\]"):
        nn.onnx.load(path)
    monkeypatch.setitem(nn.onnx.OPERATORS, "my.Twice", lambda x: 2 * x)
    assert nn.onnx.load(path)(autograd.ones(2)).tolist() == [2, 2]


@pytest.mark.parametrize("operator", ["QuantizeLinear", "QLinearMatMul", "ConvInteger", "StringSplit", "SequenceAt"])
def test_operators_that_are_not_there_are_refused_by_name(operator):
    graph = helper.make_graph([helper.make_node(operator, ["x"], ["y"])], "net", [floats("x")], [floats("y")])
    with pytest.raises(NotImplementedError, match=f"the ONNX operator {operator} "):
        nn.onnx.OnnxModule(helper.make_model(graph))


def test_an_error_says_where_it_was(classifier):
    model = nn.onnx.load(classifier[0])
    with pytest.raises(RuntimeError) as info:
        model(autograd.randn(2, 3, 9, 9))
    assert info.value.__notes__ == ["in the ONNX operator Gemm (scores)"]
    for call in (lambda: model(), lambda: model(z=1), lambda: model(1, 2)):
        with pytest.raises(TypeError, match=r"this network has .*x"):
            call()


@pytest.mark.parametrize("damage", [
    lambda content: content[:len(content) // 2], lambda content: b"", lambda content: b"not a network" * 20])
def test_damaged_files(classifier, damage):
    path = classifier[0]
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="is no valid ONNX file: "):
        nn.onnx.load(path)


def test_files_that_lie(tmp_path):
    add = helper.make_node("Add", ["x", "w"], ["y"])
    cycle = [helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Relu", ["a"], ["b"])]
    with pytest.raises(ValueError, match="no valid ONNX file"):
        nn.onnx.load(file(cycle, {}, ["x"], ["b"], tmp_path))
    model = onnx.load(file([add], {"w": numbers(3)}, ["x"], ["y"], tmp_path))
    for dims in ([4], [-3], [2 ** 40, 2 ** 20]):
        del model.graph.initializer[0].dims[:]
        model.graph.initializer[0].dims.extend(dims)
        with pytest.raises(ValueError, match=r"the tensor 'w' has shape .* but 12 bytes"):
            nn.onnx.OnnxModule(model)


def test_numbers_in_another_file(classifier, tmp_path):
    model = onnx.load(classifier[0])
    expected = nn.onnx.load(classifier[0])(autograd.ones(1, 3, 4, 4)).detach()
    onnx.save(model, tmp_path / "large.onnx", save_as_external_data=True, size_threshold=0, location="numbers.bin")
    np.testing.assert_array_equal(nn.onnx.load(tmp_path / "large.onnx")(autograd.ones(1, 3, 4, 4)).detach(), expected)
    (tmp_path / "numbers.bin").unlink()
    with pytest.raises((ValueError, FileNotFoundError)):
        nn.onnx.load(tmp_path / "large.onnx")


def test_without_the_package_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ImportError, match=r"gradcircuit\[onnx\]"):
        nn.onnx.load(tmp_path / "net.onnx")
