"""denoising-diffusion-pytorch: the U-Net of a diffusion model"""

from common import fill, learn, wave
import torch
from denoising_diffusion_pytorch import Unet

model = fill(Unet(dim=16, dim_mults=(1, 2), channels=1, flash_attn=False), 0.05)
learn("unet", model, model(wave(1, 1, 16, 16), torch.tensor([3])))
