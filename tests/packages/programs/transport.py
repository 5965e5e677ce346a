"""geomloss: Sinkhorn divergence and kernel norms"""

from common import show, wave
from geomloss import SamplesLoss

for name in ("sinkhorn", "energy", "gaussian", "laplacian"):
    x = wave(5, 2).requires_grad_()
    loss = SamplesLoss(name, p=2, blur=0.1, backend="tensorized")(x, wave(6, 2, step=0.9))
    loss.backward()
    show(name, loss, x.grad)
