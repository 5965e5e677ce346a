"""ResNeXt, SENet and DenseNet: groups, gates and concatenation, on digits in front of bricks, grass and gravel.

ResNeXt divides the 3 x 3 convolution of a bottleneck into groups, which are cheap, and makes it twice as wide (Xie et
al. 2017). SENet looks at the mean of each channel, and turns channels up or down (Hu et al. 2018). DenseNet does not
add up: each layer sees the maps of all before it, and makes a few of its own (Huang et al. 2017); where a layer sees
only the last one's few, too little comes through. On so few classes gates don't pay yet. The picture is the notes'
table, in small. Try groups=1.
"""

import autograd
import nn
from autograd import cat
from examples import data, networks

SYSTEMS = ("ResNeXt", "SENet", "DenseNet")
CLAIM = ("ResNeXt, twice as wide, and DenseNet read at most 5 % fewer of the held-out digits than bottlenecks, "
         "ResNeXt with less than half of the parameters that it had without groups. SENet reads at most 10 % fewer, "
         "with hardly more multiply-adds. Where its layers see only the last one's maps DenseNet reads 20 % fewer.")


def conv(inputs, outputs, size=3, groups=1, activation=nn.ReLU):
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, padding=size // 2, groups=groups, bias=False),
                         nn.BatchNorm2d(outputs), activation())


class Gate(nn.Sequential):
    """Squeeze and excitation: a factor for each channel, from the means of all."""

    def __init__(self, channels, reduction=4):
        super().__init__(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels // reduction, 1), nn.ReLU(),
                         nn.Conv2d(channels // reduction, channels, 1), nn.Sigmoid())

    def forward(self, x):
        return x * super().forward(x)


class Residual(nn.Module):
    def __init__(self, channels, width, groups=1, gate=False):
        super().__init__()
        self.change = nn.Sequential(conv(channels, width, 1), conv(width, width, groups=groups),
                                    conv(width, channels, 1, activation=nn.Identity),
                                    Gate(channels) if gate else nn.Identity())

    def forward(self, x):
        return (x + self.change(x)).relu()


class Dense(nn.Module):
    """Layers that see all maps so far, or (`last`) only the last one's; then as many channels as before."""

    def __init__(self, channels, layers=4, growth=8, last=False):
        super().__init__()
        self.last = last
        self.layers = nn.ModuleList([conv(growth if last and i else channels + (0 if last else i * growth), growth)
                                     for i in range(layers)])
        self.mix = conv(growth if last else channels + layers * growth, channels, 1)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x) if self.last else cat([x, layer(x)], 1)
        return self.mix(x)


BLOCKS = {"bottleneck": lambda c: Residual(c, c // 2), "ResNeXt": lambda c: Residual(c, c, groups=8),
          "SENet": lambda c: Residual(c, c // 2, gate=True), "DenseNet": Dense,
          "DenseNet, last maps only": lambda c: Dense(c, last=True)}


def network(block, channels=48):
    """Images of 20 x 20 to ten scores."""
    return nn.Sequential(conv(1, channels), nn.MaxPool2d(2), block(channels), block(channels), nn.MaxPool2d(2),
                         block(channels), block(channels), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(channels, 10))


def example(run):
    train_set, held_out = (data.on_textures(part, run.rng, contrast=0.3) for part in data.digits(run.seed))
    accuracy, costs = {}, {}
    for name, block in BLOCKS.items():
        model = networks.fit(run, network(block), *train_set, steps=200, label=name)
        accuracy[name] = networks.accuracy(model, *held_out)
        costs[name] = nn.summary(model, autograd.tensor(held_out.images[:1]))
        run.result(name, 100 * accuracy[name], "%")
    plain, resnext, senet, densenet, last = BLOCKS
    wide = nn.summary(network(lambda c: Residual(c, c)), autograd.tensor(held_out.images[:1]))
    run.holds(min(accuracy[resnext], accuracy[densenet]) > accuracy[plain] - 0.05)
    run.holds(accuracy[senet] > accuracy[plain] - 0.1)
    run.holds(costs[resnext].parameters <= costs[plain].parameters and 2 * costs[resnext].parameters < wide.parameters)
    run.holds(costs[senet].multiply_adds < 1.01 * costs[plain].multiply_adds)
    run.holds(accuracy[last] < accuracy[densenet] - 0.2)
    run.save(networks.show_costs({"% of held-out digits": accuracy}, costs))
