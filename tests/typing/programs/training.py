"""A training loop: data, loss, optimizer, schedule, clipping, averages."""

from collections.abc import Iterator

import numpy as np

import autograd
import nn
import optim
from autograd import Tensor, no_grad
from nn.data import DataLoader, Dataset, Normalize, TensorDataset, random_flip, random_split
from nn.distributions import Categorical, Normal, kl_divergence


class Squares(Dataset):
    """Numbers and their squares."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return autograd.tensor([float(index)]), index ** 2


def epochs(count: int) -> Iterator[int]:
    yield from range(count)


autograd.manual_seed(0)
images = np.random.default_rng(0).random((64, 1, 8, 8)).astype(np.float32)
labels = autograd.randint(0, 10, (64,))
normalize = Normalize().fit(images)
train, test = random_split(TensorDataset(normalize(images), labels), [48, 16])
loader = DataLoader(train, batch_size=8, shuffle=True, drop_last=True)
model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 10))
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
optimizer = optim.AdamW([{"params": model.parameters(), "lr": 1e-3}], weight_decay=0.01, betas=(0.9, 0.95))
scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
plateau = optim.lr_scheduler.ReduceLROnPlateau(optim.SGD(model.parameters(), lr=0.1, momentum=0.9), patience=2)
average = optim.swa_utils.AveragedModel(model)
losses: list[float] = []
for _ in epochs(2):
    model.train()
    for x, y in loader:
        optimizer.zero_grad()
        loss: Tensor = criterion(model(random_flip(x)), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        losses.append(loss.item())
    scheduler.step()
    plateau.step(losses[-1])
    average.update_parameters(model)
    model.eval()
    with no_grad():
        correct = sum(int((model(x).argmax(dim=1) == y).sum()) for x, y in DataLoader(test, 16))
    print(correct / len(test), scheduler.get_last_lr()[0], optimizer.param_groups[0]["lr"])


def closure() -> Tensor:
    optimizer.zero_grad()
    value = nn.functional.mse_loss(model(autograd.ones(1, 64)), autograd.zeros(1, 10))
    value.backward()
    return value


optim.LBFGS(model.parameters(), lr=1).step(closure)
action = Categorical(logits=model(autograd.ones(1, 64))).sample()
divergence: Tensor = kl_divergence(Normal(autograd.zeros(3), 1.0), Normal(0.0, autograd.ones(3))).sum()
vector: Tensor = nn.utils.parameters_to_vector(model.parameters())
for batch in DataLoader(Squares(8), batch_size=4, num_workers=0):
    print(batch)
