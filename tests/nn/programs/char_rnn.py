"""A character-level LSTM language model, after the style of the tutorials. Written for PyTorch."""

import argparse
import math

import torch
import torch.nn as nn
from torch.autograd import Variable
from torch.nn.utils import clip_grad_norm_
from torch.utils.data import DataLoader, TensorDataset

TEXT = """It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness,
it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of Darkness,
it was the spring of hope, it was the winter of despair, we had everything before us, we had nothing before us. """ * 4


class CharRNN(nn.Module):
    def __init__(self, n_chars, hidden_size=48, n_layers=2, model="lstm", dropout=0.1):
        super().__init__()
        self.model = model.lower()
        self.hidden_size, self.n_layers = hidden_size, n_layers
        self.encoder = nn.Embedding(n_chars, hidden_size)
        rnn = {"lstm": nn.LSTM, "gru": nn.GRU}[self.model]
        self.rnn = rnn(hidden_size, hidden_size, n_layers, batch_first=True, dropout=dropout)
        self.decoder = nn.Linear(hidden_size, n_chars)
        self.init_weights()

    def init_weights(self):
        initrange = 0.1
        self.encoder.weight.data.uniform_(-initrange, initrange)
        self.decoder.bias.data.fill_(0)
        self.decoder.weight.data.uniform_(-initrange, initrange)
        for name, p in self.rnn.named_parameters():
            if "bias" in name:
                nn.init.zeros_(p)
            else:
                nn.init.orthogonal_(p)

    def forward(self, inputs, hidden):
        output, hidden = self.rnn(self.encoder(inputs), hidden)
        return self.decoder(output.contiguous().view(-1, self.hidden_size)), hidden

    def init_hidden(self, batch_size):
        weight = next(self.parameters()).data
        zeros = Variable(weight.new(self.n_layers, batch_size, self.hidden_size).zero_())
        return (zeros, Variable(torch.zeros_like(zeros))) if self.model == "lstm" else zeros


def repackage_hidden(h):
    """Wraps hidden states in new Tensors, to detach them from their history."""
    return h.detach() if isinstance(h, torch.Tensor) else tuple(repackage_hidden(v) for v in h)


def generate(model, chars, prime="It", length=60, temperature=0.8):
    model.eval()
    index = {c: i for i, c in enumerate(chars)}
    with torch.no_grad():
        hidden = model.init_hidden(1)
        inputs = torch.tensor([[index[c] for c in prime]], dtype=torch.long)
        text = prime
        output, hidden = model(inputs, hidden)
        for _ in range(length):
            weights = output[-1].squeeze().div(temperature).exp().cpu()
            char = torch.multinomial(weights, 1)[0].item()
            text += chars[char]
            output, hidden = model(torch.full((1, 1), char, dtype=torch.long), hidden)
    return text


parser = argparse.ArgumentParser()
parser.add_argument("--model", default="lstm")
parser.add_argument("--epochs", type=int, default=3)
parser.add_argument("--seq", type=int, default=32)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--cuda", action="store_true")
args = parser.parse_args()
torch.manual_seed(1111)
if torch.cuda.is_available() and not args.cuda:
    print("WARNING: You have a CUDA device, so you should probably run with --cuda")
device = torch.device("cuda" if args.cuda else "cpu")

chars = sorted(set(TEXT))
data = torch.tensor([chars.index(c) for c in TEXT], dtype=torch.int64)
n = (len(data) - 1) // args.seq
inputs, targets = data[:n * args.seq].view(n, args.seq), data[1:n * args.seq + 1].view(n, args.seq)
loader = DataLoader(TensorDataset(inputs, targets), batch_size=args.batch, shuffle=True, drop_last=True)

model = CharRNN(len(chars), model=args.model).to(device)
if hasattr(torch, "compile"):
    model = torch.compile(model)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "min", patience=0)
for epoch in range(args.epochs):
    model.train()
    total = 0.0
    hidden = model.init_hidden(args.batch)
    for x, y in loader:
        hidden = repackage_hidden(hidden)
        model.zero_grad()
        output, hidden = model(x.to(device), hidden)
        loss = criterion(output, y.to(device).reshape(-1))
        loss.backward()
        clip_grad_norm_(model.parameters(), 0.25)
        optimizer.step()
        total += loss.data.item()
    scheduler.step(total)
    print("| epoch {:3d} | loss {:5.4f} | ppl {:8.3f}".format(epoch, total / len(loader), math.exp(total / len(loader))))
print(repr(generate(model, chars)))
