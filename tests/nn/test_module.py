"""Module: what is found, what is loaded, what is refused."""

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4))
        self.scale = nn.Parameter(autograd.ones(4))
        self.register_buffer("count", autograd.tensor(0))
        self.register_buffer("scratch", autograd.zeros(2), persistent=False)
        self.heads = nn.ModuleDict({"a": nn.Linear(4, 2), "b": nn.Linear(4, 2)})
        self.tied = self.body[0]

    def forward(self, x):
        return self.heads["a"](self.body(x) * self.scale)


def test_parameters_are_found_once_and_in_order():
    names = [name for name, _ in Net().named_parameters()]
    assert names == ["scale", "body.0.weight", "body.0.bias", "body.2.weight", "body.2.bias",
                     "heads.a.weight", "heads.a.bias", "heads.b.weight", "heads.b.bias"]


@pytest.mark.parametrize("options", [{}, {"prefix": "net"}, {"remove_duplicate": False}, {"recurse": False},
                                     {"prefix": "net", "recurse": False}])
def test_what_is_found_is_what_pytorch_finds_however_it_is_asked(options, as_pytorch):
    def program(library, nn):
        net = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.BatchNorm1d(4)), nn.Linear(4, 4))
        net[1].tied, net[1].alone = net[0], net[2].weight
        net.scale = nn.Parameter(library.ones(4))
        net.register_buffer("shift", library.ones(4))
        net[1].register_buffer("shared", net.shift, persistent=False)
        found = [sorted(net.state_dict(prefix="net."))]
        for walk in ("named_modules", "named_parameters", "named_buffers"):
            given = {k: v for k, v in options.items() if k != "recurse" or walk != "named_modules"}
            found.append(sorted(name for name, _ in getattr(net, walk)(**given)))
        for walk in ("modules", "children", "parameters", "buffers"):
            given = {k: v for k, v in options.items() if k == "recurse" and walk not in ("modules", "children")}
            found.append(len(list(getattr(net, walk)(**given))))
        return found
    as_pytorch(program)


def test_state_dict_has_shared_modules_twice_and_only_persistent_buffers():
    state = Net().state_dict()
    assert "tied.weight" in state
    assert "count" in state
    assert "scratch" not in state
    assert [name for name, _ in Net().named_buffers()] == ["count", "scratch"]


def test_state_dict_round_trip_shares_memory_and_copies_on_load():
    a, b = Net(), Net()
    b.load_state_dict(a.state_dict())
    x = autograd.randn(5, 3)
    assert np.array_equal(a(x).detach().numpy(), b(x).detach().numpy())
    a.state_dict()["scale"].numpy()[:] = 7  # the module's own memory, and not b's
    assert a.scale.array[0] == 7
    assert b.scale.array[0] == 1


def test_load_lists_everything_that_is_wrong_and_changes_nothing():
    net = nn.Linear(3, 2)
    before = net.weight.array.copy()
    with pytest.raises(RuntimeError) as info:
        net.load_state_dict({"weight": np.zeros((2, 4)), "extra": np.zeros(1)})
    message = str(info.value)
    for part in ("Linear", '"bias"', '"extra"', "weight", "(2, 4)", "(2, 3)"):
        assert part in message
    assert np.array_equal(net.weight.array, before)
    result = net.load_state_dict({"weight": np.ones((2, 3)), "extra": 1}, strict=False)
    assert result.missing_keys == ["bias"]
    assert result.unexpected_keys == ["extra"]
    assert (net.weight.array == 1).all()


def test_loading_between_forward_and_backward_is_refused():
    net = nn.Linear(3, 2)
    x = autograd.randn(4, 3, requires_grad=True)
    loss = net(x).sum()
    net.load_state_dict(net.state_dict())
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_train_eval_apply_requires_grad_zero_grad():
    net = Net()
    assert not net.eval().body[1].training
    assert net.train().body[1].training
    seen = []
    net.apply(lambda module: seen.append(type(module).__name__))
    assert seen[-1] == "Net"
    assert set(seen) == {"Linear", "ReLU", "Sequential", "ModuleDict", "Net"}
    net(autograd.randn(2, 3)).sum().backward()
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net(autograd.randn(2, 3)).sum().backward()
    net.zero_grad(set_to_none=False)
    assert all((p.grad.array == 0).all() for p in net.parameters() if p.grad is not None) and net.scale.grad is not None
    assert net.requires_grad_(False) is net
    assert not net(autograd.randn(2, 3)).requires_grad
    assert net.requires_grad_() is net
    assert net(autograd.randn(2, 3)).requires_grad


