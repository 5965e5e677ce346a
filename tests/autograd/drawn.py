"""Expressions that draw random numbers, for both libraries: `t` is autograd or torch, `F` nn.functional.

`python -m tests.autograd.drawn` writes what PyTorch gives into drawn.json, so that the numbers are held where PyTorch
isn't installed.
"""

import json
from pathlib import Path

import numpy as np

EXPECTED = Path(__file__).with_name("drawn.json")
SEEDS = (0, 7, 2 ** 40 + 3)

EXPRESSIONS = """
t.rand(3)
t.rand(2, 5, dtype=t.float64)
t.rand(40, dtype=t.float16)
t.rand(0)
t.rand(70000)
t.rand(20000, dtype=t.float64)
t.rand_like(t.zeros(4, 6).t())
t.rand_like(t.zeros(2, 3, 4).permute(1, 2, 0))
t.randn(())
t.randn(3)
t.randn(15)
t.randn(16)
t.randn(17)
t.randn(4, 25)
t.randn(3, dtype=t.float64)
t.randn(31, dtype=t.float64)
t.randn(50000)
t.randn(20, dtype=t.float16)
t.randn(7, dtype=t.float16)
t.randn_like(t.zeros(5, 6).t())
t.randn_like(t.zeros(2, 3, 4)[:, :, ::2])
t.randint(10, (7,))
t.randint(-5, 6, (3, 4))
t.randint(0, 2 ** 28 - 1, (5,))
t.randint(0, 2 ** 28, (5,))
t.randint(0, 2 ** 40, (5,))
t.randint(-2 ** 63, 2 ** 63 - 1, (5,))
t.randint(0, 256, (5,), dtype=t.uint8)
t.randint(3, (5,), dtype=t.float32)
t.randint_like(t.zeros(4, 3).t(), 9)
t.randperm(0)
t.randperm(1)
t.randperm(9)
t.randperm(1000, dtype=t.int32)
t.randperm(40000)
t.empty(5, dtype=t.int64).random_()
t.empty(5, dtype=t.int32).random_()
t.empty(5, dtype=t.int16).random_()
t.empty(5, dtype=t.int8).random_()
t.empty(5, dtype=t.uint8).random_()
t.empty(9, dtype=t.bool).random_()
t.empty(5).random_()
t.empty(5, dtype=t.float64).random_()
t.empty(5, dtype=t.float16).random_()
t.empty(5).random_(100)
t.empty(5, dtype=t.int64).random_(-3, 50)
t.empty(5, dtype=t.int64).random_(3, None)
t.empty(5, dtype=t.int64).random_(-2 ** 63, None)
t.empty(6, 4).t().random_(0, 77)
t.empty(6).uniform_()
t.empty(6).uniform_(-3.3, 5.1)
t.empty(6, dtype=t.float64).uniform_(1, 4)
t.empty(90000).uniform_(1000, 1001)
t.empty(4, 6).t().uniform_(2, 3)
t.empty(6).normal_(2, 3)
t.empty(33).normal_(-1, 0.25)
t.empty(3, 8).t().normal_(1, 2)
t.empty(40)[::2].normal_(1, 2)
t.empty(6).log_normal_()
t.empty(21, dtype=t.float64).log_normal_(0.5, 0.25)
t.empty(6).cauchy_()
t.empty(6, dtype=t.float64).cauchy_(3, 2)
t.empty(6).geometric_(0.3)
t.empty(6, dtype=t.int64).geometric_(0.01)
t.empty(6).exponential_()
t.empty(6, dtype=t.float64).exponential_(2.5)
t.empty(4, 5).t().exponential_()
t.empty(9).bernoulli_()
t.empty(9).bernoulli_(0.2)
t.empty(9, dtype=t.int64).bernoulli_(0.7)
t.empty(4, 5).t().bernoulli_(0.5)
t.empty(4, 5).t().bernoulli_(t.linspace(0, 1, 5).reshape(5, 1))
t.empty(9).bernoulli_(t.linspace(0, 1, 9))
t.empty(9).bernoulli_(t.linspace(0, 1, 9, dtype=t.float64))
t.bernoulli(t.linspace(0, 1, 9))
t.bernoulli(t.linspace(0, 1, 9, dtype=t.float64))
t.bernoulli(t.linspace(0, 1, 12).reshape(3, 4).t())
t.bernoulli(t.zeros(9), 0.4)
t.multinomial(t.tensor([0.1, 0.2, 0.7]), 2)
t.multinomial(t.tensor([0.1, 0.2, 0.7]), 1)
t.multinomial(t.tensor([0.1, 0.2, 0.7]), 1, True)
t.multinomial(t.tensor([1.0, 0.0, 3.0, 6.0]), 20, True)
t.multinomial(t.tensor([[1.0, 2.0, 3.0, 6.0], [0.0, 1.0, 1.0, 2.0]]), 12, replacement=True)
t.multinomial(t.tensor([[1.0, 2.0, 3.0, 6.0], [0.5, 1.0, 1.0, 2.0]], dtype=t.float64), 3)
t.normal(2.0, 3.0, (4,))
t.normal(2.0, 3.0, (20,))
t.normal(t.arange(4.0), 0.5)
t.normal(0.0, t.arange(1.0, 20.0))
t.normal(t.zeros(3), t.ones(2, 1))
t.poisson(t.tensor([0.0, 0.5, 3.0, 9.9, 10.0, 250.0]))
t.poisson(t.linspace(1, 40, 30, dtype=t.float64))
t.binomial(t.tensor([5.0, 100.0, 1000.0, 40.0, 3.0, 0.0]), t.tensor([0.3, 0.3, 0.5, 0.9, 0.0, 0.4]))
t.binomial(t.full((30,), 60.0), t.linspace(0, 1, 30))
""".strip().splitlines()


def shortened(values):
    """The first and last elements, as text that tells their digits."""
    flat = np.asarray(values.tolist(), np.float64 if values.is_floating_point() else None).reshape(-1)
    return [float(f"{v:.9g}") if isinstance(v, float) else v for v in (*flat[:4].tolist(), *flat[-4:].tolist())]


if __name__ == "__main__":
    import torch

    rows = {}
    for expression in EXPRESSIONS:
        rows[expression] = []
        for seed in SEEDS:
            torch.manual_seed(seed)
            rows[expression].append(shortened(eval(expression, {"t": torch})))
    lines = [f"{json.dumps(expression)}: {json.dumps(found)}" for expression, found in rows.items()]
    EXPECTED.write_text("{\n" + ",\n".join(lines) + "\n}\n")
