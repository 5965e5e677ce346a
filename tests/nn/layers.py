"""The layers that are compared with PyTorch's, each with an example: made how, called on what.

What is done with both libraries takes their modules: `autograd, nn` or `torch, torch.nn`.
"""

import numpy as np


class Case:
    """A layer and what it is called on.

    Args:
        name: of the class, in `nn` as in `torch.nn`.
        args: positional arguments of the class.
        inputs: shapes of random inputs; arrays as they are.
        call: keyword arguments of forward: arrays.
        fixed: numbers of the inputs that get no gradient.
        options: keyword arguments of the class.
    """

    def __init__(self, name, *args, inputs, call=None, fixed=(), **options):
        self.name, self.args, self.options, self.call, self.fixed = name, args, options, call or {}, fixed
        rng = np.random.default_rng(0)
        self.inputs = [rng.standard_normal(x) if isinstance(x, tuple) else x for x in inputs]

    @property
    def trained(self):
        """For each input, whether it gets a gradient."""
        return [x.dtype.kind == "f" and i not in self.fixed for i, x in enumerate(self.inputs)]

    def new(self, library, layers, **more):
        """The layer, as it is made."""
        return getattr(layers, self.name)(*self.args, **tensors(self.options, library), **more)

    def layer(self, library, layers):
        """The layer in float64 with random weights: the same in both libraries."""
        layer = self.new(library, layers).double()
        library.manual_seed(0)
        with library.no_grad():
            for p in layer.parameters():
                p.copy_(library.randn(tuple(p.shape), dtype=library.float64) * 0.5)
        return layer

    def results(self, layer, library):
        """Outputs, the gradients of inputs and parameters, and the state afterwards, as arrays."""
        inputs = [library.tensor(x).requires_grad_() if trained else library.tensor(x)
                  for x, trained in zip(self.inputs, self.trained, strict=True)]
        library.manual_seed(0)
        outputs = flat(layer(*inputs, **tensors(self.call, library)))
        weights = [library.tensor(np.cos(np.arange(np.prod(out.shape, dtype=int))).reshape(tuple(out.shape)))
                   for out in outputs]
        weighted = [(out * w).sum() for out, w in zip(outputs, weights, strict=True) if out.requires_grad]
        sum(weighted[1:], weighted[0]).backward()
        gradients = [np.zeros(tuple(t.shape)) if t.grad is None else t.grad.numpy()
                     for t in (*inputs, *layer.parameters())]
        return [out.detach().numpy() for out in outputs], gradients, [v.numpy() for v in layer.state_dict().values()]

    def __str__(self):
        options = {k: v.shape if isinstance(v, np.ndarray) else v for k, v in self.options.items()}
        given = [*map(repr, self.args), *(f"{k}={v!r}" for k, v in options.items())]
        return f"{self.name}({', '.join(given)}) on {[x.shape for x in self.inputs]}"


def tensors(options, library):
    """Arrays as tensors of a library, whatever else as it is."""
    return {k: library.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}


def flat(result):
    """The tensors in nested tuples."""
    if isinstance(result, tuple):
        return [tensor for part in result for tensor in flat(part)]
    return [] if result is None else [result]


def positive(*shape):
    """Numbers between 0.1 and 0.9."""
    return np.random.default_rng(1).uniform(0.1, 0.9, shape)


def signs(*shape):
    """1 and -1."""
    return np.where(np.random.default_rng(2).random(shape) < 0.5, -1.0, 1.0)


def integers(high, *shape):
    """Integers below `high`."""
    return np.random.default_rng(3).integers(0, high, shape)


def places(count, *shape):
    """Different integers below `count` in the image of each channel, as pooling gives them."""
    rng = np.random.default_rng(4)
    channels = [rng.permutation(count)[:np.prod(shape[2:])] for _ in range(shape[0] * shape[1])]
    return np.array(channels).reshape(shape)


GRID = (2, 3, 5, 4)
causal = np.triu(np.ones((4, 4), bool), 1)
padding = np.array([[False, False, False, True], [False, True, True, True]])