def test_dtype_conversion_keeps_parameters_identity_and_integer_buffers():
    net = Net()
    weight = net.body[0].weight
    net(autograd.randn(2, 3)).sum().backward()
    assert net.to("cpu") is net and net.double() is net
    assert net.body[0].weight is weight and weight.grad.dtype == autograd.float64
    assert weight.dtype == autograd.float64
    assert net.count.dtype == autograd.int64
    assert net(autograd.randn(2, 3, dtype=autograd.float64)).dtype == autograd.float64
    assert net.half().scale.dtype == autograd.float16 and net.float().scale.dtype == autograd.float32
    with pytest.raises(TypeError, match="int64"):
        net.to(autograd.int64)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_are_independent_and_keep_their_ties(duplicate):
    net = Net()
    twin = duplicate(net)
    assert isinstance(twin.scale, nn.Parameter)
    assert twin.tied is twin.body[0]
    twin.scale.array[:] = 5
    assert net.scale.array[0] == 1
    assert [n for n, _ in twin.named_parameters()] == [n for n, _ in net.named_parameters()]


def test_a_deleted_attribute_is_forgotten_and_none_is_no_parameter():
    net = Net()
    del net.heads
    net.scale = None
    assert not [n for n, _ in net.named_parameters() if n.startswith(("heads", "scale"))]


def test_get_by_dotted_name():
    net = Net()
    assert net.get_parameter("body.0.weight") is net.body[0].weight
    assert net.get_submodule("heads.b") is net.heads["b"]
    assert net.get_buffer("count") is net.count
    with pytest.raises(AttributeError, match="'7'"):
        net.get_submodule("body.7")
    with pytest.raises(AttributeError, match="not a Parameter"):
        net.get_parameter("body")


def test_mistakes_are_refused():
    class Forgot(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 2)
    with pytest.raises(AttributeError, match="super"):
        Forgot()
    net = Net()
    with pytest.raises(TypeError, match=r"nn\.Parameter"):
        net.scale = autograd.ones(4)
    with pytest.raises(TypeError, match="Module"):
        net.body = autograd.ones(4)
    for register, given in ((net.register_parameter, autograd.ones(1)), (net.register_buffer, np.ones(1)),
                            (net.register_module, autograd.ones(1))):
        register(f"no_{register.__name__}", None)
        with pytest.raises(TypeError, match=r"Parameter|Tensor|Module"):
            register("something", given)
    for name in ("", "a.b"):
        with pytest.raises(KeyError, match="dots"):
            net.add_module(name, nn.ReLU())
    with pytest.raises(NotImplementedError, match="forward"):
        nn.Module()(1)
    with pytest.raises(KeyError, match="attribute"):
        net.register_buffer("scale", autograd.ones(1))


def test_text_is_pytorchs(as_pytorch):
    def program(_, nn):
        return repr(nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Dropout(0.1), nn.Flatten(),
            nn.ModuleList([nn.Linear(4, 4) for _ in range(2)]), nn.LeakyReLU(0.2), nn.LSTM(3, 4, bidirectional=True),
            nn.LayerNorm(4),
            nn.BatchNorm2d(8), nn.Embedding(5, 3, padding_idx=0), nn.ConvTranspose2d(3, 4, 2, stride=2),
            nn.Softmax(dim=1), nn.GroupNorm(2, 4)))
    as_pytorch(program)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_keep_buffers_hooks_and_containers(duplicate):
    net = nn.Sequential(nn.Linear(2, 2), nn.ModuleDict({"a": nn.ReLU()}), nn.ParameterDict({"p": autograd.ones(1)}))
    net.shift, net.hidden = nn.Buffer(autograd.ones(2)), nn.Buffer(autograd.ones(2), persistent=False)
    net.tied = net[0].weight
    net[0].register_forward_hook(doubled)
    twin = duplicate(net)
    assert list(twin.state_dict()) == list(net.state_dict()) and "hidden" not in twin.state_dict()
    assert twin.tied is twin[0].weight is not net.tied
    x = autograd.ones(1, 2)
    assert twin[0](x).tolist() == net[0](x).tolist()
    handle = twin[0].register_forward_hook(doubled)
    assert twin[0](x).tolist() == (net[0](x) * 2).tolist()
    handle.remove()
    assert twin[0](x).tolist() == net[0](x).tolist() and list(twin[2]) == ["p"]


