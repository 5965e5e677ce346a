"""The four packages under the name of the distribution: `from gradcircuit import autograd, nn, optim, viz`.

Importing it says so if a file of your own, such as nn.py, hides one of them.
"""

from autograd.runtime import installation

# isort: split
import autograd
import nn
import optim
import viz
from autograd import __version__

for _package in (autograd, nn, optim, viz):
    installation.check_name(_package)

__all__ = ["__version__", "autograd", "nn", "optim", "viz"]
