"""kornia: blur, edges, color, rotation and SSIM"""

import kornia
import torch
from common import show, wave

x = wave(1, 3, 16, 16).requires_grad_()
for name, function in {
        "blur": lambda x: kornia.filters.gaussian_blur2d(x, (3, 3), (1.0, 1.0)), "edges": kornia.filters.laplacian,
        "gray": kornia.color.rgb_to_grayscale, "hsv": lambda x: kornia.color.rgb_to_hsv(x.sigmoid()),
        "rotation": lambda x: kornia.geometry.rotate(x, torch.tensor([30.0]))}.items():
    y = function(x) if name != "edges" else function(x, 3)
    show(name, y, *torch.autograd.grad((y ** 2).sum(), x))
