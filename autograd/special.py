"""Special functions, by the names that `torch.special` has for them.

>>> from autograd import special
>>> special.ndtr(Tensor([0.0]))
tensor([0.5000])
"""

from autograd.operations.bessel import i0, i0e, i1, i1e
from autograd.operations.error_function import _erfcx as erfcx
from autograd.operations.error_function import _log_ndtr as log_ndtr
from autograd.operations.error_function import _ndtr as ndtr
from autograd.operations.error_function import _ndtri as ndtri
from autograd.operations.error_function import erf, erfc, erfinv
from autograd.operations.gamma import digamma, polygamma
from autograd.operations.gamma import digamma as psi
from autograd.operations.gamma import lgamma as gammaln
from autograd.operations.gamma import mvlgamma as multigammaln
from autograd.operations.incomplete_gamma import gammainc, gammaincc
from autograd.operations.pointwise import _entr as entr
from autograd.operations.pointwise import _xlog1py as xlog1py
from autograd.operations.pointwise import exp2, expm1, log1p, logit, round, sinc, xlogy
from autograd.operations.pointwise import sigmoid as expit
from autograd.operations.softmax import log_softmax, logsumexp, softmax
from autograd.operations.zeta import zeta

__all__ = ["digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammainc", "gammaincc",
           "gammaln", "i0", "i0e", "i1", "i1e", "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp",
           "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round", "sinc", "softmax", "xlog1py", "xlogy", "zeta"]
