"""Hooks of modules: they see and replace what goes in and comes out, forward and backward."""

import pytest

import autograd
import nn


def test_forward_hooks_see_and_replace():
    layer = nn.Identity()
    before = layer.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    after = layer.register_forward_hook(lambda module, args, output: output * 10)
    assert layer(autograd.tensor(1.0)).item() == 20
    before.remove()
    assert layer(autograd.tensor(1.0)).item() == 10
    after.remove()
    assert layer(autograd.tensor(1.0)).item() == 1


def test_backward_hooks_see_and_replace_gradients():
    layer, seen = nn.Linear(2, 1, bias=False), []
    layer.weight.array[:] = 3

    def hook(module, grad_input, grad_output):
        seen.append((grad_input[0].tolist(), grad_output[0].tolist()))
        return (grad_input[0] * 2,)
    layer.register_full_backward_hook(hook)
    x = autograd.tensor([[1.0, 2.0]], requires_grad=True)
    (layer(x) * 5).sum().backward()
    assert seen == [([[15.0, 15.0]], [[5.0]])]
    assert x.grad.tolist() == [[30.0, 30.0]]
    assert layer.weight.grad.tolist() == [[5.0, 10.0]]


def test_backward_hook_of_a_first_layer_is_called():
    layer, seen = nn.Linear(2, 1), []
    layer.register_full_backward_hook(lambda module, grad_input, grad_output: seen.append(grad_input))
    layer(autograd.ones(1, 2)).sum().backward()
    assert seen == [(None,)]


@pytest.mark.parametrize("tracked", [True, False])
@pytest.mark.parametrize("kind", ["forward_pre", "forward", "full_backward_pre", "full_backward"])
def test_a_hook_that_removes_itself_or_adds_one_changes_the_next_call(kind, tracked):
    layer, x, calls = nn.Linear(1, 1), autograd.ones(1, 1, requires_grad=tracked), []
    register = getattr(layer, f"register_{kind}_hook")

    def once(*args):
        calls.append("once")
        handle.remove()
        register(lambda *args: calls.append("added"))
    handle = register(once)
    register(lambda *args: calls.append("second"))
    layer(x).sum().backward()
    assert calls == ["once", "second"] and layer.weight.grad.item() == 1  # nothing was replaced
    layer(x).sum().backward()
    assert calls[2:] == ["second", "added"]


def test_a_hook_may_go_in_front():
    layer, calls = nn.Identity(), []
    for kind in ("forward_pre", "forward"):
        register = getattr(layer, f"register_{kind}_hook")
        register(lambda *args, kind=kind: calls.append(kind))
        register(lambda *args, kind=kind: calls.append(f"{kind} first"), prepend=True)
    layer(1)
    assert calls == ["forward_pre first", "forward_pre", "forward first", "forward"]


def test_as_many_gradients_are_replaced_as_there_are():
    layer, x, y = nn.Bilinear(1, 1, 1), *(autograd.ones(1, 1, requires_grad=True) for _ in "xy")
    layer.register_full_backward_pre_hook(lambda module, gradients: gradients[0] * 10)
    layer.register_full_backward_hook(lambda module, given, gradients: (given[0] * 2, given[1]))
    layer(x, y).backward()
    assert x.grad.item() == pytest.approx(20 * layer.weight.item())
    assert y.grad.item() == pytest.approx(10 * layer.weight.item())
    layer.register_full_backward_hook(lambda module, given, gradients: given[0])
    with pytest.raises(RuntimeError, match="returned 1 gradients where there are 2"):
        layer(x, y).backward()
