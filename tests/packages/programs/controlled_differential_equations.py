"""torchcde: a spline through data, and an equation that it drives"""

import torch
import torchcde
from common import fill, show, wave

layer = fill(torch.nn.Linear(4, 12))
path = torchcde.CubicSpline(torchcde.hermite_cubic_coefficients_with_backward_differences(wave(2, 6, 3)))
end = torchcde.cdeint(X=path, z0=wave(2, 4), func=lambda t, z: layer(z).tanh().view(-1, 4, 3), t=path.interval,
                      adjoint=False, method="rk4", options={"step_size": 1.0})
end.sum().backward()
show("state", end, *[p.grad for p in layer.parameters()])
