"""adamp: AdamP and SGDP"""

from adamp import SGDP, AdamP
from common import steps

steps("AdamP", AdamP)
steps("SGDP", lambda parameters: SGDP(parameters, lr=0.1, momentum=0.9))
