"""What only PyTorch has: packages that mention it run, and using it says what is missing, why, and where."""

import re

from tests.nn.test_as_torch import through_the_door


def test_what_only_pytorch_has_can_be_mentioned_and_says_so_when_it_is_used(tmp_path):
    (tmp_path / "package.py").write_text("""
from typing import Optional
import torch
import torch.fx.experimental.proxy_tensor
from torch.fx import GraphModule, Tracer
from torch.onnx.symbolic_helper import parse_args

@parse_args
def symbolic(graph, x):
    pass

class Own(Tracer):
    pass

def reduced(x: Optional[GraphModule], op=torch.distributed.ReduceOp.SUM):
    return isinstance(x, GraphModule)

STYLES = {"rows": torch.distributed.tensor.Shard(0)}
torch.ops.load_library("kernels.so")
def fused(x):
    return torch.ops.kernels.fused(x)

def spectrum(x):
    return torch.fft.rfft(x)

def of_parts(x):
    return torch.complex(x, x)
""")
    printed = through_the_door("""
import torch, package
print(package.reduced(torch.nn.Linear(1, 1)), hasattr(torch.ops.kernels, "fused"))
x = torch.ones(2)
for use in (package.Own, lambda: package.symbolic(0, 0), lambda: package.fused(x), lambda: package.spectrum(x),
            lambda: package.of_parts(x), lambda: torch.jit.load("x"), lambda: package.STYLES["rows"].apply(x)):
    try:
        use()
    except (RuntimeError, AttributeError) as error:
        print(error)
""", tmp_path)
    first, tracer, symbolic, fused, spectrum, parts, load, style = printed.splitlines()
    assert first == "False False"
    assert tracer.startswith("torch.fx.Tracer: nothing is traced")
    assert symbolic.startswith("torch.onnx.symbolic_helper.parse_args: nothing is traced")
    assert re.search(r"torch\.ops\.kernels\.fused .* C\+\+ or CUDA .*package\.py, line 21", fused)
    assert re.search(r"torch\.fft\.rfft: there are no complex tensors.*package\.py, line 24", spectrum)
    assert re.search(r"torch\.complex: there are no complex tensors.*package\.py, line 27", parts)
    assert re.search(r"torch\.jit\.load: .*script\.py, line 6", load)
    assert style.startswith("torch.distributed.tensor.Shard(...).apply: ")
