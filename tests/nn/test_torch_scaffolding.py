"""What programs say around their mathematics: it is answered as PyTorch answers it on a machine without a GPU.

SAID is what PyTorch 2.13 printed; where it is installed, it is asked again.
"""

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from nn import functional

ROOT = Path(__file__).parents[2]
SAID = {
    # element types
    "torch.float32": "torch.float32",
    "torch.zeros(2, dtype=torch.float64)": "tensor([0., 0.], dtype=torch.float64)",
    "torch.zeros(2).dtype": "torch.float32",
    "torch.zeros(2).long().dtype, torch.zeros(2).bool().dtype": "(torch.int64, torch.bool)",
    "torch.zeros(2).dtype == torch.float32, torch.zeros(2).dtype is torch.float": "(True, True)",
    "torch.float32.is_floating_point, torch.int8.is_floating_point, torch.float16.is_complex": "(True, False, False)",
    "torch.uint8.is_signed, torch.int8.is_signed, torch.float64.itemsize, torch.bfloat16.itemsize":
        "(False, True, 8, 2)",
    "isinstance(torch.zeros(2).dtype, torch.dtype)": "True",
    "{torch.float32: 1}[torch.zeros(1).dtype]": "1",
    "torch.bfloat16, torch.bfloat16 == torch.float32, torch.half is torch.float16": "(torch.bfloat16, False, True)",
    "torch.get_default_dtype()": "torch.float32",
    "torch.tensor([1, 2]).to(torch.float64).dtype, torch.zeros(1).type(torch.int32).dtype":
        "(torch.float64, torch.int32)",
    "np.zeros(2, dtype=np.float32).dtype == np.dtype('float32')": "True",
    "torch.finfo(torch.float32).eps, torch.finfo(torch.float16).max": "(1.1920928955078125e-07, 65504.0)",
    "torch.finfo(torch.float64).tiny, torch.finfo().bits": "(2.2250738585072014e-308, 32)",
    "torch.iinfo(torch.int64).max, torch.iinfo(torch.uint8).min, torch.iinfo(torch.int8).bits":
        "(9223372036854775807, 0, 8)",
    "copy.deepcopy(torch.float32) is torch.float32, pickle.loads(pickle.dumps(torch.int8))": "(True, torch.int8)",
    # shapes
    "torch.zeros(2, 3).shape": "torch.Size([2, 3])",
    "torch.zeros(2, 3).size(), torch.zeros(2, 3).size(-1)": "(torch.Size([2, 3]), 3)",
    "torch.zeros(2, 3).shape.numel(), torch.Size([]).numel(), torch.Size([0, 3]).numel()": "(6, 1, 0)",
    "torch.zeros(2, 3).shape[:1], torch.zeros(2, 3).shape + (4,)": "(torch.Size([2]), torch.Size([2, 3, 4]))",
    "torch.zeros(2, 3).shape == (2, 3), isinstance(torch.zeros(2).shape, tuple)": "(True, True)",
    "torch.zeros(torch.Size([2, 1])), torch.zeros(2, 0)": "(tensor([[0.],\n        [0.]]), tensor([], size=(2, 0)))",
    # devices
    "torch.zeros(1).device, torch.device('cpu')": "(device(type='cpu'), device(type='cpu'))",
    "torch.zeros(1).device.type, torch.zeros(1).device.index": "('cpu', None)",
    "str(torch.device('cpu:0')), torch.device('cpu', 0)": "('cpu:0', device(type='cpu', index=0))",
    "torch.zeros(1).device == torch.device('cpu'), torch.device('cpu') == torch.device('cpu:0')": "(True, False)",
    "pickle.loads(pickle.dumps(torch.device('cpu', 0)))": "device(type='cpu', index=0)",
    "torch.zeros(1, device='cpu').to('cpu').to(torch.device('cpu')).cpu().is_cuda": "False",
    "torch.zeros(1).to(torch.device('cpu'), torch.float64, non_blocking=True).dtype": "torch.float64",
    "torch.nn.Linear(1, 1).to(torch.device('cpu')).weight.device.type": "'cpu'",
    "torch.cuda.is_available(), torch.cuda.device_count(), torch.backends.mps.is_available()": "(False, 0, False)",
    "torch.cuda.manual_seed_all(0), torch.cuda.empty_cache()": "(None, None)",
    "torch.accelerator.is_available(), torch.accelerator.current_accelerator()": "(False, None)",
    "torch.cuda.amp.GradScaler().is_enabled(), torch.cuda.is_bf16_supported()": "(False, False)",
    "setattr(torch.backends.cudnn, 'benchmark', True), torch.backends.cudnn.benchmark": "(None, True)",
    # classes
    "torch.Tensor([1, 2, 3])": "tensor([1., 2., 3.])",
    "torch.Tensor(2, 3).shape, torch.Tensor().shape, torch.Tensor(torch.Size([4])).shape":
        "(torch.Size([2, 3]), torch.Size([0]), torch.Size([4]))",
    "torch.Tensor(np.ones(2)), torch.Tensor([[True]])": "(tensor([1., 1.]), tensor([[1.]]))",
    "torch.LongTensor([1, 2]), torch.LongTensor(3).shape": "(tensor([1, 2]), torch.Size([3]))",
    "torch.DoubleTensor([1]).dtype, torch.ByteTensor([1]).dtype": "(torch.float64, torch.uint8)",
    "isinstance(torch.zeros(1), torch.Tensor), isinstance(torch.zeros(1), torch.FloatTensor)": "(True, True)",
    "isinstance(torch.zeros(1).long(), torch.FloatTensor), isinstance(1, torch.Tensor)": "(False, False)",
    "isinstance(torch.zeros(1), torch.cuda.FloatTensor)": "False",
    "isinstance(torch.nn.Parameter(torch.zeros(1)), torch.Tensor), issubclass(torch.nn.Parameter, torch.Tensor)":
        "(True, True)",
    "torch.zeros(1).type(), torch.zeros(1).long().type()": "('torch.FloatTensor', 'torch.LongTensor')",
    "torch.zeros(1).type('torch.DoubleTensor').dtype, torch.zeros(1).type(torch.LongTensor).dtype":
        "(torch.float64, torch.int64)",
    "torch.zeros(1).double().new(2, 2).dtype, torch.zeros(1).new([1, 2])": "(torch.float64, tensor([1., 2.]))",
    "torch.Tensor.add(torch.ones(1), 1), torch.Tensor.__name__": "(tensor([2.]), 'Tensor')",
    "setattr(torch.Tensor, 'twice', lambda self: self * 2), torch.ones(1).twice()": "(None, tensor([2.]))",
    "torch.autograd.Variable(torch.ones(1), requires_grad=True)": "tensor([1.], requires_grad=True)",
    "torch.zeros(2, 3, requires_grad=True, pin_memory=False).contiguous(memory_format=torch.contiguous_format).shape":
        "torch.Size([2, 3])",
    "torch.empty(2, memory_format=torch.contiguous_format).clone(memory_format=torch.preserve_format).layout":
        "torch.strided",
    "torch.zeros(2).get_device(), torch.zeros(2).is_sparse, torch.zeros(2).is_quantized": "(-1, False, False)",
    "torch.where(torch.tensor([False, True]))": "(tensor([1]),)",
    "torch.where(torch.tensor([False, True]), 1.0, torch.zeros(2))": "tensor([0., 1.])",
    "torch.add(torch.ones(2), 1, out=(y := torch.zeros(2))), y": "(tensor([2., 2.]), tensor([2., 2.]))",
    "torch.cat([torch.ones(1), torch.zeros(1)], out=(y := torch.empty(0))) is y, y": "(True, tensor([1., 0.]))",
    "torch.mul(torch.tensor([2]), 3, out=(y := torch.zeros(1, dtype=torch.float64))), y.dtype":
        "(tensor([6.], dtype=torch.float64), torch.float64)",
    "torch.sort(torch.tensor([2., 1.]), out=(v := torch.empty(2), i := torch.empty(2, dtype=torch.long)))[0] is v, i":
        "(True, tensor([1, 0]))",
    "torch.exp(x := torch.zeros(2), out=x), x": "(tensor([1., 1.]), tensor([1., 1.]))",
    # switches
    "torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.jit.is_scripting()": "(True, False, False)",
    "torch.inference_mode()(lambda: torch.is_grad_enabled())()": "False",
    "torch.compiler.is_compiling(), torch.distributed.is_available() and torch.distributed.is_initialized()":
        "(False, False)",
    "torch.nn.modules.utils._pair(3), torch.nn.modules.utils._pair((1, 2))": "((3, 3), (1, 2))",
    "torch.testing.assert_close(torch.ones(2), torch.ones(2) + 1e-7)": "None",
    "int(torch.__version__.split('.')[0]), torch.version.cuda": "(2, None)",
    "torch.device('cuda'), torch.device('cuda:1').index": "(device(type='cuda'), 1)",
    "torch.zeros(1).device == torch.device('cuda'), torch.device('mps').type": "(False, 'mps')",
    "setattr(torch.ones(2), 'require_grad', False), hasattr(torch.ones(2), 'require_grad')": "(None, False)",
    # what older programs leave out
    "[torch.nn.functional.softmax(torch.ones(*range(2, n + 2))).flatten()[0].item() for n in (1, 2, 3, 4)]":
        "[0.5, 0.3333333432674408, 0.5, 0.3333333432674408]",
    "torch.nn.functional.log_softmax(torch.zeros(4, 2)).exp(), torch.nn.functional.softmin(torch.ones(2), dtype=float)":
        "(tensor([[0.5000, 0.5000],\n        [0.5000, 0.5000],\n        [0.5000, 0.5000],\n        [0.5000, 0.5000]]), "
        "tensor([0.5000, 0.5000], dtype=torch.float64))",
    "torch.nn.Softmax(), torch.nn.LogSoftmax(1), torch.nn.Softmin()(torch.ones(2))":
        "(Softmax(dim=None), LogSoftmax(dim=1), tensor([0.5000, 0.5000]))",
    "isinstance(pickle.loads(pickle.dumps(torch.nn.Softmax())), torch.nn.Softmax)": "True",
    "torch.device('cuda', 1), torch.device('cuda:0').index": "(device(type='cuda', index=1), 0)",
    "torch.empty(0, dtype=torch.bfloat16).element_size(), torch.float8_e5m2": "(2, torch.float8_e5m2)",
    "torch.result_type(torch.ones(1), 2).is_floating_point, torch.broadcast_shapes((2, 1), (3,))":
        "(True, torch.Size([2, 3]))",
    "torch.ones(2, 3).untyped_storage().nbytes(), torch.ones(2, 3)[0].untyped_storage().nbytes()": "(24, 24)",
    # modules
    "list((m := torch.nn.Linear(1, 1)).__dict__['_parameters']), list(m.__dict__['_modules'])":
        "(['weight', 'bias'], [])",
    "list((m := copy.deepcopy(torch.nn.Linear(1, 1))).__dict__['_parameters'])": "['weight', 'bias']",
    "len(torch.nn.Linear(1, 1)._forward_hooks), len(torch.nn.Linear(1, 1)._backward_hooks)": "(0, 0)",
    "(m := torch.nn.Linear(1, 1)).register_forward_hook(print) and m._forward_hooks.clear(), len(m._forward_hooks)":
        "(None, 0)",
    "torch.distributions.Normal(torch.zeros(2, 1), 1).batch_shape.numel()": "2",
    "torch.utils.data.Dataset[int] is None, torch.utils.data.DataLoader[int] is None": "(False, False)",
    # what is asked more rarely
    "torch.complex64.is_complex, torch.complex64.is_floating_point, torch.bfloat16.is_floating_point, "
    "torch.bfloat16.is_signed, torch.complex128.itemsize":
        "(True, False, True, True, 16)",
    "len({torch.bfloat16, torch.complex64, torch.bfloat16}), hash(torch.float32) == hash(torch.zeros(1).dtype)":
        "(2, True)",
    "torch.iinfo(torch.int16), torch.iinfo(torch.int32).min, torch.iinfo(torch.int8).dtype":
        "(iinfo(min=-32768, max=32767, dtype=int16), -2147483648, 'int8')",
    "torch.pi, torch.e, torch.inf, torch.newaxis, torch.nan != torch.nan":
        "(3.141592653589793, 2.718281828459045, inf, None, True)",
    "torch.Size((2, 3)) + torch.Size([4]), torch.Size([2, 3])[0], torch.Size([2, 3])[-1:], "
    "hash(torch.Size([1])) == hash((1,))":
        "(torch.Size([2, 3, 4]), 2, torch.Size([3]), True)",
    "torch.device('cpu'), torch.device(type='cpu', index=0).index, torch.device('cpu:1').index, "
    "str(torch.device('cpu'))":
        "(device(type='cpu'), 0, 1, 'cpu')",
    "torch.get_default_device()": "device(type='cpu')",
    "torch.where(torch.tensor([[True, False], [True, True]]))": "(tensor([0, 1, 1]), tensor([0, 0, 1]))",
    "torch.sum(torch.ones(2, 3), 0, out=(y := torch.empty(0))), y.shape": "(tensor([2., 2., 2.]), torch.Size([3]))",
    "torch.max(torch.tensor([[1., 3.], [2., 0.]]), 1, out=(v := torch.empty(0), i := torch.empty(0, "
    "dtype=torch.long)))[1] is i, v, i":
        "(True, tensor([3., 2.]), tensor([1, 0]))",
    "torch.IntTensor([1.5, 2.5]), torch.HalfTensor([1]).dtype, torch.ShortTensor(2, 0).shape, "
    "torch.CharTensor([1]).dtype, torch.BoolTensor([0, 1])":
        "(tensor([1, 2], dtype=torch.int32), torch.float16, torch.Size([2, 0]), torch.int8, tensor([False,  True]))",
    "isinstance(torch.ones(1).half(), torch.HalfTensor), isinstance(torch.ones(1, dtype=torch.int32), "
    "torch.IntTensor), isinstance(torch.ones(1), torch.DoubleTensor)":
        "(True, True, False)",
    "issubclass(torch.nn.Parameter, torch.Tensor), issubclass(int, torch.Tensor), torch.Tensor == "
    "torch.Tensor, torch.Tensor == torch.LongTensor":
        "(True, False, True, False)",
    "torch.ones(2).type(torch.float64).type(), torch.ones(1).type('torch.IntTensor').dtype, "
    "torch.ones(1).type(torch.ByteTensor).type()":
        "('torch.DoubleTensor', torch.int32, 'torch.ByteTensor')",
    "torch.set_default_tensor_type(torch.DoubleTensor), torch.tensor(1.0).dtype, "
    "torch.set_default_tensor_type('torch.FloatTensor'), torch.tensor(1.0).dtype":
        "(None, torch.float64, None, torch.float32)",
    "torch.zeros(1).is_meta, torch.zeros(1).is_sparse, torch.zeros(1).is_cuda, torch.zeros(1).layout":
        "(False, False, False, torch.strided)",
    "torch.ones(2).conj().is_conj(), torch.ones(2).resolve_neg().is_neg(), torch.ones(2).real":
        "(False, False, tensor([1., 1.]))",
    "torch.ones(2, 3).storage_offset(), torch.ones(2, 3)[1].shape": "(0, torch.Size([3]))",
    "torch.ones(2).double().new([1]).dtype, torch.ones(2).new(torch.Size([3])).shape, torch.ones(1).new().shape":
        "(torch.float64, torch.Size([3]), torch.Size([0]))",
    "torch.jit.is_scripting(), torch.jit.is_tracing(), torch.compiler.is_compiling(), torch.onnx.is_in_onnx_export()":
        "(False, False, False, False)",
    "torch.nn.modules.utils._single(2), torch.nn.modules.utils._triple(2), "
    "torch.nn.modules.utils._quadruple([1, 2]), torch.nn.modules.utils._ntuple(5)(1)":
        "((2,), (2, 2, 2), (1, 2), (1, 1, 1, 1, 1))",
    "[t.tolist() for t in torch.distributions.utils.broadcast_all(1.0, torch.zeros(2), torch.ones(2, 1))]":
        "[[[1.0, 1.0], [1.0, 1.0]], [[0.0, 0.0], [0.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]]]",
    "torch.distributions.utils.broadcast_all(1, 2)[0].dtype, "
    "torch.distributions.utils.broadcast_all(torch.ones(1).double(), 2)[1].dtype":
        "(torch.float32, torch.float64)",
    "torch.distributions.utils.logits_to_probs(torch.zeros(2)), "
    "torch.distributions.utils.logits_to_probs(torch.zeros(2), is_binary=True)":
        "(tensor([0.5000, 0.5000]), tensor([0.5000, 0.5000]))",
    "torch.distributions.utils.probs_to_logits(torch.tensor([0.25, 0.75])), "
    "torch.distributions.utils.probs_to_logits(torch.tensor([0.25]), is_binary=True)":
        "(tensor([-1.3863, -0.2877]), tensor([-1.0986]))",
    "torch.utils._pytree.tree_map(lambda x: x * 2, {'a': [1, (2, 3)], 'b': 4})": "{'a': [2, (4, 6)], 'b': 8}",
    "torch.utils._pytree.tree_flatten([1, {'a': 2}, (3,)])[0], torch.utils._pytree.tree_leaves((1, [2, [3]]))":
        "([1, 2, 3], [1, 2, 3])",
    "(lambda f: torch.utils._pytree.tree_unflatten([10 * x for x in f[0]], "
    "f[1]))(torch.utils._pytree.tree_flatten([1, {'a': 2}, (3, [4])]))":
        "[10, {'a': 20}, (30, [40])]",
    "torch.utils._pytree.tree_map_only(int, lambda x: -x, [1, 'a', (2,)]), "
    "torch.utils._pytree.tree_map(max, [1, 5], [3, 4])":
        "([-1, 'a', (-2,)], [3, 5])",
    "torch.testing.assert_close(torch.ones(1), torch.ones(1).double(), check_dtype=False)": "None",
    "torch.testing.assert_close(torch.ones(1), torch.ones(1) + 0.1, rtol=0.2, atol=0), "
    "torch.testing.assert_close(torch.zeros(1), torch.zeros(1) + 0.1, rtol=0, atol=0.2)":
        "(None, None)",
    "torch.testing.assert_close(torch.tensor([float('nan')]), torch.tensor([float('nan')]), equal_nan=True)": "None",
    "torch.testing.assert_close(torch.ones(1).half(), torch.ones(1).half() + 1e-3), "
    "torch.testing.assert_close(torch.ones(1).double(), torch.ones(1).double() + 5e-8)":
        "(None, None)",
    "torch.cuda.memory_allocated(), torch.cuda.max_memory_reserved(), torch.cuda.is_initialized()": "(0, 0, False)",
    "torch.backends.cudnn.is_available(), torch.backends.cuda.is_built(), torch.xpu.is_available(), "
    "torch.xpu.device_count()":
        "(False, False, False, 0)",
    "torch.get_num_interop_threads() >= 1, torch.get_num_threads() >= 1": "(True, True)",
    "torch.is_autocast_enabled()": "False",
    "torch.is_floating_point(torch.ones(1)), torch.is_complex(torch.ones(1)), torch.is_nonzero(torch.ones(1))":
        "(True, False, True)",
    "torch.typename(torch.ones(1)), torch.numel(torch.ones(2, 3))": "('torch.FloatTensor', 6)",
    "torch.autocast('cpu', enabled=False).__enter__() is None, torch.is_autocast_enabled()": "(False, False)",
    "torch.amp.GradScaler('cpu', enabled=False).is_enabled(), torch.cuda.amp.GradScaler(enabled=False).get_scale()":
        "(False, 1.0)",
    "torch.amp.GradScaler(enabled=False).scale(torch.ones(1)), torch.cuda.amp.GradScaler(enabled=False).state_dict()":
        "(tensor([1.]), {})",
}
ERRORS = {
    "torch.zeros(1).cuda()": "the device 'cpu' alone",
    "torch.zeros(1, device='cuda')": "the device 'cpu' alone",
    "torch.zeros(1).to('cuda:0')": "the device 'cpu' alone",
    "torch.zeros(1).to(torch.device('cuda'))": "the device 'cpu' alone",
    "torch.nn.Linear(1, 1).to(torch.device('cuda:0'))": "the device 'cpu' alone",
    "torch.set_default_device(torch.device('mps'))": "the device 'cpu' alone",
    "torch.device('cuda').__enter__()": "the device 'cpu' alone",
    "torch.device(0)": "the device 'cpu' alone",
    "torch.device('gpu')": "a device is one of cpu, cuda",
    "torch.zeros(1, device=torch.device('mps'))": "the device 'cpu' alone",
    "torch.zeros(1, dtype=torch.bfloat16)": "NumPy has no bfloat16",
    "torch.cuda.FloatTensor(2)": "the device 'cpu' alone",
    "torch.load('x', map_location='cuda')": "the device 'cpu' alone",
    "torch.cuda.get_device_name(0)": "there is only the CPU; ask torch.cuda.is_available",
    "torch.multiprocessing.spawn(print, nprocs=2)": "python -m nn.distributed -n 2 -m nn.as_torch",
    "torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(1, 1))": "init_process_group",
    "torch.zeros(1).to(torch.bfloat16)": "NumPy has no bfloat16",
    "torch.zeros(1).bfloat16()": "NumPy has no bfloat16",
    "torch.testing.assert_close(torch.ones(2), torch.zeros(2))": "Not equal",
    "torch.testing.assert_close(torch.ones(2), torch.ones(2).double())": "the dtypes differ",
    "torch.exp(torch.ones(1, requires_grad=True), out=torch.ones(1))": "cannot be recorded",
    "torch.div(torch.ones(1), 2, out=torch.ones(1, dtype=torch.long))": "which out= of int64 cannot hold",
}
ANSWER = """
import copy, json, pickle, sys
import numpy as np
import torch
import torch.library, torch.optim.optimizer, torch.overrides, torch.utils._pytree
answers = {}
for question in json.load(sys.stdin):
    try:
        answers[question] = repr(eval(question))
    except Exception as error:
        answers[question] = f"{type(error).__name__}: {error}"
print(json.dumps(answers))
"""


