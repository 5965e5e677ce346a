"""Examples of the functions of `nn.functional`, at ordinary and at odd values, for the walks over all of them.

Functions are found in the module, not listed: one without an example fails a test.
"""

import inspect

import numpy as np

from nn import functional as F

ELSEWHERE = {f"nn.functional.{name}" for name in ("attention", "convolution", "fold", "grid_sample", "padding",
                                                 "pixelshuffle", "pooling", "upsampling")}
"""Modules of functions of windows and images, whose edges have tests of their own."""

FUNCTIONS = {name: function for name, function in vars(F).items()
             if callable(function) and not name.startswith("_") and function.__module__ not in ELSEWHERE}

INF, NAN = np.inf, np.nan
KINKS = [-6.0, -3.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0, 6.0]
ORDINARY = [-4.2, -2.3, -0.7, -0.2, 0.3, 0.8, 2.7, 4.4]
EXTREME = [-1e30, -90.0, -20.5, -1e-30, 1e-30, 20.5, 88.6, 90.0, 1e30]
ODD = np.array([*KINKS, -0.0, *ORDINARY, *EXTREME, INF, -INF, NAN])
FINITE = np.array([*KINKS, *ORDINARY])
PROBABILITIES = np.array([0.0, 0.2, 0.5, 0.9, 1.0])
LOGARITHMS = np.array([-INF, -3.0, -0.7, 0.0])


class Example:
    """A call of a function.

    Args:
        args: arrays of floats are differentiated and take every dtype, unless they are `fixed`.
        fixed: positions of arrays that are constants: targets and weights.
        options: keyword arguments.
    """

    def __init__(self, *args, fixed=(), **options):
        self.args, self.fixed, self.options = args, fixed, options

    @property
    def differentiated(self):
        """The positions of the arrays that get a gradient."""
        return [i for i, a in enumerate(self.args) if is_floating(a) and i not in self.fixed]

    def call(self, function, tensor, arrays=None, dtype=np.float64):
        """The result, and the tensors that it is differentiable in; `arrays` replaces those."""
        given = dict(zip(self.differentiated, arrays, strict=True)) if arrays is not None else {}

        def made(i, a):
            if not isinstance(a, np.ndarray):
                return a
            a = given.get(i, a)
            return tensor(np.array(a, dtype if is_floating(a) else None))
        args = [made(i, a) for i, a in enumerate(self.args)]
        for i in self.differentiated:
            args[i].requires_grad_()
        options = {key: made(None, value) for key, value in self.options.items()}
        return function(*args, **options), [args[i] for i in self.differentiated]

    def __repr__(self):
        shown = [list(a.shape) if isinstance(a, np.ndarray) else a for a in self.args]
        options = {k: list(v.shape) if isinstance(v, np.ndarray) else v for k, v in self.options.items()}
        return f"{shown}{options or ''}".replace(" ", "")


def is_floating(a):
    return isinstance(a, np.ndarray) and a.dtype.kind == "f"


def grid(*axes):
    """All combinations of values, one array for each axis."""
    return [a.ravel() for a in np.meshgrid(*axes, indexing="ij")]


