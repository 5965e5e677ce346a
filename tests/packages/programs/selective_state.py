"""mambapy: a selective state space model"""

from common import fill, learn, wave
from mambapy.mamba import Mamba, MambaConfig

model = fill(Mamba(MambaConfig(d_model=8, n_layers=2)), 0.2)
learn("mamba", model, model(wave(2, 8, 8)))
