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
    assert done.stdout.splitlines() == [REFUSED, REFUSED, "(True, 0.1)", "(True, 0.1)", REFUSED, "(True, 0.1)"]


def test_public_functions_can_be_pickled_by_name():
    """Programs keep them in modules that they save, and pass them to worker processes."""
    for name in functional.__all__:
        assert pickle.loads(pickle.dumps(getattr(functional, name))) is getattr(functional, name)
