"""glom-pytorch: columns that come to agree"""

from common import fill, learn, wave
from glom_pytorch import Glom

model = fill(Glom(dim=16, levels=2, image_size=16, patch_size=8))
learn("levels", model, model(wave(1, 3, 16, 16)))
