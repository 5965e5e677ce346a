"""Hooks of tensors: they see and replace the complete gradient, or keep it."""

from autograd import tensor
from autograd.hooks import RemovableHandle


def leaf(*values):
    return tensor(list(values), requires_grad=True)


def test_retain_grad_fills_grad_of_an_intermediate():
    x = leaf(1.0)
    h = x * 2
    h.retain_grad()
    (h * h).backward()
    assert h.grad.tolist() == [4]


def test_hooks_see_and_replace_the_complete_gradient():
    x = leaf(1.0)
    h = x * 2
    seen = []
    h.register_hook(lambda g: seen.append(g.tolist()))
    x.register_hook(lambda g: g * 10)
    handle = x.register_hook(lambda g: g + 1)
    (h + h).sum().backward()
    assert seen == [[2]]
    assert x.grad.tolist() == [41]
    handle.remove()
    x.grad = None
    (x * 1).sum().backward()
    assert x.grad.tolist() == [10]


def test_a_hook_that_removes_itself_or_adds_one_changes_the_next_pass():
    x, calls = leaf(1.0), []

    def once(g):
        calls.append("once")
        handle.remove()
        x.register_hook(lambda g: calls.append("added"))
    handle = x.register_hook(once)
    x.register_hook(lambda g: calls.append("second"))
    (x * 1).backward()
    assert calls == ["once", "second"]
    (x * 1).backward()
    assert calls[2:] == ["second", "added"]


def test_a_handle_removes_once_and_a_retained_gradient_adds_up():
    x = leaf(1.0)
    handles = [x.register_hook(lambda g: g * 2) for _ in range(2)]
    handles[0].remove()
    handles[0].remove()
    h = x * 1
    h.retain_grad()
    for _ in range(2):
        h.backward(retain_graph=True)
    assert x.grad.tolist() == [4] and h.grad.tolist() == [2]


def test_a_retained_gradient_takes_no_other_hooks_away_and_keeps_no_result_alive():
    x, seen = leaf(1.0), []
    h = x * 2
    h.register_hook(lambda g: seen.append(g.item()))
    h.retain_grad()
    y = h * 3
    del h
    y.backward()
    assert seen == [3] and x.grad.item() == 6


def test_a_handle_stands_at_the_end_or_in_front_and_a_block_ends_it():
    hooks = ["a", "b"]
    with RemovableHandle(hooks, "last") as handle:
        RemovableHandle(hooks, "first", prepend=True)
        assert hooks == ["first", "a", "b", "last"] and isinstance(handle, RemovableHandle)
    assert hooks == ["first", "a", "b"]
