"""What is raised when a call cannot be done: what was given, why it can't be, and what to write instead.

Whoever finds the reason raises the reason alone. The call, as the user wrote it, is put before it here, where the user
came in: at an operation, a function of `nn.functional`, a layer, an optimizer. An outer call takes the place of an
inner one, so no name appears that the user didn't write.
"""

import difflib
import functools
import inspect
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FrameType
from typing import Any, TypeVar

_Class = TypeVar("_Class", bound=type)
_PACKAGES = ("autograd", "nn", "optim", "viz")
_PLAINLY = ("builtins", "numpy.linalg", __name__)
_PLAIN = (str, bytes, int, float, list, tuple, dict, set)
REFUSALS = (TypeError, ValueError, IndexError, RuntimeError, ArithmeticError, AttributeError)
"""What is explained; other exceptions are not about a call's arguments."""


class ShapeError(RuntimeError, ValueError):
    """The arguments' shapes or values do not fit an operation (PyTorch raises RuntimeError here, NumPy ValueError)."""


def no_axis(dim: Any, ndim: int, extra: int = 0) -> IndexError:
    """The error of an axis that there isn't; a tensor without axes is taken to have one."""
    end = ndim + extra or 1
    return IndexError(f"dim={dim} is out of range for a tensor with {ndim} axes; it may be {-end} to {end - 1}")


_NO_TENSORS = "str|int|float|bool|list|tuple|dict|set|NoneType|function"
_IN_PLAIN_WORDS = [(re.compile(pattern, re.DOTALL), text) for pattern, text in {
    r"operands could not be broadcast together with remapped shapes \[original->remapped\]: (\S+) +and requested shape "
    r"(\S+)": r"shape \1 cannot be broadcast to \2",
    r"operands could not be broadcast together with remapped shapes \[original->remapped\]: (\([\d,]*\))->\S+ "
    r"(\([\d,]*\))->\S+ +and requested .*": r"the stacks of matrices in shapes \1 and \2 cannot be broadcast together",
    r"operands could not be broadcast together with remapped .*":
        "a letter of the equation stands for axes of different lengths",
    r"operands could not be broadcast together with shapes (.*)": r"shapes \1 cannot be broadcast together",
    r"(operands|shape mismatch|could not broadcast|.*cannot be broadcast).*":
        r"\g<0>; shapes are compared from the right and must be equal or 1 there: unsqueeze() inserts an axis of 1",
    r"matmul: .* \(size (\d+) is different from (\d+)\)":
        r"the rows of the first matrix have \2 elements and the columns of the second \1; they must have as many: "
        "shapes (n, k) and (k, m)",
    r"\w+: Input operand .* \(size (\d+) is different from (\d+)\)": r"lengths \1 and \2 meet where they must be equal",
    r"matmul: .*does not have enough dimensions.*":
        "both need at least one axis; a product with a number is x * y",
    r".*numpy boolean negative,.*":
        "a boolean has no negative; to invert a mask write ~t, to calculate with 0 and 1 t.int()",
    r".*numpy boolean subtract,.*":
        "booleans are not subtracted; for where two masks differ write a ^ b, to calculate with 0 and 1 t.int()",
    r"ufunc '\w+' (not supported for the input types|did not contain a loop).*":
        "elements of this type have no such operation; convert them first: t.float(), t.long() or t.bool()",
    r"loop of ufunc does not support argument \d+ of type (\w+).*": r"a \1 is no number",
    r".* not supported between instances of .*'str'.*|not all arguments converted during string formatting":
        "a number belongs where text was given",
    rf"'({_NO_TENSORS})' object has no attribute '(array|ndim|shape|dtype|size|astype|dim|unsqueeze|reshape|tracked)'":
        r"a Tensor belongs in the place of this \1",
    r"unsupported operand type.*": "both must be Tensors, arrays or numbers",
    r"cannot reshape array of size (\d+) into shape (.+)":
        r"\1 elements cannot fill the shape \2; one length may be -1, it is then computed",
    r"all the input array dimensions .* along dimension (\d+), .* index (\d+) has size (\d+) .* index (\d+) has size "
    r"(\d+)": r"along axis \1 tensor \2 has \3 elements and tensor \4 has \5; only the axis along which they are "
    "joined may differ",
    r"all input arrays must have the same shape": "the tensors must all have one shape",
    r"need at least one array to .*": "there is no tensor in the list",
    r"zero-size array to reduction operation (\w+) .*": r"there is no element to take the \1 of",
    r"attempt to get arg\w+ of an empty sequence": "there is no element to choose from",
    r"arrays used as indices must be of integer.*": "an index must hold integers or booleans; write index.long()",
    r"Last 2 dimensions of the array must be square": "the last two axes must have one length: a square matrix",
    r"Singular matrix": "the matrix is singular, it has no inverse; linalg.pinv() gives the nearest to one",
    r"too many indices for array: array is (\d+)-dimensional, but (\d+) were indexed":
        r"there are too many indices: \2 for \1 axes",
    r"only integers, slices .*":
        "an index is an integer, a slice, ..., None, or a Tensor or list of integers or booleans",
    r"'(\w+)' object cannot be interpreted as an integer": r"a whole number belongs in the place of this \1",
}.items()]
"""NumPy's and Python's words, and ours for those who have not met theirs."""


def reason_of(error: BaseException) -> str:
    """What an error says, without the call that is named in it."""
    said = getattr(error, "reason", None)
    if said is None:
        said = str(error).rstrip()
        for pattern, text in _IN_PLAIN_WORDS:
            if pattern.fullmatch(said):
                said = pattern.sub(text, said, 1)
    return said


