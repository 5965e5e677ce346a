"""Losses as layers; see the functions in `nn.functional`, whose options are given here when the layer is made."""

from typing import Any

from nn import functional as F
from nn.functional.loss import chosen
from nn.layer import FunctionLayer


class _Loss(FunctionLayer):
    shown = False
    size_average: bool | None
    reduce: bool | None
    reduction: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if getattr(self, "size_average", None) is not None or getattr(self, "reduce", None) is not None:
            self.reduction = chosen(self.reduction, self.size_average, self.reduce)
            self.size_average = self.reduce = None


class CrossEntropyLoss(_Loss, function=F.cross_entropy, inputs=2):
    """-log softmax(input)[target]."""


class NLLLoss(_Loss, function=F.nll_loss, inputs=2):
    """-input[target], for log probabilities."""


class NLLLoss2d(NLLLoss):
    """`NLLLoss` under its older name for images."""


class MultiMarginLoss(_Loss, function=F.multi_margin_loss, inputs=2):
    """The multiclass SVM's hinge."""


class MSELoss(_Loss, function=F.mse_loss, inputs=2):
    """(x - y)²."""


class L1Loss(_Loss, function=F.l1_loss, inputs=2):
    """|x - y|."""


class SmoothL1Loss(_Loss, function=F.smooth_l1_loss, inputs=2):
    """Quadratic below beta, linear beyond."""


class HuberLoss(_Loss, function=F.huber_loss, inputs=2):
    """Quadratic below delta, linear beyond."""


class BCELoss(_Loss, function=F.binary_cross_entropy, inputs=2):
    """-(y log x + (1 - y) log(1 - x)), for probabilities."""


class BCEWithLogitsLoss(_Loss, function=F.binary_cross_entropy_with_logits, inputs=2):
    """-(y log σ(x) + (1 - y) log(1 - σ(x)))."""


class KLDivLoss(_Loss, function=F.kl_div, inputs=2):
    """y (log y - x), for log probabilities x."""


class PoissonNLLLoss(_Loss, function=F.poisson_nll_loss, inputs=2):
    """exp(x) - y x."""


class GaussianNLLLoss(_Loss, function=F.gaussian_nll_loss, inputs=3):
    """(log v + (x - y)² / v) / 2."""


class CosineEmbeddingLoss(_Loss, function=F.cosine_embedding_loss, inputs=3):
    """1 - cos where target is 1, max(0, cos - margin) where it is -1."""


class MarginRankingLoss(_Loss, function=F.margin_ranking_loss, inputs=3):
    """max(0, -y (x1 - x2) + margin)."""


class TripletMarginLoss(_Loss, function=F.triplet_margin_loss, inputs=3):
    """max(0, d(anchor, positive) - d(anchor, negative) + margin)."""


class TripletMarginWithDistanceLoss(_Loss, function=F.triplet_margin_with_distance_loss, inputs=3):
    """The triplet loss with a distance of your own."""


class HingeEmbeddingLoss(_Loss, function=F.hinge_embedding_loss, inputs=2):
    """x where target is 1, max(0, margin - x) where it is -1."""


class SoftMarginLoss(_Loss, function=F.soft_margin_loss, inputs=2):
    """log(1 + exp(-y x))."""


class MultiLabelSoftMarginLoss(_Loss, function=F.multilabel_soft_margin_loss, inputs=2):
    """The binary cross entropy with logits, averaged over classes."""


class MultiLabelMarginLoss(_Loss, function=F.multilabel_margin_loss, inputs=2):
    """The hinge of each label with each other class."""


class CTCLoss(_Loss, function=F.ctc_loss, inputs=4):
    """Connectionist temporal classification."""


class CosineSimilarity(FunctionLayer, function=F.cosine_similarity, inputs=2):
    """x1 · x2 / (‖x1‖ ‖x2‖) along `dim`."""


class PairwiseDistance(FunctionLayer, function=F.pairwise_distance, inputs=2):
    """‖x1 - x2 + eps‖_p."""
