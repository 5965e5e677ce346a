"""A network of theirs, without the GPU that their script asks for: images.py MODULE NAME option=value ..."""

import importlib
import sys

import torch
from torchvision import transforms
from torchvision.datasets import CIFAR10

module, name, *options = sys.argv[1:]
model = getattr(importlib.import_module(module), name)(
    **{key: float(value) if "." in value else int(value) for key, value in (option.split("=") for option in options)})
train = CIFAR10(transform=transforms.Compose([
    transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
    transforms.Normalize((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010))]))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
for _ in range(2):
    for images, labels in torch.utils.data.DataLoader(train, batch_size=16, shuffle=True):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images.to(torch.get_default_dtype())), labels)
        loss.backward()
        optimizer.step()
        print(loss.item())
    schedule.step()
model.eval()
with torch.no_grad():
    images = torch.stack([transforms.ToTensor()(image) for image, _ in CIFAR10(train=False)])
    print(model(images.to(torch.get_default_dtype())).std().item())
