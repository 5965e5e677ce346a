"""Run a program in both libraries side by side; compare, judge, shrink.

Values are compared element by element with a tolerance that only allows for another order of additions. What is beyond
it is judged: PyTorch runs the program again a few times, with the last digits of every result changed at random. A
difference counts if it is larger than what that does.
"""

import ast
import contextlib
import dataclasses
import functools
import re
import warnings
from collections.abc import Callable, Iterator
from math import inf, nan
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import autograd
from tests import differential
from tests.differential.differences import reason_for

TOLERANCE = {"float64": 1e-11, "float32": 3e-5, "float16": 2e-2}
TRIALS, DIGITS, FACTOR = 8, 8, 16
"""How often rounding is tried, how many units in the last place change, and how much more is still rounding."""


@functools.lru_cache(4096)
def compiled(text: str, mode: str = "exec") -> Any:
    """The code of a statement."""
    return compile(text, "<program>", mode)


def there() -> dict[str, Any]:
    """PyTorch, as a program sees it."""
    return {"torch": torch, "F": torch.nn.functional, "inf": inf, "nan": nan}


def here() -> dict[str, Any]:
    """This engine, as a program sees it."""
    return {"torch": differential.torch, "F": differential.F, "inf": inf, "nan": nan}


@dataclasses.dataclass
class Difference:
    """Where two runs of a program part.

    Attributes:
        program: the statements.
        index: the number of the statement after which they differ.
        kind: "raises here", "raises in PyTorch", "value", "gradient", "dtype", "shape", "requires_grad", "type".
        name: of the tensor, if one differs; "a.grad" for a gradient.
        here: its value or the exception here.
        there: the same in PyTorch.
        scale: of rounding, by the size of the numbers in the program so far.
        ours: what the program's names mean here by then.
        theirs: the same in PyTorch.
    """

    program: list[str]
    index: int
    kind: str
    name: str
    here: Any
    there: Any
    scale: float = 0
    ours: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False)
    theirs: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def statement(self) -> str:
        """The statement after which the two differ."""
        return self.program[self.index]

    @property
    def layouts(self) -> bool:
        """Whether some tensor is contiguous in one library only."""
        other = dict(tensors(self.theirs, torch.Tensor))
        return any(t.is_contiguous() != other[name].is_contiguous()
                   for name, t in tensors(self.ours, autograd.Tensor) if name in other)

    @functools.cached_property
    def apart(self) -> np.ndarray:
        """Which elements differ, if numbers do."""
        return ~close(self.here, self.there)

    @functools.cached_property
    def needed(self) -> list[str]:
        """The statements without which it would be another difference, or none."""
        lines = self.program[:self.index + 1]
        for i in reversed(range(self.index)):
            if self.is_that_of(lines[:i] + lines[i + 1:]):
                del lines[i]
        return lines

    def is_that_of(self, program: list[str]) -> bool:
        """Whether a program ends with this very difference."""
        ours, theirs = here(), there()
        for line in program:
            if crashes(line, theirs):
                return False
            raised, their_raised = attempt(line, ours), attempt(line, theirs, unshared=True)
        if self.kind.startswith("raises") and not self.name:
            return (raised is None) == (self.kind == "raises in PyTorch") and str(raised or their_raised) == str(
                self.here if their_raised is None else self.there) and (raised is None) != (their_raised is None)
        return raised is None and their_raised is None and any(
            (kind, name) == (self.kind, self.name) and all(map(_same, sides, (self.here, self.there)))
            for kind, name, *sides in compare(of_engine(ours), of_torch(theirs)))

    def again(self, side: str, changed: Callable[[str], str]) -> dict[str, Any]:
        """What one side's names mean after the statement, where each statement is changed like this."""
        scope = {"ours": here, "theirs": there}[side]()
        for line in self.program[:self.index + 1]:
            attempt(changed(line), scope, unshared=side == "theirs")
        return scope

    def text(self) -> str:
        """The program, and what differs after it."""
        def shown(value: Any) -> str:
            if isinstance(value, Exception):
                return f"{type(value).__name__}: {str(value).splitlines()[0] if str(value) else ''}"[:200]
            return re.sub(r"\s+", " ", str(value))[:200]
        lines = [*self.program[:self.index + 1], f"#   {self.kind}{': ' + self.name if self.name else ''}",
                 f"#   here     {shown(self.here)}", f"#   PyTorch  {shown(self.there)}"]
        return "\n".join(lines)


