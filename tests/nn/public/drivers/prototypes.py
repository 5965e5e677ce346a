"""Its network, loss and sampler, without the download, on digits."""

import torch
from protonet import ProtoNet
from prototypical_batch_sampler import PrototypicalBatchSampler
from prototypical_loss import prototypical_loss
from torchvision.datasets import MNIST
from torchvision.transforms import ToTensor

data = MNIST(transform=ToTensor())
sampler = PrototypicalBatchSampler(labels=data.labels, classes_per_it=5, num_samples=8, iterations=8)
model = ProtoNet(hid_dim=16, z_dim=16)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.5)
for images, labels in torch.utils.data.DataLoader(data, batch_sampler=sampler):
    optimizer.zero_grad()
    loss, accuracy = prototypical_loss(model(images), target=labels, n_support=4)
    loss.backward()
    optimizer.step()
    schedule.step()
    print(loss.item(), accuracy.item())
