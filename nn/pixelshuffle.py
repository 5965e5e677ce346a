"""Channels as pixels; see `nn.functional`."""

from nn import functional as F
from nn.layer import FunctionLayer


class PixelShuffle(FunctionLayer, function=F.pixel_shuffle):
    """(*, C r², H, W) -> (*, C, H r, W r)."""


class PixelUnshuffle(FunctionLayer, function=F.pixel_unshuffle):
    """(*, C, H r, W r) -> (*, C r², H, W)."""


class ChannelShuffle(FunctionLayer, function=F.channel_shuffle):
    """(N, C, ...) with the channels of all groups in turn."""
