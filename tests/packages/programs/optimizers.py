"""torch-optimizer: eleven rules"""

import torch_optimizer
from common import steps

for name in ("RAdam", "AdaBound", "Lamb", "Yogi", "DiffGrad", "QHAdam", "NovoGrad", "AdaMod", "SGDW", "Apollo",
             "AdaBelief"):
    steps(name, getattr(torch_optimizer, name))