ACTIVATIONS = [
    Case(name, *args, inputs=[GRID], **options)
    for name, *args, options in [
        ("ReLU", {}), ("ReLU6", {}), ("LeakyReLU", 0.2, {}), ("ELU", 0.7, {}), ("CELU", 0.7, {}), ("SELU", {}),
        ("GELU", {}), ("GELU", {"approximate": "tanh"}), ("SiLU", {}), ("Mish", {}), ("Sigmoid", {}),
        ("LogSigmoid", {}), ("Tanh", {}), ("Tanhshrink", {}), ("Softplus", {}), ("Softplus", 2.0, {}),
        ("Softsign", {}), ("Softshrink", {}),
        ("Hardshrink", {}), ("Hardtanh", -0.5, 0.7, {}), ("Hardsigmoid", {}), ("Hardswish", {}),
        ("Threshold", 0.1, 20.0, {}), ("Softmax", 1, {}), ("LogSoftmax", -1, {}), ("Softmin", 1, {}), ("Softmax2d", {}),
        ("PReLU", {}), ("PReLU", 3, {}), ("GLU", {})]
]

CONVOLUTIONS = [
    Case("Conv1d", 3, 4, 3, inputs=[(2, 3, 7)]),
    Case("Conv1d", 3, 4, 2, inputs=[(3, 7)], padding="same"),
    Case("Conv1d", 3, 4, 2, inputs=[(2, 3, 7)], padding="valid"),
    Case("Conv2d", 3, 4, 3, inputs=[(2, 3, 7, 6)], stride=2, padding=1),
    Case("Conv2d", 4, 6, (3, 2), inputs=[(2, 4, 7, 6)], stride=(1, 2), dilation=(2, 1), groups=2, bias=False),
    Case("Conv2d", 4, 4, 3, inputs=[(2, 4, 6, 5)], padding=1, groups=4),
    Case("Conv2d", 4, 8, 3, inputs=[(2, 4, 6, 5)], padding="same", groups=4),
    Case("Conv2d", 3, 5, 1, inputs=[(2, 3, 4, 4)], stride=2),
    Case("Conv2d", 2, 3, 3, inputs=[(2, 2, 5, 6)], padding=(1, 2), padding_mode="reflect"),
    Case("Conv2d", 2, 3, 3, inputs=[(2, 2, 5, 6)], padding=2, padding_mode="circular"),
    Case("Conv2d", 2, 3, 2, inputs=[(2, 2, 5, 6)], padding="same", padding_mode="replicate"),
    Case("Conv3d", 2, 3, 2, inputs=[(2, 2, 4, 3, 5)], padding=1, stride=(1, 2, 1)),
    Case("ConvTranspose1d", 3, 4, 3, inputs=[(2, 3, 5)], stride=2, output_padding=1),
    Case("ConvTranspose1d", 3, 4, 3, inputs=[(2, 3, 5)], padding=1, dilation=3, output_padding=2),
    Case("ConvTranspose2d", 3, 4, 2, inputs=[(2, 3, 4, 3)], stride=(2, 1), dilation=3, output_padding=(2, 1)),
    Case("ConvTranspose2d", 4, 6, 3, inputs=[(2, 4, 4, 3)], stride=2, padding=1, groups=2, bias=False),
    Case("ConvTranspose2d", 3, 4, (2, 3), inputs=[(3, 4, 5)], padding=1, dilation=2, stride=1),
    Case("ConvTranspose2d", 4, 4, 3, inputs=[(2, 4, 4, 3)], stride=2, groups=4),
    Case("ConvTranspose2d", 2, 3, 3, inputs=[(2, 2, 3, 6)], stride=2, dilation=(1, 3)),
    Case("ConvTranspose3d", 2, 3, 2, inputs=[(1, 2, 3, 2, 3)], stride=2),
]

