"""What the programs share: weights and data without random numbers, and how results are printed."""

import torch


def wave(*shape, step=0.37):
    """Data: a sine."""
    return torch.sin(torch.arange(torch.Size(shape).numel(), dtype=torch.float32) * step).reshape(shape)


def fill(model, scale=0.3):
    """The model with a sine in every parameter, in eval mode."""
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            p.copy_((torch.sin(torch.arange(p.numel(), dtype=torch.float64) * 0.7 + i) * scale).reshape(p.shape))
    return model.eval()


def show(label, *values):
    """A line for each: its shape, its first numbers, their sum."""
    for value in values:
        flat = torch.as_tensor(value).detach().double().flatten()
        print(label, tuple(torch.as_tensor(value).shape), *[f"{x:.5g}" for x in flat[:6].tolist()],
              f"{flat.sum().item():.6g}")


def learn(label, model, output):
    """The output, and how large the gradients of its mean square are."""
    (output.float() ** 2).mean().backward()
    show(label, output, sum(p.grad.double().abs().sum() for p in model.parameters() if p.grad is not None))


def steps(label, make, number=5):
    """A line for a regression with the optimizer that `make` makes."""
    model = fill(torch.nn.Linear(4, 3))
    optimizer = make(model.parameters())
    if hasattr(optimizer, "train"):
        optimizer.train()
    for _ in range(number):
        optimizer.zero_grad()
        loss = (model(wave(6, 4)) ** 2).mean()
        loss.backward()
        optimizer.step()
    show(label, loss, model.weight)
