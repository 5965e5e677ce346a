"""scikit-learn's digits in the place of images that would have to be downloaded; IMAGES says how many."""

import os

import numpy as np
from PIL import Image


def digits(size, train):
    """Images (N, size, size), and what they show: the first ones to train on, a quarter as many to test."""
    from sklearn.datasets import load_digits
    data, count = load_digits(), int(os.environ["IMAGES"])
    order = np.random.RandomState(0).permutation(len(data.images))[slice(0, count) if train else
                                                                   slice(count, count + count // 4)]
    images = [Image.fromarray((image * 15.9).astype(np.uint8)).resize((size, size), Image.BILINEAR)
              for image in data.images[order]]
    return np.stack([np.asarray(image) for image in images]), data.target[order].tolist()


class VisionDataset:
    """Images, and what they show."""

    def __init__(self, root=None, train=True, transform=None, target_transform=None, download=False):
        self.root, self.train = root, train
        self.transform, self.target_transform = transform, target_transform
        self.images, self.labels = self.load()

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image, label = Image.fromarray(self.images[i]), self.labels[i]
        if self.transform is not None:
            image = self.transform(image)
        return image, label if self.target_transform is None else self.target_transform(label)


class MNIST(VisionDataset):
    """28 by 28, gray."""

    def load(self):
        return digits(28, self.train)


class CIFAR10(VisionDataset):
    """32 by 32, each digit in a color of its own."""

    classes = "0123456789"

    def load(self):
        images, labels = digits(32, self.train)
        colors = np.random.RandomState(1).rand(len(images), 1, 1, 3)
        return (images[..., None] * colors).astype(np.uint8), labels

    data = train_data = property(lambda self: self.images)
    targets = property(lambda self: self.labels)