POOLING = [
    Case("MaxPool1d", 2, inputs=[(2, 3, 7)]),
    Case("MaxPool2d", 2, inputs=[(2, 3, 7, 6)]),
    Case("MaxPool2d", 3, inputs=[(2, 3, 8, 7)], stride=2, padding=1, ceil_mode=True),
    Case("MaxPool2d", (2, 3), inputs=[(3, 8, 7)], stride=1, dilation=2),
    Case("MaxPool2d", 2, inputs=[(2, 3, 7, 6)], return_indices=True, ceil_mode=True),
    Case("MaxPool3d", 2, inputs=[(2, 3, 4, 5, 4)], stride=1),
    Case("AvgPool1d", 3, inputs=[(2, 3, 7)], stride=2, padding=1),
    Case("AvgPool2d", 3, inputs=[(2, 3, 8, 7)], stride=2, padding=1, ceil_mode=True),
    Case("AvgPool2d", 3, inputs=[(2, 3, 8, 7)], stride=2, padding=1, ceil_mode=True, count_include_pad=False),
    Case("AvgPool2d", 2, inputs=[(2, 3, 8, 7)], divisor_override=3),
    Case("AvgPool3d", 2, inputs=[(2, 3, 4, 5, 4)]),
    Case("LPPool1d", 3, 2, inputs=[positive(2, 3, 7)], ceil_mode=True),
    Case("LPPool2d", 2, (3, 2), inputs=[(2, 3, 7, 6)], stride=2),
    Case("LPPool3d", 4, 2, inputs=[(2, 3, 4, 5, 4)]),
    Case("AdaptiveAvgPool1d", 3, inputs=[(2, 3, 7)]),
    Case("AdaptiveAvgPool2d", (3, None), inputs=[(2, 3, 7, 6)]),
    Case("AdaptiveAvgPool2d", 1, inputs=[(3, 7, 6)]),
    Case("AdaptiveAvgPool3d", 2, inputs=[(2, 3, 4, 5, 4)]),
    Case("AdaptiveMaxPool1d", 3, inputs=[(2, 3, 7)], return_indices=True),
    Case("AdaptiveMaxPool2d", (3, 4), inputs=[(2, 3, 7, 6)]),
    Case("AdaptiveMaxPool3d", 2, inputs=[(2, 3, 4, 5, 4)], return_indices=True),
    Case("MaxUnpool1d", 2, inputs=[(2, 3, 4), places(8, 2, 3, 4)]),
    Case("MaxUnpool2d", 3, inputs=[(3, 4, 2), places(21, 1, 3, 4, 2)[0]], stride=2, padding=1),
    Case("MaxUnpool2d", (2, 3), inputs=[(2, 3, 3, 4), places(72, 2, 3, 3, 4)]),
    Case("MaxUnpool3d", 2, inputs=[(1, 2, 2, 1, 2), places(32, 1, 2, 2, 1, 2)]),
    Case("FractionalMaxPool2d", (2, 3), inputs=[(2, 3, 8, 7)], output_size=(5, 4), return_indices=True,
         _random_samples=positive(2, 3, 2)),
    Case("FractionalMaxPool2d", 2, inputs=[(3, 8, 7)], output_ratio=(0.7, 0.4), _random_samples=positive(1, 3, 2)),
    Case("FractionalMaxPool3d", 2, inputs=[(2, 3, 4, 5, 7)], output_size=(1, 3, 3), return_indices=True,
         _random_samples=positive(2, 3, 3)),
]

SPATIAL = [
    Case("Unfold", (2, 3), inputs=[GRID], dilation=1, padding=1, stride=2),
    Case("Fold", (4, 5), (2, 2), inputs=[(2, 12, 12)]),
    Case("PixelShuffle", 2, inputs=[(2, 8, 3, 4)]),
    Case("PixelUnshuffle", 2, inputs=[(2, 3, 4, 6)]),
    *[Case("Upsample", inputs=[GRID], **options) for options in [
        {"scale_factor": 2}, {"size": (7, 9)}, {"size": (7, 3), "mode": "bilinear"},
        {"scale_factor": 2, "mode": "bilinear", "align_corners": True}, {"scale_factor": (2, 3), "mode": "bicubic"},
        {"size": (9, 7), "mode": "bicubic", "align_corners": True}, {"scale_factor": 1.7, "mode": "nearest-exact"},
        {"scale_factor": 1.7, "mode": "bilinear"},
        {"scale_factor": 1.7, "mode": "bicubic", "recompute_scale_factor": True}]],
    Case("Upsample", inputs=[(2, 3, 5)], scale_factor=2, mode="linear"),
    Case("Upsample", inputs=[(2, 1, 2, 3, 2)], scale_factor=2, mode="trilinear"),
    Case("UpsamplingNearest2d", inputs=[GRID], scale_factor=2),
    Case("UpsamplingNearest2d", (7, 3), inputs=[GRID]),
    Case("UpsamplingBilinear2d", inputs=[GRID], scale_factor=(2, 1.5)),
    Case("UpsamplingBilinear2d", (7, 3), inputs=[GRID]),
    Case("ChannelShuffle", 2, inputs=[(2, 6, 3, 2)]),
    Case("ChannelShuffle", 3, inputs=[(2, 6, 3)]),
    Case("ZeroPad2d", (1, 2, 0, 3), inputs=[GRID]),
    Case("ConstantPad1d", (2, -1), 3.5, inputs=[(2, 3, 5)]),
    Case("ReflectionPad2d", 2, inputs=[GRID]),
    Case("ReplicationPad2d", (1, 2, 3, 0), inputs=[GRID]),
    Case("CircularPad2d", (1, 2, 3, 0), inputs=[GRID]),
    Case("Flatten", inputs=[GRID]),
    Case("Unflatten", 1, (3, 1), inputs=[GRID]),
]

