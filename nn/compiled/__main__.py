"""python -m nn.compiled: compile what usual networks need, and keep it on disk; later processes find it there."""

import contextlib
import importlib
import operator
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np

import autograd
import nn
import optim
from autograd import Tensor
from nn.functional import scaled_dot_product_attention


def steps() -> Iterator[tuple[str, Callable[[], Tensor]]]:
    """Layers and losses on large arrays, by name."""
    def given(*shape: int) -> Tensor:
        array = np.random.default_rng(0).uniform(0.1, 0.9, shape)
        return autograd.tensor(array.astype(np.float32), requires_grad=True)

    images, rows, large = given(8, 16, 16, 16), given(256, 64), given(512, 512)
    for function in (operator.add, operator.sub, operator.mul, operator.truediv):
        for other in (given(512, 512), given(512), given(512, 1)):  # rules share a loop where both are wanted
            for pair in ((large, other), (large, other.detach()), (large.detach(), other)):
                yield function.__name__, lambda function=function, pair=pair: function(*pair)
        yield function.__name__, lambda function=function: function(large, 0.5)
        yield function.__name__, lambda function=function: function(0.5, large)
    for function in (operator.neg, autograd.sqrt, autograd.exp, autograd.log, autograd.tanh, autograd.abs,
                     autograd.square, lambda x: 2 * x + x, lambda x: x.sum(1) + x.sum(0)):
        yield "functions of numbers", lambda function=function: function(large)
    for module in (nn.activation, nn.loss):
        for name, kind in vars(module).items():
            if isinstance(kind, type) and kind.__module__ == module.__name__ and not name.startswith("_"):
                for arguments in ((rows,), (rows, rows.detach()), (rows, autograd.arange(256) % 64)):
                    def step(kind: type = kind, arguments: tuple = arguments) -> Tensor:
                        return kind()(*arguments)
                    yield name, step
    for kernel, options in ((3, {"padding": 1}), (3, {"padding": 1, "stride": 2}), (1, {}), (7, {"groups": 16})):
        yield "Conv2d", lambda kernel=kernel, options=options: nn.Conv2d(16, 16, kernel, **options)(images)
    yield "3 x 3 Conv2d", lambda: nn.Conv2d(32, 32, 3, 1, 1)(given(8, 32, 16, 16))
    for groups in (4, 16):
        yield "grouped Conv2d", lambda groups=groups: nn.Conv2d(16, 16, 3, 1, 1, groups=groups)(images)
    yield "MaxPool2d", lambda: nn.MaxPool2d(3, 2, 1)(images)
    yield "MaxPool2d", lambda: nn.MaxPool2d(2)(nn.Conv2d(16, 16, 1)(images))
    yield "grid_sample", lambda: nn.functional.grid_sample(images, given(8, 16, 16, 2))
    yield "ConvTranspose2d", lambda: nn.ConvTranspose2d(16, 16, 2, 2)(images)
    for shape in ((512, 512), (8, 64, 512)):
        yield "products", lambda shape=shape: nn.Linear(512, 512)(large.reshape(shape)) @ large
    yield "BatchNorm2d", lambda: nn.BatchNorm2d(16)(images)
    yield "BatchNorm1d", lambda: nn.BatchNorm1d(64)(rows)
    yield "GroupNorm", lambda: nn.GroupNorm(4, 16)(images)
    yield "LayerNorm", lambda: nn.LayerNorm(64)(rows)
    yield "LSTM", lambda: nn.LSTM(64, 64)(rows.reshape(16, 16, 64))[0]
    yield "CTCLoss", lambda: nn.CTCLoss()(nn.functional.log_softmax(given(64, 16, 16), 2), autograd.ones(
        16, 8, dtype=autograd.int64), np.full(16, 64), np.full(16, 8))
    for function in (autograd.softmax, autograd.log_softmax, autograd.logsumexp):
        for x, dim in ((rows, -1), (images, 1)):
            yield function.__name__, lambda function=function, x=x, dim=dim: function(x, dim)
    yield "CrossEntropyLoss", lambda: nn.CrossEntropyLoss()(images, autograd.ones(8, 16, 16, dtype=autograd.int64))
    for causal in (False, True):
        yield "attention", lambda causal=causal: scaled_dot_product_attention(
            *[rows.reshape(4, 64, 64)] * 3, is_causal=causal)
    places, grid = autograd.arange(1024) % 64, autograd.arange(256 * 64).reshape(256, 64) % 64
    for name, moved in {
            "index": lambda x: x[places], "index_select": lambda x: x.index_select(1, places),
            "mask": lambda x: x[x > 0.5],
            "gather": lambda x: x.gather(1, grid) + x.gather(0, grid), "scatter": lambda x: x.scatter(1, grid, x),
            "scatter_add": lambda x: x.scatter_add(0, grid, x).scatter_add(1, grid, x).scatter(0, grid, x),
            "index_add": lambda x: x.index_add(0, places[:256], x).index_copy(0, places[:256], x),
            "cumsum": lambda x: x.cumsum(0) + x.cumsum(1), "cumprod": lambda x: x.cumprod(0) + x.cumprod(1),
            "sort": lambda x: x.sort().values, "tril": autograd.tril, "half": lambda x: x.half().float(),
            "cdist": lambda x: autograd.cdist(x, x) + autograd.cdist(x[:, :3], x[:, :3])}.items():
        yield name, lambda moved=moved: moved(rows)
    yield "solve", lambda: autograd.linalg.solve(large.reshape(1024, 16, 16), large.reshape(1024, 16, 16) + 1)
    yield "copies", lambda: autograd.cat([large.t().contiguous(), large.flip(1)])
    for name, kind in vars(optim).items():
        if isinstance(kind, type) and issubclass(kind, optim.Optimizer):
            for options in ({}, {"momentum": 0.9}, {"weight_decay": 0.01}):
                def trained(kind: type = kind, options: dict = options) -> Tensor:
                    weights = given(256, 256)
                    optimizer = kind([weights], lr=0.01, **options)
                    for _ in range(2):  # some begin otherwise than they go on
                        (weights * weights).sum().backward()
                        optimizer.step()
                    return weights
                yield name, trained
    for draw in (autograd.rand, autograd.randn):
        yield draw.__name__, lambda draw=draw: draw(256, 256) * rows.mean()
    yield "dropout", lambda: nn.functional.dropout(rows, 0.5)


def main() -> None:
    """Run each forward and backward, twice: from the sum, and from something else."""
    autograd.set_compiled(True)
    importlib.import_module("autograd.compiled.team").Board(1)  # by which threads share loops, if this process has one
    begin, names = time.perf_counter(), set()
    warnings.simplefilter("ignore")
    for name, step in steps():
        with contextlib.suppress(Exception), np.errstate(all="ignore"):  # some need other arguments
            step().sum().backward()
            out = step()
            (out * out).sum().backward()
            names.add(name)
    seconds = time.perf_counter() - begin
    print(f"{len(names)} kinds of layers, losses, optimizers and draws are compiled, in {seconds:.0f} s")


if __name__ == "__main__":
    main()
