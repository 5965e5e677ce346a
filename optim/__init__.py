"""Update rules, learning-rate schedules and what goes with them."""

from optim.adam import Adam, Adamax, AdamW, Lion, NAdam, RAdam
from optim.adaptive import Adadelta, Adagrad, RMSprop, Rprop
from optim.matrix import Adafactor, Muon
from optim.optimizer import Optimizer
from optim.sgd import ASGD, SGD

__all__ = ["ASGD", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Lion", "Muon", "NAdam",
           "Optimizer", "RAdam", "RMSprop", "Rprop"]