NORMALIZATION = [
    Case("BatchNorm1d", 3, inputs=[(4, 3)]),
    Case("BatchNorm1d", 3, inputs=[(4, 3, 5)], momentum=0.3, eps=1e-3),
    Case("BatchNorm2d", 3, inputs=[GRID]),
    Case("BatchNorm2d", 3, inputs=[GRID], momentum=None),
    Case("BatchNorm2d", 3, inputs=[GRID], affine=False, track_running_stats=False),
    Case("BatchNorm3d", 2, inputs=[(2, 2, 3, 2, 2)]),
    Case("LayerNorm", 4, inputs=[GRID]),
    Case("LayerNorm", (5, 4), inputs=[GRID], elementwise_affine=False),
    Case("LayerNorm", (5, 4), inputs=[GRID], bias=False),
    Case("GroupNorm", 2, 4, inputs=[(2, 4, 5)]),
    Case("GroupNorm", 3, 3, inputs=[GRID], affine=False),
    Case("InstanceNorm1d", 3, inputs=[(2, 3, 5)]),
    Case("InstanceNorm2d", 3, inputs=[GRID], affine=True, track_running_stats=True),
    Case("RMSNorm", 4, inputs=[GRID]),
    Case("RMSNorm", (5, 4), inputs=[GRID], eps=1e-2),
    Case("InstanceNorm1d", 3, inputs=[(3, 5)], affine=True),
    Case("InstanceNorm3d", 2, inputs=[(2, 2, 3, 2, 2)], affine=True, track_running_stats=True, momentum=0.4),
    Case("BatchNorm1d", 3, inputs=[(4, 3)], momentum=None, affine=False),
    Case("GroupNorm", 2, 4, inputs=[(3, 4)], eps=0.1),
    Case("LocalResponseNorm", 3, inputs=[(2, 6, 4)], alpha=0.5),
    Case("LocalResponseNorm", 2, inputs=[(2, 6, 3, 2)], alpha=0.5),
]

RECURRENT = [
    Case("RNN", 3, 4, inputs=[(5, 2, 3)]),
    Case("RNN", 3, 4, 2, inputs=[(2, 5, 3)], nonlinearity="relu", batch_first=True, bidirectional=True),
    Case("LSTM", 3, 4, inputs=[(5, 2, 3)]),
    Case("LSTM", 3, 4, 2, inputs=[(5, 2, 3)], bidirectional=True),
    Case("LSTM", 3, 4, inputs=[(5, 3)], bias=False),
    Case("LSTM", 3, 4, 2, inputs=[(5, 2, 3)], bidirectional=True, proj_size=2),
    Case("GRU", 3, 4, inputs=[(5, 2, 3), (1, 2, 4)]),
    Case("GRU", 3, 4, 2, inputs=[(2, 5, 3)], batch_first=True, bidirectional=True, bias=False),
    Case("RNN", 3, 4, 2, "relu", False, inputs=[(5, 3), (2, 4)]),
    Case("GRU", 3, 4, inputs=[(5, 3), (2, 4)], bidirectional=True),
    Case("RNNCell", 3, 4, inputs=[(2, 3), (2, 4)]),
    Case("LSTMCell", 3, 4, False, inputs=[(3,)]),
    Case("GRUCell", 3, 4, inputs=[(3,)]),
    Case("RNNCell", 3, 4, inputs=[(3,)], nonlinearity="relu"),
    Case("LSTMCell", 3, 4, inputs=[(2, 3)]),
    Case("GRUCell", 3, 4, inputs=[(2, 3), (2, 4)], bias=False),
]

