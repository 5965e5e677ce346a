"""Recurrent layers and cells."""

import math
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

import autograd
from autograd import Tensor
from autograd.errors import ShapeError
from autograd.typing import DTypeLike
from nn import functional as F
from nn import init
from nn.functional.dropout import keep_mask
from nn.functional.recurrent import gru_sequence, lstm_sequence, lstm_step_by_step, rnn_sequence
from nn.functional.weighted import weighted
from nn.module import Module
from nn.parameter import Parameter
from nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence


class RNNBase(Module):
    """Base of RNN, LSTM and GRU, for isinstance(); make one of those."""

    gates: ClassVar[int]
    states: ClassVar[int] = 1
    sequence: Callable
    names: tuple[str, ...] = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    proj_size = 0

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
                 device: str | None = None, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if num_layers < 1 or hidden_size < 1:
            raise ValueError(f"num_layers={num_layers} and hidden_size={hidden_size} must be at least 1")
        self.input_size, self.hidden_size, self.num_layers, self.bias = input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional = batch_first, dropout, bidirectional
        for layer in range(num_layers):
            width = input_size if layer == 0 else self.output_size * len(self._directions)
            rows = self.gates * hidden_size
            shapes = {"weight_ih": (rows, width), "weight_hh": (rows, self.output_size), "bias_ih": (rows,),
                      "bias_hh": (rows,), "weight_hr": (self.output_size, hidden_size)}
            for direction in self._directions:
                for name in self.names:
                    if bias or not name.startswith("bias"):
                        value = autograd.empty(shapes[name], dtype=dtype)
                        setattr(self, f"{name}_l{layer}{direction}", Parameter(value))
        self.reset_parameters()

    @property
    def output_size(self) -> int:
        """The width of the hidden state: H, or that of its projection."""
        return self.proj_size or self.hidden_size

    @property
    def _directions(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    @property
    def mode(self) -> str:
        """PyTorch's name of the kind: "LSTM", "GRU", "RNN_TANH", "RNN_RELU"."""
        return next(k.__name__ for k in type(self).__mro__ if k.__module__ == __name__)

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, f"{name}_l{layer}{direction}") for name in self.names
                 if self.bias or not name.startswith("bias")]
                for layer in range(self.num_layers) for direction in self._directions]

    def reset_parameters(self) -> None:
        """Draw all parameters anew: uniform on ±1/√hidden_size."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Nothing: lets PyTorch code run unchanged."""

    def _options(self) -> dict[str, Any]:
        return {}

    def forward(self, input: Tensor | PackedSequence, hx: Tensor | tuple[Tensor, Tensor] | None = None) -> tuple[
            Tensor | PackedSequence, Tensor | tuple[Tensor, ...]]:
        packed, lengths = None, None
        if isinstance(input, PackedSequence):
            packed = input
            input, lengths = pad_packed_sequence(packed)
            lengths = lengths.numpy()
            hx = None if hx is None else self._each(hx, lambda h: packed.in_sorted_order(h, 1))
            order, input = packed.order(), packed.in_sorted_order(input, 1)
            lengths = lengths if order is None else lengths[order]
        else:
            input = autograd.as_tensor(input)
        single = input.ndim == 2
        x = self._time_first(input, single, packed is not None)  # (T, B, I)
        initial = self._initial(hx, x, single)
        x, final = self._layers(x, initial, lengths)
        if packed is not None:
            output: Any = packed.with_data(pack_padded_sequence(x, autograd.as_tensor(lengths)).data)
            return output, self._result([packed.in_given_order(state, 1) for state in final])
        if single:
            return x[:, 0], self._result([state[:, 0] for state in final])
        return (x.transpose(0, 1) if self.batch_first else x), self._result(final)

    def _each(self, hx: Any, function: Callable) -> Any:
        return tuple(map(function, hx)) if self.states == 2 else function(hx)

    def _result(self, final: list[Tensor]) -> Any:
        return tuple(final) if self.states == 2 else final[0]

    def _time_first(self, input: Tensor, single: bool, packed: bool) -> Tensor:
        if input.ndim not in (2, 3) or input.shape[-1] != self.input_size:
            order = f"(B, T, {self.input_size})" if self.batch_first else f"(T, B, {self.input_size})"
            raise ShapeError(f"the input must have shape {order}, or (T, {self.input_size}) without a batch, not "
                             f"{input.shape}")
        if single:
            return input.unsqueeze(1)
        x = input.transpose(0, 1) if self.batch_first and not packed else input
        if not x.shape[0]:
            raise ShapeError(f"the sequence has no steps (input of shape {input.shape})")
        return x

    def _initial(self, hx: Any, x: Tensor, single: bool) -> list[Tensor]:
        count = (self.num_layers * len(self._directions), x.shape[1])
        shapes = [(*count, self.output_size), (*count, self.hidden_size)][:self.states]
        if hx is None:
            return [autograd.zeros(shape, dtype=x.dtype) for shape in shapes]
        if (self.states == 2) != isinstance(hx, (tuple, list)):
            form = "a pair (h_0, c_0)" if self.states == 2 else "a tensor h_0"
            raise TypeError(f"the initial state must be {form}, not a {type(hx).__name__}")
        given = map(autograd.as_tensor, hx if self.states == 2 else [hx])
        given = [state.unsqueeze(1) if single else state for state in given]
        for state, expected in zip(given, shapes, strict=True):
            if state.shape != expected:
                raise ShapeError("the initial state must have shape "
                                 f"{(expected[0], expected[2]) if single else expected} for this input, not "
                                 f"{state[:, 0].shape if single else state.shape}")
        return given

    def _layers(self, x: Tensor, initial: list[Tensor], lengths: np.ndarray | None) -> tuple[Tensor, list[Tensor]]:
        steps, count = x.shape[:2]
        backwards, valid = slice(None, None, -1), None
        if lengths is not None:  # each sequence reversed within its own length
            t = np.arange(steps)[:, None]
            backwards = (np.where(t < lengths, lengths - 1 - t, t), np.arange(count))
            valid = (t < lengths)[..., None].astype(x.dtype)
        finals: list[list[Tensor]] = [[] for _ in initial]
        for layer in range(self.num_layers):
            outputs = []
            for d, direction in enumerate(self._directions):
                index = layer * len(self._directions) + d
                weights = [getattr(self, f"{name}_l{layer}{direction}", None) for name in self.names]
                output, *final = self.sequence(
                    x[backwards] if direction else x, *[state[index] for state in initial], *weights,
                    **self._options(), lengths=lengths)
                outputs.append(output[backwards] if direction else output)
                for states, state in zip(finals, final, strict=True):
                    states.append(state)
            x = outputs[0] if len(outputs) == 1 else autograd.cat(outputs, -1)
            x = x if valid is None else x * valid
            if self.dropout and self.training and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout) if valid is None else self._dropout_of_steps(x, valid[..., 0] > 0)
        return x, [autograd.stack(states) for states in finals]

    def _dropout_of_steps(self, x: Tensor, valid: np.ndarray) -> Tensor:
        """Dropout that draws for those steps alone that a sequence has."""
        mask = np.zeros(x.shape, x.dtype)
        mask[valid] = keep_mask((np.count_nonzero(valid), x.shape[2]), self.dropout, x.dtype)
        return weighted(x, mask)

    def extra_repr(self) -> str:
        defaults = {"proj_size": 0, "num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0,
                    "bidirectional": False}
        return ", ".join([f"{self.input_size}, {self.hidden_size}",
                          *[f"{name}={getattr(self, name)}" for name, default in defaults.items()
                            if getattr(self, name) != default]])


