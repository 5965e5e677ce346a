"""torchmetrics: accuracy, F1, R2, SSIM"""

import torch
import torchmetrics
from common import show, wave

scores, labels = wave(12, 3).softmax(-1), torch.arange(12) % 3
for metric in (torchmetrics.Accuracy("multiclass", num_classes=3), torchmetrics.F1Score("multiclass", num_classes=3),
               torchmetrics.AUROC("multiclass", num_classes=3)):
    show(type(metric).__name__, metric(scores, labels))
show("R2", torchmetrics.R2Score()(wave(10), wave(10, step=0.36)))
show("SSIM", torchmetrics.image.StructuralSimilarityIndexMeasure(data_range=2.0)(
    wave(1, 1, 16, 16), wave(1, 1, 16, 16, step=0.36)))
