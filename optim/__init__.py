"""Update rules, learning-rate schedules and what goes with them."""

from autograd.runtime import installation  # autograd comes before anything else loads NumPy

# isort: split
from optim import lr_scheduler, search, swa_utils
from optim.adam import Adam, Adamax, AdamW, Lion, NAdam, RAdam
from optim.adaptive import Adadelta, Adagrad, RMSprop, Rprop
from optim.matrix import Adafactor, Muon
from optim.monitor import UpdateRatio
from optim.optimizer import Optimizer
from optim.second_order import LBFGS, Newton
from optim.sgd import ASGD, SGD

__all__ = ["ASGD", "LBFGS", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Lion", "Muon",
           "NAdam", "Newton", "Optimizer", "RAdam", "RMSprop", "Rprop", "UpdateRatio", "lr_scheduler", "search",
           "swa_utils"]
