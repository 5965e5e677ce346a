"""Going back: forks, accumulation, retained graphs, and every way to do it wrong."""

import io
import itertools
import math

import numpy as np
import pytest

import autograd
from autograd import Function, Tensor, grad, tensor
from autograd.backward import after_this_pass
from autograd.runtime import settings
from autograd.table import operation


def leaf(*values):
    return tensor(list(values), requires_grad=True)


def test_gradients_add_up_at_forks():
    a = tensor(3.0, requires_grad=True)
    b = a + a
    c = b * b + b * a  # b must be complete before a gets its share
    c.backward()
    assert a.grad.item() == 4 * 2 * 3 + 2 * 2 * 3


def test_forks_upon_forks_are_gone_through_once():
    x = y = tensor(1.0, requires_grad=True)
    for _ in range(12):
        y = y + y
    assert len(autograd.Graph(y).nodes) == 12  # though there are 2 ** 12 ways
    y.backward()
    assert x.grad.item() == 2 ** 12


def test_gradients_accumulate_over_backward_passes():
    x = leaf(1.0, 2.0)
    (x * 2).sum().backward()
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5, 5]
    for _ in range(2):
        (x * 7).sum().backward(create_graph=True)
    assert x.grad.tolist() == [19, 19]


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_gradient_belongs_to_its_tensor_alone(create_graph):
    x, y = leaf(1.0), leaf(2.0)
    h = x + y  # the rule of a sum hands the same gradient to both
    h.retain_grad()
    h.backward(create_graph=create_graph)
    h.grad.detach().mul_(10)
    assert x.grad.tolist() == y.grad.tolist() == [1]
    x.grad.detach().mul_(10)
    assert y.grad.tolist() == [1]
    for function in (lambda z: z + 0, lambda z: z.unsqueeze(0)):
        z, start = leaf(1.0), function(tensor([5.0]))
        function(z).backward(start, create_graph=create_graph)
        z.grad.detach().mul_(10)
        assert start.item() == 5
    start = tensor([5.0])
    g_x, g_y = grad(x + y, [x, y], start, create_graph=create_graph)
    g_x.detach().mul_(10)
    assert g_y.tolist() == start.tolist() == [5]


def test_the_gradient_of_a_number_is_an_array_as_its_value_is():
    x = tensor(3.0, requires_grad=True)
    (x * x).backward()
    assert type(x.grad.array) is np.ndarray


def test_constants_and_unused_leaves_get_no_gradient():
    x, unused, constant = leaf(1.0), leaf(1.0), tensor([2.0])
    (x * constant).backward()
    assert unused.grad is None
    assert constant.grad is None


def test_broadcasting_is_summed_out():
    x, row, scalar = autograd.ones(4, 3, requires_grad=True), leaf(1.0, 2.0, 3.0), tensor(2.0, requires_grad=True)
    (x * row * scalar).sum().backward()
    assert row.grad.tolist() == [8, 8, 8]
    assert scalar.grad.item() == 4 * 6


def test_whatever_broadcasting_stretched_gets_the_sum_of_its_uses():
    for ndim in range(4):
        for large in itertools.product((1, 2, 3), repeat=ndim):
            for axes in range(ndim + 1):
                for ones in itertools.product((True, False), repeat=axes):
                    small = [1 if one else n for one, n in zip(ones, large[ndim - axes:], strict=True)]
                    x = autograd.ones(*small, dtype=np.float64, requires_grad=True)
                    (x * np.full(large, 0.1)).sum().backward()
                    expected = np.full(small, 0.1 * math.prod(large) / math.prod(small))
                    np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-14, strict=True)


def test_the_settings_of_the_process_are_made_by_going_back(monkeypatch):
    calls = []
    monkeypatch.setattr(settings, "make", lambda: calls.append("make"))
    y = leaf(1.0) * 2
    assert not calls
    y.backward()
    assert calls == ["make"]


def test_grad_returns_gradients_and_touches_nothing():
    x = leaf(1.0, 2.0)
    h = x * x
    g_x, g_h = grad((h * 3).sum(), [x, h])
    assert g_x.tolist() == [6, 12]
    assert g_h.tolist() == [3, 3]
    assert x.grad is None