def answers(questions, *door):
    """What a process of its own answers to each."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", "\n".join([*door, ANSWER])], check=True, text=True,
                          input=json.dumps(list(questions)), capture_output=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def ours():
    return answers([*SAID, *ERRORS], "import nn.as_torch", "nn.as_torch.install()")


@pytest.fixture(scope="module")
def theirs():
    pytest.importorskip("torch")
    return answers(SAID)


@pytest.mark.parametrize("question", SAID)
def test_it_is_said_as_pytorch_says_it(ours, question):
    assert ours[question] == SAID[question]


@pytest.mark.parametrize("question", SAID)
def test_pytorch_still_says_it(theirs, question):
    assert theirs[question] == SAID[question]


@pytest.mark.parametrize("question", ERRORS)
def test_what_cannot_be_done_says_why(ours, question):
    assert ERRORS[question] in ours[question]
    assert ours[question].partition(":")[0] in ("RuntimeError", "TypeError", "AssertionError")


# What a program says in lines of its own

WHOLE = """
import argparse, io, pickle
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.TransformerEncoderLayer(4, 2, 8)
        self.register_buffer("scale", torch.ones(1))
        self.act = torch.nn.functional.relu

    def forward(self, x):
        return self.act(self.encoder(x)) * self.scale

file = io.BytesIO()
net = Net().eval()
torch.save({"net": net, "args": argparse.Namespace(lr=0.1)}, file)
x = torch.randn(3, 2, 4)

