"""Models of videos (N, channels, T, H, W), small: what comes before time and space are averaged, and a classifier."""

import autograd
import nn
from autograd import Tensor
from nn import functional as F


def conv(inputs: int, outputs: int, time: int = 3, stride: int = 1, padding: int | None = None) -> nn.Sequential:
    """A convolution over `time` frames, to half the height and width, normalized, and relu."""
    padding = time // 2 if padding is None else padding
    return nn.Sequential(nn.Conv3d(inputs, outputs, (time, 3, 3), (stride, 2, 2), (padding, 1, 1), bias=False),
                         nn.BatchNorm3d(outputs), nn.ReLU())


def classifier(features: int, classes: int) -> nn.Sequential:
    """The mean over time and space, and a linear layer."""
    return nn.Sequential(nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(features, classes))


class Frame(nn.Module):
    """The frame in the middle alone."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, T, H, W) -> (N, channels, 1, H, W)."""
        middle = x.shape[2] // 2
        return x[:, :, middle:middle + 1]


def late(classes: int, width: int = 16) -> nn.Sequential:
    """Each frame for itself; what was found is averaged (Karpathy et al. 2014)."""
    return nn.Sequential(conv(1, width, 1), conv(width, 2 * width, 1), conv(2 * width, 2 * width, 1),
                         classifier(2 * width, classes))


def single_frame(classes: int, width: int = 16) -> nn.Sequential:
    """A network of images."""
    return nn.Sequential(Frame(), *late(classes, width))


def early(classes: int, frames: int, width: int = 16, channels: int = 1) -> nn.Sequential:
    """The first convolution sees all frames, and makes one of them (Karpathy et al. 2014)."""
    return nn.Sequential(conv(channels, width, frames, padding=0), *late(classes, width)[1:])


def slow(classes: int, width: int = 16) -> nn.Sequential:
    """Each convolution fuses two neighbors: eight frames become four, two, one (Karpathy et al. 2014)."""
    return nn.Sequential(conv(1, width, 2, 2, 0), conv(width, 2 * width, 2, 2, 0),
                         conv(2 * width, 2 * width, 2, 2, 0), classifier(2 * width, classes))


def c3d(classes: int, width: int = 16) -> nn.Sequential:
    """3 x 3 x 3 everywhere; time is halved later than space (Tran et al. 2015)."""
    return nn.Sequential(conv(1, width), conv(width, 2 * width, stride=2), conv(2 * width, 2 * width, stride=2),
                         classifier(2 * width, classes))


def inflated(images: nn.Sequential, classes: int, time: int = 3) -> nn.Sequential:
    """A network `late` in 3D: each filter copied along time, and divided by its length (Carreira, Zisserman 2017).

    Of a film that stands still it says what the other one says of the image.
    """
    layers = []
    for convolution, norm, relu in images[:-1]:
        wide = nn.Conv3d(convolution.in_channels, convolution.out_channels, (time, 3, 3), (1, 2, 2), (0, 1, 1),
                         bias=False)
        with autograd.no_grad():
            wide.weight.copy_(convolution.weight.expand_as(wide.weight) / time)
        layers.append(nn.Sequential(wide, norm, relu))
    return nn.Sequential(*layers, classifier(images[-1][-1].in_features, classes))


def lucas_kanade(x: Tensor, window: int = 5) -> Tensor:
    """The flow from each frame to the next, (N, 2, T - 1, H, W) of pixels right and down, from (N, 1, T, H, W).

    Around each pixel the one motion that explains best, by least squares, how the brightness changes (Lucas, Kanade
    1981). It is a constant.
    """
    with autograd.no_grad():
        frame, following = x[:, 0, :-1], x[:, 0, 1:]
        padded = F.pad((frame + following) / 2, (1, 1, 1, 1))
        right = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
        down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
        later = following - frame
        products = autograd.stack([right * right, right * down, down * down, right * later, down * later])
        around = F.avg_pool2d(products.flatten(0, 2), window, 1, window // 2).reshape(products.shape)
        xx, xy, yy, xt, yt = around
        determinant = xx * yy - xy * xy + 1e-4
        return autograd.stack([(xy * yt - yy * xt) / determinant, (xy * xt - xx * yt) / determinant], 1)


class TwoStream(nn.Module):
    """A network of one frame and one of the flow between all; the mean of their scores (Simonyan, Zisserman 2014)."""

    def __init__(self, classes: int, frames: int) -> None:
        super().__init__()
        self.appearance, self.motion = single_frame(classes), early(classes, frames - 1, channels=2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, T, H, W) -> (N, classes)."""
        return (self.appearance(x) + self.motion(lucas_kanade(x))) / 2


class Recurrent(nn.Module):
    """A network of images reads each frame, and a GRU what it says of them, in their order (Donahue et al. 2015)."""

    def __init__(self, classes: int, width: int = 16, places: int = 16) -> None:
        super().__init__()
        self.images = nn.Sequential(*late(classes, width)[:-1])
        self.recurrent = nn.GRU(2 * width * places, 128, batch_first=True)
        self.classifier = nn.Linear(128, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, T, H, W) -> (N, classes)."""
        states, _ = self.recurrent(self.images(x).transpose(1, 2).flatten(2))
        return self.classifier(states[:, -1])


class NonLocal(nn.Module):
    """Attention among all places of all frames, added to what was there; at first nothing (Wang et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ask, self.answer, self.value = (nn.Conv3d(channels, channels // 2, 1) for _ in range(3))
        self.out = nn.Conv3d(channels // 2, channels, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, T, H, W) -> the same."""
        q, k, v = (layer(x).flatten(2).transpose(1, 2) for layer in (self.ask, self.answer, self.value))
        found = F.scaled_dot_product_attention(q, k, v).transpose(1, 2)
        return x + self.out(found.reshape(len(x), -1, *x.shape[2:]))


def non_local(classes: int, width: int = 16) -> nn.Sequential:
    """C3D with a non-local block."""
    first, second, *others = c3d(classes, width)
    return nn.Sequential(first, second, NonLocal(2 * width), *others)


class SlowFast(nn.Module):
    """Few frames with many channels, all frames with few, and connections to the former (Feichtenhofer et al. 2019)."""

    def __init__(self, classes: int, width: int = 16, every: int = 4, share: int = 4) -> None:
        super().__init__()
        few = width // share
        self.every = every
        self.fast = nn.ModuleList([conv(1, few), conv(few, 2 * few), conv(2 * few, 2 * few)])
        self.lateral = nn.ModuleList([nn.Conv3d(n, 2 * n, (5, 1, 1), (every, 1, 1), (2, 0, 0))
                                      for n in (few, 2 * few)])
        self.slow = nn.ModuleList([conv(1, width, 1), conv(width + 2 * few, 2 * width, 1),
                                   conv(2 * width + 4 * few, 2 * width, 1)])
        self.classifier = nn.Linear(2 * width + 2 * few, classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 1, T, H, W) -> (N, classes)."""
        fast, slow = self.fast[0](x), self.slow[0](x[:, :, ::self.every])
        for lateral, faster, slower in zip(self.lateral, self.fast[1:], self.slow[1:], strict=True):
            fast, slow = faster(fast), slower(autograd.cat([slow, lateral(fast)], 1))
        return self.classifier(autograd.cat([slow.mean((2, 3, 4)), fast.mean((2, 3, 4))], 1))
