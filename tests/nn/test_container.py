"""Containers of modules and of parameters."""

import pytest

import autograd
import nn


def test_sequential():
    net = nn.Sequential({"first": nn.Linear(2, 3), "second": nn.ReLU()})
    assert net[0] is net.first
    assert net[-1] is net.second
    net.append(nn.Linear(3, 1))
    assert len(net) == 3
    assert [name for name, _ in net[1:].named_children()] == ["second", "2"]
    del net[1]
    assert isinstance(net[1], nn.Linear)
    with pytest.raises(IndexError, match="2 entries"):
        net[5]
    with pytest.raises(TypeError, match="Module"):
        nn.Sequential(nn.Linear(2, 2), "relu")


def test_module_list_and_parameter_list():
    layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    layers.insert(1, nn.ReLU())
    assert [type(layer).__name__ for layer in layers] == ["Linear", "ReLU", "Linear", "Linear"]
    assert [name for name, _ in layers.named_parameters()][:3] == ["0.weight", "0.bias", "2.weight"]
    weights = nn.ParameterList([autograd.ones(2), nn.Parameter(autograd.zeros(3))])
    assert [name for name, _ in weights.named_parameters()] == ["0", "1"]


# The same programs under both: what they do with PyTorch's containers is the reference

def lists(nn, tensor):
    a, b, c, d = (nn.Linear(1, n) for n in (1, 2, 3, 4))
    out = []
    for kind in (nn.ModuleList, lambda entries: nn.Sequential(*entries)):
        entries = kind([a, b, c])
        entries.append(d).extend([a])
        entries.insert(1, c)
        entries[0] = d
        out.append([layer.out_features for layer in entries])
        assert entries.pop(-1) is a and entries.pop(0) is d
        del entries[1:3]
        entries += kind([b, b])
        out += [[layer.out_features for layer in entries], [name for name, _ in entries.named_parameters()],
                entries[-1].out_features, len(entries[1:]), len(entries + kind([a])), type(entries[:1]).__name__]
        for index in (4, -5):
            with pytest.raises(IndexError):
                entries[index]
            with pytest.raises(IndexError):
                del entries[index]
    holes = nn.ModuleList([a, None, b])
    holes.append(None).insert(0, None)
    holes[1] = None
    out += [[layer is None for layer in holes], len(holes), repr(holes), list(holes.state_dict()), holes.pop(3) is b]
    for index in (5, -5):
        with pytest.raises(IndexError):
            nn.Sequential(a, b).insert(index, c)
    two = nn.Sequential(a, b) * 2
    two *= 2
    out += [len(two), [p.shape[0] for p in two.parameters()], len(3 * nn.Sequential(a)), len(two[:3])]
    named = nn.Sequential({"x": a, "y": b, "z": a}) if nn.__name__ == "nn" else nn.Sequential(
        __import__("collections").OrderedDict({"x": a, "y": b, "z": a}))
    out += [list(named[1:]._modules), list(named[:2]._modules)]
    del named[1]
    for wrong, error in ((lambda: named + 3, (ValueError, TypeError)), (lambda: named * 1.5, TypeError),
                         (lambda: named * 0, ValueError), (lambda: nn.ModuleList(3), TypeError),
                         (lambda: named.append(3), TypeError)):
        with pytest.raises(error):
            wrong()
    return [*out, list(named._modules)]


def dicts(nn, tensor):
    entries = nn.ModuleDict({"b": nn.ReLU(), "a": nn.Tanh()})
    entries.update([["c", nn.ReLU()], ("a", nn.Sigmoid())])
    entries["d"] = nn.Linear(1, 1)
    out = [list(entries), list(entries.keys()), [type(v).__name__ for v in entries.values()], "a" in entries,
           [k for k, _ in entries.items()], len(entries), type(entries.pop("a")).__name__]
    del entries["b"]
    for wrong, error in ((lambda: entries["x"], KeyError), (lambda: entries.update(3), TypeError),
                         (lambda: entries.update([3]), TypeError if nn.__name__ != "nn" else ValueError),
                         (lambda: entries.update([(1, 2, 3)]), ValueError), (lambda: entries.pop("x"), KeyError),
                         (lambda: entries.__setitem__("training", nn.ReLU()), KeyError),
                         (lambda: entries.__setitem__("e", 3), TypeError)):
        with pytest.raises(error):
            wrong()
    out.append(list(entries))
    entries.clear()
    return [*out, len(entries), bool(entries), len({entries})]


def described(module):
    """Its lines, in which PyTorch has two names of dtypes."""
    return module.extra_repr().replace("torch.", "").replace("FloatTensor", "float32").replace("  (", "(")


def parameters(nn, tensor):
    inner = nn.ParameterList([tensor([3.0])])
    values = nn.ParameterList([nn.Parameter(tensor([1.0])), tensor([2.0, 2.0]), "text", inner])
    values.append(tensor([4.0])).extend([tensor([5.0])])
    values += [7]
    values[0] = tensor([9.0])
    out = [[type(v).__name__ for v in values], [name for name, _ in values.named_parameters()], len(values),
           len(values[1:3]), values[-1], described(values)]
    with pytest.raises(TypeError):
        values.extend(3)
    with pytest.raises(TypeError):
        values.extend(tensor([1.0]))
    with pytest.raises(IndexError):
        values[7]
    many = nn.ParameterDict({"b": nn.Parameter(tensor([1.0])), "a": tensor([2.0, 2.0]), "n": 3})
    many["z"] = tensor([3.0])
    many.update([("y", tensor([4.0]))])
    out += [list(many), [name for name, _ in many.named_parameters()], list(reversed(many)), many.get("no", 5),
            many.setdefault("n", 8), many.setdefault("s", tensor([1.0])).tolist(),
            list(many | nn.ParameterDict({"q": 1})), list(many.copy()), many.copy()["a"] is many["a"],
            list(many.fromkeys("xy", 3)), "a" in many, len(many), described(many), sorted(many.state_dict())]
    name, _ = many.popitem()
    out += [name, many.pop("n"), hasattr(many, "n"), list(many.keys()), [type(v).__name__ for v in many.values()]]
    many |= nn.ParameterDict({"k": tensor([1.0])})
    del many["b"]
    missing = (KeyError, AttributeError)
    for wrong, error in ((lambda: many["no"], missing), (lambda: many.pop("no"), missing),
                         (lambda: many(1), RuntimeError), (lambda: many.update(3), TypeError),
                         (lambda: nn.ParameterDict([(3, tensor([1.0]))]), TypeError),
                         (lambda: nn.ParameterDict({"a.b": tensor([1.0])}), KeyError)):
        with pytest.raises(error):
            wrong()
    out.append(list(many))
    many.clear()
    return [*out, len(many)]


def test_lists_of_parameters_are_shown_as_pytorch_shows_them():
    shown = repr(nn.Sequential(nn.ParameterList([autograd.ones(2), autograd.ones(1, 3)]))).splitlines()
    assert shown == ["Sequential(", "  (0): ParameterList(", "      (0): Parameter containing: [float32 of size 2]",
                     "      (1): Parameter containing: [float32 of size 1x3]", "  )", ")"]


@pytest.mark.parametrize("program", [lists, dicts, parameters])
def test_a_program_does_what_it_does_in_pytorch(program, as_pytorch):
    as_pytorch(lambda library, layers: program(layers, library.tensor))
