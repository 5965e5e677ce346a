"""gradcircuit, a minimal autograd engine on NumPy: tensors that record operations, gradients by reverse traversal."""

__version__ = "0.1.0"

from autograd.runtime import requirements

# isort: split
from autograd.runtime import installation

# isort: split
from autograd.runtime import blas  # before anything else loads NumPy

# isort: split
from autograd import einops_backend, functional, linalg, numpy_functions, operations, printing, random, special, typing
from autograd.anomaly import detect_anomaly, is_anomaly_enabled, set_detect_anomaly
from autograd.backward import backward, grad
from autograd.checkpoint import checkpoint, checkpoint_sequential
from autograd.creation import (
    arange,
    as_tensor,
    asarray,
    bartlett_window,
    blackman_window,
    empty,
    empty_like,
    eye,
    from_dlpack,
    from_numpy,
    frombuffer,
    full,
    full_like,
    hamming_window,
    hann_window,
    kaiser_window,
    linspace,
    logspace,
    ones,
    ones_like,
    scalar_tensor,
    tensor,
    tril_indices,
    triu_indices,
    zeros,
    zeros_like,
)
from autograd.dtypes import bool_ as bool
from autograd.dtypes import (
    double,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    int8,
    int16,
    int32,
    int64,
    long,
    set_default_dtype,
    short,
    uint8,
)
from autograd.dtypes import float32 as float
from autograd.dtypes import int32 as int
from autograd.errors import ShapeError
from autograd.function import Function
from autograd.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from autograd.graph import Graph
from autograd.inquiries import (
    broadcast_shapes,
    can_cast,
    is_complex,
    is_floating_point,
    is_nonzero,
    is_same_size,
    is_signed,
    is_tensor,
    numel,
    promote_types,
    result_type,
    unravel_index,
)
from autograd.profile import profile
from autograd.random import (
    Generator,
    bernoulli,
    binomial,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    multinomial,
    normal,
    poisson,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    seed,
    set_rng_state,
)
from autograd.runtime.compiled import is_compiled, set_compiled
from autograd.runtime.threads import get_num_threads, set_num_threads
from autograd.sharing import increment_version
from autograd.table import FUNCTIONS, operation
from autograd.tensor import Node, Tensor

globals().update(FUNCTIONS)

__all__ = ["Function", "Generator", "Graph", "Node", "ShapeError", "Tensor", "arange", "as_tensor", "asarray",
           "backward", "bartlett_window", "bernoulli", "binomial", "blackman_window", "bool", "broadcast_shapes",
           "can_cast", "checkpoint", "checkpoint_sequential", "default_generator", "detect_anomaly", "double", "empty",
           "empty_like", "enable_grad", "eye", "float", "float16", "float32", "float64", "from_dlpack", "from_numpy",
           "frombuffer", "full", "full_like", "functional", "get_default_dtype", "get_num_threads", "get_rng_state",
           "grad", "half", "hamming_window", "hann_window", "increment_version", "initial_seed", "int", "int8", "int16",
           "int32", "int64", "is_anomaly_enabled", "is_compiled", "is_complex", "is_floating_point", "is_grad_enabled",
           "is_nonzero", "is_same_size", "is_signed", "is_tensor", "kaiser_window", "linalg", "linspace", "logspace",
           "long", "manual_seed", "multinomial", "no_grad", "normal", "numel", "ones", "ones_like", "operation",
           "poisson", "profile", "promote_types", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like",
           "random", "randperm", "result_type", "scalar_tensor", "seed", "set_compiled", "set_default_dtype",
           "set_detect_anomaly", "set_grad_enabled", "set_num_threads", "set_rng_state", "short", "special", "tensor",
           "tril_indices", "triu_indices", "typing", "uint8", "unravel_index", "zeros", "zeros_like"]
__all__.extend(FUNCTIONS)
