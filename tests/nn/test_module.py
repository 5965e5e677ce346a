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
def test_what_is_found_is_what_pytorch_finds_however_it_is_asked(options):
    torch = pytest.importorskip("torch")

    def make(nn, ones):
        net = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.BatchNorm1d(4)), nn.Linear(4, 4))
        net[1].tied, net[1].alone = net[0], net[2].weight
        net.scale = nn.Parameter(ones(4))
        net.register_buffer("shift", ones(4))
        net[1].register_buffer("shared", net.shift, persistent=False)
        return net
    ours, theirs = make(nn, autograd.ones), make(torch.nn, torch.ones)
    for walk in ("named_modules", "named_parameters", "named_buffers"):
        given = {k: v for k, v in options.items() if k != "recurse" or walk != "named_modules"}
        found, expected = ([name for name, _ in getattr(net, walk)(**given)] for net in (ours, theirs))
        assert sorted(found) == sorted(expected)
    for walk in ("modules", "children", "parameters", "buffers"):
        given = {k: v for k, v in options.items() if k == "recurse" and walk not in ("modules", "children")}
        assert len(list(getattr(ours, walk)(**given))) == len(list(getattr(theirs, walk)(**given)))
    assert sorted(ours.state_dict(prefix="net.")) == sorted(theirs.state_dict(prefix="net."))


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


def test_text_is_pytorchs():
    torch = pytest.importorskip("torch")

    def build(nn):
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Dropout(0.1), nn.Flatten(),
            nn.ModuleList([nn.Linear(4, 4) for _ in range(2)]), nn.LeakyReLU(0.2), nn.LSTM(3, 4, bidirectional=True),
            nn.LayerNorm(4),
            nn.BatchNorm2d(8), nn.Embedding(5, 3, padding_idx=0), nn.ConvTranspose2d(3, 4, 2, stride=2),
            nn.Softmax(dim=1), nn.GroupNorm(2, 4))
    assert repr(build(nn)) == repr(build(torch.nn))