def shown(value: Any) -> str:
    """A value that was given, on one short line: of an array the dtype and the shape."""
    if hasattr(value, "shape") and hasattr(value, "dtype") and not isinstance(value, type):
        return f"{value.dtype}{list(value.shape)}"
    if isinstance(value, (list, tuple)) and any(hasattr(part, "shape") for part in value):
        return "[{}]".format(", ".join(map(shown, value)))
    if inspect.isroutine(value) or inspect.isclass(value):
        return value.__name__
    if isinstance(value, Iterator):
        return f"a {type(value).__name__}"
    text = " ".join(repr(value).split()) if isinstance(value, _PLAIN) else repr(value)
    if len(text) <= 60 and "\n" not in text:
        return text
    return f"{text[:57]}..." if isinstance(value, _PLAIN) else f"{type(value).__name__}(...)"


def explained(error: Exception, name: str, args: Iterable = (), options: Mapping[str, Any] | None = None,
              kind: type[Exception] | None = None) -> Exception:
    """`error` with the call that led to it before its reason; of another `kind` if one is named."""
    given = [*map(shown, args), *[f"{key}={shown(value)}" for key, value in (options or {}).items()]]
    reason = reason_of(error)
    own: Any = type(error)
    if own.__module__.partition(".")[0] not in ("builtins", "numpy", "autograd"):
        return error  # a user's, who says it in another way
    if own is AttributeError:
        if reason == str(error):
            return error  # not about what was given
        kind = TypeError
    # NumPy has exceptions that word their text themselves; what they are based on does not
    wanted: Any = kind or next(k for k in own.__mro__ if k.__module__ in _PLAINLY and k.__str__ is Exception.__str__)
    text = f"{name}({', '.join(given)}): {reason}"
    named: Any = error
    if wanted is own:
        named.args = (text,)
    else:
        named = wanted(text)
        named.__cause__ = error
    named.reason, named.call = reason, (name, [*args, *(options or {}).values()])
    return named


def close_to(name: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """A question whether one of `names` was meant, if one is close."""
    close = difflib.get_close_matches(name, list(names), 1, cutoff)
    return f"; did you mean '{close[0]}'?" if close else ""


def unfit(name: str, signature: inspect.Signature, args: tuple, kwargs: dict, *others: str) -> str | None:
    """Why arguments do not fit a signature, None if they do; `others` are names that it takes besides."""
    try:
        signature.bind(*args, **kwargs)
        return None
    except TypeError as error:
        why = str(error)
    parameters = signature.parameters
    called = f"It is called {form(name, signature)}"
    unknown = [key for key in kwargs if key not in parameters]
    if unknown and all(p.kind is not p.VAR_KEYWORD for p in parameters.values()):
        guess = close_to(unknown[0], [*parameters, *others])
        return f"there is no option '{unknown[0]}'{guess or '.'} {called}"
    if "missing" in why:
        missing = re.findall(r"'(\w+)'", why)
        return f"the argument '{missing[0]}' is missing. {called}"
    return f"{why.replace('multiple values for argument', 'two values were given for the argument')}. {called}"


def form(name: str, signature: inspect.Signature) -> str:
    """How a function is called: its name and parameters, without their types."""
    parameters = [p.replace(annotation=p.empty) for p in signature.parameters.values()]
    return f"{name}{signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty)}"


def refused(error: Exception, name: str, signature: inspect.Signature, args: tuple, kwargs: dict) -> Exception:
    """`error`, from a call of a Python function, explained."""
    if isinstance(error, TypeError) and not hasattr(error, "reason"):
        why = unfit(name, signature, args, kwargs)
        if why is not None:
            error = TypeError(why)
            error.__cause__ = None
    return explained(error, name, args, kwargs)


def explaining(function: Callable) -> Callable:
    """`function`, whose errors begin with its name and what it was given."""
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except REFUSALS as error:
            raise refused(error, function.__name__, inspect.signature(function), args, kwargs)
    return call


def explain_functions(package: dict[str, Any]) -> None:
    """Let the errors of a package's functions begin with their names, in the modules that they are from as well."""
    for name, function in list(package.items()):
        if inspect.isfunction(function) and is_of(function, package["__name__"]) and not hasattr(function, "operation"):
            package[name] = vars(sys.modules[function.__module__])[name] = explaining(function)


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning at the user's line, however deep in these packages it is found."""
    warnings.warn(message, category, stacklevel=users_frame()[1])


def users_frame() -> tuple[FrameType | None, int]:
    """Where the user's own code is, and how many frames the caller is further on."""
    frame, depth = sys._getframe(1), 1
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _PACKAGES:
        frame, depth = frame.f_back, depth + 1
    return frame, depth


def is_of(cls: Any, module: str) -> bool:
    """Whether a class or function is of the package that a module is in, and not a user's."""
    return cls.__module__.partition(".")[0] == module.partition(".")[0]


def explain_constructor(cls: _Class) -> _Class:
    """Let the errors of a class's constructor begin with the name of the class that the user wrote."""
    init = cls.__dict__.get("__init__")
    if init is None:
        return cls

    @functools.wraps(init)
    def construct(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            init(self, *args, **kwargs)
        except REFUSALS as error:
            signature = inspect.signature(functools.partial(init, self))
            raise refused(error, type(self).__name__, signature, args, kwargs)
    cls.__init__ = construct  # type: ignore[misc]
    return cls
