"""Trains in any number of processes, and saves after each epoch: resume.py EPOCHS FILE [--resume] [--batch-size 64]."""

import argparse

import autograd
import nn
import nn.distributed as dist
import optim
from nn import functional as F
from nn.data import DataLoader, DistributedSampler, TensorDataset
from nn.parallel import DistributedDataParallel

parser = argparse.ArgumentParser()
parser.add_argument("epochs", type=int)
parser.add_argument("checkpoint")
parser.add_argument("--resume", action="store_true")
parser.add_argument("--batch-size", type=int, default=64)
options = parser.parse_args()

dist.init_process_group()
autograd.manual_seed(0)
data = TensorDataset(autograd.randn(600, 1, 6, 6).double(), autograd.randint(0, 3, (600,)))
layers = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Tanh(), nn.Flatten(), nn.Linear(64, 3)).double()
model = DistributedDataParallel(nn.SyncBatchNorm.convert_sync_batchnorm(layers))
optimizer = optim.AdamW(model.parameters(), lr=1e-3)
sampler = DistributedSampler(data, drop_last=True)
batches = DataLoader(data, options.batch_size // dist.get_world_size(), sampler=sampler, drop_last=True)
done = 0
if options.resume:
    saved = nn.load(options.checkpoint)  # all read it
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    done = saved["epochs"]
for epoch in range(done, options.epochs):
    sampler.set_epoch(epoch)
    for x, y in batches:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if dist.get_rank() == 0:
        nn.save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epochs": epoch + 1},
                options.checkpoint)
    dist.barrier()  # the file is there for all
