"""The functions of windows and images, each with examples: called on what."""

import itertools

import numpy as np

import autograd
from nn import functional as F


class Windowed:
    """A function and what it is called on.

    Args:
        name: in `nn.functional`.
        shapes: of the arguments that have a derivative.
        args: the arguments after them.
        steps: finite changes that show together what depends on a number.
        zeros: whether taps may have weight 0, with which PyTorch multiplies all the same.
        batch: whether the first axis is a batch, which may be empty and may be left out.
        alone: whether PyTorch refuses it.
        options: keyword arguments.
    """

    def __init__(self, name, shapes, *args, steps=(1000.0,), zeros=False, batch=True, alone=False,
                 **options):
        self.name, self.args, self.options, self.steps = name, args, options, steps
        self.zeros, self.batch, self.alone = zeros, batch, alone
        rng = np.random.default_rng(0)
        self.arrays = [rng.standard_normal(shape) for shape in shapes]

    def __str__(self):
        given = [f"{key}={value}" for key, value in self.options.items() if not isinstance(value, np.ndarray)]
        return f"{self.name}({', '.join([*map(str, self.args), *given])}) on {[a.shape for a in self.arrays]}".replace(
            "\n", "")

    def __call__(self, *tensors):
        out = getattr(F, self.name)(*tensors, *self.args, **self.options)
        return out[0] if isinstance(out, tuple) else out

    def results(self, library, functions):
        """The outputs and the gradients of the first, as `autograd, F` or `torch, torch.nn.functional` give them."""
        def made(x):
            return library.tensor(x) if isinstance(x, np.ndarray) else x
        leaves = [library.tensor(a, requires_grad=True) for a in self.arrays]
        out = getattr(functions, self.name)(*leaves, *map(made, self.args),
                                            **{key: made(x) for key, x in self.options.items()})
        outs = out if isinstance(out, tuple) else (out,)
        weights = np.cos(np.arange(outs[0].numel())).reshape(tuple(outs[0].shape))
        outs[0].backward(library.tensor(weights))
        return [t.detach().numpy() for t in outs] + [leaf.grad.numpy() for leaf in leaves]


SEQUENCE, IMAGE, VOLUME = (2, 4, 7), (2, 4, 6, 5), (1, 2, 4, 3, 4)
causal = np.tril(np.ones((5, 5), bool), 1)  # everyone sees two keys: the softmax of a single one depends on nothing
holes = np.array([[1, 0, 1, 0, 1], [0, 1, 1, 1, 0], [1, 1, 0, 0, 0], [0, 0, 0, 1, 1], [1, 1, 1, 1, 1]], bool)


