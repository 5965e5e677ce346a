"""Around parameters: gradients clipped, parameters as one vector, weights reparameterized, sequences packed."""

from nn.utils import parametrizations, rnn
from nn.utils.early_stopping import EarlyStopping
from nn.utils.older_norms import remove_spectral_norm, remove_weight_norm, spectral_norm, weight_norm
from nn.utils.parameters import (
    clip_grad_norm_,
    clip_grad_value_,
    get_total_norm,
    max_norm_,
    parameters_to_vector,
    vector_to_parameters,
)
