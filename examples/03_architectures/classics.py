"""AlexNet, ZFNet, VGG and GoogLeNet in small: what each changed, on digits in front of bricks, grass and gravel.

AlexNet begins with large filters, far apart (Krizhevsky et al. 2012); ZFNet, which looked at what they had learned,
with smaller ones, closer together (Zeiler & Fergus 2014). VGG has nothing but 3 x 3 filters: two see as much as one of
5 x 5, with fewer weights and one more ReLU (Simonyan & Zisserman 2015). GoogLeNet looks at several sizes at once behind
cheap 1 x 1 filters, and takes the mean of its last maps in the place of linear layers (Szegedy et al. 2015). All have
batch normalization here, which came later. The picture is the notes' table, in small. Try to leave the 1 x 1 filters
out.
"""

import autograd
import nn
from examples import data, networks
from nn.vision.models.googlenet import Inception

SYSTEMS = ("AlexNet", "ZFNet", "VGG", "GoogLeNet")
CLAIM = ("ZFNet's smaller first filters read at least 5 % more of the held-out digits than AlexNet's, VGG and "
         "GoogLeNet at least 8 % more again; GoogLeNet does it with less than a quarter of VGG's parameters.")


def conv(inputs, outputs, size, stride=1):
    return nn.Sequential(nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False),
                         nn.BatchNorm2d(outputs), nn.ReLU())


def linear_layers(inputs):
    return nn.Sequential(nn.Flatten(), nn.Linear(inputs, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))


def pool():
    return nn.MaxPool2d(2)


NETWORKS = {  # of images of 20 x 20
    "AlexNet": lambda: nn.Sequential(
        conv(1, 24, 9, stride=4), pool(), conv(24, 48, 5), conv(48, 64, 3), conv(64, 64, 3), linear_layers(256)),
    "ZFNet": lambda: nn.Sequential(
        conv(1, 24, 5, stride=2), pool(), conv(24, 48, 5), pool(), conv(48, 64, 3), conv(64, 64, 3),
        linear_layers(256)),
    "VGG": lambda: nn.Sequential(
        conv(1, 16, 3), conv(16, 16, 3), pool(), conv(16, 32, 3), conv(32, 32, 3), pool(),
        conv(32, 64, 3), conv(64, 64, 3), pool(), linear_layers(256)),
    "GoogLeNet": lambda: nn.Sequential(
        conv(1, 16, 3), pool(), Inception(16, 8, 8, 16, 4, 8, 8), pool(), Inception(40, 16, 16, 32, 8, 16, 16), pool(),
        Inception(80, 24, 16, 48, 8, 16, 16), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(104, 10))}


def example(run):
    train_set, held_out = (data.on_textures(part, run.rng, contrast=0.25) for part in data.digits(run.seed))
    accuracy, costs = {}, {}
    for name, make in NETWORKS.items():
        model = networks.fit(run, make(), *train_set, steps=200, label=name)
        accuracy[name] = networks.accuracy(model, *held_out)
        costs[name] = nn.summary(model, autograd.tensor(held_out.images[:1]))
        run.result(name, 100 * accuracy[name], "%")
    alexnet, zfnet, vgg, googlenet = accuracy.values()
    run.holds(zfnet > alexnet + 0.05)
    run.holds(min(vgg, googlenet) > zfnet + 0.08)
    run.holds(costs["GoogLeNet"].parameters < costs["VGG"].parameters / 4)
    run.save(networks.show_costs({"% of held-out digits": accuracy}, costs))