def test_grad_of_several_outputs_is_that_of_their_weighted_sum():
    x = leaf(1.0, 2.0)
    g, = grad([x * 2, x * x], x, [tensor([1.0, 1.0]), tensor([1.0, 10.0])])
    assert g.tolist() == [4, 42]
    assert grad([x.sum(), (x * x).sum()], x)[0].tolist() == [3, 5]  # of single elements: 1


def test_several_tensors_may_be_any_iterable():
    """`model.parameters()` is a generator, and programs keep theirs in containers of their own."""
    x = leaf(1.0, 2.0)
    for several in (iter([x]), {"x": x}.values(), {x}):
        assert grad((x * x).sum(), several)[0].tolist() == [2, 4]
    autograd.backward(iter([x.sum()]), inputs=iter([x]))
    assert x.grad.tolist() == [1, 1]


def test_backward_of_several_outputs_is_that_of_their_weighted_sum():
    x = leaf(1.0, 2.0)
    y, z = x * 2, x * x
    autograd.backward([y, z], [tensor([1.0, 1.0]), tensor([1.0, 10.0])])
    assert x.grad.tolist() == [4, 42] and not x.grad.requires_grad
    with pytest.raises(RuntimeError, match="released"):
        autograd.backward(z.sum())


def test_create_graph_gives_derivatives_of_any_order():
    x = tensor(2.0, requires_grad=True)
    y = x ** 5
    for expected in (80, 160, 240, 240, 120):
        y, = grad(y, x, create_graph=True)
        assert y.item() == expected


def test_backward_with_create_graph_makes_grad_differentiable():
    x = leaf(3.0)
    (x ** 3).backward(create_graph=True)
    penalty = (x.grad ** 2).sum()
    g, = grad(penalty, x)
    assert g.item() == 2 * 27 * 18


def test_inputs_restricts_what_is_accumulated():
    x, y = leaf(1.0), leaf(2.0)
    h = x * y
    (h * h).backward(inputs=[x, h])
    assert x.grad.tolist() == [8]
    assert h.grad.tolist() == [4]
    assert y.grad is None


def test_whatever_is_wanted_is_found_in_whatever_company():
    w, x = leaf(2.0), leaf(5.0)
    b = w * 3
    a = x * b
    y = (a * b).sum()
    every = dict(zip("wxab", grad(y, [w, x, a, b], retain_graph=True), strict=True))
    assert [g.item() for g in every.values()] == [2 * 5 * 9 * 2, 36, 6, 2 * 5 * 6]
    for count in (1, 2, 3):
        for wanted in itertools.combinations("wxab", count):
            found = grad(y, [{"w": w, "x": x, "a": a, "b": b}[name] for name in wanted], retain_graph=True)
            assert [g.item() for g in found] == [every[name].item() for name in wanted]


