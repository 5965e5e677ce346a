"""Its conditional U-Net, noise and moving average, without the GPU that its script asks for."""

import copy

import torch
from ddpm_conditional import Diffusion
from modules import EMA, UNet_conditional
from torchvision.datasets import CIFAR10
from torchvision.transforms import ToTensor

data = CIFAR10(transform=ToTensor())
images = torch.nn.functional.interpolate(torch.stack([data[i][0] for i in range(6)]), size=64) * 2 - 1
labels = torch.tensor(data.labels[:6])
model, diffusion = UNet_conditional(num_classes=10, device="cpu"), Diffusion(noise_steps=20, img_size=64, device="cpu")
average, averaged = EMA(0.995), copy.deepcopy(model).eval().requires_grad_(False)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4)
for i in range(3):
    x, y = images[2 * i:2 * i + 2], labels[2 * i:2 * i + 2]
    t = diffusion.sample_timesteps(2)
    noisy, noise = diffusion.noise_images(x, t)
    loss = torch.nn.functional.mse_loss(noise, model(noisy, t, y if i else None))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    average.step_ema(averaged, model)
    print(loss.item())
diffusion.noise_steps = 3
print(diffusion.sample(averaged, n=1, labels=labels[:1]).float().mean().item())
