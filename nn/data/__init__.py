"""Data for training: data sets, batches drawn from them, and what is done to the examples."""

from nn.data.augmentation import color_jitter, cutout, mixup, random_crop, random_flip, random_resized_crop
from nn.data.dataset import ConcatDataset, Dataset, Subset, TensorDataset, random_split
from nn.data.loader import DataLoader, default_collate
from nn.data.preprocessing import PCA, Normalize, Preprocessing, Whiten, ZeroCenter
from nn.data.workers import WorkerInfo, get_worker_info

__all__ = ["PCA", "ConcatDataset", "DataLoader", "Dataset", "Normalize", "Preprocessing", "Subset", "TensorDataset",
           "Whiten", "WorkerInfo", "ZeroCenter", "color_jitter", "cutout", "default_collate", "get_worker_info",
           "mixup", "random_crop", "random_flip", "random_resized_crop", "random_split"]