def test_a_rule_that_gives_none_stops_there_and_nowhere_else():
    class OfTheSecond(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            return None, g
    x, y = leaf(1.0), leaf(2.0)
    OfTheSecond.apply(x * 2, y).backward()
    assert x.grad is None and y.grad.item() == 1


def test_a_gradient_that_depends_on_nothing_says_so_and_one_that_is_constant_in_pieces_has_slope_zero():
    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2
    x = leaf(-1.0, 2.0)
    for linear in (Tensor.sum, lambda x: (x * 3)[1:].sum(), lambda x: Double.apply(x).sum()):
        assert not grad(linear(x), x, create_graph=True)[0].requires_grad
    for pieces in (Tensor.relu, Tensor.abs, lambda x: x.clamp(0, 1), lambda x: x.sort()[0], lambda x: x.max(0)[0]):
        g, = grad(pieces(x).sum(), x, create_graph=True)
        if g.requires_grad:
            assert grad(g.sum(), x)[0].tolist() == [0, 0]
    g, = grad(x.relu().sum(), x, create_graph=True)
    slope, = grad(g.sum(), x, create_graph=True)
    assert g.tolist() == [0, 1] and slope.tolist() == [0, 0] and slope.requires_grad


@pytest.mark.parametrize("tracked", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize("outputs", [(0,), (1,), (0, 1)])
def test_a_fused_operation_is_differentiated_again_through_its_composition(tracked, outputs, table):
    def composition(x, y):
        return np.exp(x) * y, y * y

    def rule(g, out, x, y, needs_input_grad):
        assert needs_input_grad == tracked and not isinstance(x, Tensor)
        return [g[0] * out[0], g[0] * np.exp(x) + 2 * y * g[1]]
    fused = operation(lambda x, y: (np.exp(x) * y, y * y), joint_vjp=rule, composition=composition,
                      outputs="product square", names="_fused")
    found = []
    for function in (fused, composition):
        leaves = [tensor(3.0, requires_grad=needs) for needs in tracked]
        args = leaves[0], leaves[1] * 2
        wanted = [t for t in leaves if t.requires_grad]
        total = sum([function(*args)[i] for i in outputs] + [t ** 3 for t in wanted])
        plain = grad(total, wanted, retain_graph=True)
        first = grad(total, wanted, create_graph=True)
        second = grad(sum(g * g for g in first), wanted)
        found.append([g.item() for g in (*plain, *first, *second)])
    assert found[0] == pytest.approx(found[1])


def test_several_outputs_of_one_operation_share_one_backward():
    x = leaf(3.0, 1.0, 2.0)
    values, indices = x.sort()
    assert indices.tolist() == [1, 2, 0]
    assert not indices.requires_grad
    (values * tensor([1.0, 10.0, 100.0])).sum().backward()
    assert x.grad.tolist() == [100, 1, 10]


@pytest.mark.parametrize("retain", [False, True])
def test_a_second_pass_needs_retain_graph(retain):
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=retain)
    if retain:
        y.backward()
        assert x.grad.tolist() == [8]
    else:
        with pytest.raises(RuntimeError, match=r"released.*`mul`.*retain_graph=True"):
            y.backward()


def test_what_keeps_nothing_can_be_passed_again():
    x = leaf(1.0)
    shared = x + x
    (shared * 2).backward()
    (shared * 3).backward()
    assert x.grad.tolist() == [10]


@pytest.mark.parametrize(("wrong", "message"), [
    (lambda x: (x * 2).backward(), r"shape \(2,\).*y\.sum\(\)\.backward\(\)"),
    (lambda x: (x * 2).backward(tensor([1.0])), r"gradient has shape \(1,\), the output \(2,\)"),
    (lambda x: tensor(1.0).backward(), r"does not require gradients.*requires_grad_\(\)"),
    (lambda x: grad(x.sum(), tensor(1.0)), "one of inputs.*does not require gradients"),
    (lambda x: grad(x.sum(), tensor(1.0, requires_grad=True)), r"do not depend on inputs\[0\].*allow_unused=True"),
    (lambda x: grad([x, x], x, [tensor([1.0, 1.0])]), "2 outputs need as many gradients, not 1"),
    (lambda x: grad(3.0, x), "one of the outputs.*float"),
    (lambda x: tensor([1.0]).retain_grad(), r"requires_grad_\(\)"),
    (lambda x: tensor([1.0]).register_hook(print), r"requires_grad_\(\)"),
])
def test_errors_give_the_numbers_the_reason_and_the_remedy(wrong, message):
    with pytest.raises(RuntimeError, match=message):
        wrong(leaf(1.0, 2.0))


def test_allow_unused_gives_none():
    x, unused = leaf(1.0), leaf(1.0)
    assert grad(x * 2, [x, unused], allow_unused=True)[1] is None


def test_an_unknown_keyword_is_refused_with_the_nearest_one():
    x = leaf(1.0)
    with pytest.raises(TypeError, match="no option 'dims'; did you mean 'dim'"):
        x.sum(dims=0)
    with pytest.raises(TypeError):
        x.exp(out=x)


def test_shapes_that_do_not_fit_name_the_operation_and_both_shapes():
    with pytest.raises((RuntimeError, ValueError), match=r"add\(float32\[2\], float32\[3\]\).*unsqueeze"):
        leaf(1.0, 2.0) + leaf(1.0, 2.0, 3.0)
    with pytest.raises((RuntimeError, ValueError), match=r"matmul\(float32\[2, 3\], float32\[2, 3\]\)"):
        autograd.ones(2, 3) @ autograd.ones(2, 3)
    with pytest.raises(IndexError, match=r"index 5 does not fit a tensor of shape \(2,\)"):
        leaf(1.0, 2.0)[5]


def test_a_failed_forward_leaves_no_trace():
    x = leaf(1.0, 2.0)
    with pytest.raises(ValueError):
        x.reshape(3)
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4]