def loaded(**options):
    file.seek(0)
    try:
        saved = torch.load(file, **options)
        return bool((saved["net"](x) == net(x)).all()), saved["args"].lr
    except pickle.UnpicklingError as error:
        return [name for name in ("__main__.Net", "weights_only") if name in str(error)]

print(loaded())
print(loaded(weights_only=True))
print(loaded(weights_only=False))
layers = [nn.TransformerEncoderLayer, nn.MultiheadAttention, nn.Linear, nn.Dropout, nn.LayerNorm,
          nn.modules.linear.NonDynamicallyQuantizableLinear]
with torch.serialization.safe_globals([Net]):
    print(loaded())
with torch.serialization.safe_globals([Net, argparse.Namespace, nn.functional.relu, *layers]):
    print(loaded())
print(loaded())
torch.serialization.add_safe_globals([Net, argparse.Namespace, nn.functional.relu, *layers])
print(loaded())
"""
REFUSED = "['__main__.Net', 'weights_only']"


@pytest.mark.parametrize("door", [["-m", "nn.as_torch"], []], ids=["ours", "theirs"])
def test_whole_modules_are_saved_and_loaded_if_they_are_trusted(tmp_path, door):
    if not door:
        pytest.importorskip("torch")
    (tmp_path / "script.py").write_text(WHOLE)
    done = subprocess.run([sys.executable, "-W", "ignore", *door, "script.py"], check=True, text=True, cwd=tmp_path,
                          capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.stdout.splitlines() == [REFUSED, REFUSED, "(True, 0.1)", "['weights_only']", "(True, 0.1)",
                                        REFUSED, "(True, 0.1)"]


def test_public_functions_can_be_pickled_by_name():
    """Programs keep them in modules that they save, and pass them to worker processes."""
    for name in functional.__all__:
        assert pickle.loads(pickle.dumps(getattr(functional, name))) is getattr(functional, name)
