"""Expressions that draw random numbers, which both libraries evaluate.

In them `t` is autograd or torch, `nn` and `F` are their layers and functions, `D` the distributions, `data` what loads.
`python -m tests.same_seed` writes what PyTorch gives into same_seed.json, so that the numbers are held where PyTorch
isn't installed.
"""

import json
from importlib import import_module
from pathlib import Path

import numpy as np

EXPECTED = Path(__file__).with_suffix(".json")
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
nn.init.uniform_(t.empty(3, 4), -2, 0.5)
nn.init.normal_(t.empty(5, 4), 1, 2)
nn.init.trunc_normal_(t.empty(5, 40))
nn.init.trunc_normal_(t.empty(3, 4), 0.5, 2.0, 0.0, 1.0)
nn.init.trunc_normal_(t.empty(3, 40), 1.0, 0.5, 1.5, 2.5)
nn.init.trunc_normal_(t.empty(3, 40), -2.0, 1.5, 0.5, 3.0)
nn.init.trunc_normal_(t.empty(3, 40), 3.0, 0.7, 0.5, 2.0)
nn.init.trunc_normal_(t.empty(3, 40), 1.0, 2.0, -1.0, 3.0)
nn.init.xavier_uniform_(t.empty(5, 4))
nn.init.xavier_normal_(t.empty(5, 4, 3), 2.0)
nn.init.kaiming_uniform_(t.empty(5, 4, 3), a=0.1, mode="fan_out")
nn.init.kaiming_normal_(t.empty(5, 4), nonlinearity="relu")
nn.init.orthogonal_(t.empty(5, 4))
nn.init.orthogonal_(t.empty(3, 4, 2), 2.0)
nn.init.sparse_(t.empty(10, 4), 0.3)
F.dropout(t.ones(50), 0.3)
F.dropout(t.ones(4, 5).t(), 0.5)
F.dropout(t.randn(2, 3, 4).transpose(1, 2), 0.4)
F.dropout(F.conv2d(t.randn(2, 3, 6, 6), t.ones(2, 3, 3, 3)).relu(), 0.5)
F.dropout1d(t.ones(3, 4, 5), 0.4)
F.dropout2d(t.ones(3, 4, 5, 2), 0.4)
F.dropout3d(t.ones(3, 4, 2, 2, 2), 0.4)
F.alpha_dropout(t.ones(4, 5), 0.3, True)
F.alpha_dropout(t.ones(4, 5).t(), 0.3, True)
F.feature_alpha_dropout(t.ones(2, 3, 4), 0.3, True)
F.gumbel_softmax(t.linspace(0, 1, 6))
F.gumbel_softmax(t.zeros(3, 4), 0.5, hard=True)
F.rrelu(t.linspace(-1, 1, 9), training=True)
F.fractional_max_pool2d(t.randn(2, 3, 7, 9), 2, (3, 4))
F.fractional_max_pool3d(t.randn(2, 3, 7, 9, 8), 2, (3, 4, 3))
F.scaled_dot_product_attention(*[t.randn(2, 3, 4, 5)] * 3, dropout_p=0.3)
nn.Dropout(0.2)(t.ones(9))
nn.RNN(3, 4, 3, dropout=0.4)(t.randn(5, 7, 3))[0]
nn.LSTM(3, 4, 2, dropout=0.4, bidirectional=True, batch_first=True)(t.randn(5, 7, 3))[0]
nn.GRU(3, 4, 3, dropout=0.4)(t.randn(7, 3))[0]
nn.LSTM(3, 4, 2, dropout=0.4)(nn.utils.rnn.pack_padded_sequence(t.randn(5, 4, 3), [5, 5, 2, 1]))[0].data
nn.GRU(3, 4, 2, dropout=0.4)(nn.utils.rnn.pack_padded_sequence(t.randn(5, 3, 3), [2, 5, 3], False, False))[0].data
nn.MultiheadAttention(8, 2, dropout=0.3)(*[t.randn(5, 4, 8)] * 3)[0]
nn.MultiheadAttention(8, 2, dropout=0.3, batch_first=True)(*[t.randn(5, 4, 8)] * 3, need_weights=False)[0]
nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3)(t.randn(5, 4, 8))
nn.Transformer(8, 2, 2, 2, 16, dropout=0.3, batch_first=True)(t.randn(4, 5, 8), t.randn(4, 3, 8))
nn.Linear(5, 7).state_dict()
nn.Bilinear(3, 4, 5).state_dict()
nn.Conv2d(4, 8, 3, groups=2).state_dict()
nn.ConvTranspose2d(4, 6, 3, groups=2).state_dict()
nn.Embedding(10, 4, padding_idx=2).state_dict()
nn.LSTM(3, 20, 2, bidirectional=True, proj_size=5).state_dict()
nn.GRUCell(3, 30).state_dict()
nn.MultiheadAttention(8, 2, kdim=5, vdim=6, add_bias_kv=True).state_dict()
nn.Transformer(8, 2, 2, 2, 16).state_dict()
nn.utils.parametrizations.spectral_norm(nn.Linear(5, 6)).state_dict()
D.Normal(t.zeros(3), t.tensor([1.0, 2.0, 3.0])).sample((4,))
D.Normal(t.zeros(3), t.tensor([1.0, 2.0, 3.0])).rsample((40,))
D.Uniform(t.zeros(3), t.tensor([1.0, 2.0, 3.0])).rsample((4,))
D.Bernoulli(t.tensor([0.1, 0.5, 0.9])).sample((20,))
D.Categorical(t.tensor([[0.1, 0.5, 0.9], [1.0, 1.0, 1.0]])).sample((20,))
D.Categorical(logits=t.tensor([0.1, 0.5, 0.9])).sample()
D.MultivariateNormal(t.zeros(2), t.tensor([[2.0, 0.5], [0.5, 1.0]])).rsample((9,))
t.tensor(list(data.RandomSampler(range(20))))
t.tensor(list(data.RandomSampler(range(9), num_samples=23)))
t.tensor(list(data.RandomSampler(range(99), True, 70)))
t.tensor(list(data.SubsetRandomSampler([1, 5, 7, 9])))
t.tensor(list(data.WeightedRandomSampler([1.0, 2.0, 3.0, 4.0], 9)))
t.tensor(list(data.DistributedSampler(range(10), 3, 1)))
t.cat([t.cat(list(data.DataLoader(list(range(10)), 3, shuffle=True))) for _ in range(2)])
t.cat(list(data.DataLoader(list(range(10)), 4, shuffle=True, generator=t.Generator().manual_seed(3))))
t.cat(list(data.DataLoader(data.random_split(list(range(20)), [0.7, 0.3])[0], 4)))
""".strip().splitlines()


def evaluated(expression, name, seed):
    """What an expression gives from a seed, as an array."""
    path = "torch." if name == "torch" else ""
    names = {"nn": path + "nn", "F": path + "nn.functional", "data": path + "utils.data" if path else "nn.data",
             "D": path + "distributions" if path else "nn.distributions"}
    names = {"t": import_module(name), **{short: import_module(long) for short, long in names.items()}}
    names["t"].manual_seed(seed)
    value = eval(expression, names)
    if isinstance(value, dict):
        value = names["t"].cat([part.reshape(-1) for part in value.values()])
    return value.detach().numpy()


def shortened(values):
    """The first and last elements, and the sum of all."""
    flat = values.reshape(-1).tolist()
    if values.dtype.kind == "f":
        return [float(f"{v:.9g}") for v in (*flat[:4], *flat[-4:], np.sum(values, dtype=np.float64))]
    return [*flat[:4], *flat[-4:], sum(flat)]


if __name__ == "__main__":
    rows = [f"{json.dumps(expression)}: {json.dumps([shortened(evaluated(expression, 'torch', s)) for s in SEEDS])}"
            for expression in EXPRESSIONS]
    EXPECTED.write_text("{\n" + ",\n".join(rows) + "\n}\n")
