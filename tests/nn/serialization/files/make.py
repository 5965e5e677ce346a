"""Writes the files of this folder, with PyTorch: python tests/nn/serialization/files/make.py"""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).parent


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear, self.norm = torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2)
        self.register_buffer("scale", torch.ones(1))
        self.no_buffer = torch.zeros(5)
        self.sizes = [1, 2]
        with torch.no_grad():
            self.linear.weight.copy_(torch.arange(6.).reshape(2, 3))
            self.linear.bias.copy_(torch.tensor([0.5, -0.5]))

    def forward(self, x):
        return self.norm(self.linear(x)) * self.scale + self.no_buffer[0]


def checkpoint():
    base = torch.arange(12.).reshape(3, 4)
    weights = OrderedDict(weight=base, transposed=base.t(), row=base[1, 1:], parameter=torch.nn.Parameter(base[:2, 0]))
    dtypes = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16,
              torch.int8, torch.uint8, torch.bool, torch.uint16, torch.uint32, torch.uint64]
    return {"model": weights, "dtypes": {str(dtype): torch.tensor([0, 1, 3]).to(dtype) for dtype in dtypes},
            "optimizer": {"state": {0: {"step": torch.tensor(7.)}}, "param_groups": [{"lr": 0.1, "betas": (0.9, 0.99),
                                                                                      "foreach": None, "params": [0]}]},
            "size": base.shape, "dtype": torch.float16, "device": torch.device("cpu"), "empty": torch.zeros(0, 2),
            "expanded": torch.ones(1).expand(5), "scalar": np.float64(2.5), "array": np.arange(3.), "epoch": 2 ** 40,
            "big": -2 ** 70, "names": ["é", "日本"], "set": {1, 2}, "done": True, "bytes": b"\x00\xff"}


if __name__ == "__main__":
    torch.save(checkpoint(), HERE / "archive.pt")
    early = checkpoint()
    for name in ("uint16", "uint32", "uint64"):  # which came later
        del early["dtypes"]["torch." + name]
    torch.save(early, HERE / "before_1_6.pt", _use_new_zipfile_serialization=False)
    torch.jit.script(Net()).save(HERE / "script.pt")