def test_gradients_flow_from_numpy_functions():
    x = leaf(0.5, 1.0)
    np.sum(np.concatenate([np.exp(x), np.array([2.0], np.float32) * np.sum(x * x, axis=0, keepdims=True)])).backward()
    np.testing.assert_allclose(x.grad.numpy(), np.exp([0.5, 1.0]) + 4 * np.array([0.5, 1.0]), rtol=1e-6)


@pytest.mark.parametrize(("call", "expected"), [
    (lambda t: np.exp(t), np.exp([1.0, 2.0])),
    (lambda t: np.array([2.0, 3.0]) * t, [2, 6]),
    (lambda t: np.float64(2) * t, [2, 4]),
    (lambda t: np.where([True, False], t, 0), [1, 0]),
    (lambda t: np.concatenate([t, t]), [1, 2, 1, 2]),
    (lambda t: np.stack([t, t]), [[1, 2], [1, 2]]),
    (lambda t: np.einsum("i,i", t, t), 5),
    (lambda t: np.transpose(t[None]), [[1], [2]]),
    (lambda t: np.max(t, axis=0), 2),
    (lambda t: np.var(t), 0.25),
])
def test_numpy_functions_give_recorded_tensors(call, expected):
    y = call(leaf(1.0, 2.0))
    assert isinstance(y, Tensor)
    assert y.requires_grad
    np.testing.assert_allclose(y.tolist(), expected, rtol=1e-6)


@pytest.mark.parametrize("function", [np.where, np.nonzero])
def test_where_a_condition_holds_numpy_says_of_tensors_too(function):
    condition = np.array([[True, False], [False, True]])
    for found, wanted in zip(function(tensor(condition)), function(condition), strict=True):
        assert found.tolist() == wanted.tolist()


def test_numpy_functions_that_are_not_offered_name_the_nearest():
    with pytest.raises(TypeError, match=r"np\.nanmedian does not work on Tensors that require gradients.*detach"):
        np.nanmedian(leaf(1.0))
    with pytest.raises(TypeError, match=r"np\.add\.at does not work"):
        np.add.at(np.zeros(3), [0], leaf(1.0))
    with pytest.raises(TypeError, match=r"np\.exp does not work on Tensors that require gradients with out="):
        np.exp(leaf(1.0), out=np.zeros(1, np.float32))


@pytest.mark.parametrize("function", [
    np.fft.rfft, np.ptp, np.gradient, lambda a: np.block([[a, a]]), lambda a: np.histogram(a, bins=3)[0],
    lambda a: np.interp(0.5, xp=a[:, 0], fp=a[:, 1]), lambda a: np.apply_along_axis(sum, 0, a), np.modf, np.frexp,
    np.add.reduceat, lambda a: np.hypot.outer(a, a), lambda a: np.exp(a, out=np.empty(a.shape, np.float32)),
])
def test_with_nothing_to_lose_other_numpy_functions_run_on_bare_arrays(function):
    array = np.array([[1, 2.5], [4, 3]], np.float32)
    arguments = ([0, 1],) if function == np.add.reduceat else ()
    for found, expected in zip(*[np.atleast_1d(function(a, *arguments)) for a in (tensor(array), array)], strict=True):
        assert type(found) is type(expected)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("write", [
    lambda t: np.copyto(t, 0.0), lambda t: np.add.at(t, [0], 1.0), lambda t: np.put(t, [0], 7.0),
    lambda t: np.fill_diagonal(t[None], 7.0), lambda t: np.exp(t, out=t), lambda t: np.multiply(2, t, out=(t,)),
])
def test_what_a_numpy_function_has_written_is_no_longer_differentiated(write):
    w, x = leaf(1.0, 2.0), tensor([3.0, 4.0])
    y = (w * x).sum()
    write(x)
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_what_a_numpy_function_has_only_read_is_differentiated_as_before():
    w, x = leaf(1.0, 2.0), tensor([3.0, 4.0])
    y = (w * x).sum()
    np.histogram(x)
    y.backward()
    assert w.grad.tolist() == [3, 4]


