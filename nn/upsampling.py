"""Images in another size; see `nn.functional`."""

from nn import functional as F
from nn.layer import FunctionLayer


class Upsample(FunctionLayer, function=F.interpolate):
    """(N, C, ...) in another size."""
