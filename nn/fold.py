"""Windows as columns; see `nn.functional`."""

from nn import functional as F
from nn.layer import FunctionLayer


class Fold(FunctionLayer, function=F.fold):
    """Columns added up where windows lie on an image."""


class Unfold(FunctionLayer, function=F.unfold):
    """The windows of an image as columns."""
