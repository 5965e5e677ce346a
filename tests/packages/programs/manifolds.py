"""geoopt: Riemannian Adam on a ball"""

import geoopt
import torch
from common import show, wave

ball = geoopt.PoincareBall()
point = geoopt.ManifoldParameter(wave(3, 2) * 0.3, manifold=ball)
optimizer = geoopt.optim.RiemannianAdam([point], lr=0.01)
for _ in range(3):
    optimizer.zero_grad()
    loss = ball.dist(point, torch.zeros(2)).pow(2).sum()
    loss.backward()
    optimizer.step()
show("ball", loss, point)
