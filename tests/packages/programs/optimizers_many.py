"""pytorch-optimizer: eight rules"""

from common import steps
import pytorch_optimizer

for name in ("AdaBelief", "AdamP", "Adan", "Lion", "MADGRAD", "Tiger", "CAME", "ADOPT"):
    steps(name, getattr(pytorch_optimizer, name))