def doubled(module, args, output):
    return output * 2


def test_loading_that_fails_changes_nothing_even_where_something_fits():
    net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
    before = {key: value.clone() for key, value in net.state_dict().items()}
    wrong = {**{key: value * 0 + 7 for key, value in before.items()}, "2.weight": autograd.ones(9, 9)}
    with pytest.raises(RuntimeError, match=r"size mismatch for 2\.weight"):
        net.load_state_dict(wrong)
    assert all(value.tolist() == before[key].tolist() for key, value in net.state_dict().items())


# The same programs under both

class Both:
    """What a program needs of a package, ours or PyTorch's."""

    def __init__(self, nn, tensor, ones):
        self.nn, self.tensor, self.ones = nn, tensor, ones

    def net(self):
        """Layers with parameters, buffers, a shared layer and a parameter that is None."""
        nn = self.nn
        net = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Sequential(nn.Linear(3, 3, bias=False), nn.ReLU()))
        net.tied = net[0]
        for i, p in enumerate(net.parameters()):
            p.data = self.ones(*p.shape) * (i + 1)
        return net


def shown(value):
    """What can be compared: tensors as lists, modules by their class."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dict):
        return {key: shown(part) for key, part in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [shown(part) for part in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else type(value).__name__


def members(t):
    net = t.net()
    linear, norm, inner = net[0], net[1], net[2]
    result = [list(net._modules), list(linear._parameters), list(norm._buffers), len(net._modules),
              "weight" in linear._parameters, "nothing" in linear._parameters, inner[0]._parameters["bias"],
              list(reversed(net._modules)), next(iter(norm._buffers.items())), list(linear._modules)]
    linear._parameters["weight"] = t.nn.Parameter(t.ones(1, 2))
    net._modules["1"] = t.nn.Identity()
    del linear._parameters["bias"]
    norm._buffers["running_mean"] = t.ones(3) * 5
    norm._buffers["more"] = t.ones(1)
    inner._modules.pop("1")
    other = t.net()
    other._modules = {"b": other[1], "a": other[0]}
    other[0]._buffers = {"c": t.ones(1)}
    other[1]._parameters = {**other[1]._parameters, "d": t.nn.Parameter(t.ones(1))}
    result += [list(other.state_dict()), len(list(other.parameters()))]
    for members, name in ((net._modules, "nothing"), (linear._parameters, "training"), (norm._buffers, "weight")):
        with pytest.raises(KeyError):
            members[name]
        with pytest.raises(KeyError):
            del members[name]
    return [*result, linear.weight, hasattr(linear, "bias"), net[1], norm.running_mean, len(inner),
            list(net.state_dict()), list(norm.state_dict())]


def assigned(t):
    m = t.nn.Module()
    m.a, m.b, m.c, m.d = t.nn.Parameter(t.ones(1)), t.nn.Linear(1, 1), None, 7
    m.register_buffer("e", t.ones(2))
    m.register_buffer("f", t.ones(3), persistent=False)
    m.g, m.h = t.nn.Buffer(t.ones(4)), t.nn.Buffer(t.ones(5), persistent=False)
    m.register_parameter("i", None)
    m.register_buffer("j", None)
    first = [list(m.state_dict()), [n for n, _ in m.named_buffers()], [n for n, _ in m.named_parameters()]]
    m.e, m.f, m.i, m.j = t.ones(6), t.ones(7), t.nn.Parameter(t.ones(8)), t.ones(9)
    second = [list(m.state_dict()), [n for n, _ in m.named_buffers()], [n for n, _ in m.named_parameters()]]
    m.e, m.a, m.b = t.nn.Parameter(t.ones(1)), None, None
    third = [sorted(m.state_dict()), [n for n, _ in m.named_buffers()], len(list(m.children()))]
    del m.g
    m.g = t.ones(1)  # a plain attribute now
    for name, value in (("f", 1), ("e", t.ones(1)), ("e", 1)):
        with pytest.raises(TypeError):
            setattr(m, name, value)
    with pytest.raises(AttributeError):
        del m.nothing
    return [first, second, third, sorted(m.state_dict()), hasattr(m, "d")]


def converted(t):
    net = t.net()
    weight = net[0].weight
    net[:2](t.ones(2, 2)).sum().backward()
    out = []
    double, half = t.ones(1).double(), t.ones(1).half()
    for convert in (lambda: net.to(double.dtype), lambda: net.to("cpu"), lambda: net.to("cpu", half.dtype),
                    lambda: net.to(double), lambda: net.to(dtype=half.dtype), lambda: net.to(device="cpu"),
                    lambda: net.to(device="cpu", dtype=double.dtype, non_blocking=True), net.float, net.double,
                    net.half, net.cpu, lambda: net.type(double.dtype), lambda: net.to(half.dtype, True)):
        assert convert() is net and net[0].weight is weight
        out.append([str(x.dtype).removeprefix("torch.") for x in (
            weight, weight.grad, net[1].running_mean, net[1].num_batches_tracked)])
    with pytest.raises(TypeError):
        net.to(net[1].num_batches_tracked.long())
    with pytest.raises((RuntimeError, AssertionError)):
        net.cuda()
    with pytest.raises((RuntimeError, AssertionError)):
        net.to("cuda")
    return out


def loaded(t):
    out, other = [], t.net()
    for state in ({}, {"0.weight": t.ones(3, 2) * 7}, {**other.state_dict(), "more": t.ones(1), "2.0.x.y": t.ones(1)}):
        net = t.net()
        result = net.load_state_dict(state, strict=False)
        out.append([result, str(result), repr(result), net[0].weight])
        if not state or "more" in state:
            with pytest.raises(RuntimeError):
                net.load_state_dict(state)
    out.append(str(t.net().load_state_dict(t.net().state_dict())))
    for wrong in ({"weight": t.ones(2, 3)}, {"weight": t.ones(3, 2), "bias": t.ones(1)}):
        with pytest.raises(RuntimeError, match="size mismatch for"):
            t.nn.Linear(2, 3).load_state_dict(wrong, strict=False)
    with pytest.raises(TypeError):
        t.nn.Linear(2, 3).load_state_dict(3)
    state = t.net().double().state_dict()
    net = t.net()
    net.load_state_dict(state, assign=True)
    net[0].weight.data[0] = 9
    net[1].running_mean[0] = 8
    net[0].weight.requires_grad_(False)
    out.append([state["0.weight"], state["1.running_mean"], str(net[2][0].weight.dtype)[-7:], net[0].weight])
    net.load_state_dict(t.net().state_dict(), assign=True)
    return [*out, [type(p).__name__ for p in net.parameters()], [p.requires_grad for p in net.parameters()]]


def without_batch_counts(t):
    state = {key: value for key, value in t.net().state_dict().items() if "batches" not in key}
    fresh, saved = t.net(), t.net().state_dict()
    fresh[1].num_batches_tracked += 5
    for key in [key for key in saved if "batches" in key]:
        del saved[key]
    with pytest.raises(RuntimeError, match="Missing"):
        fresh.load_state_dict(saved)  # whose version tells that they should be there
    return [str(fresh.load_state_dict(state)), fresh[1].num_batches_tracked]


def state_with_hooks(t):
    class Own(t.nn.Module):
        _version = 3

        def __init__(self):
            super().__init__()
            self.weight, self.extra = t.nn.Parameter(t.ones(1)), "fresh"

        def get_extra_state(self):
            return {"extra": self.extra}

        def set_extra_state(self, state):
            self.extra = state["extra"]

        def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
            out.append([prefix, local_metadata.get("version")])
            if prefix + "old" in state_dict:
                state_dict[prefix + "weight"] = state_dict.pop(prefix + "old")
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)
            out.append(self.weight.detach().clone())

        def _save_to_state_dict(self, destination, prefix, keep_vars):
            super()._save_to_state_dict(destination, prefix, keep_vars)
            destination[prefix + "written"] = t.ones(1)
    out = []
    net = t.nn.Sequential(t.nn.Linear(1, 1), Own())
    net[1].extra = "kept"
    net[0].register_state_dict_pre_hook(lambda module, prefix, keep_vars: out.append(["pre", prefix, keep_vars]))
    net[0].register_state_dict_post_hook(lambda module, state, prefix, metadata: out.append([
        "post", sorted(state), prefix, metadata]))
    state = net.state_dict(prefix="net.", keep_vars=True)
    out += [list(state), dict(state._metadata), state["net.0.weight"] is net[0].weight]
    destination = {}
    out.append(net.state_dict(destination=destination) is destination)
    state = net.state_dict()
    state["1.old"] = t.ones(1) * 4
    del state["1.weight"], state["1.written"]
    again = t.nn.Sequential(t.nn.Linear(1, 1), Own())
    again[0].register_load_state_dict_pre_hook(
        lambda module, state, prefix, metadata, strict, *lists: out.append([prefix, strict, *lists]))
    again[0]._register_load_state_dict_pre_hook(lambda state, prefix, *rest: out.append([prefix, len(rest)]))
    again.register_load_state_dict_post_hook(lambda module, keys: out.append([type(module).__name__, *keys]))
    out.append(again.load_state_dict(state))
    again.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
    del state["0.bias"], state["1._extra_state"], state["1.old"]
    out.append(again.load_state_dict(state))
    return [*out, again[1].extra, again[1].weight]


def old_state_hooks(t):
    net = t.net()
    net[0]._register_state_dict_hook(lambda module, state, prefix, metadata: [
        state.pop(prefix + "bias"), None][1])
    net._register_state_dict_hook(lambda module, state, prefix, metadata: {"only": state["0.weight"]})
    with pytest.raises(ValueError):
        net.train("yes")
    net.register_buffer("hidden", t.ones(1), persistent=False)
    return [list(net.state_dict()), net._non_persistent_buffers_set, net._get_name()]


def replaced(t):
    net = t.net()
    net.set_submodule("2.0", t.nn.Identity())
    net.set_submodule("2.more", t.nn.Linear(1, 1))
    for target, module, error in (("", t.nn.ReLU(), ValueError), ("2.0", 3, ValueError), ("2.0.x.y", t.nn.ReLU(),
                                                                                        AttributeError)):
        with pytest.raises(error):
            net.set_submodule(target, module)
    with pytest.raises(AttributeError):
        net.set_submodule("2.none", t.nn.ReLU(), strict=True)
    for register, given in (("register_parameter", t.nn.Parameter(t.ones(1))), ("register_buffer", t.ones(1)),
                            ("register_module", t.nn.ReLU())):
        for name in ("", "a.b", "forward"):
            with pytest.raises(KeyError):
                getattr(t.nn.Module(), register)(name, given)
        with pytest.raises(TypeError):
            getattr(t.nn.Module(), register)(3, given)
    return [type(net[2][0]).__name__, [name for name, _ in net.named_modules()]]


def hooked(t):
    calls, linear = [], t.nn.Linear(2, 2)
    linear.weight.data, linear.bias.data = t.ones(2, 2), t.ones(2)

    class Two(t.nn.Module):
        def forward(self, x, scale=1.0, fail=False):
            if fail:
                raise ValueError("fails")
            return x * scale
    two = Two()
    two.register_forward_pre_hook(lambda module, args, kwargs: (args, {**kwargs, "scale": kwargs["scale"] + 1}),
                                  with_kwargs=True)
    two.register_forward_hook(lambda module, args, kwargs, out: calls.append([kwargs, out]), with_kwargs=True)
    two.register_forward_hook(lambda module, args, out: calls.append(["always", out]), always_call=True)
    two.register_forward_hook(lambda module, args, out: out + 1)
    calls.append(two(t.ones(2), scale=2.0))
    with pytest.raises(ValueError, match="fails"):
        two(t.ones(2), scale=1.0, fail=True)
    failing, always = t.nn.Identity(), []
    failing.register_forward_hook(lambda *args: {}[0])
    failing.register_forward_hook(lambda module, args, out: always.append(out), always_call=True)
    failing.register_forward_pre_hook(lambda module, args: (args[0] * 7,))
    with pytest.raises(KeyError):
        failing(t.ones(2))
    calls.append(always)
    failing.register_forward_hook(lambda module, args, out: 1 / 0, always_call=True)
    with pytest.raises(KeyError), pytest.warns(UserWarning, match="always_call=True.* raised"):
        failing(t.ones(2))
    two.register_forward_pre_hook(lambda module, args, kwargs: calls.append(sorted(kwargs)), with_kwargs=True)
    calls.append(two(t.ones(2), scale=1.0))
    two.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match=r"pair|tuple"):
        two(t.ones(2), scale=1.0)
    linear.register_full_backward_hook(lambda module, given, out: calls.append(["second", given, out]))
    linear.register_full_backward_hook(lambda module, given, out: calls.append(["first", given, out]), prepend=True)
    linear.register_full_backward_pre_hook(lambda module, out: (out[0] * 2,))
    linear.register_full_backward_pre_hook(lambda module, out: calls.append(["pre", out]), prepend=True)
    x = t.tensor([[1.0, 2.0]], requires_grad=True)
    linear(x).sum().backward()

    class Mixed(t.nn.Module):
        def forward(self, x, word, y):
            return x * y, word
    mixed, x = Mixed(), t.tensor([1.0, 2.0], requires_grad=True)
    mixed.register_full_backward_hook(lambda module, given, out: calls.append([len(given), len(out), out[0]]))
    out, word = mixed(x, "word", x * 3)
    calls.append([word, t.nn.Identity()(3)])
    out.sum().backward()
    calls.append(x.grad)
    with t.nn.Identity().register_forward_hook(lambda *args: calls.append("within")) as handle:
        calls.append(type(handle).__name__)
    return [*calls, x.grad, linear.weight.grad]


def hooked_everywhere(t):
    calls, net = [], t.nn.Sequential(t.nn.Identity(), t.nn.Identity())
    modules = __import__(f"{t.nn.__name__}.modules.module", fromlist=["x"]) if t.nn is not nn else nn.hooks
    handles = [
        modules.register_module_forward_pre_hook(lambda module, args: calls.append(["pre", type(module).__name__])),
        modules.register_module_forward_hook(lambda module, args, out: calls.append([type(module).__name__, out])),
        modules.register_module_full_backward_hook(lambda module, given, out: calls.append(["back", given, out])),
        modules.register_module_full_backward_pre_hook(lambda module, out: calls.append(["back pre", out]))]
    net[0].register_forward_hook(lambda module, args, out: calls.append("own"))
    x = t.tensor([1.0], requires_grad=True)
    net(x).sum().backward()
    for handle in handles:
        handle.remove()
    net(x)
    return calls


@pytest.mark.parametrize("program", [members, assigned, converted, loaded, without_batch_counts, state_with_hooks,
                                     old_state_hooks, replaced, hooked, hooked_everywhere])
def test_a_program_does_what_it_does_in_pytorch(program, as_pytorch):
    as_pytorch(lambda library, layers: shown(program(Both(layers, library.tensor, library.ones))))


def test_members_are_listed_in_either_order():
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    assert [name for name, _ in reversed(model._modules.items())] == ["1", "0"]
    assert [name for name, _ in reversed(model[0]._parameters.items())] == ["bias", "weight"]


# The dictionaries of its members, written to directly

def test_a_plain_tensor_written_to_the_parameters_is_one():
    """As who adapts a copy of a model does, whose weights are results with a history."""
    model = nn.Linear(2, 1)
    adapted = model.weight - 0.1 * autograd.ones(1, 2)
    model._parameters["weight"] = adapted
    assert [name for name, _ in model.named_parameters()] == ["weight", "bias"]
    assert next(model.parameters()) is adapted and list(model.state_dict()) == ["weight", "bias"]
    assert autograd.grad(model(autograd.ones(3, 2)).sum(), adapted)[0].tolist() == [[3, 3]]
    del model._parameters["weight"]
    model.weight = autograd.ones(1, 2)
    assert [name for name, _ in model.named_parameters()] == ["bias"]


def test_a_parameter_may_have_the_name_of_a_property():
    class Curved(nn.Module):
        def __init__(self):
            super().__init__()
            self.k = nn.Parameter(autograd.ones(1))
            self.c = self._parameters.pop("k")

        @property
        def k(self):
            return -self.c
    model = Curved()
    assert list(model._parameters) == ["c"] and float(model.k) == -1
