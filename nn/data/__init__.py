"""Data for training: data sets, batches drawn from them, and what is done to the examples."""

from nn.data.augmentation import color_jitter, cutout, mixup, random_crop, random_flip, random_resized_crop
from nn.data.clustering import KMeans
from nn.data.cross_validation import KFold, cross_validate
from nn.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from nn.data.loader import DataLoader, default_collate, default_convert
from nn.data.preprocessing import PCA, Normalize, Preprocessing, Whiten, ZeroCenter
from nn.data.sampler import (
    BatchSampler,
    DistributedSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from nn.data.workers import WorkerInfo, get_worker_info

__all__ = [
    "PCA",
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "IterableDataset",
    "KFold",
    "KMeans",
    "Normalize",
    "Preprocessing",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "Whiten",
    "WorkerInfo",
    "ZeroCenter",
    "color_jitter",
    "cross_validate",
    "cutout",
    "default_collate",
    "default_convert",
    "get_worker_info",
    "mixup",
    "random_crop",
    "random_flip",
    "random_resized_crop",
    "random_split",
]