def _same(a: Any, b: Any) -> bool:
    """Whether two sides of a difference are one and the same value, exception or word."""
    return a.tobytes() == b.tobytes() if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) else str(a) == str(b)


def tensors(scope: dict[str, Any], kind: type) -> Iterator[tuple[str, Any]]:
    """All tensors that a program has, by expression: variables, parts of tuples and lists, parameters, buffers."""
    for name, value in scope.items():
        if name[0] == "_":
            continue
        if isinstance(value, kind):
            yield name, value
        elif isinstance(value, (tuple, list)):
            for i, part in enumerate(value):
                if isinstance(part, kind):
                    yield f"{name}[{i}]", part
        elif name[0] == "m" and hasattr(value, "named_parameters"):
            for part, t in [*value.named_parameters(), *value.named_buffers()]:
                yield f"{name}.{part}", t


def usable(t: torch.Tensor) -> bool:
    """Whether PyTorch still reads a tensor: not one of several views whose base was changed in place."""
    try:
        return t.is_leaf or True
    except RuntimeError:
        return False


def of_torch(scope: dict[str, Any]) -> dict[str, tuple]:
    """What is compared, in PyTorch: expression -> value and requires_grad; None for what PyTorch refuses to read.

    A view that isn't recorded says that it requires gradients if its base does.
    """
    found: dict[str, Any] = {}
    for name, t in tensors(scope, torch.Tensor):
        if not usable(t):
            found[name] = None
            continue
        borrowed = t.requires_grad and t._is_view() and t.grad_fn is None and t._base.requires_grad
        found[name] = t.detach().numpy(), "that of its base" if borrowed else t.requires_grad
        g = t.grad if t.is_leaf or t.retains_grad else None
        if g is not None:
            found[name + ".grad"] = g.detach().numpy(), g.requires_grad
    return found


def of_engine(scope: dict[str, Any]) -> dict[str, tuple]:
    """What is compared, here; the exception for what cannot be read."""
    found: dict[str, Any] = {}
    for name, t in tensors(scope, autograd.Tensor):
        for what, of in ((name, t), (name + ".grad", t.grad)):
            try:
                if of is not None:
                    found[what] = of.detach().numpy(), of.requires_grad
            except RuntimeError as error:
                found[what] = error
    return found