ROWS = np.array([
    [1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [3.0, -4.0, 0.0], [1.0, 1.0, 1.0], [1e-30, 2e-30, -1e-30], [1e30, -1e30, 3e30],
    [NAN, 1.0, 2.0], [INF, 1.0, 2.0], [-INF, 1.0, 2.0], [-INF, -INF, -INF], [INF, INF, 0.0]])
CALM = np.array([[1.1, 2.0, 3.5], [3.0, -4.0, 0.5], [-0.3, 0.25, 0.7], [0.4, -2.0, 1.5]])
SAME = np.broadcast_to(CALM[:1], ROWS.shape).copy()
LABELS = np.arange(len(ROWS)) % 3
NO_LABELS = np.full(len(ROWS), -100)
SOME = np.where(np.isfinite(ROWS).all(1), LABELS, -100)
PARTLY = np.array([1.0, 0.0, 0.5])
REDUCTIONS = ("none", "mean", "sum")
rng = np.random.default_rng(0)
IMAGES = np.stack([CALM, CALM[::-1] * 2, CALM * 0.3])


def of_classes(*targets, **options):
    return [Example(ROWS, target, reduction=reduction, **more, **options) for target in targets
            for reduction in REDUCTIONS for more in ({}, {"weight": PARTLY})]


def of_pairs(values, targets, fixed=(1,), **options):
    x, y = grid(values, targets)
    return [Example(x, y, fixed=fixed, reduction="none", **options),
            Example(*grid(values[np.isfinite(values)][:4], targets[:3]), fixed=fixed, reduction="mean", **options),
            Example(np.zeros(0), np.zeros(0), fixed=fixed, reduction="mean", **options)]


def of_vectors(**options):
    """Each row beside an ordinary one, itself and a zero."""
    return [Example(ROWS, other, **options) for other in (SAME, ROWS, np.zeros_like(ROWS))]


ctc = np.log(np.array([[[0.2, 0.3, 0.5], [0.1, 0.6, 0.3]], [[0.4, 0.4, 0.2], [0.3, 0.3, 0.4]],
                       [[0.1, 0.8, 0.1], [0.25, 0.5, 0.25]], [[0.3, 0.3, 0.4], [0.6, 0.2, 0.2]]]))
beyond = ctc.copy()
beyond[2:, 1] = NAN
ONES, STEPS = np.array([1.0, -1.0]), np.array([4, 2])

EXAMPLES = {
    **{name: [Example(ODD)] for name in [
        "relu", "relu6", "sigmoid", "tanh", "selu", "silu", "mish", "logsigmoid", "softsign", "tanhshrink",
        "hardsigmoid", "hardswish", "rrelu"]},
    "elu": [Example(ODD), Example(ODD, 0.5)], "celu": [Example(ODD), Example(ODD, 0.5)],
    "leaky_relu": [Example(ODD), Example(ODD, 0.3), Example(ODD, -0.3)],
    "gelu": [Example(ODD), Example(ODD, approximate="tanh")],
    "softplus": [Example(ODD), Example(ODD, 2.0), Example(ODD, 2.0, -100.0), Example(ODD, 0.5, 1.0)],
    "hardtanh": [Example(ODD), Example(ODD, -0.5, 3.0)],
    "hardshrink": [Example(ODD), Example(ODD, 0.0), Example(ODD, 1.0)],
    "softshrink": [Example(ODD), Example(ODD, 0.0), Example(ODD, 1.0)],
    "threshold": [Example(ODD, 0.5, 20.0), Example(ODD, 0.0, 0.0)],
    "prelu": [Example(ODD, np.array([0.25])), Example(np.stack([ODD, ODD], 1), np.array([-0.5, 2.0])),
              Example(np.array(-2.0), np.array([0.5]))],
    "glu": [Example(np.stack(grid(FINITE, FINITE), 1))],
    "maxout": [Example(ROWS, 3)],
    **{name: [Example(ROWS, dim=1), Example(ROWS, dim=0)] for name in ("softmax", "log_softmax", "softmin")},
    "gumbel_softmax": [], "alpha_dropout": [Example(ODD, 0.5, False)], "feature_alpha_dropout": [Example(ROWS)],
    "stochastic_depth": [Example(ROWS, 0.5, "row", False)], "dropout": [Example(ODD, 0.5, False), Example(ODD, 0.0)],
    **{f"dropout{n}d": [Example(np.ones((2, 3, *(2,) * n)), 0.5, False)] for n in (1, 2, 3)},
    "embedding": [Example(np.array([[0, 2], [2, 5]]), ROWS), Example(np.array([5, 6, 0]), ROWS, 6)],
    "embedding_bag": [Example(np.array([[0, 2], [2, 4]]), ROWS, mode=mode) for mode in ("sum", "mean", "max")],
    "one_hot": [Example(np.array([0, 2, 1]), 3)],
    "linear": [Example(CALM, CALM[:2]), Example(CALM, CALM[:2], np.array([1.0, 2.0]))],
    "bilinear": [Example(CALM, CALM, np.stack([CALM[:3], CALM[1:]]), np.array([1.0, 2.0]))],
    "rnn_cell": [], "lstm_cell": [], "gru_cell": [],
    # Losses
    "cross_entropy": [
        *of_classes(LABELS, SOME, NO_LABELS), *of_classes(LABELS, SOME, NO_LABELS, label_smoothing=0.2),
        *[Example(ROWS, q, reduction=reduction) for reduction in REDUCTIONS for q in (
            np.eye(3)[LABELS], np.full(ROWS.shape, 1 / 3))],
        Example(ROWS, np.eye(3)[LABELS], weight=PARTLY, label_smoothing=0.1, reduction="none"),
        Example(np.zeros((0, 3)), np.zeros(0, int)), Example(np.zeros((0, 3)), np.zeros(0, int), reduction="sum"),
        *[Example(np.array([1.0, -1.0]), np.array(1), reduction=r, **o) for r in REDUCTIONS for o in (
            {}, {"weight": PARTLY[1:]}, {"ignore_index": 1}, {"label_smoothing": 0.2})],
        Example(np.array([1.0, -1.0]), np.array([0.3, 0.7]), reduction="none"),
        Example(CALM.reshape(2, 2, 3), np.array([[0, 1, 1], [1, -100, 0]]))],
    "nll_loss": [*of_classes(LABELS, SOME, NO_LABELS),
                 *[Example(np.array([1.0, -1.0]), np.array(1), reduction=r) for r in REDUCTIONS],
                 Example(np.zeros((0, 3)), np.zeros(0, int))],
    "multi_margin_loss": [
        *[Example(CALM, np.array([2, 0, 1, 0]), fixed=(), reduction=r, **o) for r in REDUCTIONS for o in (
            {}, {"p": 2}, {"margin": 0.5}, {"weight": PARTLY})],
        Example(np.array([[1.0, 2.0, 0.0], [1.0, 1.0, 0.0]]), np.array([1, 0])),
        *[Example(np.array([1.0, 2.0, 0.0]), np.array(0), reduction=r) for r in REDUCTIONS],
        Example(np.zeros((0, 3)), np.zeros(0, int))],
    "mse_loss": [*of_pairs(ODD, FINITE, fixed=()), Example(CALM, CALM[::-1].copy(), fixed=(), weight=CALM ** 2)],
    "l1_loss": [*of_pairs(ODD, FINITE, fixed=()), Example(CALM, CALM[::-1].copy(), fixed=(), weight=CALM ** 2)],
    "huber_loss": [*of_pairs(ODD, FINITE, fixed=()), *of_pairs(ODD, FINITE, fixed=(), delta=0.5),
                   Example(CALM, CALM[::-1].copy(), fixed=(), weight=CALM ** 2)],
    "smooth_l1_loss": [*of_pairs(ODD, FINITE, fixed=()), *of_pairs(ODD, FINITE, fixed=(), beta=0.5),
                       *of_pairs(ODD, FINITE, fixed=(), beta=0.0)],
    "binary_cross_entropy": [
        *of_pairs(PROBABILITIES, PROBABILITIES, fixed=()),
        Example(PROBABILITIES, PROBABILITIES[::-1].copy(), weight=np.array([0.0, 1.0, 2.0, 0.5, 1.0]))],
    "binary_cross_entropy_with_logits": [
        *of_pairs(ODD, PROBABILITIES, fixed=()), *of_pairs(ODD, PROBABILITIES, pos_weight=np.array(3.0)),
        Example(ODD, np.ones(len(ODD)), fixed=(1,), weight=np.isfinite(ODD) * 1.0)],
    "kl_div": [*of_pairs(np.array([*LOGARITHMS, NAN, 2.0]), np.array([*PROBABILITIES, -0.5, 3.0, NAN])),
               *of_pairs(LOGARITHMS, LOGARITHMS, fixed=(), log_target=True),
               Example(CALM, CALM ** 2, reduction="batchmean"),
               Example(np.zeros((0, 3)), np.zeros((0, 3)), reduction="batchmean")],
    "poisson_nll_loss": [*of_pairs(np.array([*FINITE, -INF, NAN]), np.array([0.0, 0.5, 1.0, 3.0, NAN]), full=True),
                         *of_pairs(np.array([0.5, 1.0, 3.0]), np.array([0.0, 0.5, 3.0]), log_input=False)],
    "gaussian_nll_loss": [
        Example(CALM, CALM[::-1].copy(), CALM ** 2, fixed=()), Example(CALM, CALM, 0 * CALM, reduction="none"),
        Example(CALM, CALM + 1, np.array([1.0, 2.0, 0.0, 1.0]), fixed=(2,), full=True)],
    "cosine_similarity": [*of_vectors(), Example(CALM, CALM[:1]), Example(CALM[0], np.array([2.0]), dim=0)],
    "pairwise_distance": [*[e for p in (2.0, 1.0, 3.0, INF, -INF, 0.0, 0.5) for e in of_vectors(p=p)],
                          *of_vectors(eps=0.0), *of_vectors(keepdim=True)],
    "cosine_embedding_loss": [
        *[Example(ROWS, other, np.full(len(ROWS), sign), fixed=(2,), reduction="none", margin=0.2) for sign in ONES
          for other in (SAME, np.zeros_like(ROWS))],
        Example(CALM, CALM[::-1].copy(), np.array([1.0, -1.0, 0.0, -1.0]), fixed=(2,)),
        *[Example(CALM[0], CALM[1], np.array(sign), fixed=(2,), margin=-0.5) for sign in ONES]],
    "margin_ranking_loss": [
        *[Example(*grid(KINKS, [1.0, -1.0, NAN], ONES), fixed=(2,), margin=margin, reduction="none")
          for margin in (0.0, 0.5, 2.0)],
        Example(CALM[0], CALM[1], np.array([1.0, -1.0, 1.0]), fixed=(2,))],
    "hinge_embedding_loss": [*of_pairs(ODD, np.array([1.0, -1.0, 1.0, 0.0])), *of_pairs(ODD, ONES, margin=0.5)],
    "soft_margin_loss": [*of_pairs(ODD, ONES)],
    "multilabel_soft_margin_loss": [
        *[Example(*(a.reshape(-1, 3) for a in grid(FINITE[:9], [0.0, 0.5, 1.0])), fixed=(1,), reduction=r)
          for r in REDUCTIONS],
        Example(CALM, (CALM > 0) * 1.0, weight=PARTLY, fixed=(1,)),
        *[Example(np.array([1.0, 2.0]), np.array([0.0, 1.0]), reduction=r) for r in REDUCTIONS]],
    "multilabel_margin_loss": [
        *[Example(CALM, np.array([[2, 0, -1], [-1, 0, 0], [0, 1, 2], [1, -1, 2]]), reduction=r) for r in REDUCTIONS],
        *[Example(CALM[0], np.array([0, -1, 1]), reduction=r) for r in REDUCTIONS]],
    "triplet_margin_loss": [
        *[Example(CALM, CALM[::-1].copy(), CALM * 1.5, **o) for o in (
            {}, {"swap": True}, {"p": 1.0}, {"p": INF}, {"margin": 0.5, "reduction": "none"})],
        *[Example(CALM[0], CALM[1], CALM[2] * 0.1, reduction=r, swap=s) for r in REDUCTIONS for s in (False, True)],
        Example(CALM, CALM, CALM)],
    "triplet_margin_with_distance_loss": [Example(CALM, CALM[::-1].copy(), CALM * 1.5), Example(CALM, CALM, CALM)],
    "ctc_loss": [
        Example(lp, targets, steps, lengths, reduction=r, zero_infinity=zero)
        for lp, targets, steps, lengths in (
            (ctc, np.array([[1, 2], [1, 1]]), np.array([4, 4]), np.array([2, 2])),
            (beyond, np.array([[1, 2], [1, 99]]), STEPS, np.array([2, 1])),
            (beyond, np.array([1, 2, 1]), STEPS, np.array([2, 1])),
            (ctc, np.array([[1, 2], [1, 2]]), np.array([4, 0]), np.array([2, 1])),
            (ctc, np.array([[1, 2], [1, 2]]), np.array([4, 0]), np.array([2, 0])),
            (ctc, np.array([[1, 2], [1, 1]]), np.array([4, 1]), np.array([0, 2])))
        for r in REDUCTIONS for zero in (False, True)] + [
        Example(ctc[:, 0], np.array([1, 2]), np.array(4), np.array(2), reduction=r, blank=blank) for r in REDUCTIONS
        for blank in (0,)] + [Example(ctc, np.array([[0, 1], [1, 1]]), STEPS, STEPS[::-1] // 2, blank=2)],
    "l1_penalty": [], "l2_penalty": [], "elastic_net_penalty": [],
    # Normalization
    "normalize": [Example(ROWS, p=p) for p in (2.0, 1.0, 3.0, INF, -INF, 0.5)] + [Example(CALM, dim=0)],
    "layer_norm": [Example(ROWS, (3,)), Example(CALM, (3,), CALM[0], CALM[1]), Example(IMAGES, (4, 3)),
                   Example(np.zeros((0, 3)), (3,), CALM[0]), Example(np.zeros((2, 0)), (0,))],
    "group_norm": [Example(np.concatenate([ROWS, ROWS[::-1]], 1), 2),
                   Example(IMAGES, 2, np.arange(1.0, 5.0), np.ones(4)),
                   Example(np.zeros((0, 4, 3)), 2, np.arange(4.0))],
    "instance_norm": [Example(ROWS[:, None])],
    "batch_norm": [Example(CALM, None, None, np.arange(1.0, 4.0), np.ones(3), True),
                   Example(IMAGES, None, None, training=True),
                   Example(ODD[:, None][np.isfinite(ODD)], None, None, training=True, eps=1e-3),
                   Example(ROWS, np.array([1.0, 0.0, 2.0]), np.array([1.0, 0.0, 4.0]), fixed=(1, 2)),
                   Example(np.zeros((0, 3, 2)), None, None, np.ones(3), training=True),
                   Example(np.zeros((0, 3)), np.zeros(3), np.ones(3), np.ones(3), fixed=(1, 2))],
    "rms_norm": [Example(ROWS, (3,), None, 1e-6), Example(CALM, (3,), CALM[0], 1e-3),
                 Example(IMAGES, (4, 3), None, 1e-5), Example(np.zeros((0, 3)), (3,))],
    "local_response_norm": [Example(IMAGES, 2), Example(IMAGES, 3, 0.5, 0.75, 2.0), Example(ROWS[:, :, None], 3),
                            Example(np.zeros((0, 3, 2)), 2)],
}
EXAMPLES |= {name + "_": EXAMPLES[name] for name in FUNCTIONS if name + "_" in FUNCTIONS}
CASES = [(name, example) for name in FUNCTIONS for example in EXAMPLES.get(name, []) if not name.endswith("_")]


def parameters(function):
    """The names of a function's parameters, without what is private."""
    return [name for name in inspect.signature(function).parameters if not name.startswith("_")]