def test_other_libraries_take_tensors():
    special, preprocessing = pytest.importorskip("scipy.special"), pytest.importorskip("sklearn.preprocessing")
    x = tensor([[1.0, 2.0], [3.0, 6.0]])
    np.testing.assert_array_equal(special.expit(x), special.expit(x.numpy()))
    np.testing.assert_allclose(preprocessing.StandardScaler().fit_transform(x), [[-1, -1], [1, 1]])
    file = io.BytesIO()
    np.save(file, x)
    file.seek(0)
    np.testing.assert_array_equal(np.load(file), x.numpy())


def test_dlpack_shares_memory_both_ways():
    x = tensor([1.0, 2.0])
    np.from_dlpack(x)
    array = np.zeros(3)
    y = autograd.from_dlpack(array)
    array[1] = 5
    assert y.tolist() == [0, 5, 0]
    with pytest.raises(RuntimeError, match=r"detach\(\)"):
        np.from_dlpack(leaf(1.0))
    torch = pytest.importorskip("torch")
    theirs = torch.from_dlpack(x)
    theirs[0] = 9
    assert x.tolist() == [9, 2]
    assert autograd.from_dlpack(theirs).tolist() == [9, 2]


@pytest.mark.parametrize("make", [
    lambda x: x * np.array(1j), lambda x: x + np.array([1j, 2]), lambda x: x.to(np.complex64), lambda x: x.to("c8"),
    lambda x: x.astype(complex), lambda x: x.type(np.complex128), lambda x: tensor([1j]), lambda x: x ** 1j,
    lambda x: autograd.zeros(2, dtype=np.complex64), lambda x: autograd.full((2,), 1j), lambda x: x.add_(1j),
    lambda x: autograd.where(x > 1, x, 1j), lambda x: autograd.where(x > 1, x, np.array([1j, 1])),
    lambda x: x @ np.array([1j, 1]), lambda x: autograd.cat([x, np.array([1j])]), lambda x: np.array([1j, 1]) * x,
    lambda x: x.__setitem__(0, np.array(1j)), lambda x: x.fill_(1j), lambda x: x.new_tensor(1j),
    lambda x: x.to(object), lambda x: x.to(str), lambda x: autograd.Tensor(np.array(["a"])),
])
def test_complex_numbers_and_objects_are_refused(make):
    with pytest.raises(TypeError):
        make(tensor([1.0, 2.0]))


def test_python_asks_for_a_number():
    x = tensor(2.567)
    assert math.trunc(x) == 2 and round(x).item() == 3 and round(x, 1).item() == pytest.approx(2.6)
    assert f"{x:.1f}" == "2.6" and bytes(tensor([1, 2], dtype=np.uint8)) == b"\1\2"
    with pytest.raises(TypeError, match=r"'\.3f' is for one number.*shape \(1,\)"):
        f"{tensor([2.5]):.3f}"


def test_asarray_works_on_an_untracked_tensor():
    assert np.asarray(tensor([1.0, 2.0])).tolist() == [1, 2]


def test_arguments_by_pytorchs_names():
    x = leaf(4.0, 9.0)
    assert autograd.sqrt(input=x).tolist() == [2, 3]
    assert autograd.mul(input=x, other=x).tolist() == [16, 81]
    assert autograd.sum(input=x, dim=0).item() == 13
    assert autograd.add(x, other=x).tolist() == [8, 18]
    assert autograd.squeeze(input=x).shape == (2,)


def test_float16_gradients_are_summed_without_overflow_and_stay_float16():
    bias = tensor(np.zeros(2, np.float16), requires_grad=True)
    (tensor(np.ones((5000, 2), np.float16)) * 4 + bias).sum(dim=0).backward(tensor(np.ones(2, np.float16)))
    assert bias.grad.tolist() == [5000, 5000]
    assert bias.grad.dtype == np.float16


