"""timesformer-pytorch: attention over time and space"""

from common import fill, learn, wave
from timesformer_pytorch import TimeSformer

model = fill(TimeSformer(dim=16, image_size=16, patch_size=8, num_frames=2, num_classes=3, depth=1, heads=2, dim_head=8), 0.2)
learn("timesformer", model, model(wave(1, 2, 3, 16, 16)))