ATTENTION = [
    Case("MultiheadAttention", 6, 2, inputs=[(4, 2, 6), (4, 2, 6), (4, 2, 6)]),
    Case("MultiheadAttention", 6, 3, inputs=[(2, 3, 6), (2, 4, 5), (2, 4, 7)], kdim=5, vdim=7, batch_first=True,
         call={"key_padding_mask": padding, "average_attn_weights": False}),
    Case("MultiheadAttention", 6, 2, inputs=[(4, 2, 6), (4, 2, 6), (4, 2, 6)], bias=False,
         call={"attn_mask": causal, "need_weights": False}),
    Case("MultiheadAttention", 6, 2, inputs=[(3, 6), (4, 6), (4, 6)]),
    Case("MultiheadAttention", 6, 2, inputs=[(4, 2, 6), (4, 2, 6), (4, 2, 6)],
         call={"attn_mask": np.sin(np.arange(64.0)).reshape(4, 4, 4)}),
    Case("PReLU", 3, inputs=[(2, 3)]),
    Case("Upsample", inputs=[(2, 1, 1, 3)], size=(1, 2)),
    Case("MultiheadAttention", 6, 2, 0.0, True, True, inputs=[(4, 2, 6), (4, 2, 6), (4, 2, 6)],
         call={"attn_mask": causal}),
    Case("MultiheadAttention", 6, 2, add_zero_attn=True, inputs=[(4, 2, 6), (4, 2, 6), (4, 2, 6)],
         call={"key_padding_mask": padding, "need_weights": False}),
    Case("MultiheadAttention", 6, 3, add_bias_kv=True, add_zero_attn=True, kdim=5, vdim=7, batch_first=True,
         inputs=[(2, 3, 6), (2, 4, 5), (2, 4, 7)], call={"key_padding_mask": padding, "average_attn_weights": False}),
    Case("TransformerEncoderLayer", 6, 2, 5, 0.0, inputs=[(4, 2, 6)], call={"src_mask": causal}),
    Case("TransformerEncoderLayer", 6, 2, 5, 0.0, "gelu", inputs=[(2, 4, 6)], batch_first=True, norm_first=True,
         call={"src_key_padding_mask": padding}),
    Case("TransformerDecoderLayer", 6, 2, 5, 0.0, inputs=[(4, 2, 6), (3, 2, 6)], call={"tgt_mask": causal}),
    Case("TransformerDecoderLayer", 6, 2, 5, 0.0, inputs=[(2, 4, 6), (2, 3, 6)], batch_first=True, norm_first=True),
    Case("TransformerDecoderLayer", 6, 2, 5, 0.0, inputs=[(2, 4, 6), (2, 4, 6)], batch_first=True, bias=False,
         call={"memory_mask": causal, "memory_key_padding_mask": padding, "tgt_key_padding_mask": ~padding}),
    Case("TransformerEncoderLayer", 6, 2, 5, 0.0, inputs=[(4, 6)], layer_norm_eps=0.1),
    Case("Transformer", 6, 3, 2, 1, 7, 0.0, "gelu", inputs=[(2, 4, 6), (2, 4, 6)], layer_norm_eps=1e-3,
         batch_first=True, norm_first=True,
         call={"src_mask": causal, "memory_mask": causal, "src_key_padding_mask": padding,
               "tgt_key_padding_mask": padding, "memory_key_padding_mask": padding}),
    Case("Transformer", 6, 2, 1, 2, 5, 0.0, inputs=[(3, 2, 6), (4, 2, 6)], call={"tgt_mask": causal}),
]

OTHERS = [
    Case("Linear", 4, 3, inputs=[(2, 5, 4)]),
    Case("Linear", 4, 3, inputs=[(4,)], bias=False),
    Case("Bilinear", 4, 3, 2, inputs=[(2, 5, 4), (2, 5, 3)]),
    Case("Identity", inputs=[(2, 3)]),
    Case("Embedding", 6, 3, inputs=[integers(6, 2, 4)], padding_idx=2),
    Case("Embedding", 6, 3, inputs=[integers(6, 2, 4)], _weight=positive(6, 3)),
    *[Case("EmbeddingBag", 6, 3, inputs=[integers(6, 3, 4)], mode=mode, **options) for mode in ("sum", "mean", "max")
      for options in ({}, {"padding_idx": -2})],
    *[Case("EmbeddingBag", 6, 3, inputs=[integers(6, 7), np.array([0, 3, 3, 5])], mode=mode, padding_idx=2)
      for mode in ("sum", "mean", "max")],
    Case("EmbeddingBag", 6, 3, inputs=[integers(6, 7), np.array([0, 3, 3, 7])], include_last_offset=True),
    Case("EmbeddingBag", 6, 3, inputs=[integers(6, 3, 4)], mode="sum", padding_idx=1,
         call={"per_sample_weights": positive(3, 4)}),
    Case("AdaptiveLogSoftmaxWithLoss", 8, 12, [3, 5, 9], inputs=[(9, 8), integers(12, 9)], div_value=2.0),
    Case("AdaptiveLogSoftmaxWithLoss", 8, 12, [3, 9], inputs=[(8,), np.array(4)], div_value=2.0, head_bias=True),
    Case("AdaptiveLogSoftmaxWithLoss", 8, 12, [8], inputs=[(4, 8), integers(5, 4)], div_value=1.5),
    Case("CosineSimilarity", inputs=[(3, 4), (3, 4)]),
    Case("PairwiseDistance", inputs=[(3, 4), (3, 4)]),
    Case("Dropout", 0.0, inputs=[(3, 4)]),
]

