"""What packages take from PyTorch's inside is answered as PyTorch answers it.

SAID is what PyTorch 2.13 printed; where it is installed, it is asked again.
"""

import pytest

from tests.nn.test_torch_scaffolding import answers

SAID = {
    # nested containers
    "torch.utils._pytree.tree_map(lambda x: x + 1, {'b': (1, [2]), 'a': 3})": "{'b': (2, [3]), 'a': 4}",
    "torch.utils._pytree.tree_flatten([1, {'a': (2,)}])[0], torch.utils._pytree.tree_leaves((None, 3))":
        "([1, 2], [None, 3])",
    "torch.utils._pytree.tree_structure([1, (2,)]) == torch.utils._pytree.tree_structure([3, (4,)])": "True",
    "torch.utils._pytree.tree_structure([1, (2,)]) == torch.utils._pytree.tree_structure([3, [4]])": "False",
    "torch.utils._pytree.tree_leaves([1, (2, 3)], is_leaf=lambda x: isinstance(x, tuple))": "[1, (2, 3)]",
    # operators of a package's own
    "torch.library.custom_op('own::twice', lambda x: x * 2, mutates_args=(), schema='(Tensor x) -> Tensor')"
    "(torch.ones(1)), torch.ops.own.twice(torch.ones(2))": "(tensor([2.]), tensor([2., 2.]))",
    "torch.overrides.has_torch_function((torch.ones(1),)), torch.overrides.is_tensor_like(1)": "(False, False)",
    # versions and names
    "torch.__version__ >= '1.9', torch.__version__ < (2, 20), torch.__version__ > (1, 13, 1)": "(True, True, True)",
    "torch.typename(torch.ones(1)), torch.typename(3), torch.sigmoid_(torch.zeros(1))":
        "('torch.FloatTensor', 'int', tensor([0.5000]))",
    "torch._assert(False, 'so it is')": "AssertionError: so it is",
    # what optimizers share
    "(o := sys.modules['torch.optim.optimizer'])._get_value(torch.ones(())), o._use_grad_for_differentiable("
    "lambda self: torch.is_grad_enabled())(torch.optim.SGD([torch.ones(1)], 1))": "(1.0, False)",
    "(y := torch.cat([torch.ones(1, requires_grad=True), torch.ones(1)])).grad_fn.name(), "
    "y.grad_fn.next_functions[0][0].name(), y.grad_fn.next_functions[1][0]":
        "('CatBackward0', 'torch::autograd::AccumulateGrad', None)",
    "isinstance(torch.ones(1), torch.autograd.Variable), isinstance(1, torch.autograd.Variable)": "(True, False)",
    "[(f.eps, f.max, f.tiny, f.resolution) for f in map(torch.finfo, (torch.bfloat16, torch.float8_e4m3fn, "
    "torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz))]":
        "[(0.0078125, 3.3895313892515355e+38, 1.1754943508222875e-38, 0.01), (0.125, 448.0, 0.015625, 1.0), "
        "(0.25, 57344.0, 6.103515625e-05, 1.0), (0.125, 240.0, 0.0078125, 1.0), "
        "(0.125, 57344.0, 3.0517578125e-05, 1.0)]",
    "torch.ones(1).add_(0.5, torch.ones(1)), torch.ones(1).addcmul_(0.5, torch.ones(1), torch.ones(1))":
        "(tensor([1.5000]), tensor([1.5000]))",
    "torch.zeros(size=(2, 1)).shape, torch.nn.init._calculate_correct_fan(torch.ones(2, 3), 'fan_in')":
        "(torch.Size([2, 1]), 3)",
    "setattr(p := torch.nn.Parameter(torch.ones(1)), 'note', 1), p.note": "(None, 1)",
    "torch.utils.checkpoint.get_device_states(torch.ones(1))": "([], [])",
}


def test_it_is_said_as_pytorch_says_it():
    assert answers(SAID, "import nn.as_torch", "nn.as_torch.install()") == SAID


def test_pytorch_still_says_it():
    pytest.importorskip("torch")
    assert answers(SAID) == SAID


def test_an_operator_may_have_a_derivative_of_its_own():
    said = answers([
        "(op := torch.library.custom_op('own::half', lambda x: x * 0.5, mutates_args=()))"
        ".register_autograd(lambda ctx, g: g * 7), "
        "torch.autograd.grad(torch.ops.own.half(x := torch.ones(1, requires_grad=True)), x)"],
        "import nn.as_torch", "nn.as_torch.install()")
    assert list(said.values()) == ["(None, (tensor([7.]),))"]
