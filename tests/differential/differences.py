"""What differs from PyTorch on purpose: the one list. docs/design.md repeats it, and a test compares both."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

Matcher = Callable[[Any], bool]


def refused(*words: str) -> Matcher:
    """PyTorch refuses in these words what the engine does."""
    return lambda d: d.kind == "raises in PyTorch" and any(part in str(d.there) for part in words)


def calls(*names: str, kinds: tuple[str, ...] = ("value", "gradient", "dtype", "requires_grad"),
          when: Matcher = lambda d: True) -> Matcher:
    """The statement calls one of these (regular expressions), and what differs is of this kind."""
    pattern = re.compile(rf"\b({'|'.join(names)})\(")
    return lambda d: d.kind in kinds and pattern.search(d.statement) is not None and when(d)


def almost(rtol: float, atol: float = 0) -> Matcher:
    """What differs are numbers, and they differ in late digits."""
    return lambda d: (isinstance(d.here, np.ndarray) and isinstance(d.there, np.ndarray)
                      and np.allclose(d.here, d.there, rtol=rtol, atol=atol))


def integers(d: Any) -> bool:
    """What differs are integers."""
    return isinstance(d.here, np.ndarray) and d.here.dtype.kind == "i"


def not_finite(d: Any) -> bool:
    """In PyTorch some of it isn't finite."""
    return isinstance(d.there, np.ndarray) and not np.isfinite(d.there).all()


def of_gradient(d: Any) -> bool:
    """What differs is a gradient, by its name or by the statement that made it."""
    name = re.escape(d.name.partition("[")[0])
    return ".grad" in d.name or any(re.match(rf"{name} = .*\.grad\b", line) for line in d.program)


IN_PLACE_CONSTANTS = ("(eq|ne|lt|le|gt|ge|equal|not_equal|less|less_equal|greater|greater_equal|logical_and|logical_or|"
                      "logical_xor|logical_not)_")

