"""pytorch-metric-learning: triplets, NT-Xent, ArcFace"""

import torch
from common import fill, show, wave
from pytorch_metric_learning import losses, miners

labels = torch.arange(8) % 3
for loss in (losses.TripletMarginLoss(), losses.NTXentLoss(), fill(losses.ArcFaceLoss(3, 6))):
    x = wave(8, 6).requires_grad_()
    value = loss(x, labels, miners.MultiSimilarityMiner()(x, labels)) if isinstance(
        loss, losses.TripletMarginLoss) else loss(x, labels)
    value.backward()
    show(type(loss).__name__, value, x.grad)
