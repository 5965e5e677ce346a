"""schedulefree: AdamW and SGD"""

import schedulefree
from common import steps

steps("AdamW", schedulefree.AdamWScheduleFree)
steps("SGD", lambda parameters: schedulefree.SGDScheduleFree(parameters, lr=0.1))
