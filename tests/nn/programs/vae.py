"""A variational autoencoder on scikit-learn's digits, with torch.distributions. Written for PyTorch."""

from __future__ import print_function

import argparse

import torch
import torch.utils.data
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR

parser = argparse.ArgumentParser(description="VAE Digits Example")
parser.add_argument("--batch-size", type=int, default=64, metavar="N")
parser.add_argument("--epochs", type=int, default=2, metavar="N")
parser.add_argument("--no-cuda", action="store_true", default=False)
parser.add_argument("--seed", type=int, default=1, metavar="S")
args = parser.parse_args()
args.cuda = not args.no_cuda and torch.cuda.is_available()
torch.manual_seed(args.seed)
if args.cuda:
    device = torch.device("cuda")
elif torch.backends.mps.is_available():
    device = torch.device("mps")
else:
    device = torch.device("cpu")

data = torch.tensor(load_digits().data[:512] / 16.0, dtype=torch.get_default_dtype())
train_loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(data), batch_size=args.batch_size,
                                           shuffle=True, num_workers=0)


class VAE(nn.Module):
    def __init__(self, latent=4):
        super(VAE, self).__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(64, 40), nn.Linear(40, latent), nn.Linear(40, latent)
        self.fc3, self.fc4 = nn.Linear(latent, 40), nn.Linear(40, 64)
        self.log_scale = nn.Parameter(torch.Tensor([0.0]))

    def encode(self, x):
        h1 = F.relu(self.fc1(x), inplace=True)
        return Normal(self.fc21(h1), F.softplus(self.fc22(h1)) + 1e-4)

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        posterior = self.encode(x.view(-1, 64))
        z = posterior.rsample()
        return self.decode(z), posterior, z


model = VAE().to(device)
optimizer = optim.Adam(model.parameters(), lr=1e-2)
scheduler = LambdaLR(optimizer, lr_lambda=lambda epoch: 0.95 ** epoch)


def loss_function(recon_x, x, posterior):
    BCE = F.binary_cross_entropy(recon_x, x.view(-1, 64), reduction="sum")
    prior = Normal(torch.zeros_like(posterior.loc), torch.ones_like(posterior.scale))
    KLD = kl_divergence(Independent(posterior, 1), Independent(prior, 1)).sum()
    return BCE + KLD


for epoch in range(1, args.epochs + 1):
    model.train()
    train_loss = 0
    for batch_idx, (batch,) in enumerate(train_loader):
        batch = batch.to(device)
        optimizer.zero_grad()
        recon_batch, posterior, z = model(batch)
        loss = loss_function(recon_batch, batch, posterior)
        loss.backward()
        train_loss += loss.item()
        optimizer.step()
        if batch_idx % 3 == 0:
            print("Train Epoch: {} [{}/{} ({:.0f}%)]\tLoss: {:.4f}".format(
                epoch, batch_idx * len(batch), len(train_loader.dataset), 100.0 * batch_idx / len(train_loader),
                loss.item() / len(batch)))
    scheduler.step()
    print("====> Epoch: {} Average loss: {:.4f}".format(epoch, train_loss / len(train_loader.dataset)))
model.eval()
with torch.inference_mode():
    sample = model.decode(torch.randn(4, 4).to(device)).cpu()
    print("sample:", sample.size(), sample.dtype, round(sample.mean().item(), 4))
    print("log p:", round(Independent(Bernoulli(probs=sample), 1).log_prob(torch.ones(64)).mean().item(), 2))