def test_accumulation_onto_a_gradient_that_the_user_computed():
    x = tensor(2.0, requires_grad=True)
    x.grad = tensor([1.0, 2.0]).sum()
    (x * x).backward()
    assert x.grad.item() == 7


@pytest.mark.parametrize("leaf", [
    lambda m: m.randn(3, 4), lambda m: m.randn(3, 4).T, lambda m: m.randn(3, 4)[:, ::2],
    lambda m: m.randn(3, 1).expand(3, 4), lambda m: m.randn(2, 3, 4).permute(2, 0, 1)])
@pytest.mark.parametrize("use", [lambda x: x * 2, lambda x: x.mT * 2, lambda x: x.mT.sin().mT * x, lambda x: x])
def test_a_gradient_lies_in_memory_as_its_leaf_does(leaf, use):
    torch = pytest.importorskip("torch")
    strides = []
    for m in (autograd, torch):
        x = leaf(m).requires_grad_()
        use(x).sum().backward()
        strides.append(x.grad.stride())
    assert strides[0] == strides[1]


# What may be asked of grad and backward

def test_stacks_of_gradients_zeros_for_unused_inputs_and_their_refusals():
    torch = pytest.importorskip("torch")
    found = []
    for of, m in ((autograd.grad, autograd), (torch.autograd.grad, torch)):
        x, y = m.tensor([1.0, 2.0], requires_grad=True), m.tensor([3.0], requires_grad=True)
        out = x ** 2
        rows = of(out, (x,), m.eye(2), retain_graph=True, is_grads_batched=True)
        zeros = of(out.sum(), (x, y), materialize_grads=True, retain_graph=True)
        used = of(out.sum(), (x, y), None, True, False, True, True)
        found.append([t if t is None else t.tolist() for t in (*rows, *zeros, *used)])
        with pytest.raises(ValueError):
            of(out.sum(), (x, y), materialize_grads=True, allow_unused=False)
    assert found[0] == found[1] == [[[2, 0], [0, 4]], [2, 4], [0], [2, 4], None]
    with pytest.raises(ValueError, match="backward"):
        autograd.grad(out.sum(), x, only_inputs=False)


@pytest.mark.parametrize("count", [1, 4])
def test_a_stack_of_gradients_gives_a_stack(count):
    x, v = autograd.ones(2, 3, requires_grad=True), autograd.randn(count, 2, 3)
    found, = grad(x * 2, x, v, is_grads_batched=True)
    assert found.tolist() == (v * 2).tolist()


def test_hooks_after_accumulation_see_the_gradient_in_its_place():
    torch = pytest.importorskip("torch")
    found = []
    for m in (autograd, torch):
        x, seen = m.tensor([1.0, 2.0], requires_grad=True), []
        x.register_hook(lambda g: g * 10)
        handle = x.register_post_accumulate_grad_hook(lambda t, x=x, seen=seen: seen.append((t is x, t.grad.tolist())))
        (x ** 2).sum().backward()
        (x * 3).sum().backward()
        handle.remove()
        (x * 3).sum().backward()
        found.append(seen)
        with pytest.raises(RuntimeError, match="lea"):
            (x * 2).register_post_accumulate_grad_hook(print)
    assert found[0] == found[1] == [(True, [20, 40]), (True, [50, 70])]


def test_a_leaf_has_its_turn_behind_the_oldest_node_that_reads_it():
    """So its gradient can be sent, or used and forgotten, while the pass goes on."""
    torch = pytest.importorskip("torch")
    found = []
    for m in (autograd, torch):
        first, second, third, x = [m.tensor([2.0], requires_grad=True) for _ in range(4)]
        seen = []
        for name, leaf in {"first": first, "second": second, "third": third}.items():
            leaf.register_hook(lambda g, name=name, seen=seen: seen.append(name))
            leaf.register_post_accumulate_grad_hook(
                lambda leaf, name=name, seen=seen: seen.append(f"{name} {leaf.grad.item()}"))
        h = x * first
        h.register_hook(lambda g, seen=seen: seen.append("h"))
        y = h * second * third + second  # read by two
        y.register_hook(lambda g, seen=seen: seen.append("y"))
        y.sum().backward()
        (m if m is autograd else torch.autograd).grad((first * first).sum(), first)
        found.append(seen)
    assert found[0] == found[1] == ["y", "third", "third 8.0", "second", "second 9.0", "h", "first", "first 8.0",
                                    "first"]


