"""torchattacks: FGSM and PGD on a classifier"""

import torch
import torchattacks
from common import fill, show, wave

model = fill(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 3)))
images, labels = (wave(2, 3, 4, 4) + 1) / 2, torch.tensor([0, 1])
show("fgsm", torchattacks.FGSM(model, eps=0.1)(images, labels))
show("pgd", torchattacks.PGD(model, eps=0.1, alpha=0.05, steps=3, random_start=False)(images, labels))
