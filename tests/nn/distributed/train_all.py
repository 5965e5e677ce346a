"""Models trained by all processes together, and by each of them alone with all the data. Run in several processes."""

import math
import sys

import numpy as np

import autograd
import nn
import nn.distributed as dist
import optim
from autograd import Tensor
from nn import functional as F
from nn.parallel import DistributedDataParallel

BATCH = 12  # of all processes together
STEPS = 4
OPTIMIZERS = {name: {} for name in (
    "SGD", "ASGD", "Adagrad", "Adadelta", "RMSprop", "Rprop", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "Adafactor",
    "Muon")} | {"SGD with momentum": {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-2}}


class Unused(nn.Module):
    """One of two branches, by the parity of the step; a third is never taken."""

    def __init__(self):
        super().__init__()
        self.even, self.odd, self.never, self.last = nn.Linear(6, 5), nn.Linear(6, 5), nn.Linear(6, 5), nn.Linear(5, 3)
        self.register_buffer("step", autograd.tensor(0))

    def forward(self, x):
        self.step += 1
        return self.last((self.even if self.step.item() % 2 else self.odd)(x).tanh())


class LSTM(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.scores = nn.LSTM(3, 5, num_layers=2, batch_first=True), nn.Linear(5, 3)

    def forward(self, x):
        return self.scores(self.lstm(x.reshape(x.size(0), 2, 3))[0][:, -1])


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.position = nn.Embedding(7, 8), nn.Parameter(autograd.randn(6, 8))
        self.block = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, activation="gelu", batch_first=True)
        self.scores = nn.Linear(8, 3)

    def forward(self, x):
        tokens = (x * 2).long().abs() % 7
        mask = nn.Transformer.generate_square_subsequent_mask(6).to(x.dtype)
        return self.scores(self.block(self.embedding(tokens) + self.position, src_mask=mask, is_causal=True).mean(1))


def cnn(norm):
    return nn.Sequential(nn.Unflatten(1, (1, 2, 3)), nn.Conv2d(1, 4, 2, padding=1), norm(4), nn.Tanh(), nn.Flatten(),
                         nn.Linear(48, 3))


MODELS = {
    "MLP": lambda: nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)),
    "CNN, synchronized batch norm": lambda: cnn(nn.BatchNorm2d),
    "CNN, batch norm of each": lambda: cnn(nn.BatchNorm2d),
    "LSTM": LSTM,
    "GPT": GPT,
}


def data(step, count=BATCH):
    rng = np.random.default_rng(step)
    return Tensor(rng.standard_normal((count, 6))), Tensor(rng.integers(0, 3, count))


def made(model):
    autograd.manual_seed(3)
    return MODELS[model]().double() if model in MODELS else model().double()


def distributed(model, **options):
    module = made(model)
    if "synchronized" in str(model):
        module = nn.SyncBatchNorm.convert_sync_batchnorm(module)
    return DistributedDataParallel(module, **options)


def shares(count):
    """Of a batch, the rows of each rank: as many, or nearly."""
    return [slice(part[0], part[-1] + 1) if len(part) else slice(0, 0)
            for part in np.array_split(np.arange(count), dist.get_world_size())]


def compare(name, together, alone, tolerance=1e-12):
    """The weights, of this rank and all others, and those of one process."""
    state = together.module.state_dict()
    every = [None] * dist.get_world_size()
    dist.all_gather_object(every, {key: t.array.tobytes() for key, t in state.items()})
    assert all(other == every[0] for other in every), f"{name}: the replicas differ"
    worst = max(np.abs(t.array - alone.state_dict()[key].array).max() for key, t in state.items())
    assert worst <= tolerance, f"{name}: differs from one process by {worst:.1e}"
    if dist.get_rank() == 0:
        print(f"{name}: {worst:.1e}")


def both(name, model, optimizer=lambda p: optim.SGD(p, lr=0.1), loss=F.cross_entropy, clip=None, **options):
    """Train for some steps: all together, each rank with its share; and alone, with everything."""
    together, alone, of_each = distributed(model, **options), made(model), "of each" in str(model)
    optimizers = optimizer(together.parameters()), optimizer(alone.parameters())
    mine = shares(BATCH)[dist.get_rank()]
    for step in range(STEPS):
        x, y = data(step)
        for one in optimizers:
            one.zero_grad(set_to_none=step % 2 == 0)
        loss(together(x[mine]), y[mine]).backward()
        if of_each:  # as if each share were a batch; the statistics of rank 0 are kept
            buffers = None
            for share in shares(BATCH):
                (loss(alone(x[share]), y[share]) / dist.get_world_size()).backward()
                buffers = buffers or {key: b.clone() for key, b in alone.named_buffers()}
                for key, b in alone.named_buffers():
                    b.copy_(buffers[key])
        else:
            loss(alone(x), y).backward()
        if clip:
            norms = [nn.utils.clip_grad_norm_(m.parameters(), clip).item() for m in (together, alone)]
            assert math.isclose(*norms, rel_tol=1e-12) and norms[0] > clip
        for one in optimizers:
            one.step()
    compare(name, together, alone)


