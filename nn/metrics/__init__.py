"""Metrics: each is a function, and an object that accumulates over batches."""

from nn.metrics.classification import (
    Accuracy,
    AveragePrecision,
    Classification,
    ConfusionMatrix,
    F1Score,
    JaccardIndex,
    Precision,
    Recall,
    accuracy,
    average_precision,
    confusion_matrix,
    f1_score,
    jaccard_index,
    precision,
    recall,
)
from nn.metrics.detection import MeanAveragePrecision, mean_average_precision
from nn.metrics.image import (
    FrechetDistance,
    PeakSignalNoiseRatio,
    StructuralSimilarityIndexMeasure,
    coverage,
    frechet_distance,
    peak_signal_noise_ratio,
    structural_similarity_index_measure,
)
from nn.metrics.metric import Metric
from nn.metrics.points import chamfer_distance, f1_at_distance
from nn.metrics.segmentation import DiceScore, MeanIoU, dice_score, mean_iou
from nn.metrics.text import BLEUScore, EditDistance, Perplexity, bleu_score, edit_distance, perplexity

__all__ = ["Accuracy", "AveragePrecision", "BLEUScore", "Classification", "ConfusionMatrix", "DiceScore",
           "EditDistance", "F1Score", "FrechetDistance", "JaccardIndex", "MeanAveragePrecision", "MeanIoU", "Metric",
           "PeakSignalNoiseRatio", "Perplexity", "Precision", "Recall", "StructuralSimilarityIndexMeasure", "accuracy",
           "average_precision", "bleu_score", "chamfer_distance", "confusion_matrix", "coverage", "dice_score",
           "edit_distance", "f1_at_distance", "f1_score", "frechet_distance", "jaccard_index", "mean_average_precision",
           "mean_iou", "peak_signal_noise_ratio", "perplexity", "precision", "recall",
           "structural_similarity_index_measure"]
