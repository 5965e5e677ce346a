"""gpytorch: exact regression, the likelihood and its gradients"""

import gpytorch
import torch
from common import show, wave


class Regression(gpytorch.models.ExactGP):
    def __init__(self, x, y, likelihood):
        super().__init__(x, y, likelihood)
        self.mean, self.kernel = gpytorch.means.ConstantMean(), gpytorch.kernels.ScaleKernel(gpytorch.kernels.RBFKernel())

    def forward(self, x):
        return gpytorch.distributions.MultivariateNormal(self.mean(x), self.kernel(x))


x, y = torch.linspace(0, 1, 12), wave(12)
likelihood = gpytorch.likelihoods.GaussianLikelihood()
model = Regression(x, y, likelihood)
loss = -gpytorch.mlls.ExactMarginalLogLikelihood(likelihood, model)(model(x), y)
loss.backward()
show("process", loss, *[p.grad for p in model.parameters()])