def _cases():
    for ndim, shape in ((1, SEQUENCE), (2, IMAGE), (3, VOLUME)):
        yield Windowed(f"max_pool{ndim}d", [shape], 3, 2, 1, ceil_mode=True)
        yield Windowed(f"max_pool{ndim}d", [shape], 2, 1, dilation=2, return_indices=True)
        yield Windowed(f"max_pool{ndim}d_with_indices", [shape], 2)
        yield Windowed(f"adaptive_max_pool{ndim}d_with_indices", [shape], 2)
        yield Windowed(f"avg_pool{ndim}d", [shape], 3, 2, 1, ceil_mode=True, count_include_pad=False)
        yield Windowed(f"avg_pool{ndim}d", [shape], 2)
        yield Windowed(f"lp_pool{ndim}d", [shape], 2, 2, 1)
        for size in (3, 1):
            yield Windowed(f"adaptive_avg_pool{ndim}d", [shape], size)
            yield Windowed(f"adaptive_max_pool{ndim}d", [shape], size)
        flat = np.tile(np.arange(2 ** ndim), (2, 4, 1)).reshape(2, 4, *[2] * ndim)
        yield Windowed(f"max_unpool{ndim}d", [flat.shape], flat, 2, batch=False)
        kernel = (3, 2, 2)[:ndim]
        for options in ({}, {"padding": 1, "stride": 2}, {"padding": 2, "dilation": 2}, {"groups": 2, "padding": 1}):
            groups = options.get("groups", 1)
            yield Windowed(f"conv{ndim}d", [shape, (6, shape[1] // groups, *kernel), (6,)], **options)
            yield Windowed(f"conv_transpose{ndim}d", [shape, (shape[1], 4 // groups, *kernel), (4,)], **options)
        for options in ({}, {"padding": 1, "stride": 2}):
            ones = (1,) * ndim
            yield Windowed(f"conv{ndim}d", [shape, (6, shape[1], *ones), (6,)], **options)
            yield Windowed(f"conv_transpose{ndim}d", [shape, (shape[1], 6, *ones), (6,)], **options)
        long = (1, 2, *[(39,), (8, 9), (4, 4, 5)][ndim - 1])
        yield Windowed(f"max_pool{ndim}d", [long], [34, (6, 7), (4, 3, 4)][ndim - 1], 1, 1)
        yield Windowed(f"max_pool{ndim}d", [long], long[2:], return_indices=True)
        yield Windowed(f"adaptive_max_pool{ndim}d", [long], [1, (1, 2), (3, 1, 1)][ndim - 1])
        yield Windowed(f"avg_pool{ndim}d", [long], long[2:])
        channels = shape[1]
        yield Windowed(f"conv{ndim}d", [shape, (channels, 1, *kernel)], padding=1, groups=channels)
        linear = ("linear", "bilinear", "trilinear")[ndim - 1]
        for size in (9, 3, (4, 3, 5)[:ndim], 1):
            for mode in ("nearest", "nearest-exact", "area"):
                yield Windowed("interpolate", [shape], size, mode=mode, batch=False)
            for align in (True, False):
                yield Windowed("interpolate", [shape], size, mode=linear, align_corners=align, zeros=True, batch=False)
    for size in (9, 3, (4, 3)):
        yield Windowed("interpolate", [IMAGE], size, mode="bicubic", zeros=True, batch=False)
        yield Windowed("upsample", [IMAGE], size, mode="bilinear", zeros=True, batch=False)
        yield Windowed("upsample_nearest", [IMAGE], size, batch=False)
        yield Windowed("upsample_bilinear", [IMAGE], size, zeros=True, batch=False)
        for mode in ("bilinear", "bicubic", "lanczos"):
            yield Windowed("interpolate", [IMAGE], size, mode=mode, antialias=True, zeros=True, batch=False)
    for factors, again in itertools.product((2, (0.6, 1.7), (3, 0.5)), (None, True)):
        for mode in ("nearest", "nearest-exact", "bilinear", "bicubic", "area"):
            if (mode, again) != ("nearest", None):  # PyTorch takes some positions from the factor, some from the size
                yield Windowed("interpolate", [IMAGE], zeros=True, batch=False, scale_factor=factors, mode=mode,
                               recompute_scale_factor=again)
    yield Windowed("avg_pool2d", [IMAGE], 2, divisor_override=3)
    yield Windowed("avg_pool1d", [(2, 2, 34)], 17)
    yield Windowed("avg_pool2d", [(1, 2, 3, 32)], (1, 16))
    yield Windowed("avg_pool2d", [(1, 2, 32, 3)], (16, 1))
    for both in ("", "_with_indices"):
        yield Windowed(f"fractional_max_pool2d{both}", [IMAGE], 2, 3, _random_samples=np.full((2, 4, 2), 0.4),
                       batch=False)
        yield Windowed(f"fractional_max_pool3d{both}", [VOLUME], 2, (2, 1, 3), _random_samples=np.full((1, 2, 3), 0.7),
                       batch=False, alone=True)
    for mode in ("constant", "reflect", "replicate", "circular"):
        yield Windowed("pad", [IMAGE], (2, 1, 0, 3), mode, batch=False)
        yield Windowed("pad", [IMAGE], (0, 0), mode, batch=False, alone=mode != "constant")
        yield Windowed("pad", [IMAGE], (), mode, batch=False, alone=mode != "constant")
    for options in ({}, {"padding": 1, "stride": 2}, {"dilation": 2, "padding": (1, 0)}):
        x = autograd.as_tensor(np.zeros(IMAGE))
        yield Windowed("unfold", [IMAGE], (3, 2), **options)
        yield Windowed("fold", [F.unfold(x, (3, 2), **options).shape], IMAGE[2:], (3, 2), **options)
    yield Windowed("conv_tbc", [(7, 2, 3), (3, 3, 4), (4,)], 1, batch=False)
    for factor in (1, 2):
        yield Windowed("channel_shuffle", [IMAGE], factor, batch=False)
        yield Windowed("pixel_shuffle", [IMAGE], factor, batch=False)
        yield Windowed("pixel_unshuffle", [(2, 4, 6, 4)], factor, batch=False)
    grid = np.random.default_rng(1).uniform(-1.6, 1.6, (2, 3, 4, 2))
    for mode, around, align in itertools.product(("bilinear", "nearest", "bicubic"),
                                                 ("zeros", "border", "reflection"), (True, False)):
        yield Windowed("grid_sample", [IMAGE], grid, mode, around, align, zeros=True, batch=False)
    yield Windowed("affine_grid", [(2, 2, 3)], IMAGE, zeros=True, batch=False)
    small = (0.5, -1.0, 3.0)
    for lead, mask in itertools.product([(), (2,), (1, 2)], [
            None, causal, holes, np.where(causal, 0.5, -np.inf), np.array([True, True, False, True, False])]):
        shapes = [(*lead, 5, 3), (*lead, 5, 3), (*lead, 5, 2)]
        yield Windowed("scaled_dot_product_attention", shapes, mask, steps=small, batch=False,
                       alone=mask is not None and mask.ndim == 1)
    several = np.stack([causal, holes])
    yield Windowed("scaled_dot_product_attention", [(2, 5, 3), (2, 5, 3), (2, 5, 2)], several, steps=small, batch=False)


CASES = list(_cases())
