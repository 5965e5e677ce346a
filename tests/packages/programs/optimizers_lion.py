"""lion-pytorch: Lion"""

from common import steps
from lion_pytorch import Lion

steps("Lion", lambda parameters: Lion(parameters, lr=1e-2, weight_decay=1e-2))
