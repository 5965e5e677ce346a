"""A small CNN on scikit-learn's digits, with mixed precision, a schedule and checkpoints. Written for PyTorch."""

import argparse
import os
import random
import time

import numpy as np
import torch
import torch.backends.cudnn as cudnn
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from sklearn.datasets import load_digits
from torch.cuda.amp import GradScaler
from torch.utils.data import DataLoader, Dataset, random_split
from torch.utils.tensorboard import SummaryWriter


class Digits(Dataset):
    def __init__(self, transform=None):
        digits = load_digits()
        self.images = torch.from_numpy(digits.images[:600]).float().unsqueeze(1) / 16.0
        self.labels = torch.LongTensor(digits.target[:600])
        self.transform = transform

    def __len__(self):
        return self.labels.shape[0]

    def __getitem__(self, index):
        image = self.images[index]
        return (self.transform(image) if self.transform is not None else image), self.labels[index]


class ConvBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1):
        super(ConvBlock, self).__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.bn(self.conv(x)))


class Net(nn.Module):
    def __init__(self, num_classes=10, width=8):
        super(Net, self).__init__()
        self.features = nn.Sequential(ConvBlock(1, width), ConvBlock(width, 2 * width, stride=2),
                                      nn.MaxPool2d(kernel_size=2, stride=2))
        self.dropout = nn.Dropout(p=0.25)
        self.fc = nn.Linear(2 * width * 2 * 2, num_classes)
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(m, nn.BatchNorm2d):
                nn.init.constant_(m.weight, 1)
                nn.init.constant_(m.bias, 0)

    def forward(self, x):
        x = self.features(x)
        x = torch.flatten(x, 1)
        return self.fc(self.dropout(x))


def accuracy(output, target, topk=(1,)):
    with torch.no_grad():
        _, pred = output.topk(max(topk), 1, True, True)
        correct = pred.t().eq(target.view(1, -1).expand_as(pred.t()))
        return [correct[:k].reshape(-1).float().sum(0, keepdim=True).mul_(100.0 / target.size(0)) for k in topk]


def train(args, model, device, loader, criterion, optimizer, scaler, epoch, writer):
    model.train()
    end = time.time()
    for i, (images, target) in enumerate(loader):
        images = images.to(device, non_blocking=True)
        target = target.to(device, non_blocking=True)
        with torch.autocast(device_type=device.type, enabled=args.amp):
            output = model(images)
            loss = criterion(output, target)
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=5.0)
        scaler.step(optimizer)
        scaler.update()
        if i % args.log_interval == 0:
            writer.add_scalar("loss", loss.item(), epoch * len(loader) + i)
            print("epoch {} [{}/{}] loss {:.4f}".format(epoch, i, len(loader), loss.item()))
    assert time.time() > end


@torch.no_grad()
def validate(model, device, loader):
    model.eval()
    loss, top1, top5, n = 0.0, 0.0, 0.0, 0
    for images, target in loader:
        images, target = images.to(device), target.to(device)
        output = model(images)
        loss += F.cross_entropy(output, target, reduction="sum").item()
        a1, a5 = accuracy(output, target, topk=(1, 5))
        top1 += a1.item() * images.size(0)
        top5 += a5.item() * images.size(0)
        n += images.size(0)
    print("validation: loss {:.4f} acc@1 {:.2f} acc@5 {:.2f}".format(loss / n, top1 / n, top5 / n))
    return top1 / n


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", default=2, type=int)
    parser.add_argument("--batch-size", default=50, type=int)
    parser.add_argument("--lr", default=0.05, type=float)
    parser.add_argument("--workers", default=0, type=int)
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--log-interval", default=4, type=int)
    parser.add_argument("--amp", action="store_true")
    parser.add_argument("--checkpoint", default="checkpoint.pth.tar")
    args = parser.parse_args()

    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    if torch.cuda.is_available():
        torch.cuda.manual_seed_all(args.seed)
    cudnn.deterministic, cudnn.benchmark = True, False
    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    kwargs = {"num_workers": args.workers, "pin_memory": device.type == "cuda"}
    train_set, val_set = random_split(Digits(transform=lambda x: (x - 0.5) / 0.5), [500, 100],
                                      generator=torch.Generator().manual_seed(args.seed))
    train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True, drop_last=True, **kwargs)
    val_loader = DataLoader(val_set, batch_size=64, shuffle=False, **kwargs)

    model = Net().to(device)
    print("parameters:", sum(p.numel() for p in model.parameters() if p.requires_grad))
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1).to(device)
    optimizer = optim.SGD(model.parameters(), lr=args.lr, momentum=0.9, weight_decay=1e-4, nesterov=True)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)
    scaler = GradScaler(enabled=args.amp)
    writer = SummaryWriter(os.path.join(os.path.dirname(args.checkpoint), "runs"))
    best = 0.0
    for epoch in range(args.epochs):
        train(args, model, device, train_loader, criterion, optimizer, scaler, epoch, writer)
        acc = validate(model, device, val_loader)
        scheduler.step()
        print("lr {:.5f}".format(scheduler.get_last_lr()[0]))
        best = max(best, acc)
        torch.save({"epoch": epoch + 1, "state_dict": model.state_dict(), "best": best,
                    "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(),
                    "scaler": scaler.state_dict()}, args.checkpoint)
    writer.close()

    checkpoint = torch.load(args.checkpoint, map_location=device, weights_only=True)
    restored = Net()
    print(restored.load_state_dict(checkpoint["state_dict"]))
    optimizer.load_state_dict(checkpoint["optimizer"])
    validate(restored.to(device), device, val_loader)


if __name__ == "__main__":
    main()
