"""antialiased-cnns: a blur before the step"""

from antialiased_cnns import BlurPool
from common import show, wave

show("pooled", BlurPool(4, stride=2)(wave(1, 4, 8, 8)))