LOSSES = [
    *[Case("CrossEntropyLoss", inputs=inputs, **options) for inputs in (
        [(4, 5), integers(5, 4)], [(2, 5, 3), integers(5, 2, 3)], [(5,), integers(5)], [(4, 5), positive(4, 5)],
        [(2, 5, 3), positive(2, 5, 3)]) for options in (
        {}, {"reduction": "sum", "label_smoothing": 0.2}, {"reduction": "none"})],
    Case("CrossEntropyLoss", inputs=[(4, 5), integers(5, 4)], ignore_index=int(integers(5, 4)[0]),
         weight=positive(5), label_smoothing=0.1),
    Case("CrossEntropyLoss", inputs=[(2, 5, 3), positive(2, 5, 3)], weight=positive(5), label_smoothing=0.1),
    *[Case("NLLLoss", inputs=[(2, 5, 3), integers(5, 2, 3)], **options) for options in (
        {}, {"weight": positive(5)}, {"reduction": "none", "ignore_index": 2})],
    Case("NLLLoss2d", inputs=[(2, 5, 3, 2), integers(5, 2, 3, 2)]),
    *[Case("MultiMarginLoss", inputs=[(4, 5), integers(5, 4)], **options) for options in (
        {}, {"p": 2, "margin": 0.5}, {"weight": positive(5), "reduction": "none"})],
    *[Case(name, inputs=[(4, 3), (4, 3)], **options) for name, options in (
        ("MSELoss", {}), ("MSELoss", {"reduction": "none"}), ("L1Loss", {}), ("SmoothL1Loss", {"beta": 0.5}),
        ("SmoothL1Loss", {"beta": 0.0}), ("HuberLoss", {"delta": 0.7, "reduction": "sum"}))],
    Case("BCELoss", inputs=[positive(4, 3), positive(3, 4).T]),
    Case("BCEWithLogitsLoss", inputs=[(4, 3), positive(4, 3)]),
    Case("BCEWithLogitsLoss", inputs=[(4, 3), positive(4, 3)], pos_weight=positive(3), weight=positive(4, 3)),
    *[Case("KLDivLoss", inputs=[(4, 3), positive(4, 3)], reduction=reduction) for reduction in ("batchmean", "sum")],
    Case("KLDivLoss", inputs=[(4, 3), (4, 3)], log_target=True, reduction="none"),
    Case("PoissonNLLLoss", inputs=[(4, 3), 3 * positive(4, 3)], full=True),
    Case("PoissonNLLLoss", inputs=[positive(4, 3), positive(4, 3)], log_input=False),
    Case("GaussianNLLLoss", inputs=[(4, 3), (4, 3), positive(4, 3)], full=True),
    Case("CosineEmbeddingLoss", inputs=[(4, 3), (4, 3), signs(4)], margin=0.2, fixed=[2]),
    Case("CosineEmbeddingLoss", inputs=[(4, 3), (4, 3), signs(4)], margin=-0.9, fixed=[2]),
    Case("MarginRankingLoss", inputs=[(4,), positive(4), signs(4)], margin=0.2),
    Case("TripletMarginLoss", inputs=[(4, 3), positive(4, 3), positive(3, 4).T], swap=True),
    Case("HingeEmbeddingLoss", inputs=[(4, 3), signs(4, 3)], fixed=[1]),
    Case("SoftMarginLoss", inputs=[(4, 3), signs(4, 3)], fixed=[1]),
    Case("MultiLabelSoftMarginLoss", inputs=[(4, 3), positive(4, 3)]),
    Case("MultiLabelMarginLoss", inputs=[(4,), np.array([3, 0, -1, 1])]),
    Case("MultiLabelMarginLoss", inputs=[(2, 4), np.array([[3, 0, -1, 1], [1, -1, 2, 3]])]),
]

CASES = [*ACTIVATIONS, *CONVOLUTIONS, *POOLING, *SPATIAL, *NORMALIZATION, *RECURRENT, *ATTENTION, *OTHERS, *LOSSES]
