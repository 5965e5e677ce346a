"""Data-parallel training: two processes, half of each batch each, make the steps that one process makes.

Each process has the whole model and computes the gradient of its share; the mean of their gradients is the gradient of
the whole batch, so all make the same step and stay equal (Goyal et al. 2017 trained ImageNet in an hour so). Nothing
else is sent. Without the mean each goes its own way. `python -m nn.distributed -n 4 train.py` starts any program so;
see docs/distributed.md. The picture shows how far weights are from those of one process. Try three processes.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import mpi4py  # noqa: F401 - carries the gradients; better to miss it here than in another process
import numpy as np

import autograd
import nn
import nn.distributed as dist
import optim
from examples import data
from nn import functional as F
from nn.data import DataLoader, DistributedSampler, TensorDataset
from nn.parallel import DistributedDataParallel

SYSTEMS = ("data parallel", "gradient averaging")
CLAIM = ("Step by step the weights of two processes are those of one to 1e-10; if they do not average their "
         "gradients, they are further than 1e-3 away at the end. Over 92 % of held-out digits are right.")


def train(seed, epochs, averaging):
    """The weights after each step, (steps, parameters), and the accuracy on held-out digits."""
    autograd.manual_seed(seed)
    train_set, held_out = data.digits(seed)
    digits = TensorDataset(train_set.images.reshape(-1, 64).astype(np.float64), train_set.labels)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)).double()
    parallel = DistributedDataParallel(model) if averaging else model
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    sampler = DistributedSampler(digits, drop_last=True)
    batches = DataLoader(digits, 64 // dist.get_world_size(), sampler=sampler, drop_last=True)
    weights = []
    for epoch in range(epochs):
        sampler.set_epoch(epoch)
        for x, y in batches:
            loss = F.cross_entropy(parallel(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            weights.append(np.concatenate([p.detach().numpy().ravel() for p in model.parameters()]))
    test = autograd.tensor(held_out.images.reshape(-1, 64).astype(np.float64))
    return np.array(weights), (model(test).argmax(1).numpy() == held_out.labels).mean()


def in_processes(count, seed, epochs, averaging):
    """What `train` returns in the first of so many processes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.npz"
        command = ["nn.distributed", "-n", count, "-m", "examples.02_training.data_parallel",
                   seed, epochs, int(averaging), path]
        subprocess.run([sys.executable, "-m", *map(str, command)], check=True, cwd=Path(__file__).parents[2])
        with np.load(path) as saved:
            return saved["weights"], saved["accuracy"]


def example(run):
    epochs = run.pick(10, 1)
    cases = {"two processes": (2, True), "two without averaging": (2, False)}
    one, accuracy = in_processes(1, run.seed, epochs, True)
    away = {}
    for name in run.progress(list(cases), quick=1):
        count, averaging = cases[name]
        weights, _ = in_processes(count, run.seed, epochs, averaging)
        away[name] = np.abs(weights - one).max(1)
        run.result(f"{name}: largest difference of a weight", away[name].max())
    run.result("held-out accuracy", 100 * accuracy, "%")
    run.holds(away["two processes"].max() < 1e-10)
    run.holds("two without averaging" in away and away["two without averaging"][-1] > 1e-3)
    run.holds(accuracy > 0.92)

    from matplotlib import pyplot as plt  # the processes need none
    figure, axes = plt.subplots(figsize=(6.5, 3.8))
    for name, differences in away.items():
        axes.semilogy(np.maximum(differences, 1e-18), label=name)
    axes.set(xlabel="step", ylabel="largest difference of a weight", title="How far from one process")
    axes.legend()
    run.save(figure)


if __name__ == "__main__":  # in each of the processes
    seed, epochs, averaging = map(int, sys.argv[1:4])
    dist.init_process_group()
    weights, accuracy = train(seed, epochs, bool(averaging))
    if dist.get_rank() == 0:
        np.savez(sys.argv[4], weights=weights, accuracy=accuracy)
    dist.barrier()
    dist.destroy_process_group()
