"""As much of torchvision as the programs need to have data; for both libraries the same."""

import importlib


def __getattr__(name):
    return importlib.import_module(f"torchvision.{name}")