DIFFERENCES: list[tuple[str, Matcher]] = [
    ("Division by zero, log(0) and the like give NumPy's RuntimeWarning beside the infinity.",
     lambda d: False),
    ("What a mask hides from attention, and the padding of a convolution, is left out and not multiplied by 0: a NaN "
     "there spreads no further.",
     lambda d: any(re.search(r"attention|Conv|conv|Transformer", line) for line in d.program) and not_finite(d)),
    ("At infinities activations and losses give their limit where there is one; PyTorch often gives NaN.",
     lambda d: d.kind in ("value", "gradient") and not_finite(d) and any(
         re.search(r"silu|hardswish|mish|gelu|SiLU|Hardswish|Mish|GELU|Loss", line) for line in d.program)),
    ("What a loss ignores, or what weighs 0 there, is not looked at: a NaN in it spoils neither the loss nor a "
     "gradient, and where nothing counts the gradient is 0. PyTorch multiplies it by 0. Dropped elements likewise.",
     lambda d: d.kind in ("value", "gradient") and not_finite(d) and any(
         re.search(r"Loss|loss|cross_entropy|[Dd]ropout", line) for line in d.program)),
    ("Normalization of rows whose squares overflow or underflow gives the right numbers; PyTorch gives 0, an infinity "
     "or NaN.",
     lambda d: d.kind in ("value", "gradient") and any(re.search(r"[Nn]orm|Cosine|Distance|cosine|distance", line)
                                                       for line in d.program)
     and any(re.search(r"\de[-+]?\d\d", line) for line in d.program)),
    ("`binary_cross_entropy` has in its target the derivative of what it computes, with the logarithm cut off; the "
     "gradient of `ctc_loss` is that in the log probabilities (PyTorch's is that in the scores before `log_softmax`).",
     lambda d: d.kind in ("value", "gradient") and any(re.search(r"BCELoss|CTC|binary_cross_entropy|ctc", line)
                                                       for line in d.program)
     and any(re.search(r"backward\(|grad\(", line) for line in d.program)),
    ("`sign` keeps NaN; `logsumexp` and its relatives of minus infinities have gradient 0, not NaN.",
     lambda d: calls("sign_?", "sgn_?", "logsumexp")(d) or calls("backward", "grad", when=lambda d: any(
         re.search("logsumexp|logcumsumexp|logaddexp", line) for line in d.program) and not_finite(d))(d)),
    ("Where a slope has a limit at an infinity (`logsumexp` of one inf, `hypot`, `atan2`, `x ** y`), it is that limit, "
     "where PyTorch has NaN.",
     lambda d: d.kind in ("value", "gradient") and not_finite(d) and any(
         re.search(r"hypot|atan2|arctan2|\*\*|pow", line) for line in d.program)),
    ("Norms, means and standard deviations of float32 overflow only if their values do; running sums of float32 are "
     "taken in float64.",
     lambda d: d.kind in ("value", "gradient") and any(
         re.search(r"norm|mean|std|var|cumsum|dist|cov", line) for line in d.program) and any(
         re.search(r"\de[-+]?\d\d|float16", line) for line in d.program)),
    ("`roll`, `repeat_interleave`, `unflatten` and `take_along_dim`, too, take a tensor without axes as if it had one.",
     lambda d: d.kind == "raises in PyTorch" and calls("roll", "repeat_interleave", "unflatten", "take_along_dim",
                                                       kinds=("raises in PyTorch",))(d)),
    ("Second derivatives are right where PyTorch gives NaN or 0: of determinants at singular matrices, of x ** y in "
     "both at y = 0.",
     lambda d: d.kind in ("value", "gradient") and any(re.search(r"det\(|\*\*|pow", line) for line in d.program)
     and any("create_graph=True" in line for line in d.program)),
    ("Losses with a margin keep a NaN, which PyTorch drops.",
     lambda d: d.kind in ("value", "gradient") and any("Margin" in line for line in d.program)
     and isinstance(d.here, np.ndarray) and np.isnan(d.here).any()),
    ("A view of a view, taken again after a change of the first, is one of the second still; in PyTorch it is one of "
     "the base alone.",
     lambda d: d.kind == "type" and isinstance(d.there, str) and d.there == "no tensor" and ".grad(" in d.statement),
    ("A NumPy array that shares a tensor's memory (`numpy()`, `from_numpy`) shows what is written outside recording, "
     "and not a recorded change, which gives the tensor new memory; in PyTorch it shows both.",
     lambda d: False),  # programs have no NumPy arrays
    ("No gradient shares memory with another one, with the graph or with what was passed to `backward()`; in PyTorch "
     "some do, and a write into one changes the other.",
     lambda d: False),  # PyTorch's new gradients are copied, see run.attempt
    ("A hook that writes into the gradient it is given changes no other gradient; in PyTorch it may.",
     lambda d: d.kind in ("value", "gradient") and any(re.search(r"lambda g: \(?g\.(mul|zero)_", line)
                                                       for line in d.program)),
    ("Where a saved tensor was changed in place while recording, PyTorch refuses the backward pass; the engine gives "
     "the gradient of the value that was used.",
     refused("modified by an inplace operation")),
    ("A write through `.data` to what a derivative needs is noticed; PyTorch computes with the new value.",
     lambda d: any(re.search(r"\.data\b.*(_\(|= )", line) for line in d.program) and (d.kind == "gradient" or (
         d.kind == "raises here" and "changed in place after the forward pass" in str(d.here)))),
    ("One of several views (`chunk`, `split`, `unbind`) may be written to while recording; PyTorch refuses.",
     lambda d: refused("multiple views", "detach views in-place",
                       "is a view and its base or another view of its base has been modified")(d)
     or (d.kind == "value" and any(re.search(r"unbind|split|chunk", line) for line in d.program)
         and re.search(r"\] [-+*/]= ", d.statement) is not None)),
    ("Elements that share one place in memory, as those of `expand` do, cannot be written to; PyTorch refuses most of "
     "such writes, and lets `zero_`, `fill_` and the like pass.",
     lambda d: refused("unsupported operation: ")(d) or (d.kind == "raises here" and "share one place" in str(d.here))),
    ("`unfold` has windows of at least one element.",
     lambda d: d.kind == "raises here" and "unfold" in str(d.here) and "size=0" in str(d.here)),
    ("Whether a function that has nothing to do returns its argument itself or a view of it.",
     lambda d: ((d.kind in ("requires_grad", "shape") and re.search(
         r"\b(requires_grad|squeeze|unsqueeze|detach|t)_\(|no_grad", d.statement) is not None)
                or (d.kind in ("gradient", "type") and "no tensor" in (str(d.here), str(d.there)))) and any(
         re.search(r"broadcast_tensors|flatten|ravel|contiguous|\.to\(", line) for line in d.program)),
    ("A view taken under `no_grad`, or of a constant, doesn't require gradients; in PyTorch its `requires_grad` is "
     "that of its base.",
     lambda d: d.kind == "requires_grad" and (d.there == "that of its base" or (
         d.there is True and ".requires_grad_(" in d.statement and not d.statement.startswith(d.name + ".")))),
    ("PyTorch refuses to write, while recording, to a view taken under `no_grad`.",
     refused("created in no_grad mode")),
    ("A comparison in place (`eq_`, `logical_and_`) has derivative zero in what it changes, and none in what it "
     "compares with; that of a leaf that requires gradients is refused as any other change. PyTorch lets it pass, with "
     "a history as if nothing had been changed.",
     lambda d: d.kind in ("raises here", "requires_grad", "gradient") and any(
         re.search(rf"\.{IN_PLACE_CONSTANTS}\(", line) for line in d.program)),
    ("`backward()` releases the whole graph, and a second pass is refused; PyTorch refuses only where something had "
     "been saved.",
     lambda d: d.kind == "raises here" and "released by an earlier backward pass" in str(d.here)),
    ("Whether a gradient whose own derivative is zero everywhere requires gradients.",
     lambda d: d.kind == "requires_grad" and of_gradient(d)),
    ("Adding to a gradient that has a history makes a new tensor of it; PyTorch writes into the old one.",
     lambda d: d.kind == "value" and any("create_graph=True" in line for line in d.program)
     and any(".grad" in line for line in d.program) and "backward(" in d.statement),
    ("`x += part of x` adds what the part was before; PyTorch may read what it has just written.",
     lambda d: d.kind == "value" and (match := re.match(r"(\w+)\.\w+_\((\w+)\)$", d.statement)) is not None
     and any(re.match(rf"{match[2]} = {match[1]}[.\[]", line) for line in d.program)),
    ("A hook on a view goes with the value that the view had; in PyTorch it is forgotten once the view is changed.",
     lambda d: d.kind in ("type", "value", "shape", "raises here") and any(
         "register_hook" in line for line in d.program)
     and any(re.search(r"^\w+ [-+*/]= |_\(", line) for line in d.program)),
    ("The gradient of a tensor by itself has that tensor's dtype and no history; PyTorch returns the very tensor that "
     "was passed as the gradient of the output.",
     lambda d: d.kind in ("dtype", "requires_grad") and re.search(r"\.grad\((\w+), \1, ", d.statement) is not None),
    ("PyTorch has no form of some functions for integers, booleans or float16; the engine computes them.",
     refused("not implemented for", "not supported for", "Expected a floating point", "must be floating point",
             "should be floating point", "expected floating point", "Low precision dtypes", "only support",
             "could not infer output dtype")),
    ("Arguments of different dtypes are promoted also in products of matrices and in writes by an index, where PyTorch "
     "refuses them, and in losses, where it keeps the dtype of the first.",
     lambda d: refused("to have the same dtype", "expected scalar type", "expected m1 and m2", "did not match",
                       "to have same dtype", "must have the same dtype", "must have be the same dtype",
                       "must have the same scalar type",
                       "Expected self.dtype to be equal")(d)
     or (d.kind == "dtype" and re.search(r"^\w+ = m\d+\(|solve_triangular|masked_fill|index_fill|square\(",
                                         d.statement) is not None)
     or (d.kind == "raises here" and "cannot be stored in place" in str(d.here))),
    ("The sign of a zero may differ.",
     calls("signbit")),
    ("An index is checked even where the result is empty.",
     lambda d: d.kind == "raises here" and "out of bounds" in str(d.here)),
    ("A value that `scatter` overwrites, because its index is repeated, has gradient 0; PyTorch gives it one.",
     lambda d: d.kind in ("gradient", "value") and any(
         re.search(r"scatter|index_copy|\[torch\.tensor\(.*\] .?= ", line) for line in d.program)
     and any("backward(" in line or ".grad(" in line for line in d.program)),
    ("`einsum` makes a new tensor; with one operand PyTorch's may be a view.",
     lambda d: d.kind in ("value", "raises in PyTorch") and any(
         re.search(r"einsum\('[^,]*', [\w\[\]]+\)", line) for line in d.program)),
    ("PyTorch's `median` and `kthvalue` read past the end of an expanded tensor.",
     lambda d: d.kind == "value" and re.search(r"median|kthvalue", d.statement) is not None
     and any("expand" in line for line in d.program)),
    ("`floor_divide` has gradient 0; PyTorch's has none.",
     refused("derivative for aten::floor_divide")),
    ("A sign has gradient 0, also that of `slogdet`; PyTorch leaves `.grad` None there.",
     lambda d: d.kind in ("gradient", "type") and isinstance(d.there, str) and not isinstance(d.here, str)
     and not d.here.any() and any("slogdet" in line for line in d.program)),
    ("Where a value was changed in place under `no_grad`, the engine refuses if its own rule reads it; PyTorch's "
     "formula may read another one.",
     lambda d: d.kind == "raises here" and "changed in place after the forward pass" in str(d.here)),
    ("`grad` runs a tensor's hooks before it takes the gradient; PyTorch does not where several gradients are asked "
     "for, of which one depends on the other.",
     lambda d: d.kind in ("value", "requires_grad") and re.search(r"\.grad\(.*\[\w.*, ", d.statement) is not None
     and any("register_hook" in line for line in d.program)),
    ("`backward(inputs=[t])` of a computed t fills `t.grad` this once; in PyTorch it is `t.retain_grad()` as well.",
     lambda d: d.kind in ("gradient", "requires_grad") and d.name.endswith(".grad")
     and any(f"inputs=[{d.name[:-5]}]" in line for line in d.program)),
    ("The gradient of `log_ndtr` at minus infinity is its limit, not NaN.",
     lambda d: d.kind == "gradient" and any("log_ndtr" in line for line in d.program) and not_finite(d)),
    ("`hardsigmoid` and `hardswish` divide by 6; PyTorch multiplies by 1/6 in single precision.",
     lambda d: any("ardsigmoid" in line or "ardswish" in line for line in d.program) and almost(rtol=1e-6)(d)),
    ("`einsum` of integers keeps their dtype; PyTorch's is often int64.",
     lambda d: d.kind == "dtype" and "einsum" in d.statement),
    ("The derivative of `2 ** x` has all its digits; PyTorch takes the logarithm of the number in single precision.",
     lambda d: any(re.search(r"\d \*\* ", line) for line in d.program) and almost(rtol=1e-6)(d)),
    ("Some results lie in memory in another order, and whether `reshape` and `flatten` share memory follows from it.",
     lambda d: d.layouts and d.kind == "value" and any(
         re.search(r"\b(reshape|flatten|ravel|contiguous)\(", line) for line in d.program)),
    ("Which of several equal elements `sort`, `topk`, `kthvalue`, `median` and `mode` name is not PyTorch's choice.",
     calls("sort", "argsort", "topk", "kthvalue", "median", "nanmedian", "mode", when=integers)),
    ("`cholesky` and `eigh` take the mean of both halves of a matrix that is not symmetric; PyTorch reads the lower "
     "one.",
     calls("cholesky", "eigvalsh", "eigh", kinds=("value", "raises here", "raises in PyTorch"))),
    ("What LAPACK makes of a matrix with infinities or NaN is not defined.",
     lambda d: any(re.search(r"inf\b|nan\b", line) for line in d.program) and (
         calls("qr", "svd", "svdvals", "det", "slogdet", "logdet", "inv", "inverse", "solve", "solve_triangular",
               "pinv", "pinverse", "cholesky", "eigvalsh", "matrix_norm",
               kinds=("value", "raises here", "raises in PyTorch"))(d)
         or (d.kind == "gradient" and any("det(" in line for line in d.program)))),
    ("`polygamma` and the derivative of `digamma` have all their digits, PyTorch's nine, and are infinite at poles.",
     lambda d: calls("polygamma_?")(d) or (d.kind in ("value", "gradient") and any(
         re.search(r"digamma|polygamma|psi\(", line) for line in d.program)
         and (almost(rtol=1e-7)(d) or np.isinf(d.here).any()))),
    ("The mean of numbers and an infinity is infinite; PyTorch's `std_mean` and `var_mean` give NaN.",
     calls("std_mean", "var_mean", when=lambda d: not_finite(d))),
    ("PyTorch adds 1e-12 to the squares in `cosine_embedding_loss`.",
     lambda d: any("CosineEmbeddingLoss" in line for line in d.program) and almost(rtol=1e-10, atol=1e-10)(d)),
]
"""(what differs and why, whether a difference is that one)."""


def reason_for(found: Any) -> str | None:
    """Why a difference is meant, or None."""
    return next((reason for reason, matches in DIFFERENCES if matches(found)), None)