class RNN(RNNBase):
    """Elman networks, one above the other: h_t = tanh(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh).

    Args:
        input_size: I.
        hidden_size: H.
        num_layers: how many layers; each takes the outputs of the one before.
        nonlinearity: "tanh" or "relu".
        bias: whether there are b_ih and b_hh.
        batch_first: inputs and outputs are (B, T, ...) and not (T, B, ...).
        dropout: the probability of dropout between layers.
        bidirectional: each layer also reads backwards (D = 2), and its output is both hidden states.
        device: "cpu" or None.
        dtype: of the parameters.

    Called with an input (T, B, I) or a PackedSequence and, if wanted, h_0 (layers · D, B, H), it returns the outputs
    (T, B, D · H) and h_n (layers · D, B, H). Without B, everything is without it.

    Attributes:
        weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0: of the first layer; ..._l0_reverse reads backwards.
    """

    gates, sequence = 1, staticmethod(rnn_sequence)

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh",
                 bias: bool = True, batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False,
                 device: str | None = None, dtype: DTypeLike | None = None) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}")
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype=dtype)
        self.nonlinearity = nonlinearity

    @property
    def mode(self) -> str:
        """PyTorch's name of the kind."""
        return f"RNN_{self.nonlinearity.upper()}"

    def _options(self) -> dict[str, Any]:
        return {"nonlinearity": self.nonlinearity}