def test_a_leaf_that_is_a_root_a_frozen_one_and_one_whose_hook_was_taken_away():
    x, y, frozen = [autograd.tensor([2.0], requires_grad=True) for _ in range(3)]
    seen = []
    handle = y.register_hook(lambda g: seen.append("y"))
    x.register_hook(lambda g: handle.remove())
    frozen.register_hook(lambda g: g * 3)
    out = (y * frozen).sum()
    frozen.requires_grad_(False)
    autograd.backward([x, out], [autograd.ones(1), None])
    assert (x.grad.item(), y.grad.item(), frozen.grad, seen) == (1, 2, None, [])


def test_what_is_to_follow_a_pass_is_called_once_and_by_that_pass():
    seen = []
    x, y = [autograd.tensor([2.0], requires_grad=True) for _ in range(2)]

    def within(leaf):
        seen.append(after_this_pass(done))

    def done():
        seen.append((x.grad.item(), y.grad.item()))
    for leaf in (x, y):
        leaf.register_post_accumulate_grad_hook(within)
    (x * y).sum().backward()
    assert sorted(map(str, seen)) == ["(2.0, 2.0)", "False", "True"] and seen[-1] == (2.0, 2.0)
    seen.clear()

    def fails(leaf):
        raise ValueError("enough")
    handle = y.register_post_accumulate_grad_hook(fails)
    with pytest.raises(ValueError, match="enough"):
        (x * y).sum().backward()
    handle.remove()
    seen.clear()
    (x * y).sum().backward()
    assert seen.count(True) == 1 and type(seen[-1]) is tuple  # what the failed pass left is forgotten


def test_a_step_may_be_made_while_going_back():
    w = autograd.tensor([1.0], requires_grad=True)

    def step(parameter):
        with autograd.no_grad():
            parameter -= 0.1 * parameter.grad
        parameter.grad = None
    w.register_post_accumulate_grad_hook(step)
    (w * 2).sum().backward()
    assert w.item() == pytest.approx(0.8)
    assert w.grad is None


@pytest.mark.parametrize("parts", [
    lambda x: [x[:, t] for t in range(6)], lambda x: [x[:, t:t + 3] for t in range(4)],
    lambda x: [x[i] for i in ([0, 0, 3], [1], [0, 2, 2])], lambda x: [x, x[2], 2 * x, x[:, 1], x[x > 0]],
    lambda x: [x.T[t] for t in range(6)], lambda x: [x[0], x[0], x.sum(), x[0]],
    lambda x: [total := x.sum(), total[...], total[None], total[None, ...]]])
def test_what_parts_give_is_added_up_in_place_and_is_what_each_gives_alone(parts):
    a = tensor(np.random.default_rng(0).standard_normal((4, 6)), requires_grad=True)
    x = a * 2
    held = []
    x.register_hook(lambda g: held.append(g) or None)
    losses = [(part ** 3).sum() * (i + 1) for i, part in enumerate(parts(x))]
    alone = sum(grad(loss, a, retain_graph=True)[0].numpy() for loss in losses)
    recorded, = grad(sum(losses), a, create_graph=True)
    del held[:]
    sum(losses).backward(retain_graph=True)
    np.testing.assert_allclose(a.grad.numpy(), alone, rtol=1e-12)
    np.testing.assert_allclose(recorded.detach().numpy(), alone, rtol=1e-12)
    np.testing.assert_allclose(held[0].numpy(), alone / 2, rtol=1e-12)


def test_a_gradient_that_is_given_is_not_what_others_are_added_to():
    a = autograd.ones(3, 4, requires_grad=True)
    y, g = a * 1, autograd.ones(3, 4)
    total, = grad([y, y[0].sum(), y[1].sum()], a, [g, None, None])
    assert (g.numpy() == 1).all()
    assert (total.numpy() == [[2] * 4, [2] * 4, [1] * 4]).all()
