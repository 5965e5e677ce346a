"""no_grad, enable_grad, set_grad_enabled: context managers and decorators, a mode for each thread."""

import threading

import pytest

from autograd import enable_grad, is_grad_enabled, no_grad, set_grad_enabled, tensor


@pytest.fixture
def x():
    return tensor([1.0], requires_grad=True)


def test_nothing_is_recorded_under_no_grad(x):
    with no_grad():
        y = x * 2
        with enable_grad():
            z = x * 2
    assert not y.requires_grad
    assert z.requires_grad
    assert (x * 2).requires_grad


def test_as_decorators_with_and_without_parentheses(x):
    @no_grad()
    def a():
        return x * 2

    @no_grad
    def b():
        return x * 2

    @set_grad_enabled(False)
    def c():
        return x * 2
    assert [f().requires_grad for f in (a, b, c)] == [False] * 3
    assert is_grad_enabled()


def test_a_generator_does_not_leak_its_mode(x):
    @no_grad()
    def steps():
        received = yield is_grad_enabled()
        yield received, is_grad_enabled()
        return "end"
    run = steps()
    assert next(run) is False
    assert is_grad_enabled()
    assert run.send("hello") == ("hello", False)
    with pytest.raises(StopIteration, match="end"):
        next(run)


def test_what_is_thrown_into_a_generator_and_its_end_happen_in_its_mode():
    seen = []

    @no_grad()
    def steps():
        try:
            yield
        except ValueError:
            seen.append(is_grad_enabled())
        try:
            yield "caught"
        finally:
            seen.append(is_grad_enabled())
    run = steps()
    next(run)
    assert run.throw(ValueError) == "caught" and is_grad_enabled()
    run.close()
    assert seen == [False, False] and is_grad_enabled()


def test_set_grad_enabled_acts_at_once():
    set_grad_enabled(False)
    assert not is_grad_enabled()
    set_grad_enabled(True)
    with set_grad_enabled(False):
        assert not is_grad_enabled()
    assert is_grad_enabled()
    off = set_grad_enabled(False)
    set_grad_enabled(True)
    with off:
        assert not is_grad_enabled()


def test_the_mode_is_restored_after_an_exception():
    with pytest.raises(ZeroDivisionError), no_grad():
        1 / 0  # noqa: B018
    assert is_grad_enabled()


def test_one_object_can_be_entered_twice():
    mode = no_grad()
    with mode:
        with mode:
            pass
        assert not is_grad_enabled()
    assert is_grad_enabled()


def test_each_thread_has_its_own_mode():
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append(is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == [True]