class LSTM(RNNBase):
    """Long short-term memory, one layer above the other; see `nn.functional.lstm_cell` for the formula.

    Arguments and shapes are those of `RNN`, but the state is the pair (h, c): the initial one, and the one returned.
    With proj_size > 0 the hidden state is W_hr o tanh(c) and has that width (Sak et al. 2014); this is slower, since it
    has no rule for a whole sequence.

    Raises:
        ValueError: proj_size is not smaller than hidden_size.
    """

    gates, states, sequence = 4, 2, staticmethod(lstm_sequence)

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
                 device: str | None = None, dtype: DTypeLike | None = None) -> None:
        if not 0 <= proj_size < hidden_size:
            raise ValueError(f"proj_size={proj_size} must be smaller than hidden_size={hidden_size}, or 0 for no "
                             "projection")
        if proj_size:
            self.proj_size, self.sequence = proj_size, lstm_step_by_step
            self.names = (*self.names, "weight_hr")
        super().__init__(input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, dtype=dtype)


class GRU(RNNBase):
    """Gated recurrent units, one layer above the other; see `nn.functional.gru_cell` for the formula.

    Arguments and shapes are those of `RNN`.
    """

    gates, sequence = 3, staticmethod(gru_sequence)


class RNNCellBase(Module):
    """Base of RNNCell, LSTMCell and GRUCell, for isinstance(); make one of those."""

    gates: ClassVar[int]

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: str | None = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        rows = self.gates * hidden_size
        self.weight_ih = Parameter(autograd.empty(rows, input_size, dtype=dtype))
        self.weight_hh = Parameter(autograd.empty(rows, hidden_size, dtype=dtype))
        self.bias_ih = Parameter(autograd.empty(rows, dtype=dtype)) if bias else None
        self.bias_hh = Parameter(autograd.empty(rows, dtype=dtype)) if bias else None
        bound = 1 / math.sqrt(hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _state(self, input: Tensor, h: Tensor | None) -> Tensor:
        if input.ndim not in (1, 2) or input.shape[-1] != self.input_size:
            raise ShapeError(f"the input must have shape (B, {self.input_size}) or ({self.input_size},), not "
                             f"{input.shape}")
        expected = (*input.shape[:-1], self.hidden_size)
        h = autograd.zeros(expected, dtype=input.dtype) if h is None else h
        if h.shape != expected:
            raise ShapeError(f"the state must have shape {expected} for an input of shape {input.shape}, not {h.shape}")
        return h

    @property
    def _weights(self) -> tuple[Parameter, Parameter, Parameter | None, Parameter | None]:
        return self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias_ih is not None else ", bias=False")


class RNNCell(RNNCellBase):
    """One step of an Elman network: input (B, I), h (B, H) -> h' (B, H)."""

    gates = 1

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
                 device: str | None = None, dtype: DTypeLike | None = None) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"nonlinearity must be 'tanh' or 'relu', not {nonlinearity!r}")
        super().__init__(input_size, hidden_size, bias, dtype=dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return F.rnn_cell(input, self._state(input, hx), *self._weights, self.nonlinearity)


class LSTMCell(RNNCellBase):
    """One step of a long short-term memory: input (B, I), (h, c) each (B, H) -> (h', c')."""

    gates = 4

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        h, c = hx if hx is not None else (None, None)
        return F.lstm_cell(input, self._state(input, h), self._state(input, c), *self._weights)


class GRUCell(RNNCellBase):
    """One step of a gated recurrent unit: input (B, I), h (B, H) -> h' (B, H)."""

    gates = 3

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        return F.gru_cell(input, self._state(input, hx), *self._weights)