def accumulated(view):
    """Two parts of a batch, of which the first is only added up; and a batch of which each rank has another number."""
    together, alone = distributed("MLP", gradient_as_bucket_view=view, bucket_cap_mb=1e-4), made("MLP")
    optimizers = optim.Adam(together.parameters(), lr=0.05), optim.Adam(alone.parameters(), lr=0.05)
    for step in range(STEPS):
        (x, y), (u, v) = data(step), data(step + 100, BATCH - 1)  # of the second part, one has fewer
        for one in optimizers:
            one.zero_grad()
        mine, rest = shares(BATCH)[dist.get_rank()], shares(BATCH - 1)[dist.get_rank()]
        with together.no_sync():
            (F.cross_entropy(together(x[mine]), y[mine], reduction="sum") * dist.get_world_size() / BATCH).backward()
        (F.cross_entropy(together(u[rest]), v[rest], reduction="sum") * dist.get_world_size() / (BATCH - 1)).backward()
        (F.cross_entropy(alone(x), y) + F.cross_entropy(alone(u), v)).backward()
        for one in optimizers:
            one.step()
    compare(f"accumulated, uneven, bucket view {view}", together, alone)


def nothing_on_one_rank():
    """The last rank has no examples left."""
    together, alone = distributed("CNN, synchronized batch norm"), made("CNN, synchronized batch norm")
    optimizers = optim.SGD(together.parameters(), lr=0.1), optim.SGD(alone.parameters(), lr=0.1)
    x, y = data(0)
    mine = slice(0, 0) if dist.get_rank() == dist.get_world_size() - 1 else shares(BATCH)[dist.get_rank()]
    theirs = [i for share in shares(BATCH)[:-1] for i in range(BATCH)[share]]
    loss = F.cross_entropy(together(x[mine]), y[mine], reduction="sum") * dist.get_world_size() / len(theirs)
    loss.backward()
    F.cross_entropy(alone(x[theirs]), y[theirs]).backward()
    for one in optimizers:
        one.step()
    compare("no examples on the last rank", together, alone)


def searched():
    """LBFGS, whose closure returns the average loss."""
    together, alone = distributed("MLP"), made("MLP")
    x, y = data(0)
    mine = shares(BATCH)[dist.get_rank()]
    optimizers = [optim.LBFGS(m.parameters(), lr=0.5, max_iter=8, line_search_fn="strong_wolfe")
                  for m in (together, alone)]

    def average():
        optimizers[0].zero_grad()
        loss = F.cross_entropy(together(x[mine]), y[mine])
        loss.backward()
        loss = loss.detach()
        dist.all_reduce(loss, dist.ReduceOp.AVG)
        return loss

    def whole():
        optimizers[1].zero_grad()
        loss = F.cross_entropy(alone(x), y)
        loss.backward()
        return loss
    optimizers[0].step(average)
    optimizers[1].step(whole)
    compare("LBFGS", together, alone)


def on_one_rank_only():
    """A parameter that one rank alone uses is everywhere, and what none uses has no gradient."""
    together = distributed(Unused, find_unused_parameters=True, broadcast_buffers=False)
    together.module.step.fill_(dist.get_rank())  # rank 0 takes "even", rank 1 "odd", …
    together(data(0)[0]).sum().backward()
    assert together.module.never.weight.grad is None
    assert together.module.odd.weight.grad is not None and together.module.even.weight.grad is not None
    total = together.module.last.bias.grad
    assert np.allclose(total.array, BATCH)


def main():
    dist.init_process_group(timeout=60)
    assert BATCH % dist.get_world_size() == 0
    if "slow" in sys.argv:
        for name, options in OPTIMIZERS.items():
            both(name, "MLP", lambda p, n=name, o=options: getattr(optim, n.split()[0])(
                [q for q in p if q.ndim == 2], **o))  # Muon is for matrices
    for model in MODELS:
        both(model, model, lambda p: optim.SGD(p, lr=0.1, momentum=0.9))
    both("LSTM, clipped, small buckets", "LSTM", lambda p: optim.AdamW(p, lr=0.01), clip=0.05, bucket_cap_mb=1e-4)
    both("unused parameters", Unused, find_unused_parameters=True, gradient_as_bucket_view=True)
    both("MLP, bucket views", "MLP", lambda p: optim.AdamW(p, lr=0.01), gradient_as_bucket_view=True)
    accumulated(False)
    accumulated(True)
    nothing_on_one_rank()
    searched()
    on_one_rank_only()
    print("all is right")


if __name__ == "__main__":
    main()
