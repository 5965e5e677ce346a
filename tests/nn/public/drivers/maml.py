"""Its `Meta`, which needs a GPU in its own script, on tasks of digits."""

import argparse

import numpy as np
import torch
from meta import Meta
from torchvision.datasets import digits

options = argparse.Namespace(update_lr=0.1, meta_lr=1e-3, n_way=5, k_spt=1, k_qry=3, task_num=4, update_step=3,
                             update_step_test=4, imgc=1, imgsz=28)
layers = [layer for channels, size, stride in ((1, 3, 2), (16, 3, 2), (16, 3, 2), (16, 2, 1))
          for layer in (("conv2d", [16, channels, size, size, stride, 0]), ("relu", [True]), ("bn", [16]))]
meta = Meta(options, [*layers, ("flatten", []), ("linear", [5, 16])])
print(meta)
images, labels = digits(28, True)
labels, random = np.array(labels), np.random.RandomState(0)


def task():
    """Images and labels to learn from, and others to try it on."""
    chosen = [random.permutation(np.flatnonzero(labels == c))[:4] for c in random.permutation(10)[:5]]
    pick = [torch.as_tensor(images[np.concatenate([rows[part] for rows in chosen])][:, None] / 255)
            for part in (slice(0, 1), slice(1, 4))]
    return (pick[0].to(torch.get_default_dtype()), torch.arange(5), pick[1].to(torch.get_default_dtype()),
            torch.arange(5).repeat_interleave(3))


for _ in range(6):
    print(meta(*map(torch.stack, zip(*[task() for _ in range(4)], strict=True))),
          sum(p.abs().sum().item() for p in meta.parameters()))
print(meta.finetunning(*task()))