def compare(ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """The differences of two snapshots, the first of each tensor: kind, name and both sides."""
    for name in [*theirs, *(name for name in ours if name not in theirs)]:
        gradient = name.endswith(".grad")
        if (gradient and theirs.get(name[:-5], 0) is None) or theirs.get(name, 0) is None:
            continue
        if name not in ours or name not in theirs:
            yield "gradient" if gradient else "type", name, *(
                side[name][0] if name in side else "no tensor" for side in (ours, theirs))
            continue
        if isinstance(ours[name], Exception):
            yield "raises here", name, ours[name], theirs[name][0]
            continue
        (our, requires), (their, tracked) = ours[name], theirs[name]
        if our.dtype != their.dtype:
            yield "dtype", name, our.dtype, their.dtype
        elif our.shape != their.shape:
            yield "shape", name, our.shape, their.shape
        elif requires != tracked:
            yield "requires_grad", name, requires, tracked
        elif our.tobytes() != their.tobytes() and not close(our, their).all():
            yield "gradient" if gradient else "value", name, our.copy(), their.copy()


def size(snapshot: dict[str, Any]) -> float:
    """One unit in the last place of the largest number, in the coarsest dtype.

    Numbers beyond a thousand are there on purpose, and would hide what happens to others.
    """
    values = [side[0] for side in snapshot.values() if side is not None and side[0].dtype.kind in "fi"]
    largest = max((np.abs(x[np.isfinite(x)]).max(initial=1) for x in values), default=0)
    return min(float(largest), 1e3) * max((float(np.finfo(x.dtype).eps) for x in values if x.dtype.kind == "f"),
                                          default=0)


def close(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Which elements agree."""
    if theirs.dtype.kind != "f":
        return ours == theirs
    tolerance = TOLERANCE[str(theirs.dtype)]
    with np.errstate(all="ignore"):
        a, b = ours.astype(np.float64), theirs.astype(np.float64)
        near = np.abs(a - b) <= tolerance * np.abs(b) + np.finfo(theirs.dtype).tiny
        return (a == b) | near | (np.isnan(a) & np.isnan(b))


def attempt(line: str, scope: dict[str, Any], unshared: bool = False) -> Exception | None:
    """Run a statement; the exception, if it raises one.

    With `unshared`, PyTorch's new gradients get memory of their own: with each other, with the graph and with what was
    passed to backward() they may share it, and then a write into one changes the other.
    """
    gradients = unshared and ("backward(" in line or ".grad(" in line)
    before = {id(t.grad) for t in _with_gradient(scope)} if gradients else ()
    try:
        exec(compiled(line), scope)
    except Exception as error:
        return error.with_traceback(None)
    if gradients:
        for t in _with_gradient(scope):
            if id(t.grad) not in before:
                with contextlib.suppress(RuntimeError):  # the tensor has another shape by now
                    t.grad = t.grad.clone()
        name = line.partition(" = ")[0]
        if " = torch.autograd.grad(" in line and isinstance(scope[name], tuple):
            scope[name] = tuple(g if g is None else g.clone() for g in scope[name])
    return None


def _with_gradient(scope: dict[str, Any]) -> list[torch.Tensor]:
    return [t for _, t in tensors(scope, torch.Tensor) if usable(t) and t.grad is not None]


def quiet(function: Callable) -> Callable:
    """Without warnings: divisions by zero are meant."""
    @functools.wraps(function)
    def silent(*args: Any, **kwargs: Any) -> Any:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return function(*args, **kwargs)
    return silent


@quiet
def differences(program: list[str]) -> list[Difference]:
    """Run a program in both libraries, and find where they part; what rounding explains doesn't count.

    All differences after the first statement that has any are given.
    """
    ours, theirs = here(), there()
    rounded: dict[str, bytes] = {}  # tensors that differ by rounding, with the bytes that they had
    for i, line in enumerate(program):
        raised, their_raised = attempt(line, ours), attempt(line, theirs, unshared=True)
        if raised is None and overwritten(their_raised):
            theirs, their_raised = with_what_was_used(program[:i + 1])
        found = []
        if raised is not None and their_raised is None:
            found = [Difference(program, i, "raises here", "", raised, "no exception")]
        elif their_raised is not None and raised is None:
            found = [Difference(program, i, "raises in PyTorch", "", "no exception", their_raised)]
        elif raised is not None:
            if ("backward(" in line or "grad(" in line) and not isinstance(raised, NameError):
                return differences(program[:i] + program[i + 1:])  # who got how far is nobody's business
            continue
        else:
            expected = of_torch(theirs)
            found = [Difference(program, i, *parted, scale=size(expected))
                     for parted in compare(of_engine(ours), expected)]
            found = [one for one in found if not (one.name in rounded and one.here.tobytes() == rounded[one.name])]
        if found:
            real = [dataclasses.replace(one, ours=ours, theirs=theirs) for one in found if not rounding(one)]
            if real or found[0].kind.startswith("raises"):
                return real
            rounded.update((one.name, one.here.tobytes()) for one in found)
    return []


def overwritten(error: Exception | None) -> bool:
    """Whether PyTorch refuses a backward pass because what it saved was changed in place while recording."""
    return "modified by an inplace operation" in str(error) or "allow_mutation_on_saved_tensors" in str(error)


def with_what_was_used(program: list[str],
                       trial: int | None = None) -> tuple[dict[str, Any], Exception | None]:
    """PyTorch's run of such a program, where it keeps copies of what is changed in place."""
    scope, raised = there(), None
    with torch.autograd.graph.allow_mutation_on_saved_tensors():
        for line in program:
            with contextlib.nullcontext() if trial is None else LastDigits(trial):
                raised = attempt(line, scope, unshared=True)
    return scope, raised


# Rounding

INEXACT = re.compile("linalg|triangular|cholesky|mean|var|std|norm|pool|upsample|logaddexp|logsumexp|softmax")
"""Functions of PyTorch whose result may be round by luck."""


class LastDigits(TorchDispatchMode):
    """Changes the last digits of what PyTorch computes, equal numbers alike; exact and moved numbers stay."""

    def __init__(self, trial: int) -> None:
        super().__init__()
        self.drops_remains = trial % 2 == 1  # what is left where numbers cancel becomes 0
        self.factor = np.uint64(0x9E3779B97F4A7C15 + 2 * 0x632BE59BD9B4E019 * trial & (1 << 64) - 1)

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        flat = [t for a in args for t in (a if isinstance(a, (list, tuple)) else (a,)) if isinstance(t, torch.Tensor)]
        known = [t.detach().numpy().ravel().astype(np.float64) for t in flat if t.dtype != torch.bool]
        out = func(*args, **(kwargs or {}))
        for t, declared in zip(out if isinstance(out, (tuple, list)) else (out,), func._schema.returns, strict=False):
            alias = declared.alias_info
            if isinstance(t, torch.Tensor) and t.dtype.is_floating_point and (alias is None or alias.is_write):
                self.change(t.detach().numpy(), np.concatenate(known) if known else np.zeros(0),
                            INEXACT.search(func.__name__) is not None)
        return out

    def change(self, x: np.ndarray, known: np.ndarray, inexact: bool) -> None:
        """Change the values of x that are neither among the known ones nor round (even those if `inexact`)."""
        info = np.finfo(x.dtype)
        wide = x.astype(np.float64)
        with np.errstate(all="ignore"):
            steps = wide * 2.0 ** (info.nmant // 3)
            round_ = (steps == np.rint(steps)) & (np.abs(steps) < 2.0 ** (2 * info.nmant // 3))
            few = wide.size * known.size < 1e4  # then this is faster than isin
            exact = (wide[..., None] == known).any(-1) if few else np.isin(wide, known)
            exact = exact & (wide == 0) if inexact else exact | round_
            noise = np.ascontiguousarray(wide).view(np.uint64) * self.factor >> np.uint64(40)
            around = np.concatenate([wide.ravel(), known]) if inexact else known[:0]  # it may have canceled there
            least = np.abs(around[np.isfinite(around)]).max(initial=0)
            changed = wide + np.maximum(np.abs(wide), least) * (DIGITS * float(info.eps) * (noise / 2 ** 23 - 1))
            if self.drops_remains:
                changed[np.abs(wide) <= DIGITS * float(info.eps) * least] = 0
            changed = changed.astype(x.dtype)
            np.copyto(x, changed, where=~exact)


def crashes(line: str, scope: dict[str, Any]) -> bool:
    """PyTorch 2.13 may crash when a view that was written to gets a hook."""
    hooked = re.search(r"= ([\w\[\]]+)\.register_hook", line)
    t = dict(tensors(scope, torch.Tensor)).get(hooked[1]) if hooked else None
    return t is not None and t._is_view() and t._version > 0


@quiet
def rounding(found: Difference) -> bool:
    """Whether a difference is no larger than what the last digits of PyTorch's own results make."""
    if found.kind in ("dtype", "shape", "requires_grad", "type") or (found.name and not (
            isinstance(found.here, np.ndarray) and isinstance(found.there, np.ndarray))):
        return False
    spread, raised = np.zeros(()), None
    if found.name:
        apart = np.abs(found.here.astype(np.float64) - found.there.astype(np.float64))
        least = FACTOR * found.scale if found.there.dtype.kind == "f" else 0
    for trial in range(TRIALS):
        scope = there()
        for line in found.program[:found.index + 1]:
            if crashes(line, scope):
                return not differences([other for other in found.program[:found.index + 1] if other != line])
            with LastDigits(trial):
                raised = attempt(line, scope)
        if overwritten(raised):
            scope, raised = with_what_was_used(found.program[:found.index + 1], trial)
        if found.kind.startswith("raises"):
            if (raised is not None) != (found.kind == "raises in PyTorch"):
                return True
            continue
        values = of_torch(scope).get(found.name)
        if values is None or values[0].shape != found.there.shape:
            return True
        a, b = values[0].astype(np.float64), found.there.astype(np.float64)
        gap = np.where((a == b) | np.isnan(a) & np.isnan(b), 0, np.abs(a - b))
        spread = np.fmax(spread, np.where(np.isnan(gap), inf, gap))
        if ((apart <= FACTOR * spread + least) | np.isinf(spread))[found.apart].all():
            return True
    return False


@quiet
def unlisted(program: list[str], tally: dict[str, int] | None = None) -> Difference | None:
    """The first difference that is not on purpose; statements that differ on purpose are left out."""
    while program:
        found = differences(program)
        if not found:
            return None
        for one in found:
            reason = reason_for(one)
            if reason is None:
                return one
            if tally is not None:
                tally[reason] = tally.get(reason, 0) + 1
        program = found[0].program[:found[0].index] + found[0].program[found[0].index + 1:]
    return None


# Shrinking

@quiet
def shrink(found: Difference, runs: int = 500) -> Difference:
    """A smaller program that differs in the same way: fewer statements, then smaller expressions and numbers."""
    best = dataclasses.replace(found, program=found.program[:found.index + 1])
    left = runs

    def accepts(program: list[str]) -> bool:
        nonlocal best, left
        if left <= 0:
            return False
        left -= 1
        try:
            again = [one for one in differences(program) if signature(one) == signature(best) and not reason_for(one)]
        except Exception:
            return False
        if again:
            best = dataclasses.replace(again[0], program=again[0].program[:again[0].index + 1])
        return bool(again)
    changed = True
    while changed and left > 0:
        changed = _without_statements(lambda: best, accepts)
        changed |= _with_fewer_names(lambda: best, accepts)
        changed |= _with_smaller_text(lambda: best, accepts)
    return best


def _without_statements(best: Callable[[], Difference], accepts: Callable) -> bool:
    changed, size = False, max(1, len(best().program) // 2)
    while size:
        end = len(best().program)
        while end > 0:
            program = best().program
            end = min(end, len(program))
            if accepts(program[:max(0, end - size)] + program[end:]):
                changed = True
            end -= size
        size //= 2
    return changed


def _with_fewer_names(best: Callable[[], Difference], accepts: Callable) -> bool:
    """An earlier tensor in the place of a later one, whose statement goes."""
    changed, i = False, len(best().program) - 1
    while i > 0:
        program = best().program
        if i < len(program) and (made := re.match(r"(\w+) = ", program[i])):
            for line in program[:i]:
                if earlier := re.match(r"(\w+) = ", line):
                    renamed = [re.sub(rf"\b{made[1]}\b(?!=)", earlier[1], later) for later in program[i + 1:]]
                    if accepts(program[:i] + renamed):
                        changed = True
                        break
        i -= 1
    return changed


def _with_smaller_text(best: Callable[[], Difference], accepts: Callable) -> bool:
    changed, i = False, len(best().program) - 1
    while i >= 0:
        again = True
        while again and i < len(best().program):
            again, program = False, best().program
            for line in smaller(program[i]):
                if accepts([*program[:i], line, *program[i + 1:]]):
                    changed = again = True
                    break
        i -= 1
    return changed


@functools.lru_cache(1024)
def smaller(line: str) -> list[str]:
    """Variants of a statement that are simpler: without an argument, a row, an outer call; with rounder numbers."""
    found = {}
    for change in _changes(ast.parse(line)):
        tree = ast.parse(line)
        if change(tree):
            text = ast.unparse(tree)
            if text != line and len(text) <= len(line):
                found[text] = None
    return sorted(found, key=len)


def _changes(tree: ast.AST) -> Iterator[Callable[[ast.AST], bool]]:
    """Functions that change one place of a tree like this."""
    for place, node in enumerate(ast.walk(tree)):
        def at(tree: ast.AST, place: int = place) -> Any:
            return list(ast.walk(tree))[place]
        if isinstance(node, ast.Module):
            for k in range(len(node.body) if len(node.body) > 1 else 0):
                yield lambda tree, at=at, k=k: (at(tree).body.pop(k), True)[1]
        if isinstance(node, ast.With):
            yield lambda tree: (setattr(tree, "body", tree.body[0].body), True)[1]
        if isinstance(node, ast.List):
            for depth in range(3):
                for k in range(8):
                    yield lambda tree, at=at, depth=depth, k=k: _drop(at(tree), depth, k)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.tensor":
            continue
        if isinstance(node, ast.Call):
            for k in range(len(node.keywords)):
                yield lambda tree, at=at, k=k: (at(tree).keywords.pop(k), True)[1]
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            for simple in (1, 2, 0):
                if node.value == simple:
                    break
                number = type(node.value)(simple)
                yield lambda tree, at=at, number=number: (setattr(at(tree), "value", number), True)[1]
        for field, value in ast.iter_fields(node):  # an expression becomes a part of it
            if isinstance(value, (ast.Call, ast.BinOp, ast.UnaryOp, ast.Attribute, ast.Subscript)) and field != "func":
                for part in range(1, min(12, sum(1 for _ in ast.walk(value)))):
                    yield lambda tree, at=at, field=field, part=part: _replace(at(tree), field, part)


def _drop(node: ast.List, depth: int, k: int) -> bool:
    """Remove element k of every list at this depth."""
    if depth:
        return bool(node.elts) and all(isinstance(part, ast.List) and _drop(part, depth - 1, k) for part in node.elts)
    if k >= len(node.elts) or len(node.elts) == 1:
        return False
    del node.elts[k]
    return True


def _replace(node: ast.AST, field: str, part: int) -> bool:
    outer = getattr(node, field)
    inner = list(ast.walk(outer))[part]
    if not isinstance(inner, (ast.Call, ast.BinOp, ast.Name, ast.Subscript)) and not (
            isinstance(inner, ast.Constant) and isinstance(outer, ast.UnaryOp)):
        return False
    setattr(node, field, inner)
    return True


# Kinds of differences

def signature(found: Difference) -> tuple[str, str]:
    """What has to stay the same while a program is shrunk."""
    error = found.here if found.kind == "raises here" else found.there if found.kind == "raises in PyTorch" else ""
    return found.kind, template(error) if isinstance(error, Exception) else ""


def template(error: Exception) -> str:
    """An exception's message without what belongs to the case: numbers, shapes, names of operations."""
    text = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    text = re.sub(r"\w+\(\) ", "…", text)
    text = re.sub(r"\w*\([^()]*\)|\[[^\[\]]*\]|`[^`]*`|'[^']*'|\"[^\"]*\"", "…", text)
    return re.sub(r"-?\d[\d.e+]*", "#", text)[:90]


COMMON = {"tensor", "float64", "float32", "float16", "sum", "backward", "grad", "autograd", "requires_grad_", "zeros",
          "detach"}
"""Names that say nothing about a difference."""


def group(found: Difference) -> tuple:
    """What two shrunk differences have in common: kind and exception, else the names that they use."""
    if found.kind.startswith("raises"):
        return signature(found)
    for lines in ([found.statement], found.program[:found.index + 1]):
        nodes = [node for line in lines for node in ast.walk(ast.parse(line))]
        names = {node.attr for node in nodes if isinstance(node, ast.Attribute)} - COMMON
        if names:
            break
    return (*signature(found), *sorted(names))
