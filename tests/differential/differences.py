"""What differs from PyTorch on purpose: the one list. docs/design.md repeats it, and a test compares both.

An entry says which statements have to take part: the one after which the two differ, or, of a gradient, one of those
without which it would be another (`Difference.needed`); and what every differing element has to be.
"""

import ast
import re
from collections.abc import Callable
from typing import Any

import numpy as np

Matcher = Callable[[Any], bool]


def refused(*words: str) -> Matcher:
    """PyTorch refuses in these words what the engine does."""
    return lambda d: d.kind == "raises in PyTorch" and any(part in str(d.there) for part in words)


def calls(*names: str, kinds: tuple[str, ...] = ("value",), when: Matcher = lambda d: True) -> Matcher:
    """The statement calls one of these (regular expressions), and what differs is of this kind."""
    pattern = re.compile(rf"\b({'|'.join(names)})\(")
    return lambda d: d.kind in kinds and pattern.search(d.statement) is not None and when(d)


def takes_part(d: Any, *patterns: str) -> bool:
    """For each of these regular expressions there is a statement that fits and takes part in the difference."""
    def fit(lines: list[str]) -> bool:
        return all(any(re.search(pattern, line) for line in lines) for pattern in patterns)
    return fit(d.program[:d.index + 1]) and fit(d.needed)


def numbers(there: Callable = lambda x: np.array(True), here: Callable = lambda x: np.array(True)) -> Matcher:
    """Numbers differ, and all that differ are such in PyTorch, and such here."""
    def matches(d: Any) -> bool:
        return (d.kind in ("value", "gradient") and isinstance(d.here, np.ndarray) and isinstance(d.there, np.ndarray)
                and bool(np.all(there(d.there[d.apart])) and np.all(here(d.here[d.apart]))))
    return matches


def almost(rtol: float, atol: float = 0) -> Matcher:
    """Numbers differ in late digits."""
    return lambda d: numbers()(d) and np.allclose(d.here, d.there, rtol=rtol, atol=atol, equal_nan=True)


def integers(d: Any) -> bool:
    """What differs are integers."""
    return isinstance(d.here, np.ndarray) and d.here.dtype.kind == "i"


def of_gradient(d: Any) -> bool:
    """What differs is a gradient, by its name or by the statement that made it."""
    name = re.escape(d.name.partition("[")[0])
    return ".grad" in d.name or any(re.match(rf"{name} = .*\.grad\b", line) for line in d.program)


def has_slope_zero(d: Any) -> bool:
    """Whether the side that says that a tensor requires gradients finds all of them zero."""
    scope = d.again("ours" if d.here is True else "theirs", lambda line: re.sub(
        r"(backward\()((?!.*_graph).*)\)$", r"\1\2, retain_graph=True)", line).replace("(, ", "("))
    leaves = [t for t in scope.values() if getattr(t, "is_leaf", False) and t.requires_grad]
    value = eval(d.name, dict(scope))
    slopes = scope["torch"].autograd.grad(value.sum(), leaves, retain_graph=True, allow_unused=True)
    return all(g is None or not g.detach().numpy().any() for g in slopes)


SPREAD = ("expand", "expand_as", "broadcast_to", "broadcast_tensors", "meshgrid", "unfold")


