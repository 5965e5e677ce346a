"""deformable-attention: offsets and sampling"""

from common import fill, learn, wave
from deformable_attention import DeformableAttention

model = fill(DeformableAttention(dim=16, dim_head=8, heads=2, downsample_factor=4, offset_scale=4, offset_groups=None,
                                 offset_kernel_size=6), 0.2)
learn("deformable", model, model(wave(1, 16, 16, 16)))
