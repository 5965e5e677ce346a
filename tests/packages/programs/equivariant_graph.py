"""egnn-pytorch: features and coordinates"""

from common import fill, learn, show, wave
from egnn_pytorch import EGNN

model = fill(EGNN(dim=8))
features, coordinates = model(wave(1, 5, 8), wave(1, 5, 3, step=0.9))
show("coordinates", coordinates)
learn("features", model, features)