def share_one_place(d: Any) -> bool:
    """Whether a statement that takes part makes a tensor of which several elements share one place in memory."""
    for line in d.needed:
        for node in ast.walk(ast.parse(line)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SPREAD:
                made = eval(ast.unparse(node), dict(d.theirs))
                for t in made if isinstance(made, (tuple, list)) else [made]:
                    places = sum(np.arange(n).reshape([-1] + [1] * (t.ndim - i - 1)) * step
                                 for i, (n, step) in enumerate(zip(t.shape, t.stride(), strict=True)))
                    if len(np.unique(places)) < t.numel() or not t.numel():
                        return True
    return False


nan_there = numbers(there=np.isnan)
IN_PLACE = r"\b\w+ [-+*/]= |_\(|\] ([-+*/]|)= |inplace=True"
IN_PLACE_CONSTANTS = ("(eq|ne|lt|le|gt|ge|equal|not_equal|less|less_equal|greater|greater_equal|logical_and|logical_or|"
                      "logical_xor|logical_not)_")

DIFFERENCES: list[tuple[str, Matcher]] = [
    ("Division by zero, log(0) and the like give NumPy's RuntimeWarning beside the infinity.",
     lambda d: False),
    ("What a mask hides from attention, and the padding of a convolution, is left out and not multiplied by 0: a NaN "
     "there spreads no further.",
     lambda d: nan_there(d) and takes_part(d, "attention|Attention|Conv|conv|Transformer")),
    ("At infinities activations and losses give their limit where there is one; PyTorch often gives NaN.",
     lambda d: nan_there(d) and takes_part(d, "(?i)silu|hardswish|mish|gelu|softsign|tanhshrink|Loss")),
    ("What a loss ignores, or what weighs 0 there, is not looked at: a NaN in it spoils neither the loss nor a "
     "gradient, and where nothing counts the gradient is 0. PyTorch multiplies it by 0. Dropped elements likewise.",
     lambda d: nan_there(d) and takes_part(d, "(?i)loss|cross_entropy|dropout")),
    ("A window of max pooling that lies in the padding entirely, as a dilation may have it, has its maximum at index "
     "-1; PyTorch names a place outside the image.",
     lambda d: False),
    ("Normalization of constant rows gives what the rounding of their mean leaves, times 1 / √eps (some 1e-3 at most "
     "for numbers near 1), not exactly 0.",
     lambda d: False),
    ("`ctc_loss` of a target that does not fit is infinite, with the gradient 0; PyTorch's is NaN.",
     lambda d: False),
    ("Normalization of rows whose squares overflow or underflow gives the right numbers; PyTorch gives 0, an infinity "
     "or NaN.",
     lambda d: numbers(there=lambda x: (x == 0) | ~np.isfinite(x))(d)
     and takes_part(d, "[Nn]orm|(?i:cosine|distance)", r"\de[-+]?\d\d")),
    ("`binary_cross_entropy` has in its target the derivative of what it computes, with the logarithm cut off; the "
     "gradient of `ctc_loss` is that in the log probabilities (PyTorch's is that in the scores before `log_softmax`).",
     lambda d: numbers()(d) and (of_gradient(d) or ".grad(" in d.statement)
     and takes_part(d, "BCELoss|CTC|binary_cross_entropy|ctc")),
    ("`sign` keeps NaN; `logsumexp` and its relatives of minus infinities have gradient 0, not NaN.",
     lambda d: calls("sign_?", "sgn_?", when=numbers(here=np.isnan))(d) or (
         nan_there(d) and takes_part(d, "logsumexp|logcumsumexp|logaddexp"))),
    ("Where a slope has a limit at an infinity (`logsumexp` of one inf, `hypot`, `atan2`, `cumprod`, `x ** y`), it is "
     "that limit, where PyTorch has NaN.",
     lambda d: nan_there(d) and takes_part(d, r"hypot|atan2|arctan2|cumprod|\*\*|pow")),
    ("What was not taken (by `amin`, `norm` of infinities, `maximum` and the like) has gradient 0, whatever gradient "
     "arrives; PyTorch multiplies an infinity or a NaN by 0.",
     lambda d: nan_there(d) and d.kind == "gradient"
     and takes_part(d, r"amin|amax|aminmax|norm|max|min\b|median|dist")),
    ("`x ** 0.5` is the square root of x, NaN at minus infinity; in PyTorch not for float16.",
     lambda d: numbers(there=np.isinf, here=np.isnan)(d) and re.search(r"\*\* 0.5|pow\w*\(.*0.5\)", d.statement)
     is not None),
    ("Which of two equally cheap orders `multi_dot` takes.",
     calls("multi_dot", when=lambda d: takes_part(d, "inf|nan"))),
    ("Norms, means and standard deviations of float32 overflow only if their values do; running sums of float32 are "
     "taken in float64.",
     lambda d: numbers(there=lambda x: (x == 0) | ~np.isfinite(x))(d)
     and takes_part(d, "norm|mean|std|var|cumsum|dist|cov") and takes_part(d, r"\de[-+]?\d\d|float16|float32")),
    ("`roll`, `repeat_interleave`, `unflatten` and `take_along_dim`, too, take a tensor without axes as if it had one.",
     lambda d: d.kind == "raises in PyTorch" and calls("roll", "repeat_interleave", "unflatten", "take_along_dim",
                                                       kinds=("raises in PyTorch",))(d)),
    ("Second derivatives are right where PyTorch gives NaN or 0: of determinants at singular matrices, of x ** y in "
     "both at y = 0.",
     lambda d: numbers(there=lambda x: (x == 0) | np.isnan(x))(d)
     and takes_part(d, r"det\(|\*\*|pow", "create_graph=True")),
    ("Losses with a margin keep a NaN, which PyTorch drops, and take the difference of two scores first.",
     lambda d: takes_part(d, "Margin") and (numbers(here=np.isnan)(d) or (
         numbers()(d) and takes_part(d, r"Margin", r"\de\+?\d\d")))),
    ("A view of a view, taken again after a change of the first, is one of the second still; in PyTorch it is one of "
     "the base alone.",
     lambda d: d.kind == "type" and str(d.there) == "no tensor" and ".grad(" in d.statement
     and takes_part(d, IN_PLACE)),
    ("A view that was taken before its tensor's shape changed in place is one of the tensor as it was; in PyTorch it "
     "is one of the tensor as it is.",
     lambda d: d.kind in ("type", "gradient") and str(d.here) == "no tensor"
     and takes_part(d, r"\b(t|squeeze|unsqueeze|transpose|swapaxes)_\(")),
    ("A gradient goes to those outputs of an operation from which it leads to what is asked for; in PyTorch to all.",
     lambda d: d.kind == "gradient" and str(d.here) == "no tensor" and takes_part(d, "retain_grad", r"\w\[\d\]")
     and ".grad(" in d.statement),
    ("A NumPy array that shares a tensor's memory (`numpy()`, `from_numpy`) shows what is written outside recording, "
     "and not a recorded change, which gives the tensor new memory; in PyTorch it shows both.",
     lambda d: False),  # programs have no NumPy arrays
    ("No gradient shares memory with another one, with the graph or with what was passed to `backward()`; in PyTorch "
     "some do, and a write into one changes the other.",
     lambda d: False),  # PyTorch's new gradients are copied, see run.attempt
    ("A hook that writes into the gradient it is given changes no other gradient; in PyTorch it may.",
     lambda d: numbers()(d) and takes_part(d, r"lambda g: \(?g\.(mul|zero)_")),
    ("Where a saved tensor was changed in place while recording, PyTorch refuses the backward pass; the engine gives "
     "the gradient of the value that was used.",
     lambda d: False),  # PyTorch computes it, too, where it keeps copies, see run.with_what_was_used
    ("A write through `.data` to what a derivative needs is noticed, or changes a copy; PyTorch computes with the new "
     "value.",
     lambda d: (d.kind == "gradient" or (d.kind == "raises here" and "after the forward pass" in str(d.here)))
     and (takes_part(d, r"^\w+\.data\b.*(_\(|= )") or takes_part(d, r"^\w+ = .*\.data\b", IN_PLACE))),
    ("One of several views (`chunk`, `split`, `unbind`) may be written to while recording; PyTorch refuses.",
     lambda d: refused("multiple views", "detach views in-place",
                       "is a view and its base or another view of its base has been modified")(d)
     or (d.kind == "value" and re.search(r"(unbind|split|chunk)\(.*\] [-+*/]= ", d.statement) is not None)),
    ("Elements that share one place in memory, as those of `expand` do, cannot be written to, nor can a part of them; "
     "PyTorch refuses most of such writes, and lets `zero_`, `fill_` and the like pass.",
     lambda d: refused("unsupported operation: ")(d) or (d.kind == "raises here" and "share one place" in str(d.here)
                                                         and share_one_place(d))),
    ("Whether a function that has nothing to do returns its argument itself, a view of it or a copy.",
     lambda d: ((d.kind in ("requires_grad", "shape", "value") and re.search(
         r"\b(requires_grad|squeeze|unsqueeze|detach|t)_\(|no_grad", d.statement) is not None)
                or (d.kind in ("gradient", "type") and "no tensor" in (str(d.here), str(d.there)))
                or refused("a view of a leaf Variable")(d)
                or (d.kind == "raises here" and "switched off" in str(d.here))
                or (d.kind == "gradient" and takes_part(d, "register_hook|retain_grad|inputs=")))
     and takes_part(d, r"broadcast_tensors|flatten|ravel|contiguous|\.to\(|meshgrid\(\w+, indexing")),
    ("The shape of a view of a leaf may be changed in place, since no value changes; PyTorch refuses.",
     lambda d: refused("a view of a leaf Variable")(d) and re.search(r"\b(squeeze|unsqueeze|t)_\(", d.statement)
     is not None),
    ("A view taken under `no_grad`, or of a constant, doesn't require gradients; in PyTorch its `requires_grad` is "
     "that of its base.",
     lambda d: d.kind == "requires_grad" and (str(d.there) == "that of its base" or (
         d.there is True and ".requires_grad_(" in d.statement and not d.statement.startswith(d.name + ".")))),
    ("PyTorch refuses to write, while recording, to a view taken under `no_grad`.",
     refused("created in no_grad mode")),
    ("A comparison in place (`eq_`, `logical_and_`) has derivative zero in what it changes, and none in what it "
     "compares with; that of a leaf that requires gradients is refused as any other change. PyTorch lets it pass, with "
     "a history as if nothing had been changed.",
     lambda d: d.kind in ("raises here", "requires_grad", "gradient", "value", "type")
     and takes_part(d, rf"\.{IN_PLACE_CONSTANTS}\(")),
    ("`backward()` releases the whole graph, and a second pass is refused; PyTorch refuses only where something had "
     "been saved.",
     lambda d: d.kind == "raises here" and "released by an earlier backward pass" in str(d.here)),
    ("Whether a gradient whose own derivative is zero everywhere requires gradients.",
     lambda d: d.kind == "requires_grad" and of_gradient(d) and has_slope_zero(d)),
    ("Adding to a gradient that has a history makes a new tensor of it; PyTorch writes into the old one.",
     lambda d: d.kind == "value" and "backward(" in d.statement
     and takes_part(d, r"create_graph=True|_\(", r" = \w+\.grad$")),
    ("`x += part of x` adds what the part was before; PyTorch may read what it has just written.",
     lambda d: d.kind == "value" and (match := re.match(r"(\w+)\.\w+_\((\w+)\)$", d.statement)) is not None
     and any(re.match(rf"{match[2]} = {match[1]}[.\[]", line) for line in d.program)),
    ("A hook on a view, as of `retain_grad`, goes with the value that the view had; in PyTorch it is forgotten once "
     "the view is changed.",
     lambda d: d.kind in ("type", "value", "shape", "raises here", "gradient")
     and takes_part(d, "register_hook|retain_grad", IN_PLACE)),
    ("The gradient of a tensor by itself has that tensor's dtype and no history; PyTorch returns the very tensor that "
     "was passed as the gradient of the output.",
     lambda d: d.kind in ("dtype", "requires_grad") and re.search(r"\.grad\((\w+), \1, ", d.statement) is not None),
    ("PyTorch has no form of some functions for integers, booleans or float16; the engine computes them.",
     refused("not implemented for", "not supported for", "Expected a floating point", "must be floating point",
             "should be floating point", "expected floating point", "Low precision dtypes", "only support",
             "could not infer output dtype", "does not support bool", "with a bool tensor is not supported",
             "with 2 or more dimensions of float", "to have floating point")),
    ("What is computed of float16 and a Python number, or in several steps of float16 as `sigmoid` is, is rounded at "
     "each step; PyTorch computes in float32 and rounds once.",
     lambda d: False),  # programs have no float16
    ("`any` and `all` of uint8 are booleans; in PyTorch they are uint8.",
     lambda d: False),  # programs have no uint8
    ("An integer tensor and a fraction are compared exactly; PyTorch rounds both to float32.",
     lambda d: False),  # programs have small integers
    ("Arguments of different dtypes are promoted also in products of matrices and in writes by an index, where PyTorch "
     "refuses them, and in losses, where it keeps the dtype of the first.",
     lambda d: refused("to have the same dtype", "expected scalar type", "expected m1 and m2", "did not match",
                       "to have same dtype", "must have the same dtype", "must have be the same dtype",
                       "must have the same scalar type", "should have same dtype", "should be the same",
                       "source and destination dtypes match",
                       "Expected self.dtype to be equal")(d)
     or (d.kind == "dtype" and re.search(r"^\w+ = m\d+\(|solve_triangular|square\(",
                                         d.statement) is not None)
     or (d.kind == "raises here" and "cannot be stored in place" in str(d.here))),
    ("The sign of a zero may differ.",
     calls("signbit")),
    ("An index is checked even where the result is empty.",
     lambda d: d.kind == "raises here" and "out of bounds" in str(d.here) and takes_part(d, r"\b0\b")),
    ("A value that `scatter` overwrites, because its index is repeated, has gradient 0; PyTorch gives it one.",
     lambda d: numbers()(d) and (of_gradient(d) or ".grad(" in d.statement)
     and takes_part(d, r"scatter|index_copy|\[torch\.tensor\(.*\] .?= ")),
    ("`einsum` makes a new tensor; with one operand PyTorch's may be a view.",
     lambda d: d.kind in ("value", "raises in PyTorch") and takes_part(d, r"einsum\('[^,]*', [\w\[\]]+\)", IN_PLACE)),
    ("PyTorch's `median` and `kthvalue` read past the end of an expanded tensor.",
     lambda d: calls("median", "nanmedian", "kthvalue")(d) and takes_part(d, "expand")),
    ("`floor_divide` has gradient 0; PyTorch's has none.",
     refused("derivative for aten::floor_divide")),
    ("Integers to the power of negative integers are refused; PyTorch refuses a negative number and gives 0, 1 or -1 "
     "for a tensor.",
     lambda d: d.kind == "raises here" and "Integers to negative integer powers" in str(d.here)),
    ("`kron` takes matrices in any order in memory; PyTorch may refuse them.",
     lambda d: refused("view size is not compatible")(d) and "kron(" in d.statement),
    ("A sign has gradient 0, also that of `slogdet`; PyTorch leaves `.grad` None there.",
     lambda d: d.kind in ("gradient", "type") and isinstance(d.there, str) and not isinstance(d.here, str)
     and not d.here.any() and takes_part(d, "slogdet")),
    ("Where a value was changed in place under `no_grad`, the engine refuses if its own rule reads it; PyTorch's "
     "formula may read another one.",
     lambda d: d.kind == "raises here" and "changed in place after the forward pass" in str(d.here)
     and takes_part(d, r"no_grad|detach|\.data|\.grad")),
    ("`grad` runs a tensor's hooks before it takes the gradient; PyTorch does not where several gradients are asked "
     "for, of which one depends on the other.",
     lambda d: d.kind in ("value", "requires_grad") and re.search(r"\.grad\(.*\[\w.*, ", d.statement) is not None
     and takes_part(d, "register_hook")),
    ("`backward(inputs=[t])` of a computed t fills `t.grad` this once; in PyTorch it is `t.retain_grad()` as well.",
     lambda d: d.kind in ("gradient", "requires_grad") and d.name.endswith(".grad")
     and not eval(d.name[:-5], dict(d.theirs)).is_leaf and takes_part(d, r"inputs=\[")),
    ("The gradient of `log_ndtr` at minus infinity is its limit, not NaN.",
     lambda d: nan_there(d) and takes_part(d, "log_ndtr")),
    ("`hardsigmoid` and `hardswish` divide by 6; PyTorch multiplies by 1/6 in single precision.",
     lambda d: almost(rtol=1e-6)(d) and takes_part(d, "ardsigmoid|ardswish")),
    ("`celu` divides by alpha; PyTorch multiplies by 1/alpha in single precision.",
     lambda d: almost(rtol=1e-6, atol=1e-8)(d) and takes_part(d, "CELU|celu")),
    ("`einsum` has the dtype that its operands have together; PyTorch's is often int64 for integers, and minds tensors "
     "without axes.",
     lambda d: d.kind == "dtype" and "einsum" in d.statement),
    ("The derivative of `2 ** x` has all its digits; PyTorch takes the logarithm of the number in single precision.",
     lambda d: almost(rtol=1e-6)(d) and takes_part(d, r"\d \*\* ")),
    ("Some results lie in memory in another order, and whether `reshape` and `flatten` share memory follows from it.",
     lambda d: d.kind == "value" and d.layouts and takes_part(d, r"\b(reshape|reshape_as|flatten|ravel|contiguous)\(")),
    ("Which of several equal elements `sort`, `topk`, `kthvalue`, `median` and `mode` name is not PyTorch's choice.",
     calls("sort", "argsort", "topk", "kthvalue", "median", "nanmedian", "mode", when=integers)),
    ("`cholesky` and `eigh` take the mean of both halves of a matrix that is not symmetric; PyTorch reads the lower "
     "one.",
     calls("cholesky", "eigvalsh", "eigh", kinds=("value", "raises here", "raises in PyTorch"))),
    ("What LAPACK makes of a matrix with infinities or NaN is not defined.",
     lambda d: takes_part(d, r"inf\b|nan\b") and (
         calls("qr", "svd", "svdvals", "det", "slogdet", "logdet", "inv", "inverse", "solve", "solve_triangular",
               "pinv", "pinverse", "cholesky", "eigvalsh", "matrix_norm",
               kinds=("value", "raises here", "raises in PyTorch"))(d)
         or (d.kind == "gradient" and takes_part(d, r"det\(")))),
    ("`polygamma` and the derivative of `digamma` have all their digits, PyTorch's nine, and are infinite at poles.",
     lambda d: numbers()(d) and bool(np.all(np.isinf(d.here[d.apart]) | np.isclose(
         d.here[d.apart], d.there[d.apart], rtol=1e-7, atol=0))) and takes_part(d, r"digamma|polygamma|psi\(")),
    ("The mean of numbers and an infinity is infinite; PyTorch's `std_mean` and `var_mean` give NaN.",
     calls("std_mean", "var_mean", when=nan_there)),
    ("PyTorch adds 1e-12 to the squares in `cosine_embedding_loss`.",
     lambda d: almost(rtol=1e-10, atol=1e-10)(d) and takes_part(d, "CosineEmbeddingLoss")),
]
"""(what differs and why, whether a difference is that one)."""


def reason_for(found: Any) -> str | None:
    """Why a difference is meant, or None."""
    return next((reason for reason, matches in DIFFERENCES if matches(found)), None)
